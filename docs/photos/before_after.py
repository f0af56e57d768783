"""Makes the picture of the README: `python docs/photos/before_after.py BEFORE AFTER… OUT.jpg`."""

import sys
from pathlib import Path

from PIL import Image

GAP = 8  # pixels
HEAD = (100, 0, 370, 270)  # of the sample photo: left, top, right, bottom
ENLARGED = 2


def beside(paths: list[Path]) -> Image.Image:
    """The heads of the sample photo and its copies next to each other on white, enlarged."""
    size = tuple(ENLARGED * (end - start) for start, end in zip(HEAD[:2], HEAD[2:], strict=True))
    photos = [Image.open(path).convert("RGB").resize(size, Image.Resampling.LANCZOS, HEAD) for path in paths]
    width = sum(photo.width for photo in photos) + GAP * (len(photos) - 1)
    canvas = Image.new("RGB", (width, max(photo.height for photo in photos)), "white")
    left = 0
    for photo in photos:
        canvas.paste(photo, (left, 0))
        left += photo.width + GAP
    return canvas


if __name__ == "__main__":
    *photos, output = map(Path, sys.argv[1:])
    beside(photos).save(output, quality=92)
