"""Where a face stands in the crop that the generators see, and the crops themselves."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from kohl.geometry import similarity, transform
from kohl.templates import CROP
from kohl.types import Face, Faces, Photo

SIZE = 256  # pixels of a side of the crop that is looked at
LARGEST = 1024  # of one that is drawn on


def to_crop(points: np.ndarray) -> np.ndarray:
    """The (2, 3) similarity that takes photo pixels to crop pixels, from five points (5, 2) in the photo."""
    source = torch.as_tensor(points, dtype=torch.float64)[None]
    return similarity(source, source.new_tensor(CROP)[None])[0].numpy()


def own_size(face: Face) -> int:
    """The smallest whole multiple of SIZE at which a crop shows all the detail that the photo has, up to LARGEST."""
    return int(np.clip(np.ceil(_shrinks(face.to_crop) - 1e-6), 1, LARGEST // SIZE)) * SIZE


def at_size(to_crop: np.ndarray, size: int) -> np.ndarray:
    """The matrix `to_crop` for crops of (size, size)."""
    scale = size / SIZE
    shift = to_crop[:, 2:] * scale + (scale - 1) / 2  # pixel centres are at integers
    return np.concatenate([to_crop[:, :2] * scale, shift], 1)


def crops(photo: Photo, faces: Sequence[Face], size: int = SIZE) -> Faces:
    """The faces cut out and aligned, with their landmarks in crop pixels; beyond the photo its edge is mirrored."""
    to_crops = [at_size(face.to_crop, size) for face in faces]
    matrices = torch.tensor(np.stack(to_crops))
    cut = np.stack([_cut(photo.pixels, to_crop, size) for to_crop in to_crops])
    points, landmarks = (
        transform(matrices, torch.tensor(np.stack([getattr(face, name) for face in faces]), dtype=torch.float64))
        for name in ("points", "landmarks")
    )
    return Faces(torch.tensor(cut).permute(0, 3, 1, 2).float() / 255, points.float(), landmarks.float())


def _shrinks(to_crop: np.ndarray) -> float:
    """Photo pixels per crop pixel."""
    return 1 / float(np.hypot(to_crop[0, 0], to_crop[1, 0]))


def _cut(pixels: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """One crop, uint8 (size, size, 3). A much larger face is halved first, so that no pixel is skipped."""
    shrinks = _shrinks(matrix)
    while shrinks > 2:
        # Pixel centres are at integers: the centre of the first two pixels, 0.5, becomes 0.
        pixels = cv2.resize(
            pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2],
            None,
            fx=0.5,
            fy=0.5,
            interpolation=cv2.INTER_AREA,
        )
        matrix = np.c_[matrix[:, :2] * 2, matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5)]
        shrinks /= 2
    return cv2.warpAffine(pixels, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
