"""Where a face stands in the crop that the generators see, and the crops themselves."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from kohl.geometry import similarity, transform
from kohl.types import Face, Faces, Photo

SIZE = 256  # pixels of a side of the crop

# Eyes, nose tip and mouth corners in the crop: the mean over 904 FFHQ-aligned portraits (Karras et al., CVPR 2019),
# made symmetric. It holds the whole head, and so the crop of every recogniser we know.
TEMPLATE = ((96.1, 121.1), (158.9, 121.1), (127.5, 159.5), (99.3, 186.0), (155.7, 186.0))


def to_crop(points: np.ndarray) -> np.ndarray:
    """The (2, 3) similarity that takes photo pixels to crop pixels, from five points (5, 2) in the photo."""
    source = torch.as_tensor(points, dtype=torch.float64)[None]
    return similarity(source, source.new_tensor(TEMPLATE)[None])[0].numpy()


def crops(photo: Photo, faces: Sequence[Face]) -> Faces:
    """The faces cut out and aligned, with their landmarks in crop pixels; beyond the photo its edge is mirrored."""
    matrices = torch.tensor(np.stack([face.to_crop for face in faces]))
    cut = np.stack([_cut(photo.pixels, face.to_crop) for face in faces])
    points, landmarks = (
        transform(matrices, torch.tensor(np.stack([getattr(face, name) for face in faces]), dtype=torch.float64))
        for name in ("points", "landmarks")
    )
    return Faces(torch.tensor(cut).permute(0, 3, 1, 2).float() / 255, points.float(), landmarks.float())


def _cut(pixels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """One crop, uint8 (SIZE, SIZE, 3). A much larger face is halved first, so that no pixel is skipped."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))  # crop pixels per photo pixel
    while scale < 0.5:
        # Pixel centres are at integers: the centre of the first two pixels, 0.5, becomes 0.
        pixels = cv2.resize(
            pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2],
            None,
            fx=0.5,
            fy=0.5,
            interpolation=cv2.INTER_AREA,
        )
        matrix = np.c_[matrix[:, :2] * 2, matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5)]
        scale *= 2
    return cv2.warpAffine(pixels, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
