"""68 landmarks in the iBUG order, by dlib's regression trees (Kazemi & Sullivan, CVPR 2014)."""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np

from kohl.types import Box

# The predictor learned on dlib's own boxes. Over LFW and synthetic portraits dlib's is this much of YuNet's:
CENTRE = (0.5, 0.55)  # of its width and height, from its corner
WIDTH, HEIGHT = 1.11, 0.81  # a square: the mean of the two


class Landmarks68:
    """Places the landmarks of a face in a detector's box."""

    def __init__(self, path: Path) -> None:
        self.predictor = dlib.shape_predictor(str(path))

    def __call__(self, pixels: np.ndarray, box: Box) -> np.ndarray:
        """(68, 2) in the pixels of the uint8 RGB photo (height, width, 3); they may lie outside it."""
        left, top, width, height = box
        x, y = left + CENTRE[0] * width, top + CENTRE[1] * height
        half = (WIDTH * width + HEIGHT * height) / 4
        square = dlib.rectangle(*(round(value) for value in (x - half, y - half, x + half, y + half)))
        shape = self.predictor(pixels, square)
        return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)
