"""What tells drawn faces from real ones while a generator learns, and the losses of the two."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.types import Images, Scores
from kohl.zoo.generators.style_encoder import CELLS, EqualisedConvolution, ResidualBlock, rectified
from kohl.zoo.generators.stylegan2_ops import EPS, EqualisedLinear

WIDEST = 192  # channels


class Discriminator(nn.Module):
    """Says how real pictures look, the more the higher; StyleGAN2's, narrower."""

    def __init__(self, size: int, widest: int = WIDEST) -> None:
        super().__init__()
        halvings = round(math.log2(size / CELLS))
        channels = [min(widest, 24 << stage) for stage in range(halvings + 1)]
        self.first = EqualisedConvolution(3, channels[0], 1)
        self.blocks = nn.ModuleList(ResidualBlock(*pair) for pair in pairwise(channels))
        self.last = EqualisedConvolution(channels[-1] + 1, widest)
        self.hidden, self.verdict = EqualisedLinear(widest * CELLS**2, widest), EqualisedLinear(widest, 1)

    def forward(self, images: Images) -> Scores:
        """One number for each picture (n, 3, size, size)."""
        x = rectified(self.first((images * 2 - 1).contiguous(memory_format=torch.channels_last)))
        for block in self.blocks:
            x = block(x)
        # The minibatch standard deviation as one more channel: a generator that always draws the same is found out.
        spread = (x.float().var(0, correction=0) + EPS).sqrt().mean().to(x.dtype)
        x = rectified(self.last(torch.cat([x, spread.expand(len(x), 1, CELLS, CELLS)], 1)))
        verdicts: Tensor = self.verdict(rectified(self.hidden(x.flatten(1))))
        return verdicts.float()[:, 0]


def untrained(size: int, *, widest: int = WIDEST, rng: torch.Generator) -> Discriminator:
    """A discriminator as its training would start."""
    made = Discriminator(size, widest)
    for name, values in made.state_dict().items():
        if name.endswith(".weight"):
            values.normal_(generator=rng)
    return made


def generator_loss(drawn: Scores) -> Tensor:
    """The generator's loss: what it drew should look real (non-saturating: Goodfellow et al., NeurIPS 2014)."""
    return F.softplus(-drawn).mean()


def discriminator_loss(drawn: Scores, real: Scores) -> Tensor:
    """The discriminator's loss: it should tell the two apart."""
    return F.softplus(drawn).mean() + F.softplus(-real).mean()


def r1_penalty(discriminator: Discriminator, real: Images) -> Tensor:
    """The mean squared gradient at real pictures, to be kept small (R1: Mescheder et al., ICML 2018)."""
    pictures = real.detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(pictures).sum(), pictures, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()
