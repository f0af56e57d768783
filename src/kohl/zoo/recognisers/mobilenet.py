"""FaceRes and facelib: recognisers that are a MobileNet (Howard et al., 2017), from files of kohl's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.types import Embeddings, FaceEncoder, Faces, Images, Matrices
from kohl.zoo.files import store
from kohl.zoo.recognisers import frozen
from kohl.zoo.recognisers.recogniser import onto_template

HALVING = (0, 3, 7, 11, 23)  # convolutions with stride 2
LAYERS = 27  # the first, then thirteen pairs: each channel alone, then all together


class MobileNet(FaceEncoder):
    """A MobileNet without its classes; `margin` of its input's pixels surround ArcFace's template."""

    mean: Tensor  # (3, 1, 1) of its inputs in [0, 1]

    def __init__(self, name: str, tensors: Mapping[str, Tensor], *, size: int, margin: int = 0) -> None:
        super().__init__()
        self.name, self.size, self.margin = name, size, margin
        self.register_buffer("mean", tensors["mean"].float().view(3, 1, 1))
        weights = [(tensors[f"{index}.weight"], tensors[f"{index}.bias"]) for index in range(LAYERS)]
        self.layers = nn.ModuleList(_layer(index, *pair) for index, pair in enumerate(weights))
        last = (tensors["last.weight"], tensors["last.bias"]) if "last.weight" in tensors else None
        self.last = frozen.linear(*last) if last else nn.Identity()
        self.eval()

    def to_input(self, faces: Faces) -> Matrices:
        """As `onto_template`."""
        return onto_template(faces, self.size, self.margin)

    def forward(self, inputs: Images) -> Embeddings:
        """Embeddings of aligned inputs (n, 3, size, size)."""
        x = (inputs - self.mean).contiguous(memory_format=torch.channels_last)
        for index, layer in enumerate(self.layers):
            # TensorFlow pads an even side that is halved at its end only.
            x = F.relu6(layer(F.pad(x, (0, 1, 0, 1)) if index in HALVING else x))
        return F.normalize(self.last(x.mean((2, 3))))


def load(path: Path, *, name: str, size: int, margin: int = 0) -> MobileNet:
    """The network from a file of `training/mobilenets.py`."""
    return MobileNet(name, store.tensors(path), size=size, margin=margin)


# FaceRes (Savchenko, PeerJ Computer Science 2019) learned at 224 pixels; at 160 it is less sure, and twice as fast.
faceres = partial(load, name="faceres", size=160)
facelib = partial(load, name="facelib", size=112)


def _layer(index: int, weight: Tensor, bias: Tensor) -> nn.Module:
    weight, bias = weight.float(), bias.float()
    if weight.shape[2] == 1:
        return frozen.Pointwise(weight, bias)
    stride, groups = 2 if index in HALVING else 1, len(weight) if index else 1
    return frozen.convolution(weight, bias, stride=stride, padding=2 - stride, groups=groups)
