"""Gaussian filters, differentiable."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from kohl.types import Images


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
