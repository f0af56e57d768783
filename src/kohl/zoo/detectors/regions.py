"""Lips, skin, and the skin around the eyes: the regions between which AMT-GAN carries makeup."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from kohl.templates import inside
from kohl.types import Faces
from kohl.zoo.detectors.bisenet import FaceParser

LIPS, SKIN = (12, 13), (1, 10)  # classes of the parser: upper and lower lip; skin and nose
AROUND_EYES = 16 / 256  # of a side, beyond the eye's landmarks, as published
EYES = (slice(36, 42), slice(42, 48))
OUTER_LIPS, INNER_LIPS = slice(48, 60), slice(60, 68)
BROWS = (slice(17, 22), slice(22, 27))
BROW = 0.035  # of a side: how thick brows are


def by_parser(parser: FaceParser, faces: Faces) -> Tensor:
    """The regions (n, 3, size, size) that the published attack finds, with its parser."""
    classes = parser(faces.crops)
    lips, skin = ((classes[:, None] == classes.new_tensor(wanted).view(1, -1, 1, 1)).any(1) for wanted in (LIPS, SKIN))
    return _split(lips.to(faces.crops), skin.to(faces.crops), faces)


def by_landmarks(faces: Faces) -> Tensor:
    """The same from 68 landmarks, without a parser.

    Skin then goes up to where a forehead would end, under any hair, and to the line from ear to chin; teeth that show
    are left out by the inner lips, and what covers a face is not seen.
    """
    size = faces.crops.shape[-1]
    found = [_drawn(face, size) for face in faces.landmarks.cpu().double().numpy()]
    lips, skin = (torch.from_numpy(np.stack(parts)).to(faces.crops) for parts in zip(*found, strict=True))
    return _split(lips, skin, faces)


def _drawn(landmarks: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Lips and skin of one face."""
    points, lips, hole = landmarks.round().astype(np.int32), *np.zeros((2, size, size), np.uint8)
    cv2.fillPoly(lips, [points[OUTER_LIPS]], 1)
    skin = (inside(landmarks, size)[0] > 0).numpy().astype(np.uint8)
    for eye in EYES:
        cv2.fillPoly(hole, [points[eye]], 1)
    for brow in BROWS:
        cv2.polylines(hole, [points[brow]], isClosed=False, color=1, thickness=max(1, round(BROW * size)))
    skin = np.where((hole > 0) | (lips > 0), 0, skin)
    cv2.fillPoly(lips, [points[INNER_LIPS]], 0)
    return lips.astype(np.float32), skin.astype(np.float32)


def _split(lips: Tensor, skin: Tensor, faces: Faces) -> Tensor:
    """Lips, skin and what of the skin is near the eyes, which then is no longer skin."""
    size = skin.shape[-1]
    near, margin = torch.zeros_like(skin), round(AROUND_EYES * size)
    for index, landmarks in enumerate(faces.landmarks.round().long()):
        for eye in EYES:
            left, top = (landmarks[eye].amin(0) - margin).clamp_min(0).tolist()
            right, bottom = (landmarks[eye].amax(0) + margin + 1).clamp_min(0).tolist()
            near[index, top:bottom, left:right] = 1
    return torch.stack([lips, skin * (1 - near), skin * near], 1)
