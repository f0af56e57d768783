"""The Gaussian filters against a convolution by numpy."""

import numpy as np
import pytest
import torch
from tiny import faces

from kohl.filters import blur

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
