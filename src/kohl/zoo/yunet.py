"""YuNet (Wu et al., MIR 2023), a small face detector that also finds eyes, nose tip and mouth corners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from kohl.types import Box
from kohl.zoo.dnn import network

SIZE = 640  # the file's fixed input, in pixels
STRIDES = (8, 16, 32)  # input pixels per cell of its three grids
OUTPUTS = [f"{kind}_{stride}" for stride in STRIDES for kind in ("cls", "obj", "bbox", "kps")]
LARGEST_ENLARGEMENT = 2.0  # a small photo need not fill the input: more would only blur it
TILED_FROM, TILED_TO = 1280, 1920  # long side from which a photo is also searched in tiles, and reduced to before that
STEP = SIZE * 3 // 4  # from tile to tile: a small face at a border is whole in the next one


class Detection(NamedTuple):
    """One face, in photo pixels."""

    box: Box
    score: float  # the detector's confidence, 0 to 1
    points: np.ndarray  # (5, 2) eyes, nose tip, mouth corners, the viewer's left first


class Found(NamedTuple):
    """Faces before duplicates are dropped: two corners of the box and five points of each, and the scores."""

    marks: np.ndarray  # (n, 7, 2)
    scores: np.ndarray  # (n,)


class YuNet:
    """Finds the faces in a photo of any size, the largest first."""

    def __init__(self, path: Path, *, score: float = 0.7, overlap: float = 0.3) -> None:
        self.network = network(path)
        self.score = score  # least confidence: over 156 photos, faces had 0.79 or more and all else 0.69 or less
        self.overlap = overlap  # boxes that share more than this part of their union are one face

    def __call__(self, pixels: np.ndarray) -> list[Detection]:
        """Every face in the uint8 RGB photo (height, width, 3)."""
        long = max(pixels.shape[:2])
        scales = [min(SIZE / long, LARGEST_ENLARGEMENT)]
        if long > TILED_FROM:
            scales.append(min(TILED_TO / long, 1.0))
        faces = _distinct(_joined(self._level(pixels, scale) for scale in scales), self.overlap)
        return sorted(faces, key=lambda face: face.box[2] * face.box[3], reverse=True)

    def _level(self, pixels: np.ndarray, scale: float) -> Found:
        """What is found in the photo at one scale, in photo pixels."""
        size = np.array(pixels.shape[1::-1])
        scaled_size = np.maximum(np.rint(size * scale), 1).astype(int)
        shrinks = scale < 1
        scaled = cv2.resize(pixels, scaled_size.tolist(), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        found = []
        for corner in product(*(_starts(length) for length in scaled_size.tolist())):
            marks, scores = self._tile(scaled, *corner)
            kept = _trusted(marks, np.array(corner), scaled_size)
            found.append(Found(marks[kept] + corner, scores[kept]))
        marks, scores = _joined(found)
        return Found((marks + 0.5) * (size / scaled_size) - 0.5, scores)

    def _tile(self, pixels: np.ndarray, left: int, top: int) -> Found:
        """What is found in one tile, in its own pixels."""
        tile = pixels[top : top + SIZE, left : left + SIZE, ::-1]  # blue first
        canvas = np.zeros((SIZE, SIZE, 3), np.float32)
        canvas[: tile.shape[0], : tile.shape[1]] = tile
        self.network.setInput(canvas.transpose(2, 0, 1)[None], "input")
        outputs = self.network.forward(OUTPUTS)
        grids = [outputs[start : start + 4] for start in range(0, len(outputs), 4)]
        marks, scores = _joined(_decoded(grid, stride) for grid, stride in zip(grids, STRIDES, strict=True))
        return Found(marks[scores >= self.score], scores[scores >= self.score])


def _decoded(outputs: Sequence[np.ndarray], stride: int) -> Found:
    """What each cell of one grid says, from its four outputs (1, cells, …)."""
    classes, objects, boxes, points = (output[0] for output in outputs)
    scores = np.sqrt(classes.clip(0, 1) * objects.clip(0, 1))[:, 0]
    rows, columns = np.divmod(np.arange(len(scores)), SIZE // stride)
    cells = np.stack([columns, rows], 1)
    centres, reach = boxes[:, :2] + cells, np.exp(boxes[:, 2:]) / 2
    marks = [np.stack([centres - reach, centres + reach], 1), points.reshape(-1, 5, 2) + cells[:, None]]
    return Found(stride * np.concatenate(marks, 1), scores)


def _joined(parts: Iterable[Found]) -> Found:
    """All that was found in several places."""
    marks, scores = zip(*parts, strict=True)
    return Found(np.concatenate(marks), np.concatenate(scores))


def _trusted(marks: np.ndarray, corner: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Which faces of the tile at `corner` are whole there and small enough that the whole photo may not show them."""
    starts, ends = marks[:, 0], marks[:, 1]
    whole = ((starts >= 0) | (corner == 0)) & ((ends < SIZE) | (corner + SIZE >= size))
    small = (size <= SIZE).all() | (ends - starts <= SIZE - STEP)
    trusted: np.ndarray = (whole & small).all(1)
    return trusted


def _starts(length: int) -> list[int]:
    """Where tiles begin that cover `length` pixels evenly."""
    count = max(0, -(-(length - SIZE) // STEP)) + 1
    return [int(start) for start in np.linspace(0, max(0, length - SIZE), count)]


def _distinct(found: Found, overlap: float) -> list[Detection]:
    """One detection per face: of boxes that overlap, the surest."""
    boxes = np.concatenate([found.marks[:, 0], found.marks[:, 1] - found.marks[:, 0]], 1).tolist()
    kept = cv2.dnn.NMSBoxes(boxes, found.scores.tolist(), 0.0, overlap) if boxes else ()
    return [Detection(tuple(boxes[index]), float(found.scores[index]), found.marks[index, 2:]) for index in kept]
