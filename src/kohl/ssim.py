"""Structural similarity: how alike two pictures look to the eye; differentiable."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from kohl.types import Images, Scores

WINDOW, SIGMA = 11, 1.5  # pixels; Wang et al., TIP 2004
C1, C2 = 0.01**2, 0.03**2  # for values in [0, 1]


def ssim(a: Images, b: Images) -> Scores:
    """Structural similarity (Wang et al., TIP 2004), the mean over the RGB channels; 1 for equal images.

    Averaged over the pixels whose whole window lies inside the image, which must be at least 11 pixels wide and high.
    """
    mean_a, mean_b = _blurred(a), _blurred(b)
    variance_a, variance_b = _blurred(a * a) - mean_a * mean_a, _blurred(b * b) - mean_b * mean_b
    covariance = _blurred(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    return (likeness / ((mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2))).flatten(1).mean(1)


def _blurred(images: Images) -> Images:
    """Weighted means under the Gaussian window, one axis after the other."""
    offsets = torch.arange(WINDOW, dtype=images.dtype, device=images.device) - WINDOW // 2
    window = torch.exp(-0.5 * (offsets / SIGMA) ** 2)
    kernel = (window / window.sum()).expand(images.shape[1], 1, 1, -1)
    rows = F.conv2d(images, kernel, groups=images.shape[1])
    return F.conv2d(rows, kernel.transpose(2, 3), groups=images.shape[1])
