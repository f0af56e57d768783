"""Any ONNX recogniser as a black-box judge, in numpy, OpenCV and onnxruntime alone."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from kohl.types import BadModel, BadSetting
from kohl.zoo.judge import Judge, Seen, cosine
from kohl.zoo.runtime import REFUSALS, session
from kohl.zoo.sface import TEMPLATE
from kohl.zoo.yunet import YuNet

TEMPLATES = {"arcface": TEMPLATE}  # those that a card may call by name


@dataclass(frozen=True)
class Input:
    """What a recogniser wants to be fed."""

    size: int  # it takes (size, size) pixels
    channels: str = "rgb"  # or "bgr"
    mean: float | Sequence[float] = 0.0  # subtracted from 0..255: one number, or three in the order of `channels`
    std: float | Sequence[float] = 1.0  # what it is then divided by
    template: Sequence[Sequence[float]] = TEMPLATE  # where eyes, nose tip and mouth corners go, in its pixels

    def __post_init__(self) -> None:
        if not isinstance(self.size, int) or self.size < 1:
            raise BadSetting(f"size: must be a number of pixels, not {self.size!r}.")
        if self.channels not in ("rgb", "bgr"):
            raise BadSetting(f'channels: must be "rgb" or "bgr", not {self.channels!r}.')
        if not _numbers(self.mean, (), (3,)) or not _numbers(self.std, (), (3,)):
            raise BadSetting("mean, std: must each be one number or three.")
        if not _numbers(self.template, (5, 2)):
            raise BadSetting(f'template: must be "{", ".join(TEMPLATES)}" or five points [x, y].')


class OnnxFaces:
    """Finds faces with YuNet, aligns them by five points, and embeds each with an ONNX recogniser."""

    def __init__(self, model: Path, detector: YuNet, fed: Input, *, threads: int = 2) -> None:
        self.session = session(model, threads=threads)
        self.model, self.detector, self.fed = model, detector, fed
        _check(self.session, model, fed)

    def __call__(self, pixels: np.ndarray) -> list[Seen]:
        """Every face in the uint8 RGB photo (height, width, 3)."""
        return [Seen(face.box, self._embedding(pixels, face.points)) for face in self.detector(pixels)]

    def _embedding(self, pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The embedding of the face at these five points."""
        size = (self.fed.size, self.fed.size)
        crop = cv2.warpAffine(pixels, similarity(points, np.array(self.fed.template)), size).astype(np.float32)
        ordered = crop if self.fed.channels == "rgb" else crop[:, :, ::-1]
        values = (ordered - np.array(self.fed.mean, np.float32)) / np.array(self.fed.std, np.float32)
        try:
            outputs = self.session.run(None, {self.session.get_inputs()[0].name: values.transpose(2, 0, 1)[None]})
        except REFUSALS as error:
            raise BadModel(f"{self.model}: onnxruntime cannot run this model on a face ({error}).") from error
        embedding: np.ndarray = outputs[0][0]
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
    return Judge("sface", thresholds, OnnxFaces(model, YuNet(detector), Input(size=112)), cosine)


def arcface(model: Path, detector: Path, *, thresholds: Mapping[float, float]) -> Judge:
    """A recogniser of InsightFace's as a judge, under its file's name.

    A card `model`.toml beside it, with nothing but the table `thresholds`, adds to those that are published.
    """
    card = beside(model)
    measured = _measured(card) if card.exists() else {}
    fed = Input(size=112, mean=127.5, std=127.5)
    return Judge(model.stem, {**thresholds, **measured}, OnnxFaces(model, YuNet(detector), fed), cosine)


def judge(model: Path, detector: Path) -> Judge:
    """The recogniser at `model` as a judge, fed as the card `model`.toml beside it says."""
    if not model.is_file():
        raise BadModel(f"{model}: there is no such ONNX model.")
    fed, thresholds = read_card(beside(model))
    return Judge(f"onnx:{model}", thresholds, OnnxFaces(model, YuNet(detector), fed), cosine)


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


def _measured(path: Path) -> dict[float, float]:
    """The thresholds in a card that says nothing else."""
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
        return tomllib.loads(path.read_text(encoding="utf-8"))
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
        return {float(rate): float(least) for rate, least in settings["thresholds"].items()}
    except (KeyError, AttributeError, ValueError, TypeError):
        raise BadSetting('thresholds: must be a table of cosines by false-accept rate, as "0.01" = 0.3.') from None


def _numbers(value: object, *shapes: tuple[int, ...]) -> bool:
    """Whether `value` is numbers in one of these shapes."""
    try:
        return np.asarray(value, np.float64).shape in shapes
    except (TypeError, ValueError):
        return False


def _check(model: onnxruntime.InferenceSession, path: Path, fed: Input) -> None:
    """Refuse a model that does not take one picture as described, or does not give one embedding."""
    inputs, wanted = model.get_inputs(), [1, 3, fed.size, fed.size]
    if not inputs:
        raise BadModel(f"{path}: takes no picture.")
    fits = [not isinstance(has, int) or has == want for has, want in zip(inputs[0].shape, wanted, strict=False)]
    if len(inputs) > 1 or len(inputs[0].shape) != len(wanted) or not all(fits):
        raise BadModel(f"{path}: takes {[value.shape for value in inputs]} but its card says {wanted}.")
    if inputs[0].type != "tensor(float)":
        raise BadModel(f"{path}: takes {inputs[0].type}, but kohl feeds float32; export it again.")
    if len(model.get_outputs()[0].shape) != 2:
        raise BadModel(f"{path}: gives {model.get_outputs()[0].shape}, not one embedding per picture.")
