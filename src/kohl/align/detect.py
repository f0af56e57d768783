"""The faces in a photo, with their landmarks, and why some of them cannot be protected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kohl.align.crop import to_crop
from kohl.types import Box, Face, Photo

Finder = Callable[[np.ndarray], list[tuple[Box, float, np.ndarray]]]  # pixels → boxes, confidences, five points
Predictor = Callable[[np.ndarray, Box], np.ndarray]  # pixels, box → 68 landmarks

EYES = (slice(36, 42), slice(42, 48))  # of the 68 landmarks


@dataclass(frozen=True)
class Detect:
    """Lists every face in a photo, the largest first; one that is unfit carries the reason."""

    find: Finder
    landmarks: Predictor
    min_eye_distance: float = 16.0  # pixels between the eyes: with fewer, recognisers fail by themselves
    max_outside: float = 0.1  # share of the landmarks that may lie beyond the photo's border
    max_disagreement: float = 0.25  # mean distance of the two landmark models at the eyes, in eye distances

    def __call__(self, photo: Photo) -> list[Face]:
        """The faces of `photo`, in its pixels."""
        return [self._face(photo, *found) for found in self.find(photo.pixels)]

    def _face(self, photo: Photo, box: Box, score: float, points: np.ndarray) -> Face:
        landmarks = self.landmarks(photo.pixels, box)
        reason = self._reason(photo, points, landmarks)
        return Face(box, score, points, landmarks, to_crop(points), reason)

    def _reason(self, photo: Photo, points: np.ndarray, landmarks: np.ndarray) -> str | None:
        """Why the face is skipped, if it is."""
        height, width = photo.size
        between = float(np.linalg.norm(points[1] - points[0]))
        if between < self.min_eye_distance:
            return f"too small: {between:.0f} pixels between the eyes, at least {self.min_eye_distance:.0f} are needed"
        outside = ((landmarks < -0.5) | (landmarks > np.array([width, height]) - 0.5)).any(1).mean()
        if outside > self.max_outside:
            return f"cut off: {outside:.0%} of the face lies beyond the photo's border"
        eyes = np.stack([landmarks[eye].mean(0) for eye in EYES])
        if np.linalg.norm(eyes - points[:2], axis=1).mean() > self.max_disagreement * between:
            return "unreadable: the landmarks do not agree, as on a profile, a covered or a drawn face"
        return None
