"""Pictures of faces in rows and columns, each over a line of text, and how such a sheet is written."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kohl import files
from kohl.align import imageio
from kohl.errors import BadPhoto, Remedy
from kohl.job import Job
from kohl.types import Images

LINE, GAP = 24, 10  # pixels: a line of text; between tiles
LETTERS = 15  # pixels of the text's height


def pixels(images: Images) -> np.ndarray:
    """The first of the images, as bytes (side, side, 3)."""
    found: np.ndarray = (255 * images[0].clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    return found


def tile(picture: np.ndarray, text: str) -> np.ndarray:
    """A square picture, uint8 (side, side, 3), over its text on white; a text that is too long is cut."""
    side = len(picture)
    found = np.full((side + LINE + GAP, side + GAP, 3), 255, np.uint8)
    found[:side, :side] = picture
    image = Image.fromarray(found)
    font = ImageFont.load_default(size=LETTERS)
    cut = text
    while font.getlength(cut) > side and len(cut) > 1:
        cut = f"{cut[:-2]}…"
    ImageDraw.Draw(image).text((2, side + 4), cut, fill=(0, 0, 0), font=font)
    return np.asarray(image)


def check(job: Job) -> None:
    """Raises `BadPhoto` where a sheet may not be written to the job's output."""
    for original in (job.photo, *job.references):
        imageio.check_output(job.output, original, force=job.force)
    if job.output.suffix.lower() != ".png":
        raise BadPhoto(f"{job.output}: a sheet is a PNG", Remedy.PNG)


def save(sheet: Image.Image, job: Job) -> None:
    """Writes the sheet, whole or not at all and without metadata, as a PNG."""
    content = BytesIO()
    sheet.save(content, "PNG")
    job.output.parent.mkdir(parents=True, exist_ok=True)
    files.write(job.output, content.getvalue(), force=job.force)


def default_output(photo: Path, output: Path | None, kind: str) -> Path:
    """NAME_KIND.png beside the photo or in the folder `output`; or `output` itself where it names a picture."""
    if output is not None and imageio.is_photo_name(output):
        return output
    return (photo.parent if output is None else output) / f"{photo.stem}_{kind}.png"
