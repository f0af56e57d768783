"""The landmarks of a mouth, moved to where the colour of its lips is: detectors miss smiles, beards and children."""

from __future__ import annotations

from collections.abc import Iterator
from math import log

import cv2
import numpy as np

UP, STEP = np.arange(-0.2, 0.29, 0.04), np.log((0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0))  # eye distances down; log heights
MOVING, GROWING = 10.0, 2.5  # what an eye distance, and a height e times as large, must gain
GAIN = 1.0  # in a* − 0.6 b* between lips and what is around them, from which a move is believed
YELLOW = 0.6  # lips are redder than skin of any colour, or at least less yellow
AROUND = 0.07  # eye distances: how wide the skin around the lips is that they are compared with
OPEN = 0.03  # eye distances between the lips


def moved(colours: np.ndarray, points: np.ndarray, down: np.ndarray, unit: float) -> np.ndarray:
    """The landmarks 48 to 67 (20, 2) of a mouth, moved down or up and stretched so that lips differ most from skin.

    `colours` is the picture (h, w, 3) in CIELAB, `down` the face's own direction, `unit` the distance of its eyes. They
    stay where they are unless the difference grows by more than so much of a move is worth.
    """
    redness = cv2.GaussianBlur(colours[..., 1] - YELLOW * colours[..., 2], (0, 0), 0.0125 * unit)
    gap = float(np.linalg.norm(points[13:16] - points[[19, 18, 17]], axis=1).max()) / unit
    usual = _difference(redness, points, unit, gap)
    best, found = usual + GAIN, points
    for shift, stretch, there in _moves(points, down, unit):
        worth = _difference(redness, there, unit, gap * stretch) - MOVING * abs(shift) - GROWING * abs(log(stretch))
        if worth > best:
            best, found = worth, there
    return found


def _moves(points: np.ndarray, down: np.ndarray, unit: float) -> Iterator[tuple[float, float, np.ndarray]]:
    """How far down, how much taller, and the landmarks there."""
    middle = points.mean(0)
    heights = (points - middle) @ down
    for shift in UP:
        for stretch in np.exp(STEP):
            there = points + np.outer(heights * (stretch - 1) + shift * unit, down)
            yield float(shift), float(stretch), there


def _difference(redness: np.ndarray, points: np.ndarray, unit: float, gap: float) -> float:
    """How much redder the lips are than what is around them; nothing where they are not in the picture."""
    margin = (AROUND + 0.05) * unit
    low = np.floor(points.min(0) - margin).astype(int).clip(0)
    high = np.ceil(points.max(0) + margin).astype(int).clip(0, redness.shape[::-1])
    size = (high - low).clip(0)

    def filled(outline: np.ndarray) -> np.ndarray:
        mask = np.zeros(size[::-1], np.uint8)
        cv2.fillPoly(mask, [np.round((outline - low) * 16).astype(np.int32)], 1, shift=4)
        return mask

    if size.min() < 4:
        return 0.0
    outer = filled(points[:12])
    lips = (outer > 0) & (filled(points[12:]) == 0) if gap > OPEN else outer > 0
    reach = 2 * max(1, round(AROUND * unit)) + 1
    skin = (cv2.dilate(outer, np.ones((reach, reach), np.uint8)) > 0) & (outer == 0)
    part = redness[low[1] : high[1], low[0] : high[0]]
    if not (lips.any() and skin.any()):
        return 0.0
    return float(part[lips].mean() - part[skin].mean())
