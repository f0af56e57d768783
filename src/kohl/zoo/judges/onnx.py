"""SFace, and any ONNX recogniser, as black-box judges, without torch; OpenCV runs SFace, onnxruntime the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kohl import plain_file, toml
from kohl.errors import BadModel, BadSetting
from kohl.templates import ARCFACE
from kohl.zoo.detectors.yunet import YuNet
from kohl.zoo.files.dnn import network
from kohl.zoo.judges.judge import Judge, Seen, cosine

TEMPLATES = {"arcface": ARCFACE}  # those that a card may call by name
LARGEST_CARD = 2**20  # bytes
LARGEST = 1024  # pixels of a side of an input; no recogniser takes a quarter of that
FARTHEST = 1e6  # of a number on a card from 0
LEAST = 4.0  # pixels between the eyes: with 3, SFace recognised none of 180, with 4 13 % (benchmarks/recognisable.py)
LEAST_SPREAD = 1e-3  # of the points of a template around their line, as a share of its length

Embed = Callable[[np.ndarray], np.ndarray]  # float32 (1, 3, size, size) → (d,)


@dataclass(frozen=True)
class Input:
    """What a recogniser wants to be fed."""

    size: int  # it takes (size, size) pixels
    channels: str = "rgb"  # or "bgr"
    mean: float | Sequence[float] = 0.0  # subtracted from 0..255: one number, or three in the order of `channels`
    std: float | Sequence[float] = 1.0  # what it is then divided by
    template: Sequence[Sequence[float]] = ARCFACE  # where eyes, nose tip and mouth corners go, in its pixels

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 1 <= self.size <= LARGEST:
            raise BadSetting(f"size: must be a number of pixels, 1 to {LARGEST}, not {_short(self.size)}.")
        if self.channels not in ("rgb", "bgr"):
            raise BadSetting(f'channels: must be "rgb" or "bgr", not {_short(self.channels)}.')
        if not _numbers(self.mean, (), (3,)) or not _numbers(self.std, (), (3,)) or not np.all(self.std):
            raise BadSetting("mean, std: must each be one number or three, and std not 0.")
        if not _numbers(self.template, (5, 2)) or not _spread(np.array(self.template, np.float64)):
            raise BadSetting(f'template: must be "{", ".join(TEMPLATES)}" or five points [x, y] of a face.')


class Embedded:
    """Finds faces with YuNet, aligns them by five points, and embeds each with a recogniser."""

    def __init__(self, model: Path, embed: Embed, detector: YuNet, fed: Input) -> None:
        self.model, self.embed, self.detector, self.fed = model, embed, detector, fed

    def __call__(self, pixels: np.ndarray) -> list[Seen]:
        """Every face in the uint8 RGB photo (height, width, 3) that is large enough to be recognised."""
        found = [face for face in self.detector(pixels) if np.linalg.norm(face.points[1] - face.points[0]) >= LEAST]
        return [Seen(face.box, self._embedding(pixels, face.points)) for face in found]

    def _embedding(self, pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The embedding of the face at these five points."""
        size = (self.fed.size, self.fed.size)
        crop = cv2.warpAffine(pixels, similarity(points, np.array(self.fed.template)), size).astype(np.float32)
        ordered = crop if self.fed.channels == "rgb" else crop[:, :, ::-1]
        values = (ordered - np.array(self.fed.mean, np.float32)) / np.array(self.fed.std, np.float32)
        embedding = self.embed(np.ascontiguousarray(values.transpose(2, 0, 1)[None], np.float32))
        if not (np.isfinite(embedding).all() and embedding.any()):  # it would never match anybody
            raise BadModel(f"{self.model}: gives no embedding of a face, but zeros or infinite numbers; take another.")
        return embedding


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares rotation, scale and shift (2, 3) that takes `source` points (k, 2) to `target`."""
    start, end = source @ (1, 1j), target @ (1, 1j)  # a similarity of the plane is end = turn · start + shift
    around = start - start.mean()
    turn = np.vdot(around, end) / np.vdot(around, around)
    shift = end.mean() - turn * start.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def sface(model: Path, detector: Path, *, thresholds: Mapping[float, float]) -> Judge:
    """SFace as a judge; its graph scales the colours 0..255 itself."""
    net = network(model)

    def embed(picture: np.ndarray) -> np.ndarray:
        net.setInput(picture, "data")
        embedding: np.ndarray = net.forward()[0]
        return embedding

    return Judge("sface", thresholds, Embedded(model, embed, YuNet(detector), Input(size=112)), cosine)


def arcface(model: Path, detector: Path, *, thresholds: Mapping[float, float]) -> Judge:
    """A recogniser of InsightFace's as a judge, under its file's name.

    A card `model`.toml beside it, with nothing but the table `thresholds`, adds to those that are published.
    """
    fed = Input(size=112, mean=127.5, std=127.5)
    return Judge(model.stem, {**thresholds, **measured(model)}, _faces(model, detector, fed), cosine)


def judge(model: Path, detector: Path) -> Judge:
    """The recogniser at `model` as a judge, fed as the card `model`.toml beside it says."""
    if not model.exists():
        raise BadModel(f"{model}: there is no such ONNX model.")
    fed, thresholds = read_card(beside(model))
    return Judge(f"onnx:{model}", thresholds, _faces(model, detector, fed), cosine)


def _faces(model: Path, detector: Path, fed: Input) -> Embedded:
    """The faces of a photo as the model in a file of the user's own sees them."""
    from kohl.zoo.files.runtime import Session  # late: most people need no onnxruntime

    return Embedded(model, Session(model, fed.size), YuNet(detector), fed)


