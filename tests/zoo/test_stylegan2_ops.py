"""The layers of StyleGAN2 against a literal reading of the papers, and known answers."""

import math

import pytest
import torch
import torch.nn.functional as F
from tiny import numbers
from torch import nn

from kohl.zoo.generators.stylegan2_ops import (
    EqualisedLinear,
    Mapping,
    StyledConvolution,
    ToRGB,
    blurred,
    doubled,
    fast_dtype,
)

WIDTH, INPUTS, OUTPUTS, SIDE = 5, 6, 4, 8


def randomised(layer):
    """The layer in float64 with random weights and biases."""
    with torch.no_grad():
        for index, weight in enumerate(layer.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=numbers(index)))
    return layer.double()


def filtered(x, zeros, before, after):
    """Zeros behind every row and column, or not, then padding, then the binomial blur with the paper's gain."""
    n, channels, height, width = x.shape
    if zeros:
        spread = x.new_zeros(n, channels, 2 * height, 2 * width)
        spread[:, :, ::2, ::2] = x
        x = spread
    line = x.new_tensor([1, 3, 3, 1]) / 8
    padded = F.pad(x, (before, after, before, after)).flatten(0, 1)[:, None]
    return F.conv2d(padded, 4 * (line[:, None] * line)[None, None]).unflatten(0, (n, channels))[:, :, 0]


@pytest.mark.parametrize("doubles", [False, True])
def test_is_a_convolution_with_weights_of_each_image(doubles):
    layer = randomised(StyledConvolution(INPUTS, OUTPUTS, width=WIDTH, size=SIDE * (1 + doubles), doubles=doubles))
    x, w = (torch.randn(2, *shape, generator=numbers()).double() for shape in ((INPUTS, SIDE, SIDE), (WIDTH,)))
    noise = torch.randn(2, 1, SIDE * (1 + doubles), SIDE * (1 + doubles), generator=numbers()).double()
    theirs = []
    for features, style in zip(x, w @ layer.style.weight.T / math.sqrt(WIDTH) + layer.style.bias, strict=True):
        weight = layer.weight / math.sqrt(INPUTS * 9) * style[:, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if doubles:
            made = filtered(F.conv_transpose2d(features[None], weight.transpose(0, 1), stride=2), False, 1, 1)
        else:
            made = F.conv2d(features[None], weight, padding=1)
        theirs.append(made)
    theirs = torch.cat(theirs) + layer.strength * noise + layer.bias.view(-1, 1, 1)
    torch.testing.assert_close(layer(x, w, noise), F.leaky_relu(theirs, 0.2) * math.sqrt(2))


def test_colours_are_a_product_with_weights_of_each_image():
    layer = randomised(ToRGB(INPUTS, width=WIDTH))
    x, w = (torch.randn(2, *shape, generator=numbers()).double() for shape in ((INPUTS, SIDE, SIDE), (WIDTH,)))
    styles = w @ layer.style.weight.T / math.sqrt(WIDTH) + layer.style.bias
    weights = layer.weight * styles[:, None] / math.sqrt(INPUTS)
    theirs = torch.einsum("nchw,nkc->nkhw", x, weights) + layer.bias.view(-1, 1, 1)
    torch.testing.assert_close(layer(x, w), theirs)


def test_colours_of_bfloat16_features_are_float32():
    x = torch.rand(1, INPUTS, SIDE, SIDE, dtype=torch.bfloat16)
    assert ToRGB(INPUTS, width=WIDTH)(x, torch.rand(1, WIDTH)).dtype == torch.float32


def test_doubling_is_the_blur_of_pixels_among_zeros():
    images = torch.rand(2, 3, 4, 4, generator=numbers())
    torch.testing.assert_close(doubled(images), filtered(images, True, 2, 1))


def test_blur_takes_four_to_one_and_back():
    # Behind a doubling three of four pixels are zeros: the blur gives a flat picture its own brightness.
    spread = torch.zeros(1, 2, 9, 9)
    spread[:, :, ::2, ::2] = 0.5
    torch.testing.assert_close(blurred(spread)[:, :, 1:-1, 1:-1], torch.full((1, 2, 6, 6), 0.5))


def test_mapping_ignores_the_length_of_its_input():
    mapping, z = randomised(Mapping(WIDTH, 2)).float(), torch.randn(3, WIDTH, generator=numbers())
    torch.testing.assert_close(mapping(3 * z), mapping(z))


def test_dense_layer_scales_by_its_inputs_and_its_rate():
    slow = EqualisedLinear(4, 3, bias=2.0, rate=0.01)
    nn.init.constant_(slow.weight, 5)
    torch.testing.assert_close(slow(torch.tensor([[1.0, 2, 3, 4]])), torch.full((1, 3), 2 + 0.01 * 5 * 10 / 2))


def test_fast_type_is_one_that_runs():
    layer = StyledConvolution(INPUTS, OUTPUTS, width=WIDTH, size=SIDE)
    x = torch.rand(1, INPUTS, SIDE, SIDE)
    fast = fast_dtype(x.device)
    assert layer(x.to(fast), torch.rand(1, WIDTH), layer.noise).dtype == fast
