"""What people know a face by: how dear a change is at each of its pixels.

Friends miss a nose and brows first; a furrow between the brows is a frown; darker skin below the eyes looks tired, and
older; a pale rim or a dark corner redraws a mouth. On cheeks, forehead and jaw the same change is a matter of light.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from kohl.makeup.face_map import BROWS, EYES, FaceMap
from kohl.types import Faces

# How many times a change counts there, if it counts once on a cheek.
NOSE, BROW, BETWEEN, BELOW, MOUTH = 10.0, 3.0, 4.0, 3.0, 3.0
BASE = (31, 32, 33, 34, 35)  # of the nose, from wing to wing


def dearness(faces: Faces) -> Tensor:
    """How many times a change counts at each pixel of the crops (n, 1, size, size); 1 or more."""
    maps = [
        dear(FaceMap(crop.permute(1, 2, 0).numpy(), points.double().numpy()))
        for crop, points in zip(faces.crops.cpu(), faces.landmarks.cpu(), strict=True)
    ]
    return torch.tensor(np.stack(maps), dtype=torch.float32, device=faces.crops.device)[:, None]


def dear(face: FaceMap) -> np.ndarray:
    """The same for one face (size, size): on nose and brows, between them, below the eyes, around the lips."""
    nose = np.maximum(
        np.clip(1.8 * face.filled(face.at(27, *BASE), soft=0.16), 0, 1), _along(face, face.at(*BASE), 0.12)
    )
    brows = np.max([_along(face, face.at(*brow), 0.14) for brow in BROWS], 0)
    inner = face.at(21, 22).mean(0)
    bridge = np.stack([inner - 0.18 * face.unit * face.down, inner, face.at(27)[0]])
    between = _along(face, bridge, 0.13)
    lower = (face.at(*eye[3:], eye[0]) + 0.10 * face.unit * face.down for eye in EYES)
    below = np.max([_along(face, lid, 0.13) for lid in lower], 0)
    mouth = _along(face, np.concatenate([face.lips, face.lips[:1]]), 0.10)
    parts = ((NOSE, nose), (BROW, brows), (BETWEEN, between), (BELOW, below), (MOUTH, mouth))
    found: np.ndarray = np.max([1 + (times - 1) * part for times, part in parts], 0)
    return found


def _along(face: FaceMap, path: np.ndarray, width: float) -> np.ndarray:
    """1 on a path (k, 2), less beside it: hardly anything two widths away, in eye distances."""
    near: np.ndarray = np.exp(-np.square(face.distance(path, 3 * width) / width))
    return near
