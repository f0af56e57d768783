"""Recognisers in torch as black-box judges: each finds the faces of a photo by itself, cuts and embeds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import torch

from kohl.types import FaceEncoder, Faces
from kohl.zoo.detectors.yunet import Detection, YuNet
from kohl.zoo.judges.judge import Judge, Seen, cosine
from kohl.zoo.judges.onnx import measured, recognisable
from kohl.zoo.recognisers import facenet as inception
from kohl.zoo.recognisers import irse, mobilefacenet, mobilenet

Cut: TypeAlias = Callable[[np.ndarray, Detection, FaceEncoder], np.ndarray]  # float32 (size, size, 3) in 0..255


class Encoded:
    """Finds faces with YuNet, cuts each out as `cut` does, and embeds it with the recogniser."""

    def __init__(self, encoder: FaceEncoder, detector: YuNet, cut: Cut) -> None:
        self.encoder, self.detector, self.cut = encoder, detector, cut

    def __call__(self, pixels: np.ndarray) -> list[Seen]:
        """Every face in the uint8 RGB photo (height, width, 3) that is large enough to be recognised."""
        found = recognisable(self.detector(pixels))
        return [Seen(face.box, self._embedding(self.cut(pixels, face, self.encoder))) for face in found]

    def _embedding(self, crop: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            embedding: np.ndarray = self.encoder(torch.from_numpy(crop / 255).permute(2, 0, 1)[None])[0].numpy()
        return embedding


def squeezed(pixels: np.ndarray, face: Detection, encoder: FaceEncoder) -> np.ndarray:
    """The detector's box, bilinear and not smoothed, whatever its proportions: as in the code of CLIP2Protect.

    The box is YuNet's, where that code has MTCNN's.
    """
    (left, top, width, height), (below, beside) = face.box, pixels.shape[:2]
    columns, rows = (
        slice(int(np.clip(round(start), 0, most - 1)), int(np.clip(round(start + length), 1, most)))
        for start, length, most in ((left, width, beside), (top, height, below))
    )
    size = (encoder.size, encoder.size)
    return cv2.resize(pixels[rows, columns].astype(np.float32), size, interpolation=cv2.INTER_LINEAR)


def aligned(pixels: np.ndarray, face: Detection, encoder: FaceEncoder) -> np.ndarray:
    """The face moved, turned and scaled by its five points, as the recogniser sees it in the search."""
    points = torch.tensor(face.points, dtype=torch.float64)[None]
    (matrix,) = encoder.to_input(Faces(points.new_zeros(1, 3, 1, 1), points, points)).numpy()
    return cv2.warpAffine(pixels, matrix, (encoder.size, encoder.size)).astype(np.float32)


def judge(
    model: Path,
    detector: Path,
    *,
    thresholds: Mapping[float, float],
    load: Callable[[Path], FaceEncoder],
    cut: Cut = squeezed,
) -> Judge:
    """The recogniser that `load` makes of the file, as a judge of faces that are cut out in that way."""
    encoder = load(model)
    return Judge(encoder.name, thresholds, Encoded(encoder, YuNet(detector), cut), cosine)


def by_points(encoder: FaceEncoder, model: Path, detector: Path) -> Judge:
    """The recogniser from that file as a judge of aligned faces; thresholds are in the card beside the file, if any."""
    return Judge(f"aligned:{encoder.name}", measured(model), Encoded(encoder, YuNet(detector), aligned), cosine)


irse50, ir152 = partial(judge, load=irse.irse50), partial(judge, load=irse.ir152)
facenet, mobile_face = partial(judge, load=inception.load), partial(judge, load=mobilefacenet.load)
# FaceRes as it learned: larger than in the search, and with more around the face.
faceres = partial(judge, load=partial(mobilenet.load, name="faceres", size=224, margin=20), cut=aligned)
facelib = partial(judge, load=mobilenet.facelib, cut=aligned)
