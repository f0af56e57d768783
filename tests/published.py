"""The published networks with the weights of the fixtures in `golden`, loaded from files like the published ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from fills import Shapes, image
from torch import Tensor, nn

Model = TypeVar("Model")

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Mapping[str, np.ndarray]:
    """The arrays of one fixture."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)


def shapes(fixture: Mapping[str, np.ndarray], name: str = "keys_json") -> Shapes:
    """The names and shapes of the weights in the published file."""
    return {key: tuple(shape) for key, shape in json.loads(str(fixture[name])).items()}


def own_shapes(build: Callable[[], nn.Module]) -> Shapes:
    """The names and shapes of the weights that our network expects."""
    with torch.device("meta"):
        return {name: tuple(x.shape) for name, x in build().state_dict().items()}


def loaded(load: Callable[..., Model], *contents: Any) -> Model:
    """What `load` makes of files with these contents; they are gone afterwards."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{index}.pth" for index in range(len(contents))]
        for content, path in zip(contents, paths, strict=True):
            torch.save(content, path)
        return load(*paths)


def images(count: int, size: int, name: str = "input.image") -> Tensor:
    """The fixtures' test images, in [0, 1]."""
    return (image(name, count, size) + 1) / 2


def pooled(score: Tensor, inputs: Tensor) -> Tensor:
    """The gradient of a score for images in [−1, 1], as the fixtures keep it: the means of 16 × 16 cells."""
    (gradient,) = torch.autograd.grad(score, inputs)
    return F.adaptive_avg_pool2d(gradient / 2, 16)  # ours are in [0, 1]
