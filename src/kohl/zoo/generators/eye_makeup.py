"""Draws makeup around the eyes that recognisers take for another person's: the generator of Adv-Makeup."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.errors import BadModel
from kohl.types import Images
from kohl.zoo.files import store

HEIGHT, WIDTH = 64, 168  # of an eye area, 420 × 160 as published, smaller
MOST = 0.4  # that a value of a pixel can change
BLOCKS = 4


class EyeMakeup(nn.Module):
    """Down twice, some residual blocks, up twice with what was seen on the way down; out comes a change.

    The paper (Yin et al., IJCAI 2021) has an encoder and a decoder, and leaves open how large: this is ours.
    """

    def __init__(self, channels: int = 24) -> None:
        super().__init__()
        wide = [channels, 2 * channels, 4 * channels]
        self.first = nn.Conv2d(3, wide[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(wide[i], wide[i + 1], 4, 2, 1) for i in range(2))
        self.blocks = nn.ModuleList(Residual(wide[2]) for _ in range(BLOCKS))
        self.up = nn.ModuleList(nn.Conv2d(wide[2 - i] + wide[1 - i], wide[1 - i], 3, padding=1) for i in range(2))
        self.last = nn.Conv2d(wide[0], 3, 3, padding=1)

    def forward(self, areas: Images) -> Images:
        """The areas (n, 3, height, width) wearing makeup; height and width are multiples of 4."""
        x = F.leaky_relu(self.first((areas * 2 - 1).contiguous(memory_format=torch.channels_last)), 0.2)
        seen = []
        for layer in self.down:
            seen.append(x)
            x = F.leaky_relu(F.instance_norm(layer(x)), 0.2)
        for block in self.blocks:
            x = block(x)
        for layer in self.up:
            x = torch.cat([F.interpolate(x, scale_factor=2.0), seen.pop()], 1)
            x = F.leaky_relu(layer(x), 0.2)
        return (areas + MOST * torch.tanh(self.last(x))).clamp(0, 1)


class Residual(nn.Module):
    """Two convolutions with instance normalisation, beside a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """`x` with what the convolutions add."""
        inner = F.leaky_relu(F.instance_norm(self.first(x)), 0.2)
        return x + F.instance_norm(self.second(inner))


def untrained(channels: int, rng: torch.Generator) -> EyeMakeup:
    """A generator as its training would start: it changes hardly anything yet."""
    made = EyeMakeup(channels)
    for name, values in made.state_dict().items():
        if name.endswith("weight"):
            fan_in = values[0].numel()
            values.normal_(generator=rng).mul_((2 / fan_in) ** 0.5 * (0.1 if name.startswith("last") else 1))
        else:
            values.zero_()
    return made


def load(path: Path) -> EyeMakeup:
    """The generator in a file that `kohl train adv-makeup` has written; raises `BadModel` for any other."""
    tensors = store.tensors(path)
    wrong = BadModel(f"{path}: holds no eye makeup; name a file that `kohl train adv-makeup` has written.")
    if "first.bias" not in tensors:
        raise wrong
    with torch.device("meta"):
        made = EyeMakeup(tensors["first.bias"].numel())
    try:
        made.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
    except RuntimeError as error:  # how torch says that names or shapes are others
        raise wrong from error
    if not all(values.isfinite().all() for values in tensors.values()):
        raise wrong
    return made.requires_grad_(False).eval()
