"""dlib as a black-box judge, used the way the `face_recognition` package uses it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import dlib
import numpy as np

from kohl.zoo.judges.judge import Judge, Seen

LONGEST = 1600  # pixels: a larger photo is reduced first, or dlib would need seconds and gigabytes for it


class DlibFaces:
    """Finds faces by histograms of gradients, places five landmarks, and describes each face by 128 numbers.

    These are the defaults of `face_recognition` 1.3.0: one doubling of the photo, the five-point predictor, no jitter.
    Unlike that package, large photos are reduced to 1600 pixels.
    """

    def __init__(self, recogniser: Path, landmarks: Path) -> None:
        self.detector = dlib.get_frontal_face_detector()
        self.predictor = dlib.shape_predictor(str(landmarks))
        self.recogniser = dlib.face_recognition_model_v1(str(recogniser))

    def __call__(self, pixels: np.ndarray) -> list[Seen]:
        """Every face in the uint8 RGB photo (height, width, 3)."""
        height, width = pixels.shape[:2]
        scale = min(1.0, LONGEST / max(height, width))
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        return [self._seen(pixels, rectangle, scale) for rectangle in self.detector(pixels, 1)]

    def _seen(self, pixels: np.ndarray, rectangle: dlib.rectangle, scale: float) -> Seen:
        """The face in `rectangle` of the photo reduced by `scale`."""
        shape = self.predictor(pixels, rectangle)
        box = (rectangle.left(), rectangle.top(), rectangle.width(), rectangle.height())
        descriptor = self.recogniser.compute_face_descriptor(pixels, shape, 1)
        return Seen((box[0] / scale, box[1] / scale, box[2] / scale, box[3] / scale), np.array(descriptor))


def closeness(first: np.ndarray, second: np.ndarray) -> float:
    """1 − the euclidean distance: dlib's own limit of 0.6 is 0.4 here."""
    return 1 - float(np.linalg.norm(first - second))


def judge(recogniser: Path, landmarks: Path, *, thresholds: Mapping[float, float]) -> Judge:
    """The judge, with both models loaded."""
    return Judge("dlib", thresholds, DlibFaces(recogniser, landmarks), closeness)


def shape_predictor(path: Path) -> dlib.shape_predictor:
    """dlib's landmark predictor in the file at `path`."""
    return dlib.shape_predictor(str(path))
