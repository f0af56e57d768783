"""CIELAB against scikit-image, and light that is scaled."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from tiny import numbers

from kohl.colour import BLACK, lab, srgb


def test_cielab_is_that_of_scikit_image():
    colours = torch.rand(3, 40, 50, generator=numbers(), dtype=torch.float64)
    expected = rgb2lab(colours.permute(1, 2, 0).numpy())
    np.testing.assert_allclose(lab(colours).permute(1, 2, 0).numpy(), expected, atol=0.01)


def test_white_black_and_grey_have_no_chroma():
    for level, light in ((0.0, 0.0), (0.5, 53.389), (1.0, 100.0)):
        np.testing.assert_allclose(lab(torch.full((3,), level)).numpy(), (light, 0, 0), atol=2e-3)


def test_there_and_back_again():
    colours = torch.rand(3, 1000, generator=numbers())
    torch.testing.assert_close(srgb(lab(colours)), colours, atol=2e-5, rtol=0)


@pytest.mark.parametrize("share", [0.5, 0.8, 1.2])
def test_light_that_is_scaled_scales_all_three(share):
    linear = torch.tensor([0.4, 0.25, 0.2], dtype=torch.float64)
    colours = (torch.where(x > 0.0031308, 1.055 * x ** (1 / 2.4) - 0.055, 12.92 * x) for x in (linear, linear * share))
    before, after = (lab(colour) + torch.tensor([BLACK, 0, 0]) for colour in colours)
    torch.testing.assert_close(after, before * share ** (1 / 3), atol=1e-3, rtol=0)


def test_gradients_are_finite_at_the_ends():
    colours = torch.tensor([[0.0, 1.0, 0.05], [0.0, 1.0, 0.5], [0.0, 1.0, 0.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(srgb(lab(colours)).sum(), colours)
    assert gradient.isfinite().all()
    torch.testing.assert_close(gradient, torch.ones_like(gradient), atol=5e-3, rtol=0)
