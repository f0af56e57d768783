"""Pictures for a report: before, after and the difference, scaled down and written into the page itself."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from kohl.errors import BadPhoto
from kohl.types import Photo, Row

LONGEST, CLOSE = 1200, 720  # pixels of a side: of a photo, of a close-up
CONTRAST = 8  # how much a difference is enlarged


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, and its size in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True)
class Pictures:
    """A photo or a face, before and after, and the difference; None where there is nothing to show."""

    before: Picture | None = None
    after: Picture | None = None
    difference: Picture | None = None


def pictures(row: Row, read: Callable[[Path], Photo]) -> tuple[Pictures, list[Pictures]]:
    """Those of the photo, and those of each of its faces; what `read` refuses is not shown."""
    before = _views(row.photo, row, read)  # one photo in memory at a time
    if before is None:
        return Pictures(), [Pictures() for _ in row.faces]
    after = _views(row.output, row, read)
    if after is None or after.size != before.size:  # another photo has taken its place
        return Pictures(before.inlined(0)), [Pictures(before.inlined(1 + index)) for index in range(len(row.faces))]
    whole, *faces = [_three(before, after, index) for index in range(1 + len(row.faces))]
    return whole, faces


def slice_of(pixels: np.ndarray, box: tuple[float, float, float, float]) -> tuple[slice, slice]:
    """Rows and columns of a square inside the picture with `box` (x, y, width, height) in its middle, if it can be."""
    (height, width), (x, y, box_width, box_height) = pixels.shape[:2], box
    side = min(max(1, round(1.6 * max(box_width, box_height))), height, width)
    top = min(max(0, round(y + box_height / 2 - side / 2)), height - side)
    left = min(max(0, round(x + box_width / 2 - side / 2)), width - side)
    return slice(top, top + side), slice(left, left + side)


def difference(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The change of every pixel, enlarged `CONTRAST` times around mid-grey."""
    enlarged: np.ndarray = np.clip(128 + CONTRAST * (after.astype(np.int16) - before), 0, 255).astype(np.uint8)
    return enlarged


def shrunk(pixels: np.ndarray, longest: int) -> np.ndarray:
    """`pixels` (h, w, 3) with at most `longest` of them a side; a copy."""
    scale = min(1.0, longest / max(pixels.shape[:2]))
    size = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
    return pixels.copy() if scale == 1 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def inlined(pixels: np.ndarray, *, longest: int, icc_profile: bytes | None = None) -> Picture:
    """uint8 pixels (h, w, 3) as a JPEG of at most `longest` pixels a side, in full colour resolution."""
    small = shrunk(pixels, longest)
    buffer = BytesIO()
    Image.fromarray(small).save(buffer, "JPEG", quality=90, subsampling=0, icc_profile=icc_profile)
    uri = "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
    return Picture(uri, small.shape[1], small.shape[0])


@dataclass(frozen=True, eq=False)
class _Views:
    """What is kept of a photo: the whole of it and each of its faces, scaled down, and its size and colour profile."""

    parts: list[np.ndarray]
    size: tuple[int, int]
    icc_profile: bytes | None

    def inlined(self, index: int) -> Picture:
        """One of the parts."""
        return inlined(self.parts[index], longest=LONGEST, icc_profile=self.icc_profile)


def _views(path: str | None, row: Row, read: Callable[[Path], Photo]) -> _Views | None:
    try:
        photo = read(Path(path)) if path else None
    except BadPhoto:
        return None
    if photo is None:
        return None
    faces = [shrunk(photo.pixels[slice_of(photo.pixels, face.box)], CLOSE) for face in row.faces]
    return _Views([shrunk(photo.pixels, LONGEST), *faces], photo.size, photo.metadata.icc_profile)


def _three(before: _Views, after: _Views, index: int) -> Pictures:
    """Before, after and the difference of one part of a photo."""
    changed = difference(before.parts[index], after.parts[index])
    return Pictures(before.inlined(index), after.inlined(index), inlined(changed, longest=LONGEST))
