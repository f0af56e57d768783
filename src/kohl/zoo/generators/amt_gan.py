"""Carries makeup from one face to another so that recognisers take it for a third: the generator of AMT-GAN.

Hu et al., CVPR 2022, whose generator is that of PSGAN (Jiang et al., CVPR 2020): one network reads a scale and a shift
for every place from the makeup, attention carries them to the same places of the other face, a second network draws it.
Layers are named as in the published G.pth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.errors import BadModel
from kohl.types import Images, Points
from kohl.zoo.files import state

PUBLISHED = 256  # pixels of a side, of the published generator
CHANNELS = 64  # of the published generator, at the full size
READING, DRAWING = 3, 6  # blocks of the two networks
SHARP = 200.0  # times the likeness of two places, before the softmax over them
FAINT = 0.05  # of the last weights, when learning starts
LOOKS = 0.01  # weight of how two places look, against where they are


@dataclass(frozen=True, eq=False)
class Portrait:
    """Faces as the generator wants them."""

    images: Images  # (n, 3, size, size)
    regions: Tensor  # (n, 3, size, size), 0 or 1: lips, skin, skin around the eyes
    landmarks: Points  # (n, 68, 2), in pixels


class Residual(nn.Module):
    """Two convolutions with instance normalisation, beside a way around them."""

    def __init__(self, channels: int, *, affine: bool) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.InstanceNorm2d(channels, affine=affine),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.InstanceNorm2d(channels, affine=affine),
        )

    def forward(self, x: Tensor) -> Tensor:
        """`x` with what the convolutions add."""
        added: Tensor = x + self.main(x)
        return added


class Matrices(nn.Module):
    """A scale and a shift for every place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.get_gamma, self.get_beta = (nn.Conv2d(channels, 1, 1, bias=False) for _ in range(2))


class Unused(nn.Module):
    """A convolution that the published file has weights for and the published code never calls."""

    def __init__(self) -> None:
        super().__init__()
        self.g = nn.Conv2d(1, 1, 1)