def beside(model: Path) -> Path:
    """Where the card of the file at `model` is, if it has one."""
    return model.with_name(f"{model.name}.toml")


def read_card(path: Path) -> tuple[Input, dict[float, float]]:
    """What a card says: the fields of `Input`, and a table `thresholds` of cosines by false-accept rate.

    `template` may be the name of one: "arcface". Raises `BadModel` without a card, `BadSetting` for a wrong one.
    """
    settings = _settings(path)
    try:
        return _input(settings), _thresholds(settings)
    except BadSetting as error:
        raise BadSetting(f"{path}: {error}") from error


def measured(model: Path) -> dict[float, float]:
    """The thresholds in a card beside the model, which says nothing else; none without a card."""
    path = beside(model)
    if not path.exists():
        return {}
    settings = _settings(path)
    try:
        if others := settings.keys() - {"thresholds"}:
            raise BadSetting(f"{min(others)}: no such setting here; how this model is fed is known, keep [thresholds].")
        return _thresholds(settings)
    except BadSetting as error:
        raise BadSetting(f"{path}: {error}") from error


def _settings(path: Path) -> dict[str, Any]:
    """The settings in a card."""
    try:
        return toml.parsed(plain_file.content(path, LARGEST_CARD).decode("utf-8"))
    except OSError as error:
        raise BadModel(f"{path}: this card cannot be read ({error.strerror}); an ONNX judge needs one.") from error
    except ValueError as error:  # neither UTF-8 nor TOML
        raise BadSetting(f"{path}: not a TOML file ({error}).") from error


def _input(settings: Mapping[str, Any]) -> Input:
    """The part of a card that is about the input."""
    known = {field.name for field in fields(Input)}
    for key in settings.keys() - known - {"thresholds"}:
        near = get_close_matches(key, [*known, "thresholds"], n=1, cutoff=0)
        raise BadSetting(f"{key}: no such setting; did you mean {near[0]}?")
    if missing := [field.name for field in fields(Input) if field.default is MISSING and field.name not in settings]:
        raise BadSetting(f"{missing[0]}: this setting is missing.")
    values = {key: value for key, value in settings.items() if key in known}
    if isinstance(template := values.get("template"), str):
        values["template"] = TEMPLATES.get(template)
    return Input(**values)


def _thresholds(settings: Mapping[str, Any]) -> dict[float, float]:
    """The table of a card."""
    try:
        found = {float(rate): least for rate, least in settings["thresholds"].items()}
    except (KeyError, AttributeError, ValueError):
        found = {math.nan: None}
    for rate, least in found.items():
        if not (0 < rate < 1 and type(least) in (int, float) and -1 < least <= 1):
            raise BadSetting(
                'thresholds: must be a table of cosines, above -1 and at most 1, by false-accept rate, as "0.01" = 0.3.'
            )
    return {rate: float(least) for rate, least in found.items()}


def _numbers(value: object, *shapes: tuple[int, ...]) -> bool:
    """Whether `value` is finite numbers in one of these shapes."""
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return False
    return array.dtype.kind in "if" and array.shape in shapes and bool((np.abs(array) <= FARTHEST).all())


def _spread(points: np.ndarray) -> bool:
    """Whether the points (k, 2) are not all at one place or on one line."""
    long, short = np.linalg.svd(points - points.mean(0), compute_uv=False)
    return bool(short > LEAST_SPREAD * long)


def _short(value: object) -> str:
    """A value for a sentence."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"
