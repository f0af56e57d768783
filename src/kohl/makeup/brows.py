"""Where brows are: a line along the middle of each, found in the photo near its landmarks, and how thick it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from kohl.makeup import strokes
from kohl.makeup.face_map import BROWS, FaceMap, Field, direction, smooth

OFFSETS = np.linspace(-0.10, 0.19, 30)  # eye distances below the landmarks at which hair is looked for
BELOW, SPREAD = 0.025, 0.07  # where brows usually are there, and how far from it they may be
DARK = 16.0  # levels of L* more than FAINT by which hair that no paint covers is darker than what is around it
PASSES = 4  # each looks around where the last one found it
FAINT = 5.0  # levels of L* by which hair is darker than skin, at least
SURE = 0.7  # mean of them across a brow, from which the photo says as much as the landmarks
THIN, USUAL, THICK = 0.02, 0.034, 0.055  # half of a brow's height, in eye distances
WIDTH = 0.05  # what `across` is at the rim of the hair
ABOVE = 0.05  # eye distances above a brow's hair at which skin is looked for
WIDEST = 1.5  # times that height, as far as thick brows may go
POWDER = 0.22, 0.75  # share of the skin that is filled between hairs: where the photo has none, and where it has
INNER = 0.75  # of the way along, from where they are filled less and less


class Brow(NamedTuple):
    """One brow from its tail to its inner end."""

    line: np.ndarray  # (k, 2) along its middle
    half: np.ndarray  # (k,) half of its height, in eye distances


def brows(face: FaceMap) -> Field:
    """The brows, hair by hair, and what the photo has of them; `across` is the distance from their middle line."""
    found = [traced(face, brow) for brow in BROWS]
    shape = np.max([face.filled(_outline(face, brow), soft=0.02) for brow in found], 0)
    inner = face.filled(*(_outline(face, Brow(*(part[-_inner(brow) :] for part in brow))) for brow in found), soft=0.05)
    across = np.min([_across(face, brow) for brow in found], 0)
    there = face.fitted(shape)
    filled = shape * (POWDER[0] + (POWDER[1] - POWDER[0]) * there**2) * (1 - 0.5 * inner)
    hairs = strokes.brows(face, found) * (0.35 + 0.65 * there)
    return face.cut((filled + (1 - filled) * hairs) * _below_skin(face, found), across, face.sideways)


def _below_skin(face: FaceMap, found: Sequence[Brow]) -> np.ndarray:
    """How far each pixel (size, size) has skin above its brow: one that a fringe or a hat covers is not drawn on it."""
    found = sorted(found, key=lambda brow: float(brow.line.mean(0) @ face.right))
    sides = []
    for brow in found:
        above = brow.line - ((ABOVE + WIDEST * brow.half) * face.unit)[:, None] * face.down
        columns, rows = np.round(above).astype(int).clip(0, face.size - 1).T
        skin = cv2.GaussianBlur(face.alike[rows, columns][None].astype(np.float32), (0, 0), len(above) / 12)[0]
        tail, way = brow.line[0], direction(brow.line[0], brow.line[-1])
        places = np.maximum.accumulate((brow.line - tail) @ way)
        sides.append(np.interp(face.ahead(tail, way), places, ((skin - 0.15) / 0.35).clip(0, 1)))
    seen: np.ndarray = np.where(face.ahead(face.middle, face.right) < 0, *sides)
    return seen


def brow_hairs(face: FaceMap) -> np.ndarray:
    """Where brows have hair that nothing on the skin covers (size, size)."""
    shape = np.max([face.filled(_outline(face, traced(face, brow), 1.0), soft=0.008) for brow in BROWS], 0)
    light = cv2.cvtColor(face.pixels, cv2.COLOR_RGB2LAB)[..., 0]
    around = cv2.GaussianBlur(light, (0, 0), 0.1 * face.unit)
    hairs: np.ndarray = shape * ((around - light - FAINT) / DARK).clip(0, 1)
    return hairs


def traced(face: FaceMap, brow: tuple[int, ...]) -> Brow:
    """A brow along the hair that the photo shows near its landmarks; along them where it shows none."""
    line = smooth(face.at(*brow))
    places = line[:, None] + (OFFSETS * face.unit)[None, :, None] * face.down
    seen = _sampled(face, places)
    skin = np.quantile(seen, 0.85, axis=1, keepdims=True)
    dark = (skin - seen - FAINT).clip(0, 35) ** 1.5 / 6  # shade below a brow counts for less than its hair
    down = np.full(len(line), BELOW)
    for _ in range(PASSES):
        hair = dark * np.exp(-np.square((OFFSETS - down[:, None]) / SPREAD))
        weight = hair.mean(1)
        centre = (hair * OFFSETS).sum(1) / hair.sum(1).clip(1e-6)
        down = _even(np.where(weight > 0, centre, BELOW), weight, BELOW).clip(-0.04, 0.13)
    half = 1.5 * np.sqrt((hair * np.square(OFFSETS - centre[:, None])).sum(1) / hair.sum(1).clip(1e-6))
    thick = _even(np.where(weight > 0, half, USUAL), weight, USUAL).clip(THIN, THICK)
    along = np.linspace(0, 1, len(line))  # from the tail, which is pointed
    taper = np.minimum(1, 0.35 + 1.6 * along) * np.minimum(1, 0.7 + 3 * (1 - along))
    return Brow(line + (down * face.unit)[:, None] * face.down, thick * taper)


def _sampled(face: FaceMap, places: np.ndarray) -> np.ndarray:
    """L* at places (k, m, 2), as a soft eye sees it."""
    light = cv2.cvtColor(cv2.GaussianBlur(face.pixels, (0, 0), 0.012 * face.unit), cv2.COLOR_RGB2LAB)[..., 0]
    x, y = (places[..., part].astype(np.float32) for part in (0, 1))
    found: np.ndarray = cv2.remap(light, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found


def _even(values: np.ndarray, weight: np.ndarray, usual: float) -> np.ndarray:
    """The values along a brow as a parabola, each counting by its weight against what is usual."""
    along = np.linspace(-1, 1, len(values))
    share = weight / (weight + SURE)
    said = usual + share * (values - usual)
    found: np.ndarray = np.polyval(np.polyfit(along, said, 2, w=0.2 + share), along)
    return found


def _inner(brow: Brow) -> int:
    """How many of its points are in the inner part."""
    return round((1 - INNER) * len(brow.line))


def _outline(face: FaceMap, brow: Brow, times: float = WIDEST) -> np.ndarray:
    """Around it, so many times as thick; as thick as it may be."""
    aside = (times * brow.half * face.unit)[:, None] * face.down
    return np.concatenate([brow.line - aside, (brow.line + aside)[::-1]])


def _across(face: FaceMap, brow: Brow) -> np.ndarray:
    """How far each pixel is from a brow's middle line, WIDTH at its usual rim."""
    across: np.ndarray = face.distance(brow.line) * (WIDTH / float(np.median(brow.half)))
    return across
