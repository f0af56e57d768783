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

from kohl.types import BadPhoto, Photo, Row

LONGEST, CLOSE = 1200, 360  # pixels of a side: of a photo, of a close-up
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
    before, after = _opened(row.photo, read), _opened(row.output, read)
    if before is None:
        return Pictures(), [Pictures() for _ in row.faces]
    if after is not None and after.size != before.size:  # another photo has taken its place
        after = None
    views = [slice_of(before.pixels, face.box) for face in row.faces]
    return _three(before, after, (slice(None), slice(None)), LONGEST), [
        _three(before, after, view, CLOSE) for view in views
    ]


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


def inlined(pixels: np.ndarray, *, longest: int, icc_profile: bytes | None = None) -> Picture:
    """uint8 pixels (h, w, 3) as a JPEG of at most `longest` pixels a side, in full colour resolution."""
    scale = min(1.0, longest / max(pixels.shape[:2]))
    width, height = (max(1, round(side * scale)) for side in pixels.shape[1::-1])
    small = pixels if scale == 1 else cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    buffer = BytesIO()
    Image.fromarray(small).save(buffer, "JPEG", quality=90, subsampling=0, icc_profile=icc_profile)
    return Picture("data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode(), width, height)


def _opened(path: str | None, read: Callable[[Path], Photo]) -> Photo | None:
    try:
        return read(Path(path)) if path else None
    except BadPhoto:
        return None


def _three(before: Photo, after: Photo | None, view: tuple[slice, slice], longest: int) -> Pictures:
    """Before, after and the difference of one part of a photo."""
    first = inlined(before.pixels[view], longest=longest, icc_profile=before.metadata.icc_profile)
    if after is None:
        return Pictures(first)
    return Pictures(
        first,
        inlined(after.pixels[view], longest=longest, icc_profile=after.metadata.icc_profile),
        inlined(difference(before.pixels[view], after.pixels[view]), longest=longest),
    )
