"""What a recogniser or a website may do to the photo before it looks: another crop, light or blur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from kohl import ranges
from kohl.filters import blur
from kohl.types import Images, Matrices

Beyond: TypeAlias = Literal["edge", "black"]  # what is seen beyond the rim of a picture

PADDING = {"edge": "border", "black": "zeros"}  # as torch calls it
RANGES = {
    **dict.fromkeys(("blurred", "grey", "mirrored"), (0, 1)),
    **{"shift": (0, 10), "rotation": (0, 10), "scale": (0, 10), "light": (0, 10), "blur": (0, 100)},
}


@dataclass(frozen=True)
class Views:
    """How far one random view may be from the next; a change that survives them all also survives a new recogniser.

    Expectation over transformation: Athalye et al., ICML 2018. The numbers are standard deviations.
    """

    shift: float = 0.02  # of the input's side
    rotation: float = 0.05  # radians
    scale: float = 0.04
    blur: float = 2.0  # the largest sigma, in crop pixels
    blurred: float = 0.45  # share of the views that are blurred
    grey: float = 0.3  # share of the views without colour
    light: float = 0.1  # of contrast; half as much of brightness
    mirrored: float = 0.5  # share of the views seen in a mirror

    def __post_init__(self) -> None:
        ranges.check(self, RANGES, "search.views.")

    def realign(self, count: int, size: int, rng: torch.Generator) -> Matrices:
        """Small similarities about the centre of an input (size, size): another detector would crop like this."""
        draws = torch.randn(4, count, generator=rng, device=rng.device)
        angle, factor = self.rotation * draws[0], 1 + self.scale * draws[1]
        cosine, sine = factor * angle.cos(), factor * angle.sin()
        linear = torch.stack([cosine, -sine, sine, cosine], -1).view(-1, 2, 2)
        centre = draws.new_full((2, 1), (size - 1) / 2)
        shift = self.shift * size * draws[2:].T[..., None]
        return torch.cat([linear, centre - linear @ centre + shift], -1)

    def restyle(self, images: Images, rng: torch.Generator) -> Images:
        """Each of the images in another light, some of the time blurred or grey; values may leave [0, 1]."""
        return torch.cat([self._restyled(image[None], rng) for image in images])

    def reflect(self, inputs: Images, rng: torch.Generator) -> Images:
        """Each of the aligned inputs, some of the time in a mirror."""
        return torch.cat([self._reflected(one[None], rng) for one in inputs])

    def _restyled(self, images: Images, rng: torch.Generator) -> Images:
        blurred, sigma, grey = torch.rand(3, generator=rng, device=rng.device).tolist()
        contrast, brightness = (self.light * torch.randn(2, generator=rng, device=rng.device)).tolist()
        if blurred < self.blurred and sigma * self.blur > 0.1:
            images = blur(images, sigma * self.blur)
        if grey < self.grey:
            images = images.mean(1, keepdim=True).expand_as(images)
        restyled: Images = images * (1 + contrast) + brightness / 2
        return restyled

    def _reflected(self, inputs: Images, rng: torch.Generator) -> Images:
        drawn = float(torch.rand((), generator=rng, device=rng.device))
        return inputs.flip(-1) if drawn < self.mirrored else inputs


STILL = Views(shift=0, rotation=0, scale=0, blurred=0, grey=0, light=0, mirrored=0)  # the picture as it is


def perspective(images: Images, amount: float, rng: torch.Generator, *, beyond: Beyond = "edge") -> Images:
    """The images seen from another side: each corner moves inwards by up to `amount` of half a side.

    Beyond its rim a picture goes on as its edge is, or is black, as in the released code of CLIP2Protect.
    """
    height, width = images.shape[-2:]
    draws = torch.rand(len(images), 4, 2, generator=rng, device=rng.device)
    corners = draws.new_tensor([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    moved = corners * (1 - amount * draws)
    back = np.stack([cv2.getPerspectiveTransform(to.numpy(), corners.numpy()) for to in moved])
    sides = (torch.linspace(-1, 1, length, device=rng.device) for length in (height, width))
    y, x = torch.meshgrid(*sides, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3) @ draws.new_tensor(back).transpose(1, 2)
    where = (points[..., :2] / points[..., 2:]).view(len(images), height, width, 2).to(images)
    return F.grid_sample(images, where, padding_mode=PADDING[beyond], align_corners=True)
