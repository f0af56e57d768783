"""Networks of a few channels, faces of flat colours, and a distance without a network, for learning in milliseconds."""

from __future__ import annotations

import torch
from tiny import numbers
from torch import Tensor, nn

from kohl.train.faces import Gallery
from kohl.train.learner import Networks
from kohl.train.mapping import Pairing
from kohl.types import Images, Scores

SIZE, SIDE = 64, 80  # pixels of a picture to learn from, and of the crops that it is cut from


NETWORKS = Networks(channels=(4,) * 9, width=8, depth=2, encoder=(4,) * 6, hidden=8, discriminator=4)
PAIRING = Pairing(styles=16, rounds=2, steps=2)
SMALL = {"size": SIZE, "networks": NETWORKS, "mapping": PAIRING}  # all that learns, as small as it can be
OPTIONS = ["networks.channels=[4,4,4,4,4,4,4,4,4]", "networks.width=8", "networks.depth=2"]  # the same, typed
OPTIONS += ["networks.encoder=[4,4,4,4,4,4]", "networks.hidden=8", "networks.discriminator=4"]
OPTIONS += ["mapping.styles=16", "mapping.rounds=2", "mapping.steps=2"]


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
