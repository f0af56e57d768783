"""The faces in a photo, with their landmarks, and why some of them cannot be protected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from kohl.align.crop import Alignment, to_crop
from kohl.geometry import similarity, transform
from kohl.types import Box, Face, Photo

Finder = Callable[[np.ndarray], list[tuple[Box, float, np.ndarray]]]  # pixels → boxes, confidences, five points
Predictor = Callable[[np.ndarray, Box], np.ndarray]  # pixels, box → 68 landmarks

SHARED = (slice(36, 42), slice(42, 48), slice(48, 49), slice(54, 55))  # of the 68: the eyes and the mouth's corners ...
OF_FIVE = (0, 1, 3, 4)  # ... and of the five; the two models do not mean the same by the tip of the nose


@dataclass(frozen=True)
class Detect:
    """Lists every face in a photo, the largest first; one that is unfit carries the reason."""

    find: Finder
    landmarks: Predictor
    align: Alignment = to_crop
    min_eye_distance: float = 13.0  # pixels between the eyes: faces of 40 pixels; with fewer, judges match what is left
    max_outside: float = 0.1  # share of the landmarks that may lie beyond the photo's border
    doubtful: float = 0.1  # disagreement above which the landmarks are moved onto the detector's points
    max_disagreement: float = 0.25  # the most that may then be left

    def __call__(self, photo: Photo) -> list[Face]:
        """The faces of `photo`, in its pixels."""
        return [self._face(photo, *found) for found in self.find(photo.pixels)]

    def _face(self, photo: Photo, box: Box, score: float, points: np.ndarray) -> Face:
        landmarks = self.landmarks(photo.pixels, box)
        if _disagreement(landmarks, points) > self.doubtful:
            landmarks = _moved(landmarks, points)
        reason = self._reason(photo, points, landmarks)
        return Face(box, score, points, landmarks, self.align(points, landmarks), reason)

    def _reason(self, photo: Photo, points: np.ndarray, landmarks: np.ndarray) -> str | None:
        """Why the face is skipped, if it is."""
        height, width = photo.size
        between = float(np.linalg.norm(points[1] - points[0]))
        if between < self.min_eye_distance:
            return f"too small: {between:.1f} pixels between the eyes, at least {self.min_eye_distance:.0f} are needed"
        outside = ((landmarks < -0.5) | (landmarks > np.array([width, height]) - 0.5)).any(1).mean()
        if outside > self.max_outside:
            return f"cut off: {outside:.0%} of the face lies beyond the photo's border"
        if not _disagreement(landmarks, points) <= self.max_disagreement:  # nor a number that is none
            return "unreadable: the landmarks do not agree, as on a profile, a covered or a drawn face"
        return None


def _shared(landmarks: np.ndarray) -> np.ndarray:
    """The eyes and the mouth's corners (4, 2) by the 68 landmarks."""
    return np.stack([landmarks[part].mean(0) for part in SHARED])


def _disagreement(landmarks: np.ndarray, points: np.ndarray) -> float:
    """How far the two models put the eyes from each other, in distances between the eyes."""
    distance = np.linalg.norm(_shared(landmarks)[:2] - points[:2], axis=1).mean()
    return float(distance / np.linalg.norm(points[1] - points[0]))


def _moved(landmarks: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The landmarks, turned, scaled and shifted onto the five points: on a turned head the detector errs less."""
    source, target, moved = (
        torch.tensor(x, dtype=torch.float64)[None] for x in (_shared(landmarks), points[[*OF_FIVE]], landmarks)
    )
    return transform(similarity(source, target), moved)[0].numpy()
