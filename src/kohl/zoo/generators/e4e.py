"""The encoder for editing (e4e: Tov et al., SIGGRAPH 2021): faces to StyleGAN2 latents, from its published weights."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.errors import BadModel
from kohl.types import Images, Latents
from kohl.zoo.files import state
from kohl.zoo.recognisers import irse

SIZE = 256  # pixels of a side of its input
WIDTH = 512  # numbers in one style
MOST = 18  # styles, at 1024 pixels
COARSE, MIDDLE = 3, 4  # how many styles are seen in 16 × 16 cells, and then in 32 × 32; the others in 64 × 64


class Matrix(nn.Module):
    """A matrix product whose stored weights are √inputs times too large (Karras et al., ICLR 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(WIDTH, WIDTH)), nn.Parameter(torch.empty(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """`x` (n, 512), multiplied and shifted."""
        return F.linear(x / math.sqrt(WIDTH), self.weight, self.bias)


class Style(nn.Module):
    """Convolutions that halve `side` until one cell is left, and what that cell says."""

    def __init__(self, side: int) -> None:
        super().__init__()
        halvings = range(round(math.log2(side)))
        pairs = [(nn.Conv2d(WIDTH, WIDTH, 3, 2, 1), nn.LeakyReLU(0.01)) for _ in halvings]
        self.convs = nn.Sequential(*(layer for pair in pairs for layer in pair))
        self.linear = Matrix()

    def forward(self, features: Tensor) -> Tensor:
        """The style (n, 512) seen in features (n, 512, side, side)."""
        style: Tensor = self.linear(self.convs(features).flatten(1))
        return style


class E4E(nn.Module):
    """Finds latents at which StyleGAN2 makes nearly the given faces; its parts have the published names."""

    latent_avg: Tensor  # (styles, 512): the latents that every answer starts from

    def __init__(self, styles: int) -> None:
        super().__init__()
        self.latent_shape = (styles, WIDTH)
        self.levels = [0] * COARSE + [1] * MIDDLE + [2] * (styles - COARSE - MIDDLE)  # which features each style sees
        self.input_layer, self.body = irse.trunk(irse.DEPTH_50, squeeze=True)
        self.latlayer1, self.latlayer2 = nn.Conv2d(256, WIDTH, 1), nn.Conv2d(128, WIDTH, 1)
        self.styles = nn.ModuleList(Style(SIZE // 16 << level) for level in self.levels[:styles])
        self.register_buffer("latent_avg", torch.empty(styles, WIDTH))

    def forward(self, crops: Images) -> Latents:
        """Latents (n, styles, 512) of FFHQ-aligned crops of any size."""
        # The published code reduces photos with Pillow, which filters alike but rounds to whole colours.
        inputs = F.interpolate(crops, (SIZE, SIZE), mode="bilinear", antialias=True) * 2 - 1
        features = self._features(inputs.contiguous(memory_format=torch.channels_last))
        first, *others = (style(features[level]) for style, level in zip(self.styles, self.levels, strict=False))
        # Every style but the first is told as its difference from the first.
        return torch.stack([first, *(first + other for other in others)], 1) + self.latent_avg

    def _features(self, inputs: Tensor) -> list[Tensor]:
        """A pyramid (Lin et al., CVPR 2017) of features (n, 512, side, side), from 16 to 64 cells a side."""
        fine = self.body[:7](self.input_layer(inputs))
        middle = self.body[7:21](fine)
        coarse = self.body[21:](middle)
        middle = self.latlayer1(middle) + _doubled(coarse)
        return [coarse, middle, self.latlayer2(fine) + _doubled(middle)]


def load(path: Path) -> E4E:
    """The encoder in `e4e_ffhq_encode.pt`, for a generator of whatever size it was trained with."""
    content = state.checkpoint(path)
    parts, options = (content.get(name, {}) for name in ("state_dict", "opts"))
    if not isinstance(parts, Mapping) or not isinstance(options, Mapping):
        raise BadModel(f"{path}: this file is not laid out as e4e's; fetch the published file.")
    weights = {name.removeprefix("encoder."): x for name, x in parts.items() if name.startswith("encoder.")}
    styles = sum(bool(re.fullmatch(r"styles\.\d+\.linear\.bias", name)) for name in weights)
    if styles > MOST:
        raise BadModel(f"{path}: this file tells {styles} styles, but no StyleGAN2 has more than {MOST}.")
    if not options.get("start_from_latent_avg", True):  # FFHQ's encoder does
        weights["latent_avg"] = torch.zeros(styles, WIDTH)
    elif "latent_avg" in content:
        weights["latent_avg"] = _for_each(content["latent_avg"], styles)
    return state.network(partial(E4E, styles), weights, path)


def _for_each(average: Any, styles: int) -> Any:
    """The average latents; one style is repeated."""
    one = isinstance(average, Tensor) and average.shape in ((WIDTH,), (1, WIDTH))
    return average.expand(styles, WIDTH) if one else average


def _doubled(x: Tensor) -> Tensor:
    """Features (n, channels, height, width) with twice as many rows and columns, corner on corner."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)
