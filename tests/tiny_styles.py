"""A StyleGAN2 of a few numbers, and toys for what tunes one to a face."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from tiny import numbers
from torch import Tensor, nn

from kohl.types import Images, Latents, Scores
from kohl.zoo.generators import stylegan2
from kohl.zoo.generators.stylegan2 import StyleGAN2

WIDTH = 8  # numbers in one row of w+


def generator(size: int = 32) -> StyleGAN2:
    """A generator of that many pixels with noise in it."""
    channels = (8, 8, 6, 4, 4)[: size.bit_length() - 2]
    made = stylegan2.untrained(channels, width=WIDTH, depth=1, rng=numbers())
    for layer in made.layers:
        layer.strength.fill_(0.3)
    return made


class Encoder(nn.Module):
    """Latents that follow the mean colour of the crops, and are different in every row."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.latent_shape = (rows, WIDTH)
        self.register_buffer("weight", torch.randn(3, rows * WIDTH, generator=numbers(1)))

    weight: Tensor

    def forward(self, crops: Images) -> Latents:
        return (crops.mean((2, 3)) @ self.weight).view(len(crops), -1, WIDTH)


class Blocks:
    """A distance between pictures that only sees blocks of 4 × 4 pixels, and remembers all that it said."""

    def __init__(self) -> None:
        self.sizes, self.said = [], []

    def to_reference(self, reference: Images) -> Callable[[Images], Scores]:
        self.sizes.append(reference.shape[-1])

        def distance(images: Images) -> Scores:
            scores = (F.avg_pool2d(images, 4) - F.avg_pool2d(reference, 4)).abs().flatten(1).mean(1)
            self.said.append(float(scores.detach().sum()))
            return scores

        return distance
