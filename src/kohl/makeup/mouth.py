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
SHADE = 0.2  # worth of a level of L* by which the line where closed lips meet is darker than the lips
AROUND = 0.07  # eye distances: how wide the skin around the lips is that they are compared with
DARK = 8.0  # levels of L* that are dark enough for that line
CLOSE, BESIDE = 0.025, 0.075  # eye distances from that line to one that may be it, and to the lips
OPEN = 0.03  # eye distances between the lips
MEET = ((12, 12), (13, 19), (14, 18), (15, 17), (16, 16))  # those of the inner rims, above one another


def moved(colours: np.ndarray, points: np.ndarray, down: np.ndarray, unit: float) -> np.ndarray:
    """The landmarks 48 to 67 (20, 2) of a mouth, moved down or up and stretched so that lips differ most from skin.

    `colours` is the picture (h, w, 3) in CIELAB, `down` the face's own direction, `unit` the distance of its eyes. They
    stay where they are unless the difference grows by more than so much of a move is worth.
    """
    redness, light = (
        cv2.GaussianBlur(one, (0, 0), 0.0125 * unit)
        for one in (colours[..., 1] - YELLOW * colours[..., 2], colours[..., 0])
    )
    gap = float(np.linalg.norm(points[13:16] - points[[19, 18, 17]], axis=1).max()) / unit

    def worth(there: np.ndarray, stretch: float = 1.0) -> float:
        difference = _difference(redness, there, unit, gap * stretch)
        return difference if gap > OPEN else difference + SHADE * _seam(light, there, down, unit)

    found, usual = points, worth(points)
    best = usual + GAIN
    for shift, stretch, there in _moves(points, down, unit):
        gained = worth(there, stretch) - MOVING * abs(shift) - GROWING * abs(log(stretch))
        if gained > best:
            best, found = gained, there
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


def _seam(light: np.ndarray, points: np.ndarray, down: np.ndarray, unit: float) -> float:
    """By how much the line where the lips meet, or one close to it, is darker than the lips on both sides, in L*."""
    line = points[np.array(MEET)].mean(1)
    line = np.concatenate([line, (line[1:] + line[:-1]) / 2])

    def seen(offset: float) -> np.ndarray:
        columns, rows = np.round(line + offset * unit * down).astype(int).T
        height, width = light.shape
        found: np.ndarray = light[rows.clip(0, height - 1), columns.clip(0, width - 1)]
        return found

    darkest = np.min([seen(offset) for offset in (-CLOSE, 0, CLOSE)], 0).mean()
    return min(DARK, float(min(seen(-BESIDE).mean(), seen(BESIDE).mean()) - darkest))
