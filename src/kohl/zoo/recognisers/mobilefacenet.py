"""MobileFaceNet (Chen et al., CCBR 2018) from its published weights."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from torch import Tensor, nn

from kohl.zoo.files import state
from kohl.zoo.recognisers.recogniser import Recogniser


class Residual(nn.Module):
    """Bottlenecks one after the other, each added to what went into it."""

    def __init__(self, channels: int, inner: int, count: int) -> None:
        super().__init__()
        self.model = nn.Sequential(*(bottleneck(channels, channels, inner) for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        """The features (n, channels, height, width) some bottlenecks further."""
        for block in self.model:
            x = x + block(x)
        return x


def convolution(
    inputs: int,
    outputs: int,
    kernel: int = 1,
    stride: int = 1,
    padding: int = 0,
    *,
    groups: int = 1,
    prelu: bool = True,
) -> nn.Sequential:
    """A convolution, a normalisation and, unless it is left out, a rectifier."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
    parts: OrderedDict[str, nn.Module] = OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs))
    return nn.Sequential(parts | {"prelu": nn.PReLU(outputs)} if prelu else parts)


def depthwise(channels: int, stride: int = 1) -> nn.Sequential:
    """A 3 × 3 convolution of each channel by itself."""
    return convolution(channels, channels, 3, stride, 1, groups=channels)


def bottleneck(inputs: int, outputs: int, inner: int, stride: int = 1) -> nn.Sequential:
    """A depthwise convolution of `inner` channels between two that mix the channels."""
    return nn.Sequential(
        OrderedDict(
            conv=convolution(inputs, inner),
            conv_dw=depthwise(inner, stride),
            project=convolution(inner, outputs, prelu=False),
        )
    )


def layers() -> nn.Sequential:
    """The whole network, from pixels in [−1, 1] (n, 3, 112, 112) to 512 numbers, named as in the published file."""
    return nn.Sequential(
        OrderedDict(
            conv1=convolution(3, 64, 3, 2, 1),
            conv2_dw=depthwise(64),
            conv_23=bottleneck(64, 64, 128, stride=2),
            conv_3=Residual(64, 128, 4),
            conv_34=bottleneck(64, 128, 256, stride=2),
            conv_4=Residual(128, 256, 6),
            conv_45=bottleneck(128, 128, 512, stride=2),
            conv_5=Residual(128, 256, 2),
            conv_6_sep=convolution(128, 512),
            conv_6_dw=convolution(512, 512, 7, groups=512, prelu=False),
            flat=nn.Flatten(),
            linear=nn.Linear(512, 512, bias=False),
            bn=nn.BatchNorm1d(512),
        )
    )


def load(path: Path) -> Recogniser:
    """MobileFaceNet from `mobile_face.pth`."""
    return Recogniser("mobile_face", state.network(layers, state.checkpoint(path), path))
