"""A small encoder from faces to the w+ of a small StyleGAN2: one style for the whole face, and what each row adds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.errors import BadModel
from kohl.types import Images, Latents
from kohl.zoo.files import store
from kohl.zoo.generators.stylegan2_ops import GAIN, SLOPE, EqualisedLinear

CHANNELS = (32, 64, 128, 192, 192, 192)  # from the input's size, halving
CELLS = 4  # a side of the last features, whatever the input's size
HIDDEN = 384
SIZES = (64, 128, 256, 512, 1024)  # pixels of a side of the input


class EqualisedConvolution(nn.Module):
    """A convolution with equalised learning rate (Karras et al., ICLR 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1) -> None:
        super().__init__()
        self.stride, self.scale = stride, 1 / math.sqrt(inputs * kernel * kernel)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, outputs, height / stride, width / stride)."""
        return F.conv2d(x, self.weight * self.scale, self.bias, self.stride, self.weight.shape[-1] // 2)


class ResidualBlock(nn.Module):
    """Two convolutions that halve the size, beside a way around them (He et al., CVPR 2016)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = (
            EqualisedConvolution(inputs, outputs, stride=2),
            EqualisedConvolution(outputs, outputs),
        )
        self.around = EqualisedConvolution(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, outputs, height / 2, width / 2)."""
        seen: Tensor = rectified(self.second(rectified(self.first(x))))
        return torch.add(seen, self.around(F.avg_pool2d(x, 2))) * math.sqrt(0.5)


class StyleEncoder(nn.Module):
    """Finds latents at which its generator makes nearly the given faces.

    As e4e does (Tov et al., SIGGRAPH 2021), it tells every row as its difference from one style, so that the latents
    stay near w, where the generator is at its best.
    """

    def __init__(
        self, size: int, rows: int, width: int, *, channels: Sequence[int] = CHANNELS, hidden: int = HIDDEN
    ) -> None:
        super().__init__()
        self.size, self.latent_shape = size, (rows, width)
        self.first = EqualisedConvolution(3, channels[0])
        self.blocks = nn.ModuleList(ResidualBlock(*pair) for pair in pairwise(channels))
        self.hidden = EqualisedLinear(channels[-1] * CELLS**2 + sum(channels[1:]), hidden)
        self.style, self.rows = EqualisedLinear(hidden, width), EqualisedLinear(hidden, rows * width)

    def forward(self, crops: Images) -> Latents:
        """Latents (n, rows, width) of crops of any size."""
        style, differences = self.parts(crops)
        return style[:, None] + differences

    def parts(self, crops: Images) -> tuple[Tensor, Tensor]:
        """One style (n, width) of each face, and the difference of each row from it (n, rows, width)."""
        shape = (self.size, self.size)
        inputs = crops if crops.shape[2:] == shape else F.interpolate(crops, shape, mode="bilinear", antialias=True)
        x = rectified(self.first((inputs * 2 - 1).contiguous(memory_format=torch.channels_last)))
        means = []
        for block in self.blocks:
            x = block(x)
            means.append(x.mean((2, 3)))
        cells = F.adaptive_avg_pool2d(x, CELLS).flatten(1)
        hidden = rectified(self.hidden(torch.cat([cells, *means], 1)))
        return self.style(hidden).float(), self.rows(hidden).float().view(-1, *self.latent_shape)


def rectified(x: Tensor) -> Tensor:
    """A leaky rectifier that keeps the variance."""
    return F.leaky_relu(x, SLOPE) * GAIN


def untrained(
    size: int,
    rows: int,
    width: int,
    *,
    channels: Sequence[int] = CHANNELS,
    hidden: int = HIDDEN,
    rng: torch.Generator,
) -> StyleEncoder:
    """An encoder as its training would start: normal weights, and rows that do not differ yet."""
    made = StyleEncoder(size, rows, width, channels=channels, hidden=hidden)
    for name, values in made.state_dict().items():
        if name.endswith(".weight") and not name.startswith("rows."):
            values.normal_(generator=rng)
    return made


def filled(tensors: Mapping[str, Tensor], size: int) -> StyleEncoder:
    """The encoder with these weights, in evaluation mode and without gradients of its own.

    Raises `ValueError` where they are not an encoder's.
    """
    if size not in SIZES:
        raise ValueError(f"{size}: no encoder takes inputs of that size")
    halvings = sum(re.fullmatch(r"blocks\.\d+\.second\.bias", name) is not None for name in tensors)
    layers = ("style", "rows", "hidden", "first", *(f"blocks.{number}.second" for number in range(halvings)))
    counts = [tensors[f"{name}.bias"].numel() if f"{name}.bias" in tensors else 0 for name in layers]
    if not all(counts):
        raise ValueError("no style, no rows, or a layer is missing")
    width, values, hidden, *channels = counts
    with torch.device("meta"):
        encoder = StyleEncoder(size, values // width, width, channels=channels, hidden=hidden).eval()
    try:
        encoder.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
    except RuntimeError as error:  # how torch says that names or shapes are others
        raise ValueError(str(error)) from error
    return encoder.requires_grad_(False)


def load(path: Path) -> StyleEncoder:
    """The encoder in a file that `kohl train stylegan2` has written; raises `BadModel` for any other."""
    tensors = store.tensors(path)
    size = tensors.pop("size", None)
    try:
        encoder = filled(tensors, int(size) if size is not None and size.numel() == 1 else 0)
    except ValueError as error:
        raise BadModel(f"{path}: no encoder that kohl has trained; train one with `kohl train stylegan2`.") from error
    if not all(values.isfinite().all() for values in encoder.parameters()):
        raise BadModel(f"{path}: there are numbers that are not finite; train it anew with `kohl train stylegan2`.")
    return encoder
