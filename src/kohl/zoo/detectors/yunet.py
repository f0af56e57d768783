"""YuNet (Wu et al., MIR 2023), a small face detector that also finds eyes, nose tip and mouth corners."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from kohl.types import Box
from kohl.zoo.files.dnn import network

SIZE = 640  # pixels of a side of the input that a whole photo is shrunk to, as OpenCV's own detector has it
TILE = 1280  # of a part of a larger photo; sides of the input are multiples of the largest stride
OVERLAP = 160  # pixels of one tile that the next one shows too: a face up to that size is whole in one of them
STRIDES = (8, 16, 32)  # input pixels per cell of its three grids
OUTPUTS = [f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps")]
LARGEST_ENLARGEMENT = 2.0  # a small photo need not fill the input: more would only blur it
FACTOR, LEAST_FACTOR = 3.0, 1.5  # the most from one scale to the next, and the least that is worth another one
# Faces of OVERLAP pixels at one scale are at least a third of that at the next: YuNet finds a twelfth.
FLAT = 12  # levels between the darkest and the brightest 8 × 8 pixels of a tile in which no face can be


class Detection(NamedTuple):
    """One face, in photo pixels."""

    box: Box
    score: float  # the detector's confidence, 0 to 1
    points: np.ndarray  # (5, 2) eyes, nose tip, mouth corners, the viewer's left first


class Found(NamedTuple):
    """Faces before duplicates are dropped: two corners of the box and five points of each, and the scores."""

    marks: np.ndarray  # (n, 7, 2)
    scores: np.ndarray  # (n,)


NOTHING = Found(np.empty((0, 7, 2), np.float32), np.empty(0, np.float32))


class YuNet:
    """Finds the faces in a photo of any size, the largest first."""

    def __init__(self, path: Path, *, score: float = 0.7, overlap: float = 0.3) -> None:
        self.network = network(path)
        self.score = score  # least confidence: over 156 photos, faces had 0.79 or more and all else 0.69 or less
        self.overlap = overlap  # boxes that share more than this part of their union are one face

    def __call__(self, pixels: np.ndarray) -> list[Detection]:
        """Every face in the uint8 RGB photo (height, width, 3): the photo is looked at whole, and closer and closer."""
        found = _joined(self._level(pixels, scale) for scale in _scales(max(pixels.shape[:2])))
        return sorted(_distinct(found, self.overlap), key=lambda face: face.box[2] * face.box[3], reverse=True)

    def _level(self, pixels: np.ndarray, scale: float) -> Found:
        """What is found in the photo at one scale, in photo pixels."""
        size = np.array(pixels.shape[1::-1])
        scaled_size = np.maximum(np.rint(size * scale), 1).astype(int)
        scaled, side = pixels, SIZE if (scaled_size <= SIZE).all() else TILE
        if scale != 1:
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            scaled = cv2.resize(pixels, scaled_size.tolist(), interpolation=how)
        found = [NOTHING]
        for left, top in product(*(_starts(length, side) for length in scaled_size.tolist())):
            tile = scaled[top : top + side, left : left + side]
            if side == SIZE or not _is_flat(tile):
                marks, scores = self._tile(tile, *_input_size(tile, side))
                kept = _trusted(marks, np.array((left, top)), scaled_size, side)
                found.append(Found(marks[kept] + (left, top), scores[kept]))
        marks, scores = _joined(found)
        return Found((marks + 0.5) * (size / scaled_size) - 0.5, scores)

    def _tile(self, tile: np.ndarray, height: int, width: int) -> Found:
        """What is found in one tile, in its own pixels."""
        canvas = np.zeros((3, height, width), np.float32)
        canvas[:, : tile.shape[0], : tile.shape[1]] = tile[..., ::-1].transpose(2, 0, 1)  # blue first
        self.network.setInput(canvas[None], "input")
        outputs = self.network.forward(OUTPUTS)
        grids = [outputs[start : start + 4] for start in range(0, len(outputs), 4)]
        marks, scores = _joined(_decoded(grid, stride, width) for grid, stride in zip(grids, STRIDES, strict=True))
        return Found(marks[scores >= self.score], scores[scores >= self.score])


def _scales(longest: int) -> list[float]:
    """From that at which a photo whose longer side has so many pixels is seen whole, to its own."""
    first = min(SIZE / longest, LARGEST_ENLARGEMENT)
    if first * LEAST_FACTOR >= 1:
        return [first]
    count = math.ceil(math.log(1 / first, FACTOR) - 1e-9)
    return [*(first ** (1 - number / count) for number in range(count)), 1.0]


def _input_size(tile: np.ndarray, side: int) -> tuple[int, int]:
    """Height and width of the input for a tile: no larger than it must be."""
    if side == SIZE:
        return SIZE, SIZE
    height, width = (-(-length // STRIDES[-1]) * STRIDES[-1] for length in tile.shape[:2])
    return height, width


def _is_flat(tile: np.ndarray) -> bool:
    """Whether there is nothing in it but sky, wall or night."""
    size = [max(1, length // 8) for length in tile.shape[1::-1]]
    small = cv2.resize(tile, size, interpolation=cv2.INTER_AREA)
    return bool((small.max((0, 1)).astype(int) - small.min((0, 1)) < FLAT).all())


def _decoded(outputs: Sequence[np.ndarray], stride: int, width: int) -> Found:
    """What each cell of one grid says, from its four outputs (1, cells, …)."""
    classes, objects, boxes, points = (output[0] for output in outputs)
    scores = np.sqrt(classes.clip(0, 1) * objects.clip(0, 1))[:, 0]
    rows, columns = np.divmod(np.arange(len(scores)), width // stride)
    cells = np.stack([columns, rows], 1)
    centres, reach = boxes[:, :2] + cells, np.exp(boxes[:, 2:]) / 2
    marks = [np.stack([centres - reach, centres + reach], 1), points.reshape(-1, 5, 2) + cells[:, None]]
    return Found(stride * np.concatenate(marks, 1), scores)


def _joined(parts: Iterable[Found]) -> Found:
    """All that was found in several places."""
    marks, scores = zip(*parts, strict=True)
    return Found(np.concatenate(marks), np.concatenate(scores))


def _trusted(marks: np.ndarray, corner: np.ndarray, size: np.ndarray, side: int) -> np.ndarray:
    """Which faces of the tile at `corner` are whole there and small enough that the whole photo may not show them."""
    starts, ends = marks[:, 0], marks[:, 1]
    whole = ((starts >= 0) | (corner == 0)) & ((ends < side) | (corner + side >= size))
    small = (size <= side).all() | (ends - starts <= OVERLAP)
    trusted: np.ndarray = (whole & small).all(1)
    return trusted


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin that cover `length` pixels evenly, each with so many pixels of the one before."""
    count = max(0, -(-(length - side) // (side - OVERLAP))) + 1
    return [int(start) for start in np.linspace(0, max(0, length - side), count)]


def _distinct(found: Found, overlap: float) -> list[Detection]:
    """One detection per face: of boxes that overlap, the surest."""
    boxes = np.concatenate([found.marks[:, 0], found.marks[:, 1] - found.marks[:, 0]], 1).tolist()
    kept = cv2.dnn.NMSBoxes(boxes, found.scores.tolist(), 0.0, overlap) if boxes else ()
    return [Detection(tuple(boxes[index]), float(found.scores[index]), found.marks[index, 2:]) for index in kept]
