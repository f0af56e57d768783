"""`benchmarks/sheet.py`: faces before and after side by side, the worst first."""

import sys
from pathlib import Path

import numpy as np
import pytest
from photos import SAMPLE
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import sheet


@pytest.fixture
def folders(tmp_path):
    """The same face three times before; after: as it was, with a line beside the nose, and no face at all."""
    image = Image.open(SAMPLE).convert("RGB")
    lined = np.asarray(image).copy()
    lined[150:190, 228:231] = 0
    for name, after in {"same": image, "lined": Image.fromarray(lined), "gone": image}.items():
        for folder, picture in (("before", image), ("after", after)):
            (tmp_path / folder).mkdir(exist_ok=True)
            picture.save(tmp_path / folder / f"{name}.jpg", quality=95)
    Image.new("RGB", image.size).save(tmp_path / "before" / "gone.jpg")
    return tmp_path


def test_the_worst_stands_first_and_a_photo_without_a_face_is_left_out(folders):
    output = folders / "sheet.png"
    sheet.main([str(folders / "before"), str(folders / "after"), "-o", str(output)])
    pixels = np.asarray(Image.open(output)).astype(int)
    assert pixels.shape == (sheet.SIDE + sheet.LINE, 2 * sheet.SIDE * sheet.COLUMNS, 3)
    faces = pixels[: sheet.SIDE].reshape(sheet.SIDE, 2 * sheet.COLUMNS, sheet.SIDE, 3).swapaxes(0, 1)
    changed = [np.abs(after - before).max() for before, after in (faces[0:2], faces[2:4])]
    assert changed[0] > 60 > changed[1]
    assert (faces[4:] == 255).all()
