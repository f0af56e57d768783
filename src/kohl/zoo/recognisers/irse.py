"""ArcFace's improved residual networks (Deng et al., CVPR 2019): IR-SE50 and IR-152, from their published weights."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.zoo.files import state
from kohl.zoo.recognisers.recogniser import Recogniser

CHANNELS = (64, 128, 256, 512)  # of each stage; each begins by halving the picture
DEPTH_50, DEPTH_152 = (3, 4, 14, 3), (3, 8, 36, 3)  # units of each stage


class Every(nn.Module):
    """One of every `stride` rows and columns."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """`x` (n, channels, height, width) with fewer pixels."""
        kept: Tensor = x[..., :: self.stride, :: self.stride]
        return kept


class Squeeze(nn.Module):
    """Channels weighted by what the whole picture says (squeeze and excitation: Hu et al., CVPR 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 16, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // 16, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`x` (n, channels, height, width), each channel scaled by a factor from 0 to 1."""
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class Unit(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut, named as in the published files."""

    def __init__(self, inputs: int, outputs: int, stride: int, *, squeeze: bool) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = Every(stride)
        if inputs != outputs:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            *([Squeeze(outputs)] if squeeze else []),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The features (n, channels, height, width) one unit further."""
        further: Tensor = self.res_layer(x) + self.shortcut_layer(x)
        return further


def trunk(depth: Sequence[int], *, squeeze: bool) -> tuple[nn.Sequential, nn.Sequential]:
    """The first layer and the units behind it, which leave a sixteenth of the picture's side."""
    inputs = CHANNELS[0]
    first = nn.Sequential(nn.Conv2d(3, inputs, 3, 1, 1, bias=False), nn.BatchNorm2d(inputs), nn.PReLU(inputs))
    units = []
    for outputs, count in zip(CHANNELS, depth, strict=True):
        for stride in (2, *[1] * (count - 1)):
            units.append(Unit(inputs, outputs, stride, squeeze=squeeze))
            inputs = outputs
    return first, nn.Sequential(*units)


def layers(depth: Sequence[int], *, squeeze: bool) -> nn.Sequential:
    """The whole network, from pixels in [−1, 1] (n, 3, 112, 112) to 512 numbers."""
    first, units = trunk(depth, squeeze=squeeze)
    last = nn.Sequential(
        nn.BatchNorm2d(512),
        nn.Identity(),  # dropout, in training
        nn.Flatten(),
        nn.Linear(512 * 7 * 7, 512),
        nn.BatchNorm1d(512),
    )
    return nn.Sequential(OrderedDict(input_layer=first, body=units, output_layer=last))


def irse50(path: Path) -> Recogniser:
    """IR-SE50 from `irse50.pth` or `model_ir_se50.pth`."""
    made = state.network(partial(layers, DEPTH_50, squeeze=True), state.checkpoint(path), path)
    return Recogniser("irse50", made)


def ir152(path: Path) -> Recogniser:
    """IR-152 from `ir152.pth`."""
    made = state.network(partial(layers, DEPTH_152, squeeze=False), state.checkpoint(path), path)
    return Recogniser("ir152", made)
