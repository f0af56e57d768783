"""Hairs and spots, one by one: lashes, the bristles of a shaven beard, freckles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np

from kohl.makeup.face_map import COARSE, CRISP, EYES, FaceMap, direction, lids, smooth

SIDE = 4 * COARSE  # hairs are thinner than the pixels of a small crop
LASHES, LOWER_LASHES, BRISTLES, FRECKLES = 52, 20, 13000, 380
BROW_HAIRS = 220  # in each
GRAIN = 0.011  # of shimmer, in eye distances
CLUMPS = 14  # of lashes on a lid
OPEN = 0.14  # eye distances: an eye as open as that has lashes of full length; on a narrow one they point at the viewer
BEND = np.linspace(0, 1, 8)[:, None]  # the places on a lash that are joined by lines


def lashes(face: FaceMap) -> np.ndarray:
    """Lashes that start at the lids, bend upwards and lean together at their tips (size, size), 1 where there is one.

    The longest are a third of the way from the outer corner; every eye has the same, mirrored.
    """
    canvas, hidden = np.zeros((SIDE, SIDE), np.float32), _dark_lines(face)
    for eye in EYES:
        draw = np.random.RandomState(11)  # numpy keeps this stream for ever (NEP 19)
        opening = float((face.at(*eye[4:]).mean(0) - face.at(*eye[1:3]).mean(0)) @ face.down) / face.unit
        reach = min(1.0, max(0.5, opening / OPEN))
        for upper in (True, False):
            lid = lids(face, eye)[0 if upper else 1]
            for root, way, length, light in _grown(face, lid, reach, upper=upper, draw=draw):
                _hair(face, canvas, hidden, root, way, length, light)
    return _small(face, canvas)


def _grown(
    face: FaceMap, lid: np.ndarray, reach: float, *, upper: bool, draw: np.random.RandomState
) -> Iterator[tuple[np.ndarray, np.ndarray, float, float]]:
    """Where each lash starts, its first and its last direction (2, 2), its length in pixels, and how much it covers."""
    path = smooth(lid, parts=16)
    outwards = direction(lid[-1], lid[0])
    count = LASHES if upper else LOWER_LASHES
    places = np.sort((np.arange(count) + draw.uniform(-0.45, 0.45, count)) / count).clip(0, 0.999) ** 1.1
    places = 0.02 + (0.86 if upper else 0.8) * places
    meeting = np.sort(draw.uniform(0, 0.9, CLUMPS))  # places at which the tips of neighbours meet
    clumps = meeting[np.abs(places[:, None] - meeting + draw.normal(0, 0.02, (count, CLUMPS))).argmin(1)]
    for place, clump in zip(places, clumps, strict=True):
        root = path[int(place * (len(path) - 1))] + draw.uniform(-0.006, 0.006) * face.unit * face.down
        turn = 1.15 - 2.0 * (0.2 * place + 0.8 * clump)  # 1 leans all the way outwards
        up = -face.down if upper else face.down
        last = (0.95 * turn * outwards + up) / np.hypot(0.95 * turn, 1)
        first = (0.7 * turn * outwards + (0.15 if upper else 0.6) * up) + 0.25 * last
        longest = (0.13 if upper else 0.045) * reach
        shape = 0.55 + 0.45 * np.exp(-np.square((place - 0.24) / 0.3))
        length = longest * shape * draw.uniform(0.5, 1.15) * face.unit
        yield (
            root,
            np.stack([first / np.linalg.norm(first), last]),
            length,
            draw.uniform(0.7, 1.0) * (1.0 if upper else 0.6),
        )


def _dark_lines(face: FaceMap) -> np.ndarray:
    """Where there are dark lines on lighter skin, further from the eyes than lashes begin: rims, strands, brows."""
    light = face.pixels.mean(-1)
    around = cv2.GaussianBlur(light, (0, 0), 0.05 * face.unit)
    lids = np.min([face.distance(eye) for eye in face.eyes], 0)
    dark: np.ndarray = ((light < 0.72 * around) | (face.alike < 0.3)) & (lids > 0.03)
    return dark


def _hair(
    face: FaceMap,
    canvas: np.ndarray,
    hidden: np.ndarray,
    root: np.ndarray,
    ways: np.ndarray,
    length: float,
    light: float,
) -> None:
    """Draws one lash, thinner and fainter towards its tip, up to where it would be hidden."""
    points = root + length * (BEND * (1 - BEND / 2) * ways[0] + BEND**2 / 2 * ways[1]) * 1.15
    columns, rows = np.round(points).astype(int).clip(0, face.size - 1).T
    seen = int(np.argmax(np.append(hidden[rows, columns], True)))
    fixed = np.round(((points + 0.5) * SIDE / face.size) * 16 - 8).astype(np.int32)
    thick = 0.0095 * face.unit * SIDE / face.size
    for number, (start, end) in enumerate(pairwise(fixed[:seen])):
        wide = thick * (1 - 0.85 * number / (len(fixed) - 2))
        whole = max(1, round(wide))
        part = canvas[_around(start, end, whole)]
        stroke = np.zeros_like(part)
        corner = np.array([s.start for s in _around(start, end, whole)][::-1]) * 16
        cv2.line(stroke, (start - corner).tolist(), (end - corner).tolist(), 1.0, whole, shift=4)
        np.maximum(part, stroke * light * min(1.0, wide / whole), out=part)


def _around(start: np.ndarray, end: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Rows and columns around a line; points are in sixteenths of a pixel."""
    low, high = np.minimum(start, end) // 16 - margin - 1, np.maximum(start, end) // 16 + margin + 2
    (left, top), (right, bottom) = low.clip(0, SIDE - 1), high.clip(1, SIDE)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def bristles(face: FaceMap, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Short hairs that grow downwards and outwards between two corners (size, size), denser in some places."""
    canvas = np.zeros((SIDE, SIDE), np.float32)
    draw = np.random.RandomState(5)
    roots = low + (high - low) * draw.uniform(0, 1, (BRISTLES, 2))
    sideways = ((roots - face.middle) @ face.right) / face.unit
    ways = face.down + (0.55 * sideways + draw.normal(0, 0.35, BRISTLES))[:, None] * face.right
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    tips = roots + ways * (face.unit * draw.uniform(0.006, 0.014, BRISTLES))[:, None]
    ends = np.round((np.stack([roots, tips], 1) + 0.5) * (SIDE / face.size) * 16 - 8).astype(np.int32)
    shades = (0.4, 0.6, 0.8, 1.0)
    for number, shade in enumerate(shades):
        cv2.polylines(canvas, list(ends[number :: len(shades)]), False, float(shade), 1, shift=4)
    return _small(face, canvas, CRISP)


def brows(face: FaceMap, lines: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """The hairs of both brows (size, size), along lines from the tail to the inner end, where hairs stand up.

    Each line (k, 2) comes with half of the brow's height (k,) in eye distances: no hair leaves it by much.
    """
    canvas = np.zeros((SIDE, SIDE), np.float32)
    for line, half in lines:
        draw = np.random.RandomState(13)
        places = draw.uniform(0, 1, BROW_HAIRS)  # 0 is the tail
        index = (places * (len(line) - 2)).astype(int)
        along = line[index] - line[index + 1]
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        aside = draw.uniform(-1, 1, BROW_HAIRS) * half[index]
        inner = places**3  # 1 at the inner end
        lean = np.where(aside > 0, 0.35 + 1.0 * inner, -0.15 + 0.75 * inner) + draw.normal(0, 0.12, BROW_HAIRS)
        ways = along - lean[:, None] * face.down
        ways /= np.linalg.norm(ways, axis=1, keepdims=True)
        roots = line[index] + (aside * face.unit)[:, None] * face.down
        long = np.minimum(draw.uniform(0.03, 0.06, BROW_HAIRS), 0.012 + 1.2 * half[index])
        tips = roots + ways * (face.unit * long)[:, None]
        ends = np.round((np.stack([roots, tips], 1) + 0.5) * (SIDE / face.size) * 16 - 8).astype(np.int32)
        for number, shade in enumerate((0.3, 0.5, 0.75)):
            cv2.polylines(canvas, list(ends[number::3]), False, shade, 1, shift=4)
    return _small(face, canvas)


def freckles(face: FaceMap, centre: np.ndarray, reach: tuple[float, float]) -> np.ndarray:
    """Spots of many sizes, few of them large, closest together in the middle (size, size)."""
    draw = np.random.RandomState(3)
    x, y = draw.normal(0, 0.5, (2, FRECKLES)).clip(-1, 1)
    radius = np.exp(draw.normal(np.log(0.0080), 0.5, FRECKLES)).clip(0.004, 0.024)
    strength = draw.uniform(0.15, 0.9, FRECKLES) ** 1.8
    places = centre + face.unit * (reach[0] * x[:, None] * face.right + reach[1] * y[:, None] * face.down)
    return face.dots(places, radius, strength)


def grain(face: FaceMap) -> np.ndarray:
    """How shimmer glints, from grain to grain (size, size), 0 to 1."""
    side = round(face.size / (GRAIN * face.unit))
    noise = np.random.RandomState(7).uniform(0, 1, (side, side)).astype(np.float32)
    how = cv2.INTER_AREA if face.size <= side else cv2.INTER_CUBIC
    grains: np.ndarray = cv2.resize(noise, (face.size, face.size), interpolation=how).clip(0, 1)
    return grains


def _small(face: FaceMap, canvas: np.ndarray, share: float = 1.0) -> np.ndarray:
    """The canvas at the size of the crop, as soft as the photo or a share of that."""
    how = cv2.INTER_AREA if face.size <= SIDE else cv2.INTER_LINEAR
    small: np.ndarray = cv2.resize(canvas, (face.size, face.size), interpolation=how)
    blur = share * face.blur
    return cv2.GaussianBlur(small, (0, 0), blur) if blur > 0.2 else small
