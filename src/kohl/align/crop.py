"""Where a face stands in the crop that the generators see, and the crops themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import cv2
import numpy as np
import torch

from kohl.geometry import similarity, transform
from kohl.templates import CROP
from kohl.types import Face, Faces, Photo

SIZE = 256  # pixels of a side of the crop that is looked at
LARGEST = 1024  # of one that is drawn on


Alignment: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]  # five points, 68 landmarks → (2, 3)


def to_crop(points: np.ndarray, landmarks: np.ndarray | None = None) -> np.ndarray:  # noqa: ARG001
    """The (2, 3) similarity that takes photo pixels to crop pixels, from five points (5, 2) in the photo."""
    source = torch.as_tensor(points, dtype=torch.float64)[None]
    return similarity(source, source.new_tensor(CROP)[None])[0].numpy()


@np.errstate(divide="ignore", invalid="ignore")  # landmarks in one place: such a face is skipped
def ffhq(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """The same from 68 landmarks, as the portraits of FFHQ were cut (Karras et al., CVPR 2019).

    The crop is a square whose half side is twice the distance between the eyes or 1.8 times that from the eyes to the
    mouth, if that is more. It is turned halfway between the two, and its middle is a tenth of the way to the mouth.
    """
    left, right = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    eyes, across = (left + right) / 2, right - left
    down = (landmarks[48] + landmarks[54]) / 2 - eyes
    x = across + np.array([down[1], -down[0]])  # down, a quarter turned
    x *= max(2.0 * np.hypot(*across), 1.8 * np.hypot(*down)) / np.hypot(*x)
    linear: np.ndarray = np.array([x, (-x[1], x[0])]) * (SIZE / 2) / (x @ x)
    shift = (SIZE - 1) / 2 - linear @ (eyes + 0.1 * down)
    return np.column_stack([linear, shift])


ALIGNMENTS: Mapping[str, Alignment] = {"points": to_crop, "ffhq": ffhq}


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
    cut = np.stack([cut_out(photo.pixels, to_crop, size) for to_crop in to_crops])
    points, landmarks = (
        transform(matrices, torch.tensor(np.stack([getattr(face, name) for face in faces]), dtype=torch.float64))
        for name in ("points", "landmarks")
    )
    return Faces(torch.tensor(cut).permute(0, 3, 1, 2).float() / 255, points.float(), landmarks.float())


def _shrinks(to_crop: np.ndarray) -> float:
    """Photo pixels per crop pixel."""
    return 1 / float(np.hypot(to_crop[0, 0], to_crop[1, 0]))


def cut_out(pixels: np.ndarray, matrix: np.ndarray, size: int) -> np.ndarray:
    """One crop, uint8 (size, size, 3). A much larger face is halved first, so that no pixel is skipped."""
    shrinks = _shrinks(matrix)
    smooth = cv2.INTER_CUBIC if shrinks < 1 else cv2.INTER_LINEAR  # linear, an enlarged face is a blurred one
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
    return cv2.warpAffine(pixels, matrix, (size, size), flags=smooth, borderMode=cv2.BORDER_REFLECT)
