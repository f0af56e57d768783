"""Takes out of a made-up face what recognisers were to see: the regularisation network of AMT-GAN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.types import Images

LESS = 0.2  # of what a block adds
DENSE, INNER = 3, 5  # dense blocks in a block, convolutions in a dense block


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees all before it (ESRGAN: Wang et al., ECCV Workshops 2018)."""

    def __init__(self, channels: int, growth: int) -> None:
        super().__init__()
        wide = [channels + number * growth for number in range(INNER)]
        outputs = [*[growth] * (INNER - 1), channels]
        self.layers = nn.ModuleList(nn.Conv2d(*pair, 3, padding=1) for pair in zip(wide, outputs, strict=True))

    def forward(self, x: Tensor) -> Tensor:
        """`x` with a little added."""
        seen, *rest = x, *self.layers
        for layer in rest[:-1]:
            seen = torch.cat([seen, F.leaky_relu(layer(seen), 0.2)], 1)
        added: Tensor = x + LESS * rest[-1](seen)
        return added


class Purifier(nn.Module):
    """Pictures that look the same and that recognisers know again.

    Published with 64 channels, of which each dense layer adds 32, and four blocks, and as the whole picture; here what
    comes out is added to the picture, so that a small one need not learn to copy.
    """

    def __init__(self, channels: int = 12, growth: int = 6, blocks: int = 1) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, channels, 3, padding=1), nn.Conv2d(channels, 3, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(DenseBlock(channels, growth) for _ in range(DENSE))) for _ in range(blocks)
        )

    def forward(self, images: Images) -> Images:
        """The pictures."""
        x = self.first(images * 2 - 1)
        for block in self.blocks:
            x = x + LESS * (block(x) - x)
        pure: Images = (images + self.last(x) / 2).clamp(0, 1)
        return pure


def untrained(channels: int, growth: int, blocks: int, rng: torch.Generator) -> Purifier:
    """A purifier as its training would start: it changes hardly anything."""
    made = Purifier(channels, growth, blocks)
    for name, values in made.state_dict().items():
        if name.endswith("weight"):
            values.normal_(generator=rng).mul_((0.02 if name.startswith("last") else 1) / values[0].numel() ** 0.5)
        else:
            values.zero_()
    return made
