"""Colours as numbers: how bright they are, and how they look (CIELAB), with gradients."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kohl.types import Images

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: file formats, and most of the field, mean this by grey (BT.601)
TO_XYZ = (  # from linear sRGB, as shares of the white point D65 (IEC 61966-2-1): white is (1, 1, 1)
    (0.43394994, 0.37620977, 0.18984029),
    (0.21267288, 0.71515213, 0.07217499),
    (0.01775658, 0.10946796, 0.87277546),
)
TO_LINEAR = (  # its inverse
    (3.07995511, -1.537139, -0.5428161),
    (-0.92125863, 1.87601112, 0.04524751),
    (0.0528874, -0.20402587, 1.15113847),
)
TOE = 6 / 29  # cube root of the share of light below which CIELAB is a line
BLACK = 16.0  # scaling light by s scales L* + 16, a* and b* by the cube root of s


def brightness(images: Images) -> Tensor:
    """The weighted mean of the three channels, (n, height, width)."""
    red, green, blue = images.unbind(1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def lab(colours: Tensor) -> Tensor:
    """CIELAB (3, …) of sRGB colours (3, …) in [0, 1]: L* from 0 to 100, a* and b* (CIE 15:2004), white point D65."""
    linear = torch.where(colours > 0.04045, ((colours.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, colours / 12.92)
    light = torch.tensordot(colours.new_tensor(TO_XYZ), linear, 1)
    roots = torch.where(light > TOE**3, light.clamp_min(TOE**3) ** (1 / 3), light / (3 * TOE**2) + 4 / 29)
    x, y, z = roots
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def srgb(colours: Tensor) -> Tensor:
    """The sRGB colours (3, …) of CIELAB ones (3, …); what sRGB cannot show is below 0 or above 1."""
    y = (colours[0] + 16) / 116
    roots = torch.stack([y + colours[1] / 500, y, y - colours[2] / 200])
    light = torch.where(roots > TOE, roots**3, 3 * TOE**2 * (roots - 4 / 29))
    linear = torch.tensordot(colours.new_tensor(TO_LINEAR), light, 1)
    return torch.where(linear > 0.0031308, 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055, 12.92 * linear)


def difference(first: Tensor, second: Tensor) -> Tensor:
    """How unlike two CIELAB colours (3, …) look: CIEDE2000 (Sharma, Wu & Dalal, Color Research & Application 2005)."""
    first, second = first.double(), second.double()
    chroma = (first[1:].square().sum(0).sqrt() + second[1:].square().sum(0).sqrt()) / 2
    grown = 1.5 - 0.5 * (chroma**7 / (chroma**7 + 25.0**7)).sqrt()  # a* counts more where there is little chroma
    (c1, h1), (c2, h2) = (_polar(colour[1] * grown, colour[2]) for colour in (first, second))
    grey = (c1 * c2) == 0
    turn = torch.remainder(h2 - h1 + math.pi, 2 * math.pi) - math.pi
    # Of hues that are opposite, the standard's sign of the difference is that of h2 − h1.
    turn = torch.where((turn + math.pi).abs() < 1e-12, (h2 - h1).sign() * math.pi, turn).masked_fill(grey, 0)
    far = (h1 - h2).abs() > math.pi + 1e-12
    hue = torch.where(far, (h1 + h2 + torch.where(h1 + h2 < 2 * math.pi, 2.0, -2.0) * math.pi) / 2, (h1 + h2) / 2)
    hue = torch.where(grey, h1 + h2, hue)
    light, mean = (first[0] + second[0]) / 2, (c1 + c2) / 2
    degree = math.pi / 180
    shape = (
        1
        - 0.17 * torch.cos(hue - 30 * degree)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + 6 * degree)
        - 0.20 * torch.cos(4 * hue - 63 * degree)
    )
    lightness = (second[0] - first[0]) / (1 + 0.015 * (light - 50) ** 2 / (20 + (light - 50) ** 2).sqrt())
    colourful = (c2 - c1) / (1 + 0.045 * mean)
    around = 2 * (c1 * c2).sqrt() * torch.sin(turn / 2) / (1 + 0.015 * mean * shape)
    rotation = 60 * degree * torch.exp(-(((hue / degree - 275) / 25) ** 2))
    cross = -torch.sin(rotation) * 2 * (mean**7 / (mean**7 + 25.0**7)).sqrt()
    return (lightness**2 + colourful**2 + around**2 + cross * colourful * around).clamp_min(0).sqrt()


def _polar(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Chroma, and hue from 0 to 2 π."""
    return (a**2 + b**2).sqrt(), torch.remainder(torch.atan2(b, a), 2 * math.pi)
