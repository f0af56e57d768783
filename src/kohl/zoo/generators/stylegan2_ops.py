"""The layers of StyleGAN2 (Karras et al., CVPR 2020), arranged so that they are fast on a CPU.

The paper gives every image its own convolution weights. Scaling the inputs by the style and the outputs by the
demodulation is the same linear map with one set of weights for all, and without grouped convolutions. Convolutions run
in the type of their features, float32 or bfloat16; styles, colours and images stay float32.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.device import has_bfloat16

BINOMIAL = (1.0, 3.0, 3.0, 1.0)  # the blur along one axis, before normalisation
SLOPE = 0.2  # of the rectifier for negative values
GAIN = math.sqrt(2)  # behind the rectifier, so that the variance stays
EPS = 1e-8


class EqualisedLinear(nn.Module):
    """A matrix product with equalised learning rate: its weights are stored as of variance 1 (Karras et al., 2018)."""

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, rate: float = 1.0) -> None:
        super().__init__()
        self.rate, self.scale = rate, rate / math.sqrt(inputs)  # a low rate makes the layer learn slowly
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))

    def forward(self, x: Tensor) -> Tensor:
        """The product (n, outputs)."""
        return F.linear(x * self.scale, self.weight, self.bias * self.rate)


class Mapping(nn.ModuleList):
    """The dense layers that turn noise into latents."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__(EqualisedLinear(width, width, rate=0.01) for _ in range(depth))

    def forward(self, z: Tensor) -> Tensor:
        """Latents (n, width) of normal noise (n, width)."""
        x = z * (z.square().mean(1, keepdim=True) + EPS).rsqrt()
        for layer in self:
            x = F.leaky_relu(layer(x), SLOPE) * GAIN
        return x


class StyledConvolution(nn.Module):
    """A 3 × 3 convolution of features scaled by a style, then noise, bias and rectifier; it can double the size."""

    noise: Tensor

    def __init__(self, inputs: int, outputs: int, *, width: int, size: int, doubles: bool = False) -> None:
        super().__init__()
        self.doubles, self.scale = doubles, 1 / math.sqrt(inputs * 3 * 3)
        self.style = EqualisedLinear(width, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.strength = nn.Parameter(torch.zeros(()))  # of the noise
        self.register_buffer("noise", torch.zeros(1, 1, size, size))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Features (n, outputs, size, size) of `x` at `w` (n, width), with `noise` (1 or n, 1, size, size)."""
        style = self.style(w) * self.scale
        demodulation = (style.square() @ self.weight.square().sum((2, 3)).T + EPS).rsqrt()
        x, weight = x * _per_channel(style, x), self.weight.to(x.dtype)
        if self.doubles:
            x = blurred(F.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        else:
            x = F.conv2d(x, weight, padding=1)
        # The gain goes in front of the rectifier, where it costs nothing: it is the same there.
        x = torch.addcmul(_per_channel(self.bias[None] * GAIN, x), x, _per_channel(demodulation * GAIN, x))
        return F.leaky_relu_(x + (noise * (self.strength * GAIN)).to(x.dtype), SLOPE)


class ToRGB(nn.Module):
    """Red, green and blue of features scaled by a style."""

    def __init__(self, inputs: int, *, width: int) -> None:
        super().__init__()
        self.scale = 1 / math.sqrt(inputs)
        self.style = EqualisedLinear(width, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.zeros(3, inputs))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """float32 colours (n, 3, size, size) of `x` at `w` (n, width)."""
        weights = (self.weight * (self.style(w) * self.scale)[:, None]).to(x.dtype)
        pixels = x.permute(0, 2, 3, 1)
        # As a matrix product of each image: as one batched product, a CPU would take up to five times as long.
        colours = torch.stack([F.linear(*each) for each in zip(pixels, weights, strict=True)])
        return colours.permute(0, 3, 1, 2) + self.bias.view(-1, 1, 1)


def blurred(x: Tensor) -> Tensor:
    """The blur behind a doubling: (n, channels, 2r + 1, 2r + 1) becomes (n, channels, 2r, 2r)."""
    line = x.new_tensor(BINOMIAL) / 4  # sums to 2: the zeros between the pixels dilute them
    return F.conv2d(x, (line[:, None] * line).expand(x.shape[1], 1, 4, 4), padding=1, groups=x.shape[1])


def doubled(x: Tensor) -> Tensor:
    """Images of twice the size under the same blur: bilinear, with zeros beyond the edges."""
    larger = F.interpolate(F.pad(x, (1, 1, 1, 1)), scale_factor=2, mode="bilinear")
    return larger[:, :, 2:-2, 2:-2]


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device has products of it, else float32."""
    return torch.bfloat16 if has_bfloat16(device) else torch.float32


def _per_channel(values: Tensor, x: Tensor) -> Tensor:
    """`values` (n, channels) in the shape and type in which they scale or shift `x`."""
    return values.to(x.dtype)[:, :, None, None]
