"""How much a face changed, worked out by hand."""

import numpy as np
import pytest
import tiny
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

from kohl.bench.likeness import Likeness


@pytest.fixture
def files(tmp_path):
    """A grey photo, the same with a red cast, and one of another size."""
    for name, colour, size in (("a", (119, 119, 119), 256), ("b", (149, 109, 109), 256), ("c", (119, 119, 119), 32)):
        Image.new("RGB", (size, size), colour).save(tmp_path / f"{name}.png")  # 256 pixels hold the whole crop
    return [tmp_path / f"{name}.png" for name in "abc"]


def test_colours_and_landmarks(files):
    faces = [tiny.face(96, 96, 64), tiny.face(96, 96, 64)]
    faces[1].landmarks[:] += (3, 4)
    eyes = np.linalg.norm(faces[0].points[1] - faces[0].points[0])
    asked = iter(faces)
    found = Likeness("", lambda photo: [next(asked)])(files[0], files[1])
    assert found["landmarks"] == pytest.approx(100 * 5 / eyes)
    colours = [rgb2lab(np.array(colour) / 255) for colour in ((119, 119, 119), (149, 109, 109))]
    assert found["delta e"] == pytest.approx(deltaE_ciede2000(*colours), abs=0.01)
    assert "lpips" not in found


def test_the_same_file_did_not_change(files):
    distance = Likeness("", tiny.detector(tiny.face(0, 0, 64)), lambda first, second: (first - second).abs().sum())
    assert distance(files[0], files[0]) == {"delta e": 0.0, "landmarks": 0.0, "lpips": 0.0}
    assert distance(files[0], files[1])["lpips"] > 100


def test_what_cannot_be_compared_has_no_figures(files):
    seen, blind = tiny.detector(tiny.face(0, 0, 64)), tiny.detector()
    assert Likeness("", blind)(files[0], files[1]) == {"delta e": None, "landmarks": None}
    assert Likeness("", seen)(files[0], files[2]) == {"delta e": None, "landmarks": None}
    answers = iter([[tiny.face(0, 0, 64)], []])
    lost = Likeness("", lambda photo: next(answers))(files[0], files[1])
    assert lost["landmarks"] is None
    assert lost["delta e"] > 5
