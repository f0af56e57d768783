"""Means around each pixel, Gaussian and plain, and how much detail is there; all differentiable."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.colour import brightness
from kohl.types import Images

WINDOW = 9  # pixels: the side of the square in which detail is measured


def blur(images: Images, sigma: float) -> Images:
    """A Gaussian blur of `sigma` pixels; the border is repeated outwards."""
    reach = math.ceil(3 * sigma)
    return gaussian(F.pad(images, (reach, reach, reach, reach), mode="replicate"), sigma, reach)


def gaussian(images: Images, sigma: float, reach: int) -> Images:
    """Weighted means of up to `reach` pixels to each side, where there are so many: smaller by twice as many."""
    offsets = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    window = torch.exp(-0.5 * (offsets / sigma) ** 2)
    channels = images.shape[1]
    kernel = (window / window.sum()).expand(channels, 1, 1, -1)
    return F.conv2d(F.conv2d(images, kernel, groups=channels), kernel.transpose(2, 3), groups=channels)


def mean_around(light: Tensor) -> Tensor:
    """The mean of the WINDOW × WINDOW pixels around each; at the border, of those that there are."""
    return F.avg_pool2d(light, WINDOW, 1, WINDOW // 2, count_include_pad=False)


def detail(images: Images) -> Tensor:
    """The standard deviation of brightness around each pixel (n, 1, height, width); nearly 0 where it is flat."""
    light = brightness(images)[:, None]
    light = light - light.mean((2, 3), keepdim=True)  # or small differences of large squares would be lost
    return (mean_around(light.square()) - mean_around(light).square()).clamp_min(1e-10).sqrt()
