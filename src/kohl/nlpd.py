"""The normalised Laplacian pyramid distance: how unlike two pictures look to the eye; differentiable.

Laparra, Ballé, Berardino & Simoncelli, *Perceptual image quality assessment using a normalized Laplacian pyramid*,
Electronic Imaging 2016. What the eye sees at each scale is divided by what is around it: a line on smooth skin counts,
the same line in hair does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.colour import brightness
from kohl.types import Images, Scores

LOW = (0.05, 0.25, 0.4, 0.25, 0.05)  # Burt & Adelson, IEEE Transactions on Communications 1983
# Of each level, the finest first: the constant, and the weights of the neighbours left, right, above and below, as the
# authors published them for convolution, which mirrors; the finest also has one two pixels to the right.
LEVELS = (
    (0.0248, (0.1493, 0.1460, 0.1011, 0.1015), 0.0072),
    (0.0185, (0.1986, 0.1846, 0.0757, 0.0837), 0.0),
    (0.0179, (0.2138, 0.2243, 0.0477, 0.0467), 0.0),
    (0.0191, (0.2503, 0.2616, 0.0, 0.0), 0.0),
    (0.0220, (0.2598, 0.2552, 0.0, 0.0), 0.0),
    (0.2782, (0.2215, 0.0717, 0.0, 0.0), 0.0),
)


def nlpd(a: Images, b: Images) -> Scores:
    """The distance of two pictures' brightness: 0 for equal ones; the mean over six scales of the root mean square.

    Pictures below 33 pixels have fewer.
    """
    pairs = zip(bands(a), bands(b), strict=True)
    return torch.stack([(x - y).square().flatten(1).mean(1).sqrt() for x, y in pairs]).mean(0)


def bands(images: Images) -> Sequence[Tensor]:
    """What the eye sees of the pictures' brightness at six scales, the finest first; each (n, 1, height, width)."""
    level = brightness(images)[:, None]
    found = []
    for constant, sides, far in LEVELS[:-1]:
        if min(level.shape[-2:]) < 3:
            break
        smaller = _halved(level)
        found.append(_normalised(level - _doubled(smaller, level), constant, sides, far))
        level = smaller
    return [*found, _normalised(level, *LEVELS[-1])]


def _normalised(band: Tensor, constant: float, sides: tuple[float, float, float, float], far: float) -> Tensor:
    """The band over what surrounds each of its pixels; nothing surrounds the picture."""
    around = F.pad(band.abs(), (2, 2, 1, 1))
    height, width = band.shape[-2:]
    # Sums of shifted pictures: a convolution of one channel takes ten times as long.
    steps = ((1, 3), (1, 1), (2, 2), (0, 2), (1, 0))  # a true convolution looks the other way: right for left
    total = constant + sum(
        weight * around[..., top : top + height, left : left + width]
        for (top, left), weight in zip(steps, (*sides, far), strict=True)
        if weight
    )
    return band / total


def _halved(level: Tensor) -> Tensor:
    """Every second pixel of the picture without its finest detail; the picture is mirrored beyond its rim."""
    return _lower(_lower(level).transpose(2, 3)).transpose(2, 3)


def _lower(level: Tensor) -> Tensor:
    """Every second column of the picture without its finest detail."""
    outer, inner, middle = LOW[:3]
    wide = torch.cat([level[..., :2].flip(-1), level, level[..., -2:].flip(-1)], -1)  # MATLAB's `symmetric`
    first, second, third, fourth, fifth = (wide[..., at : wide.shape[-1] - 4 + at : 2] for at in range(5))
    return outer * (first + fifth) + inner * (second + fourth) + middle * third


def _doubled(level: Tensor, like: Tensor) -> Tensor:
    """The picture at twice the size, cut to that of `like`; the rim's pixels are repeated outwards."""
    height, width = like.shape[-2:]
    return _higher(_higher(level, width).transpose(2, 3), height).transpose(2, 3)


def _higher(level: Tensor, width: int) -> Tensor:
    """The picture with a column between each two of its own, `width` in all."""
    outer, inner, middle = LOW[:3]
    wide = torch.cat([level[..., :1], level, level[..., -1:]], -1)
    own = 2 * (outer * (wide[..., :-2] + wide[..., 2:]) + middle * level)
    between = 2 * inner * (level + wide[..., 2:])
    return torch.stack([own, between], -1).flatten(-2)[..., :width]
