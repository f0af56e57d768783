"""Lines that were not there: edges of a picture where the original has none nearby, such as a second nostril."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.colour import brightness
from kohl.types import Images, Scores

STEEP = 0.02  # levels of brightness a pixel, above which a slope is seen as a line: a nostril has .1, a soft shadow .01
NEAR = 3  # pixels: a line may move so far and still be the old one


def drawn(before: Images) -> Callable[[Images], Tensor]:
    """How much steeper each pixel of another picture is than anything within 3 pixels in `before`: (n, 1, h, w).

    In levels of brightness a pixel, for crops of 256 pixels; 0 where it is no steeper.
    """
    had = F.max_pool2d(_slope(before), 2 * NEAR + 1, 1, NEAR)
    return lambda after: F.relu(_slope(after) - had)


def new_contours(before: Images, after: Images) -> Scores:
    """How many pixels of `after` lie on a line that `before` has not within 3 pixels."""
    return (drawn(before)(after) > STEEP).flatten(1).sum(1).float()


def _slope(images: Images) -> Tensor:
    """How steep the brightness is at each pixel (n, 1, height, width), in levels a pixel, without the finest grain."""
    wide = F.pad(brightness(images)[:, None], (2, 2, 2, 2), mode="replicate")
    across = _mean(_rise(wide).transpose(2, 3)).transpose(2, 3)
    down = _rise(_mean(wide).transpose(2, 3)).transpose(2, 3)
    return torch.sqrt(across.square() + down.square() + 1e-12)  # with a gradient where all is flat


def _rise(x: Tensor) -> Tensor:
    """How much the last axis rises a step, over five: the differences of its binomial means."""
    return (2 * (x[..., 3:-1] - x[..., 1:-3]) + x[..., 4:] - x[..., :-4]) / 8


def _mean(x: Tensor) -> Tensor:
    """The binomial mean of five along the last axis."""
    return (x[..., 4:] + x[..., :-4] + 4 * (x[..., 3:-1] + x[..., 1:-3]) + 6 * x[..., 2:-2]) / 16
