"""Structural similarity: how alike two pictures look to the eye; differentiable."""

from __future__ import annotations

from kohl.filters import gaussian
from kohl.types import Images, Scores

REACH, SIGMA = 5, 1.5  # pixels, of the window; Wang et al., TIP 2004
C1, C2 = 0.01**2, 0.03**2  # for values in [0, 1]


def ssim(a: Images, b: Images) -> Scores:
    """Structural similarity (Wang et al., TIP 2004), the mean over the RGB channels; 1 for equal images.

    Averaged over the pixels whose whole window lies inside the image, which must be at least 11 pixels wide and high.
    """
    mean_a, mean_b, square_a, square_b, product = (gaussian(x, SIGMA, REACH) for x in (a, b, a * a, b * b, a * b))
    variance_a, variance_b = square_a - mean_a * mean_a, square_b - mean_b * mean_b
    covariance = product - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    return (likeness / ((mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2))).flatten(1).mean(1)
