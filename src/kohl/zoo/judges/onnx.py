"""SFace, and any ONNX recogniser, as black-box judges; OpenCV runs SFace, onnxruntime the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import cv2
import numpy as np
import torch

from kohl import settings
from kohl.errors import BadModel, BadSetting
from kohl.geometry import similarity
from kohl.templates import ARCFACE
from kohl.zoo.detectors.yunet import Detection, YuNet
from kohl.zoo.files.dnn import network
from kohl.zoo.judges.judge import Judge, Seen, cosine

LARGEST = 1024  # pixels of a side of an input; no recogniser takes a quarter of that
FARTHEST = 1e6  # of a number on a card from 0
LEAST = 4.0  # pixels between the eyes: with 3, SFace recognised none of 180, with 4 13 % (benchmarks/recognisable.py)
LEAST_SPREAD = 1e-3  # of the points of a template around their line, as a share of its length

Triple: TypeAlias = tuple[float, float, float]
Point: TypeAlias = tuple[float, float]
Points: TypeAlias = tuple[Point, Point, Point, Point, Point]
Embed: TypeAlias = Callable[[np.ndarray], np.ndarray]  # float32 (1, 3, size, size) → (d,)
Card = TypeVar("Card", "Settings", "Measured")


@dataclass(frozen=True)
class Settings:
    """What a card says of a recogniser: what it wants to be fed, and which cosines mean the same person."""

    size: int  # it takes (size, size) pixels
    channels: Literal["rgb", "bgr"] = "rgb"
    mean: float | Triple = 0.0  # subtracted from 0..255: one number, or three in the order of `channels`
    std: float | Triple = 1.0  # what it is then divided by
    template: Literal["arcface"] | Points = "arcface"  # where eyes, nose tip and mouth corners go, in its pixels
    thresholds: Mapping[str, float] = field(default_factory=dict)  # by false-accept rate

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LARGEST:
            raise BadSetting(f"size: must be a number of pixels, 1 to {LARGEST}, not {self.size}.")
        if not np.all(self.std):
            raise BadSetting("std: must not be 0.")
        for name, numbers in (("mean", self.mean), ("std", self.std), ("template", self.points)):
            if np.abs(numbers).max() > FARTHEST:
                raise BadSetting(f"{name}: must be at most {FARTHEST:g}.")
        if not _spread(self.points):
            raise BadSetting("template: must be five points [x, y] of a face, not all on one line.")
        by_rate(self.thresholds)

    @property
    def points(self) -> np.ndarray:
        """The template as an array (5, 2)."""
        return np.array(ARCFACE if self.template == "arcface" else self.template)


@dataclass(frozen=True)
class Measured:
    """The same of a recogniser whose feeding is known."""

    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_rate(self.thresholds)


def recognisable(faces: Iterable[Detection]) -> list[Detection]:
    """Those of the faces that are large enough to be recognised."""
    return [face for face in faces if np.linalg.norm(face.points[1] - face.points[0]) >= LEAST]


class Embedded:
    """Finds faces with YuNet, aligns them by five points, and embeds each with a recogniser."""

    def __init__(self, model: Path, embed: Embed, detector: YuNet, fed: Settings) -> None:
        self.model, self.embed, self.detector, self.fed = model, embed, detector, fed

    def __call__(self, pixels: np.ndarray) -> list[Seen]:
        """Every face in the uint8 RGB photo (height, width, 3) that is large enough to be recognised."""
        return [Seen(face.box, self._embedding(pixels, face.points)) for face in recognisable(self.detector(pixels))]

    def _embedding(self, pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The embedding of the face at these five points."""
        matrix = similarity(torch.tensor(points, dtype=torch.float64)[None], torch.tensor(self.fed.points)[None])[
            0
        ].numpy()
        size = (self.fed.size, self.fed.size)
        crop = cv2.warpAffine(pixels, matrix, size).astype(np.float32)
        ordered = crop if self.fed.channels == "rgb" else crop[:, :, ::-1]
        values = (ordered - np.array(self.fed.mean, np.float32)) / np.array(self.fed.std, np.float32)
        embedding = self.embed(np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32))
        if not (np.isfinite(embedding).all() and embedding.any()):  # it would never match anybody
            raise BadModel(f"{self.model}: gives no embedding of a face, but zeros or infinite numbers; take another.")
        return embedding


def sface(model: Path, detector: Path, *, thresholds: Mapping[float, float]) -> Judge:
    """SFace as a judge; its graph scales the colours 0..255 itself."""
    net = network(model)

    def embed(picture: np.ndarray) -> np.ndarray:
        net.setInput(picture, "data")
        embedding: np.ndarray = net.forward()[0]
        return embedding

    return Judge("sface", thresholds, Embedded(model, embed, YuNet(detector), Settings(size=112)), cosine)


def arcface(model: Path, detector: Path, *, thresholds: Mapping[float, float]) -> Judge:
    """A recogniser of InsightFace's as a judge, under its file's name.

    A card `model`.toml beside it, with nothing but the table `thresholds`, adds to those that are published.
    """
    fed = Settings(size=112, mean=127.5, std=127.5)
    return Judge(model.stem, {**thresholds, **measured(model)}, _faces(model, detector, fed), cosine)


def judge(model: Path, detector: Path) -> Judge:
    """The recogniser at `model` as a judge, fed as the card `model`.toml beside it says."""
    if not model.exists():
        raise BadModel(f"{model}: there is no such ONNX model.")
    fed = read_card(Settings, beside(model))
    return Judge(f"onnx:{model}", by_rate(fed.thresholds), _faces(model, detector, fed), cosine)


def _faces(model: Path, detector: Path, fed: Settings) -> Embedded:
    """The faces of a photo as the model in a file of the user's own sees them."""
    from kohl.zoo.files.runtime import Session  # late: most people need no onnxruntime

    return Embedded(model, Session(model, fed.size), YuNet(detector), fed)


def beside(model: Path) -> Path:
    """Where the card of the file at `model` is, if it has one."""
    return model.with_name(f"{model.name}.toml")


def read_card(kind: type[Card], path: Path) -> Card:
    """The settings in a card; raises `BadModel` without one, `BadSetting` for a wrong one."""
    try:
        return settings.load(kind, path)
    except OSError as error:
        raise BadModel(f"{path}: this card cannot be read ({error.strerror}); an ONNX judge needs one.") from error


def measured(model: Path) -> dict[float, float]:
    """The thresholds in a card beside the model, which says nothing else; none without a card."""
    path = beside(model)
    return by_rate(read_card(Measured, path).thresholds) if path.exists() else {}


def by_rate(thresholds: Mapping[str, float]) -> dict[float, float]:
    """The thresholds of a card as a judge has them; raises `BadSetting` for what are none."""
    try:
        found = {float(rate): least for rate, least in thresholds.items()}
    except ValueError:
        found = {math.nan: math.nan}
    if not all(0 < rate < 1 and -1 < least <= 1 for rate, least in found.items()):
        raise BadSetting(
            'thresholds: must be a table of cosines, above -1 and at most 1, by false-accept rate, as "0.01" = 0.3.'
        )
    return found


def _spread(points: np.ndarray) -> bool:
    """Whether the points (k, 2) are not all at one place or on one line."""
    long, short = np.linalg.svd(points - points.mean(0), compute_uv=False)
    return bool(short > LEAST_SPREAD * long)
