"""Fields of brightness: what a number does, and how the levels add up."""

import pytest
import torch
from tiny import numbers

from kohl.zoo.generators.shading import FIELDS, Shading

WHOLE = torch.ones(())  # texture enough


def test_there_is_a_latent_for_each_number_of_each_field():
    shading = Shading(256)
    assert shading.count == 24**2 + 48**2 + 96**2
    assert shading(torch.zeros(2, shading.count), WHOLE).shape == (2, 1, 256, 256)


@pytest.mark.parametrize("level", range(len(FIELDS)))
def test_a_field_of_ones_is_its_gain_everywhere(level):
    # Weights of a bicubic enlargement sum to 1.
    shading, sizes = Shading(64), [side * side for side, *_ in FIELDS]
    latents = torch.zeros(1, shading.count)
    torch.split(latents, sizes, 1)[level].fill_(1)
    torch.testing.assert_close(shading(latents, WHOLE), torch.full((1, 1, 64, 64), FIELDS[level][1]))


def test_the_levels_add_up():
    shading = Shading(64, ((2, 0.1, 1.0), (8, 0.2, 0.3)))
    first, second = torch.zeros(1, 68), torch.zeros(1, 68)
    first[:, :4], second[:, 4:] = torch.randn(4, generator=numbers()), torch.randn(64, generator=numbers(1))
    torch.testing.assert_close(shading(first + second, WHOLE), shading(first, WHOLE) + shading(second, WHOLE))


def test_a_field_is_soft():
    # From one pixel to the next it never changes by more than a cubic with its slope could.
    shading = Shading(256)
    field = shading(torch.randn(1, shading.count, generator=numbers()), WHOLE)
    assert field.diff(dim=-1).abs().max() < 0.4 * field.abs().max()


@pytest.mark.parametrize("level", range(len(FIELDS)))
def test_skin_without_texture_takes_its_share_of_a_field(level):
    shading, sizes = Shading(64), [side * side for side, *_ in FIELDS]
    latents, texture = torch.zeros(1, shading.count), torch.ones(1, 1, 64, 64)
    torch.split(latents, sizes, 1)[level].fill_(1)
    texture[..., :32] = 0
    field = shading(latents, texture)
    torch.testing.assert_close(field[..., :32], FIELDS[level][2] * field[..., 32:])
