"""The mapping from noise to styles, learned from the styles of known faces alone.

Every known style draws the nearest of many drawn ones to itself (implicit maximum likelihood: Li & Malik, 2018; for
the latents of an autoencoder: Hoshen, Li & Malik, CVPR 2019), so that no face is left out, as a discriminator may.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from kohl.zoo.generators.stylegan2_ops import Mapping

STYLES = 4096  # how many styles of faces are learned from
ROUNDS, STEPS, BATCH = 40, 64, 128  # each round draws anew and pairs anew
RATE = 0.2  # of Adam, for weights that start at about 100 and count for a hundredth of that


def learn(mapping: Mapping, styles: Tensor, rng: torch.Generator, *, said: Callable[[str], None]) -> None:
    """Moves the mapping, in place, until noise becomes styles like those (n, width)."""
    mapping.requires_grad_(True)
    optimizer = torch.optim.Adam(mapping.parameters(), RATE, betas=(0.0, 0.99))
    for number in range(ROUNDS):
        noise = torch.randn(2 * len(styles), styles.shape[1], generator=rng)
        with torch.no_grad():
            nearest = torch.cat([torch.cdist(part, mapping(noise)).argmin(1) for part in torch.split(styles, 512)])
        total = 0.0
        for _ in range(STEPS):
            chosen = torch.randint(len(styles), (BATCH,), generator=rng)
            loss = (mapping(noise[nearest[chosen]]) - styles[chosen]).square().mean()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            total += float(loss.detach())
        if (number + 1) % 10 == 0:
            said(f"mapping: {number + 1} of {ROUNDS}, squared difference {total / STEPS:.4f}")
    mapping.requires_grad_(False)
