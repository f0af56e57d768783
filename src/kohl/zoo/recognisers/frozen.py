"""Layers with fixed weights, for networks that are only ever run."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights


def convolution(weight: Tensor, bias: Tensor, *, stride: int, padding: int, groups: int = 1) -> nn.Conv2d:
    """A convolution with these weights (outputs, inputs / groups, height, width)."""
    outputs, inputs, height, width = weight.shape
    layer = nn.Conv2d(inputs * groups, outputs, (height, width), stride, padding, groups=groups, device="meta")
    # With channels last, steps on a CPU are a tenth to a fifth faster.
    layer.weight, layer.bias = parameter(weight.contiguous(memory_format=torch.channels_last)), parameter(bias)
    return layer


def linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    """A matrix product with these weights (outputs, inputs)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    layer.weight, layer.bias = parameter(weight), parameter(bias)
    return layer


class Pointwise(nn.Module):
    """A 1 × 1 convolution as a matrix product: on small maps several times faster on a CPU than as a convolution."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = parameter(weight.flatten(1)), parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        """`x` (n, inputs, height, width) with its channels mixed; no copy is made where channels are last in memory."""
        return F.linear(x.permute(0, 2, 3, 1), self.weight, self.bias).permute(0, 3, 1, 2)


class PReLU(nn.Module):
    """A rectifier with one slope per channel for negative values; several times faster backwards than torch's own."""

    slopes: Tensor

    def __init__(self, slopes: Tensor) -> None:
        super().__init__()
        self.register_buffer("slopes", slopes.float().view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """`x` (n, channels, height, width), its negative values scaled."""
        scaled: Tensor = _Scaled.apply(x, self.slopes)  # type: ignore[no-untyped-call]
        return scaled


class _Scaled(torch.autograd.Function):
    """Negative values times fixed slopes; torch's own also works out what the slopes' gradient would be."""

    @staticmethod
    def forward(context: Any, x: Tensor, slopes: Tensor) -> Tensor:
        context.save_for_backward(x, slopes)
        return F.prelu(x, slopes.flatten())

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        x, slopes = context.saved_tensors
        return torch.ops.aten.threshold_backward(gradient, x, 0).lerp_(gradient, slopes), None


def scale_and_shift(mean: Tensor, variance: Tensor, eps: float, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """What a batch normalisation in evaluation mode multiplies each channel by, and what it adds to it."""
    scale, shift = fuse_conv_bn_weights(torch.ones_like(mean)[:, None], None, mean, variance, eps, weight, bias)
    return scale[:, 0], shift


def parameter(values: Tensor) -> nn.Parameter:
    """A weight that no gradient reaches."""
    return nn.Parameter(values.float(), requires_grad=False)
