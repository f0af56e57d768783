"""The change of a face, warped back onto the photo at its own resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from kohl.colour import LUMA
from kohl.types import Faces, Images, Photo

ROWS = 256  # that are added at a time
FINE = 1.4  # pixels of the crop: no change is made of finer grains


def paste(photo: Photo, to_crops: Sequence[np.ndarray], before: Faces, after: Images) -> Photo:
    """`photo` with `after` − `before` added where each face stands; where a face did not change, no pixel changes.

    Each of `to_crops` (2, 3) takes photo pixels to the pixels of that face's crop.
    """
    pixels = photo.pixels.copy()
    changes = (after - before.crops).permute(0, 2, 3, 1).numpy()
    for to_crop, change in zip(to_crops, changes, strict=True):
        _add(pixels, change, to_crop, grey=photo.metadata.grey)
    return Photo(pixels, photo.path, photo.metadata)


def _add(pixels: np.ndarray, change: np.ndarray, to_crop: np.ndarray, *, grey: bool) -> None:
    """Adds one change (size, size, 3), in [−1, 1], to the part of `pixels` that it covers, in place."""
    if not change.any():
        return
    if grey:
        change = np.repeat((change @ np.array(LUMA, np.float32))[..., None], 3, -1)
    to_photo = cv2.invertAffineTransform(to_crop)
    size = change.shape[0] - 1
    corners = np.array([(0, 0), (size, 0), (0, size), (size, size)]) @ to_photo[:, :2].T + to_photo[:, 2]
    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, pixels.shape[1::-1])
    to_part = np.c_[to_photo[:, :2], to_photo[:, 2] - (left, top)]
    pitch = 1 / np.sqrt(abs(np.linalg.det(to_photo[:, :2])))  # of the photo's pixels, in the crop's
    if pitch > FINE:  # what is finer than the photo's pixels would be a grid on it
        change = cv2.GaussianBlur(change, (0, 0), 0.5 * np.sqrt(pitch**2 - FINE**2))
    moved = cv2.warpAffine(change, to_part, (right - left, bottom - top), flags=cv2.INTER_CUBIC)
    part = pixels[top:bottom, left:right]
    for start in range(0, len(part), ROWS):  # of a large face, floats would take hundreds of megabytes
        rows = slice(start, start + ROWS)
        part[rows] = np.clip(np.rint(part[rows] + moved[rows] * 255), 0, 255).astype(np.uint8)
