"""Networks of a few channels, faces of flat colours, and a distance without a network, for learning in milliseconds."""

from __future__ import annotations

import pytest
import torch
from tiny import numbers
from torch import Tensor, nn

from kohl.train import discriminator, learner, mapping, stylegan2
from kohl.train.faces import Gallery
from kohl.types import Images, Scores
from kohl.zoo.generators import style_encoder

SIZE, SIDE = 64, 80  # pixels of a picture to learn from, and of the crops that it is cut from


def shrink(patch: pytest.MonkeyPatch) -> None:
    """Makes all that learns as small as it can be."""
    patch.setattr(learner, "CHANNELS", dict.fromkeys(learner.CHANNELS, 4))
    patch.setattr(learner, "WIDTH", 8)
    patch.setattr(learner, "DEPTH", 2)
    patch.setattr(style_encoder, "CHANNELS", (4,) * len(style_encoder.CHANNELS))
    patch.setattr(style_encoder, "HIDDEN", 8)
    patch.setattr(discriminator, "WIDEST", 4)
    patch.setattr(discriminator, "HIDDEN", 4)
    patch.setattr(mapping, "ROUNDS", 2)
    patch.setattr(mapping, "STEPS", 2)
    patch.setattr(mapping, "STYLES", 16)
    patch.setattr(stylegan2, "AT_ONCE", 8)


def gallery(learned: int = 6, held: int = 3, seed: int = 0) -> Gallery:
    """Crops of smooth noise."""
    coarse = torch.rand(learned + held, 3, 5, 5, generator=numbers(seed))
    crops = (nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic").clamp(0, 1) * 255).round().byte()
    return Gallery(crops[:learned], crops[learned:])


class Apart(nn.Module):
    """The mean squared difference of each picture from the other."""

    def forward(self, first: Images, second: Images) -> Scores:
        return (first - second).square().flatten(1).mean(1)


def weights(network: nn.Module) -> list[Tensor]:
    """A copy of all its numbers."""
    return [values.detach().clone() for values in network.state_dict().values()]


def same(first: list[Tensor], second: list[Tensor]) -> bool:
    """Whether these are the same numbers, bit for bit."""
    return all(map(torch.equal, first, second))
