"""Faces before and after at twice the size that the search sees, the worst first: to be looked at, not counted.

    python benchmarks/sheet.py BEFORE AFTER -o sheet.png [--most 50]

BEFORE and AFTER are folders with the same names in them, such as those of `benchmarks/protect.py --keep AFTER`. Worst
is where most pixels lie on a line that was not there (`kohl.contours`), then where NLPD is highest.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kohl import cpu

cpu.settle()  # before torch is loaded

from kohl.align import crop, imageio  # noqa: E402
from kohl.align.detect import Detect  # noqa: E402
from kohl.contours import new_contours  # noqa: E402
from kohl.nlpd import nlpd  # noqa: E402
from kohl.zoo import cards  # noqa: E402

SIDE = 2 * crop.SIZE  # pixels of a face
LINE = 22  # pixels of text below it
COLUMNS = 3  # pairs beside each other


def pair(before: Path, after: Path, find: Detect) -> tuple[tuple[float, float], np.ndarray] | None:
    """How bad it is, and the largest face in both photos side by side; None where none is found."""
    photos = [imageio.read(path) for path in (before, after)]
    faces = find(photos[0])[:1]
    if not faces:
        return None
    small = [crop.crops(photo, faces).crops for photo in photos]
    lines, seen = float(new_contours(*small)), float(nlpd(*small))
    matrix = crop.at_size(faces[0].to_crop, SIDE)
    tile = np.full((SIDE + LINE, 2 * SIDE, 3), 255, np.uint8)
    tile[:SIDE] = np.concatenate([crop.cut_out(photo.pixels, matrix, SIDE) for photo in photos], 1)
    image = Image.fromarray(tile)
    text = f"{before.parent.name}/{before.name}: {lines:.0f} new line pixels, NLPD {seen:.3f}"
    ImageDraw.Draw(image).text((2, SIDE + 3), text, fill=(0, 0, 0), font=ImageFont.load_default(size=14))
    return (-lines, -seen), np.asarray(image)


def main(argv: Sequence[str] | None = None) -> None:
    """Draws the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--most", type=int, default=50)
    arguments = parser.parse_args(argv)
    find = Detect(cards.load("yunet"), cards.load("landmarks68"))
    names = sorted(path.relative_to(arguments.after) for path in arguments.after.rglob("*.jpg"))
    names = [name for name in names if (arguments.before / name).is_file()]
    pairs = [pair(arguments.before / name, arguments.after / name, find) for name in names]
    tiles = [tile for _, tile in sorted((one for one in pairs if one), key=lambda one: one[0])][: arguments.most]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.concatenate(tiles[start : start + COLUMNS], 1) for start in range(0, len(tiles), COLUMNS)]
    Image.fromarray(np.concatenate(rows)).save(arguments.output)


if __name__ == "__main__":
    main()
