"""The normalised Laplacian pyramid distance against the published filters, worked out with SciPy."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from tiny import numbers

from kohl.nlpd import bands, nlpd

LOW = np.outer(*[(0.05, 0.25, 0.4, 0.25, 0.05)] * 2)
# As the authors' NLP_dist.m has them: the constant of each level and its filter, for convolution.
PUBLISHED = [
    (0.0248, [[0, 0, 0.1011, 0, 0], [0, 0.1493, 0, 0.1460, 0.0072], [0, 0, 0.1015, 0, 0]]),
    (0.0185, [[0, 0, 0.0757, 0, 0], [0, 0.1986, 0, 0.1846, 0], [0, 0, 0.0837, 0, 0]]),
    (0.0179, [[0, 0, 0.0477, 0, 0], [0, 0.2138, 0, 0.2243, 0], [0, 0, 0.0467, 0, 0]]),
    (0.0191, [[0, 0, 0, 0, 0], [0, 0.2503, 0, 0.2616, 0], [0, 0, 0, 0, 0]]),
    (0.0220, [[0, 0, 0, 0, 0], [0, 0.2598, 0, 0.2552, 0], [0, 0, 0, 0, 0]]),
    (0.2782, [[0, 0, 0, 0, 0], [0, 0.2215, 0, 0.0717, 0], [0, 0, 0, 0, 0]]),
]


def pyramid(image):
    levels = []
    for _ in range(5):
        smaller = ndimage.correlate(image, LOW, mode="reflect")[::2, ::2]
        wide = np.pad(smaller, 1, mode="edge")
        apart = np.zeros((2 * wide.shape[0], 2 * wide.shape[1]))
        apart[::2, ::2] = 4 * wide
        back = ndimage.correlate(apart, LOW, mode="constant")[2:, 2:][: image.shape[0], : image.shape[1]]
        levels.append(image - back)
        image = smaller
    return [*levels, image]


def normalised(image):
    return [
        level / (constant + ndimage.convolve(np.abs(level), np.pad(kernel, ((1, 1), (0, 0))), mode="constant"))
        for level, (constant, kernel) in zip(pyramid(image), PUBLISHED, strict=True)
    ]


def grey(image):
    return torch.tensor(image)[None, None].expand(1, 3, -1, -1)


@pytest.mark.parametrize("size", [(256, 256), (131, 90), (65, 34)])
def test_it_is_the_published_distance(size):
    a, b = np.random.RandomState(0).rand(2, *size)
    pairs = zip(normalised(a), normalised(b), strict=True)
    expected = np.mean([np.sqrt(np.mean((x - y) ** 2)) for x, y in pairs])
    assert float(nlpd(grey(a), grey(b))) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("level", range(6))
def test_each_band_is_the_published_one(level):
    image = np.random.RandomState(1).rand(96, 80)
    np.testing.assert_allclose(bands(grey(image))[level][0, 0], normalised(image)[level], atol=1e-12)


def test_equal_pictures_are_no_distance_apart_and_pictures_of_a_batch_do_not_mix():
    images = torch.rand(2, 3, 64, 64, generator=numbers())
    assert torch.equal(nlpd(images, images), torch.zeros(2))
    apart = nlpd(images, images.flip(0))
    torch.testing.assert_close(apart[1:], nlpd(images[1:], images[:1]))


def test_only_brightness_counts():
    image = torch.full((1, 3, 64, 64), 0.5)
    tinted = image + torch.tensor([0.114, 0.0, -0.299]).view(3, 1, 1)  # redder and less blue, as bright
    assert nlpd(image, tinted) < 1e-6


def test_a_line_costs_more_on_smooth_skin_than_in_hair():
    smooth, hair = torch.full((1, 3, 64, 64), 0.5), 0.3 + 0.4 * torch.rand(1, 1, 64, 64, generator=numbers())
    hair = hair.expand(-1, 3, -1, -1)
    line = torch.zeros(64)
    line[32] = 0.05
    finest = [(bands(image + line)[0] - bands(image)[0]).square().mean() for image in (smooth, hair)]
    assert finest[0] > 2 * finest[1]


def test_it_has_a_gradient_that_lessens_it():
    a, b = torch.rand(2, 1, 3, 64, 64, generator=numbers(), dtype=torch.float64)
    b.requires_grad_()
    (slope,) = torch.autograd.grad(nlpd(a, b).sum(), b)
    assert nlpd(a, b - 0.01 * slope / slope.abs().max()) < nlpd(a, b)
