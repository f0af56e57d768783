"""The mapping from noise to styles, learned from the styles of known faces alone.

Every known style draws the nearest of many drawn ones to itself (implicit maximum likelihood: Li & Malik, 2018; for
the latents of an autoencoder: Hoshen, Li & Malik, CVPR 2019), so that no face is left out, as a discriminator may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from kohl import ranges
from kohl.adam import Adam
from kohl.zoo.generators.stylegan2_ops import Mapping


@dataclass(frozen=True)
class Pairing:
    """How long the mapping learns: each round draws anew and pairs anew."""

    styles: int = 4096  # how many styles of faces are learned from
    rounds: int = 40
    steps: int = 64  # of each round
    batch: int = 128
    rate: float = 0.2  # of Adam, for weights that start at about 100 and count for a hundredth of that

    def __post_init__(self) -> None:
        ranges.check(self, dict.fromkeys(("styles", "rounds", "steps", "batch"), (1, 10**6)), "mapping.")


def learn(
    mapping: Mapping,
    styles: Tensor,
    rng: torch.Generator,
    settings: Pairing = Pairing(),
    *,
    said: Callable[[str], None],
) -> None:
    """Moves the mapping, in place, until noise becomes styles like those (n, width)."""
    weights, adam = [*mapping.requires_grad_(True).parameters()], Adam((0.0, 0.99))
    for number in range(settings.rounds):
        noise = torch.randn(2 * len(styles), styles.shape[1], generator=rng)
        with torch.no_grad():
            nearest = torch.cat([torch.cdist(part, mapping(noise)).argmin(1) for part in torch.split(styles, 512)])
        total = 0.0
        for _ in range(settings.steps):
            chosen = torch.randint(len(styles), (settings.batch,), generator=rng)
            loss = (mapping(noise[nearest[chosen]]) - styles[chosen]).square().mean()
            adam(weights, torch.autograd.grad(loss, weights), settings.rate)
            total += float(loss.detach())
        if (number + 1) % 10 == 0:
            said(f"mapping: {number + 1} of {settings.rounds}, squared difference {total / settings.steps:.4f}")
    mapping.requires_grad_(False)
