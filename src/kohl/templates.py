"""Where the parts of a face stand: the points that crops are aligned to, and those that follow from landmarks."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

# Where ArcFace puts eyes, nose tip and mouth corners in its 112-pixel input (Deng et al., CVPR 2019).
ARCFACE = ((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041))

# Eyes, nose tip and mouth corners in kohl's own crop of 256 pixels: the mean over 904 FFHQ-aligned portraits (Karras et
# al., CVPR 2019), made symmetric. It holds the whole head, and so the crop of every recogniser we know.
CROP = ((96.1, 121.1), (158.9, 121.1), (127.5, 159.5), (99.3, 186.0), (155.7, 186.0))

SOFT = 0.03  # of a crop's side: how softly a face ends
FOREHEAD = ((17, 0), (18, 18), (21, 22), (25, 25), (26, 16))  # brow and temple landmarks that it is extrapolated from
FOREHEAD_HEIGHT = (0.18, 0.30, 0.34, 0.30, 0.18)  # above them, in distances from chin to eyes
FOREHEAD_WEIGHT = (0.6, 0.5, 0.5, 0.5, 0.6)  # of the first of the two


def with_forehead(landmarks: np.ndarray) -> np.ndarray:
    """The 68 landmarks and five points of the forehead, (73, 2), along the line from chin to eyes."""
    up = (landmarks[36:42].mean(0) + landmarks[42:48].mean(0)) / 2 - landmarks[8]
    weight, height = np.array(FOREHEAD_WEIGHT)[:, None], np.array(FOREHEAD_HEIGHT)[:, None]
    first, second = np.array(FOREHEAD).T
    return np.concatenate([landmarks, weight * landmarks[first] + (1 - weight) * landmarks[second] + height * up])


def inside(landmarks: np.ndarray, size: int) -> Tensor:
    """1 inside a face of 68 landmarks in a crop of that size, softly 0 at its rim; (1, size, size)."""
    hull = cv2.convexHull(np.round(with_forehead(landmarks)).astype(np.int32))
    filled = cv2.fillConvexPoly(np.zeros((size, size), np.uint8), hull, 1)
    depth = cv2.distanceTransform(np.pad(filled, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] / (SOFT * size)
    depth = np.clip(depth, 0, 1)
    return torch.tensor(depth * depth * (3 - 2 * depth))[None]