class MakeupTransfer(nn.Module):
    """The faces of one portrait wearing the makeup of another.

    What it draws is the whole picture, as published; where it `adds`, it is the change, so that a small generator that
    learns for minutes need not learn to draw faces.
    """

    def __init__(self, channels: int = CHANNELS, size: int = PUBLISHED, *, adds: bool = False) -> None:
        super().__init__()
        self.size, self.adds, deep = size, adds, 4 * channels
        self.pnet_in = _stage(nn.Conv2d(3, channels, 7, 1, 3, bias=False), channels)
        self.tnet_in_conv = nn.Conv2d(3, channels, 7, 1, 3, bias=False)
        for number, wide in ((1, 2 * channels), (2, deep)):
            down = nn.Conv2d(wide // 2, wide, 4, 2, 1, bias=False)
            self.add_module(f"pnet_down_{number}", _stage(down, wide))
            self.add_module(f"tnet_down_conv_{number}", nn.Conv2d(wide // 2, wide, 4, 2, 1, bias=False))
        self.atten_bottleneck_g, self.atten_bottleneck_b = Unused(), Unused()
        self.simple_spade = Matrices(deep)
        for number in range(1, READING + 1):
            self.add_module(f"pnet_bottleneck_{number}", Residual(deep, affine=True))
        for number in range(1, DRAWING + 1):
            self.add_module(f"tnet_bottleneck_{number}", Residual(deep, affine=False))
        for number, wide in ((1, 2 * channels), (2, channels)):
            up = nn.ConvTranspose2d(2 * wide, wide, 4, 2, 1, bias=False)
            self.add_module(f"tnet_up_conv_{number}", up)
        self.tnet_out = nn.Sequential(nn.Conv2d(channels, 3, 7, 1, 3, bias=False), nn.Tanh())

    def forward(self, faces: Portrait, makeup: Portrait) -> Images:
        """The faces wearing that makeup."""
        drawn, seen = _rectified(self.tnet_in_conv(faces.images * 2 - 1)), self.pnet_in(makeup.images * 2 - 1)
        for number in (1, 2):
            seen = self.get_submodule(f"pnet_down_{number}")(seen)
            drawn = _rectified(self.get_submodule(f"tnet_down_conv_{number}")(drawn))
        for number in range(1, READING + 1):
            seen = self.get_submodule(f"pnet_bottleneck_{number}")(seen)
            drawn = self.get_submodule(f"tnet_bottleneck_{number}")(drawn)
        worn = torch.cat([self.simple_spade.get_gamma(seen), self.simple_spade.get_beta(seen)], 1)
        moved = carried(drawn, seen, faces, makeup, worn)
        drawn = drawn * (1 + moved[:, :1]) + moved[:, 1:]
        for number in range(READING + 1, DRAWING + 1):
            drawn = self.get_submodule(f"tnet_bottleneck_{number}")(drawn)
        for number in (1, 2):
            drawn = _rectified(self.get_submodule(f"tnet_up_conv_{number}")(drawn))
        out: Images = self.tnet_out(drawn)
        return (faces.images + out).clamp(0, 1) if self.adds else (out + 1) / 2


def _stage(convolution: nn.Conv2d, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.InstanceNorm2d(channels, affine=True), nn.ReLU())


def _rectified(x: Tensor) -> Tensor:
    return F.relu(F.instance_norm(x))


def carried(drawn: Tensor, seen: Tensor, faces: Portrait, makeup: Portrait, worn: Tensor) -> Tensor:
    """What is `worn` (n, 2, h, w) at the places of the makeup, carried to the places of the faces that are like them.

    Two places of the same region are alike by how they look, features (n, channels, h, w), and by where they are,
    directions from all landmarks. Only places inside a region are weighed; all others count as not alike at all in the
    published softmax, and so are added to its sum in one.
    """
    here, there = (_shrunk(portrait.regions, worn.shape[-1]) for portrait in (faces, makeup))
    ways, others = (directions(portrait, worn.shape[-1]) for portrait in (faces, makeup))
    places, found = worn.shape[-2] * worn.shape[-1], []
    for face in range(len(worn)):
        whole = worn.new_zeros(places, worn.shape[1])
        for region in range(here.shape[1]):
            rows, columns = (where[face, region].flatten().nonzero()[:, 0] for where in (here, there))
            if not len(rows) or not len(columns):
                continue
            first = torch.cat([LOOKS * drawn[face].flatten(1)[:, rows], ways[face].flatten(1)[:, rows]])
            second = torch.cat([LOOKS * seen[face].flatten(1)[:, columns], others[face].flatten(1)[:, columns]])
            alike = SHARP * (first.T @ second)
            total = alike.logsumexp(1, keepdim=True)
            if len(columns) < places:
                total = torch.logaddexp(total, total.new_tensor(math.log(places - len(columns))))
            moved = (alike - total).exp() @ worn[face].flatten(1)[:, columns].T
            whole = whole.index_add(0, rows, moved)
        found.append(whole.T.view(worn.shape[1:]))
    return torch.stack(found)


def directions(portrait: Portrait, side: int) -> Tensor:
    """The unit vector (n, 136, side, side) of the ways from each landmark to every place: down, then to the right."""
    size = portrait.images.shape[-1]
    at = torch.arange(side, device=portrait.landmarks.device) * (size // side)
    across, down = portrait.landmarks.round()[..., 0], portrait.landmarks.round()[..., 1]
    vertical = at.view(1, 1, -1, 1) - down[..., None, None]
    level = at.view(1, 1, 1, -1) - across[..., None, None]
    return F.normalize(torch.cat([vertical.expand(-1, -1, -1, side), level.expand(-1, -1, side, -1)], 1), dim=1)


def _shrunk(regions: Tensor, side: int) -> Tensor:
    """Every so manieth row and column."""
    return regions[..., :: regions.shape[-2] // side, :: regions.shape[-1] // side]


def untrained(channels: int, size: int, rng: torch.Generator) -> MakeupTransfer:
    """A generator as its training would start: one that adds, and hardly anything yet."""
    made = MakeupTransfer(channels, size, adds=True)
    for module in made.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            inputs, outputs = module.in_channels, module.out_channels
            fan = (inputs + outputs) * module.weight[0, 0].numel()
            with torch.no_grad():
                module.weight.normal_(generator=rng).mul_(math.sqrt(2 / fan))  # Glorot & Bengio, AISTATS 2010
                if module.bias is not None:
                    module.bias.zero_()
    with torch.no_grad():
        made.get_parameter("tnet_out.0.weight").mul_(FAINT)
    return made


def load(path: Path) -> MakeupTransfer:
    """The generator in the published G.pth, or in a file that `kohl train amt-gan` has written; raises `BadModel`."""
    weights: dict[str, Any] = state.checkpoint(path)
    first = weights.get("pnet_in.0.weight")
    if not (isinstance(first, Tensor) and first.dim() == 4):
        raise BadModel(f"{path}: holds no generator of AMT-GAN; name the published G.pth, or one that kohl trained.")
    side, adds = (_whole(weights.pop(name, torch.tensor(usual))) for name, usual in (("size", PUBLISHED), ("adds", 0)))
    if not 16 <= side <= 1024 or side % 4 or adds not in (0, 1) or not 0 < len(first) <= 1024:
        raise BadModel(f"{path}: holds a generator of AMT-GAN of an impossible size; name the published G.pth.")
    return state.network(lambda: MakeupTransfer(len(first), side, adds=bool(adds)), weights, path)


def _whole(number: Any) -> int:
    """A whole number in a tensor of its own, or −1."""
    right = isinstance(number, Tensor) and number.dtype == torch.int64 and number.numel() == 1
    return int(number) if right else -1
