"""Means and detail around each pixel, against numpy."""

import numpy as np
import pytest
import torch
from tiny import faces

from kohl.colour import brightness
from kohl.filters import WINDOW, blur, detail, mean_around

IMAGES = faces(2).crops


def reference_blur(image, sigma):
    """Both axes of one (height, width) image convolved with a Gaussian cut off at three sigma."""
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(image, reach, mode="edge")
    for axis in (0, 1):
        padded = np.apply_along_axis(np.convolve, axis, padded, kernel / kernel.sum(), mode="valid")
    return padded


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.3])
def test_blur_is_a_convolution_with_a_gaussian(sigma):
    images = IMAGES.double()
    expected = np.stack([[reference_blur(channel, sigma) for channel in image] for image in images.numpy()])
    torch.testing.assert_close(blur(images, sigma), torch.tensor(expected))


def test_blur_keeps_the_mean():
    torch.testing.assert_close(blur(torch.full_like(IMAGES, 0.3), 1.5), torch.full_like(IMAGES, 0.3))
    dot = torch.zeros(1, 3, 31, 31)
    dot[..., 15, 15] = 1
    torch.testing.assert_close(blur(dot, 2.0).sum((2, 3)), torch.ones(1, 3))


def test_blur_softens():
    assert (blur(IMAGES, 1.0).var((2, 3)) < 0.3 * IMAGES.var((2, 3))).all()


def test_detail_is_the_standard_deviation_of_the_window():
    found, light, half = detail(IMAGES)[0, 0], brightness(IMAGES)[0].numpy(), WINDOW // 2
    for row, column in ((0, 0), (8, 10), (12, half)):
        rows, columns = (slice(max(0, at - half), at + half + 1) for at in (row, column))
        assert float(found[row, column]) == pytest.approx(light[rows, columns].std(), abs=1e-4)


def test_the_mean_around_leaves_a_flat_picture():
    torch.testing.assert_close(mean_around(torch.full((1, 1, 20, 20), 0.7)), torch.full((1, 1, 20, 20), 0.7))


def test_a_flat_picture_has_no_detail_and_a_slope_that_is_a_number():
    images = torch.full((1, 3, 32, 32), 0.6, requires_grad=True)
    found = detail(images)
    assert found.max() < 1e-4
    (slope,) = torch.autograd.grad(found.sum(), images)
    assert slope.isfinite().all()
