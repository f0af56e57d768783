"""CIELAB against scikit-image, and light that is scaled."""

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, rgb2lab
from tiny import numbers

from kohl.colour import BLACK, difference, lab, srgb


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


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Sharma, Wu & Dalal, 2005, table 1: pairs 1, 7, 10, 11, 14, 17, 25 and 34
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_difference_is_that_of_the_standard(first, second, expected):
    there, back = (
        difference(torch.tensor(one), torch.tensor(other)) for one, other in ((first, second), (second, first))
    )
    assert float(there) == pytest.approx(expected, abs=1e-4)
    assert float(back) == pytest.approx(expected, abs=1e-4)


def test_difference_agrees_with_scikit_images():
    colours = np.random.default_rng(0).uniform((0, -90, -90), (100, 90, 90), (2, 500, 3))
    found = difference(*(torch.tensor(each.T) for each in colours)).numpy()
    assert found == pytest.approx(deltaE_ciede2000(*colours), abs=1e-4)
