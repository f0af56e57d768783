"""What tells drawn pictures from real ones patch by patch, and the least squares that the two learn by."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.types import Images


class Patches(nn.Module):
    """PatchGAN (Isola et al., CVPR 2017): one number for each patch, the higher the more real.

    Two convolutions that halve, two that do not, 4 × 4 each, as many channels again at each but the last.
    """

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        wide = [3, channels, 2 * channels, 4 * channels, 1]
        self.layers = nn.ModuleList(
            nn.Conv2d(wide[i], wide[i + 1], 4, 2 if i < 2 else 1, 1) for i in range(len(wide) - 1)
        )

    def forward(self, images: Images) -> Tensor:
        """The numbers (n, 1, rows, columns) of pictures."""
        x = (images * 2 - 1).contiguous(memory_format=torch.channels_last)
        for layer in [*self.layers][:-1]:
            x = F.leaky_relu(layer(x), 0.2)
        verdict: Tensor = self.layers[-1](x)
        return verdict


def untrained(channels: int, rng: torch.Generator) -> Patches:
    """A discriminator as its training would start."""
    made = Patches(channels)
    for name, values in made.state_dict().items():
        if name.endswith("weight"):
            values.normal_(generator=rng).mul_((2 / values[0].numel()) ** 0.5)
        else:
            values.zero_()
    return made


def squared(verdict: Tensor, wanted: float, squash: Callable[[Tensor], Tensor] = torch.sigmoid) -> Tensor:
    """How far the verdict is from what is wanted: least squares (Mao et al., ICCV 2017)."""
    return (squash(verdict) - wanted).square().mean()
