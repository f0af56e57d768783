"""Makes the pictures of the guide to prompts: `python docs/photos/prompts.py OMI/faces`.

Every picture goes through `kohl protect`, with the saved file cut out of it: nothing is drawn for show.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from kohl import cpu

cpu.settle()  # before torch is loaded

from kohl import pipeline, recipe  # noqa: E402
from kohl.job import Job  # noqa: E402
from kohl.zoo.shelf import Shelf  # noqa: E402

FACES = ("0497", "0385", "0265", "0313", "0457", "0377")  # held out from training: light to dark, glasses, a beard
PROMPTS = (
    "red lipstick",
    "smoky eyes and nude lips",
    "blue eyeshadow, glossy pink lipstick",
    "goth",
    "sun tan and freckles",
    "winged eyeliner, coral blush, plum lipstick",
)
SHELF = Shelf()  # what is loaded, for every look
SIDE, LEFT, TOP = 256, 30, 26  # pixels of a face, and of the margins for the words
PART = (106, 96, 426, 416)  # of a portrait of 512 pixels: left, top, right, bottom


def row(words: str | None, photos: list[Path], scratch: Path) -> list[Image.Image]:
    """The faces as they are (None), or protected with these words."""
    if words is None:
        return [Image.open(photo).convert("RGB").crop(PART).resize((SIDE, SIDE)) for photo in photos]
    house = pipeline.load(replace(recipe.load("default"), text=words), SHELF)
    found = []
    for photo in photos:
        output = scratch / f"{photo.stem}.png"
        print(
            words or "no words", photo.stem, pipeline.protect(Job(photo, output, force=True), house).status, flush=True
        )
        with Image.open(output) as image:
            found.append(image.convert("RGB").crop(PART).resize((SIDE, SIDE)))
    return found


def sheet(rows: list[tuple[str, list[Image.Image]]]) -> Image.Image:
    """The rows below each other, each under its name."""
    step = SIDE + TOP
    canvas = Image.new("RGB", (SIDE * len(rows[0][1]), step * len(rows)), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(16)
    for index, (name, images) in enumerate(rows):
        draw.text((6, index * step + 3), name, fill="black", font=font)
        for column, image in enumerate(images):
            canvas.paste(image, (column * SIDE, index * step + TOP))
    return canvas


def main() -> None:
    """Protects every face with every prompt and lays them out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    photos = [parser.parse_args().faces / f"{name}.jpg" for name in FACES]
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as scratch:
        as_they_are, bare = (
            ("as they are", row(None, photos, Path(scratch))),
            ("--style none", row("", photos, Path(scratch))),
        )
        worn = [(f'--text "{words}"', row(words, photos, Path(scratch))) for words in PROMPTS]
    sheet([as_they_are, *worn]).save(here / "prompts.jpg", quality=88)
    sheet([as_they_are, bare]).save(here / "no-makeup.jpg", quality=90)


if __name__ == "__main__":
    main()
