from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import metrics  # loads them when they are first asked for: it takes a second

from kohl.score.quality import face_crop, psnr, ssim

TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)


@pytest.fixture
def pair():
    rng = torch.Generator().manual_seed(0)
    a = torch.nn.functional.interpolate(torch.rand(3, 3, 10, 12, generator=rng), size=(60, 72), mode="bicubic")
    return a.clamp(0, 1), (a + 0.05 * torch.randn(a.shape, generator=rng)).clamp(0, 1)


def test_ssim_is_the_one_of_scikit_image(pair):
    a, b = pair
    expected = [
        metrics.structural_similarity(
            *(x[i].permute(1, 2, 0).double().numpy() for x in pair),
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=2,
        )
        for i in range(3)
    ]
    np.testing.assert_allclose(ssim(a.double(), b.double()), expected, rtol=1e-12)
    np.testing.assert_allclose(ssim(a, b), expected, atol=1e-5)


def test_psnr_is_the_one_of_scikit_image(pair):
    expected = [metrics.peak_signal_noise_ratio(*(x[i].double().numpy() for x in pair), data_range=1) for i in range(3)]
    np.testing.assert_allclose(psnr(*pair), expected, rtol=1e-5)


def test_equal_images_are_perfect(pair):
    assert psnr(pair[0], pair[0]).isposinf().all()
    torch.testing.assert_close(ssim(pair[0], pair[0]), torch.ones(3))


def test_ssim_has_a_gradient_that_improves_it(pair):
    a, b = pair[0], pair[1].clone().requires_grad_()
    before = ssim(a, b)
    (slope,) = torch.autograd.grad(before.sum(), b)
    assert (ssim(a, b + 0.05 * slope / slope.abs().max()) > before).all()


def test_a_face_already_in_the_frame_is_left_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    points = (TEMPLATE - 56) * 0.72 * 160 / 112 + 80
    crop = face_crop(pixels, points)
    assert crop.shape == (1, 3, 160, 160)
    np.testing.assert_array_equal((crop[0].permute(1, 2, 0) * 255).round().byte().numpy(), pixels)


def test_a_larger_turned_and_shifted_face_is_brought_back():
    smooth = np.random.default_rng(0).random((8, 8, 3))
    y, x = np.mgrid[0:600, 0:600]
    pixels = (127 + 100 * np.sin(x[..., None] / 90 + smooth[0, 0]) * np.cos(y[..., None] / 70)).astype(np.uint8)
    frame = (TEMPLATE - 56) * 0.72 * 160 / 112 + 80
    turn, shift = 2.0 * np.array([[0.8, -0.6], [0.6, 0.8]]), np.array([250.0, 60.0])
    crop = face_crop(pixels, frame @ turn.T + shift)[0].permute(1, 2, 0).numpy() * 255
    for where in np.array([[40, 50], [80, 80], [100, 120]]):
        column, row = np.rint(turn @ where + shift).astype(int)
        np.testing.assert_allclose(crop[where[1], where[0]], pixels[row, column], atol=2)
