"""How different two faces look to a network that learned faces, as LPIPS has it, without weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.device import convolving_in
from kohl.types import Images, Scores
from kohl.zoo.recognisers import sface

LOOKS = (5, 13, 21, 29)  # the last layers of SFace before its first three halvings, and one behind the third


class Features(nn.Module):
    """A distance between faces in the early features of SFace: the same for all channels (Zhang et al., CVPR 2018).

    `dtype` is that of the layers, as in `kohl.zoo.distances.lpips.LPIPS`.
    """

    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers, self.dtype = layers, torch.float32
        self.eval()

    def features(self, images: Images) -> list[Tensor]:
        """What the network sees in `images` at four sizes; in every cell a vector of unit length."""
        x, found = ((images * 255 - 127.5) * 0.0078125).contiguous(memory_format=torch.channels_last), []
        with convolving_in(self.dtype, x.device):
            for index, layer in enumerate(self.layers):
                x = layer(x)
                if index in LOOKS:
                    found.append(F.normalize(x.float(), dim=1, eps=1e-3))
        return found

    def forward(self, first: Images, second: Images) -> Scores:
        """The distance of each image of `first` from that of `second`; 0 for equal images."""
        return _distance(self.features(first), self.features(second))

    def to_reference(self, reference: Images) -> Callable[[Images], Scores]:
        """The distance from `reference`, which is looked at only once."""
        with torch.no_grad():
            wanted = self.features(reference)
        return lambda images: _distance(self.features(images), wanted)


def _distance(first: list[Tensor], second: list[Tensor]) -> Scores:
    """The squared difference of features, the mean over cells, the sum over sizes."""
    return torch.stack([(a - b).square().sum(1).mean((1, 2)) for a, b in zip(first, second, strict=True)]).sum(0)


def load(path: Path) -> Features:
    """The distance in the features of SFace in OpenCV Zoo's ONNX file."""
    return Features(nn.Sequential(*islice(sface.load(path).layers, LOOKS[-1] + 1)))
