"""The tuned generator gives the faces back at the latents that come with it."""

import pytest
import torch
from tiny import numbers

from kohl.invert.tune import in_closed_form
from kohl.zoo import cards


@pytest.fixture(scope="module")
def model():
    return cards.load("face_model")


def batch(decoy):
    """A decoy and its negative."""
    both = {name: value.expand(2, *value.shape[1:]) for name, value in vars(decoy).items()}
    return type(decoy)(**{**both, "crops": torch.cat([decoy.crops, 1 - decoy.crops])})


@pytest.fixture(scope="module")
def two():
    return batch(cards.load("decoys")[0])


def test_the_generator_gives_the_faces_back_bit_for_bit(model, two):
    inversion = in_closed_form(model, two)
    assert torch.equal(inversion.generator(inversion.latents), two.crops)


def test_there_are_latents_for_every_face_and_the_generator_says_their_shape(model, two):
    inversion = in_closed_form(model, two)
    assert inversion.latents.shape == (2, *inversion.generator.latent_shape)
    assert inversion.latents.dtype == torch.float32
    assert inversion.generator.size == two.crops.shape[-1]


def test_other_latents_are_other_faces(model, two):
    inversion = in_closed_form(model, two)
    other = inversion.generator(inversion.latents + torch.randn(inversion.latents.shape, generator=numbers()))
    assert other.shape == two.crops.shape
    assert ((other - two.crops).abs().mean((1, 2, 3)) > 0.001).all()


def test_the_model_and_the_faces_are_as_they_were(model, two):
    before = [tensor.clone() for tensor in (*model.buffers(), *vars(two).values())]
    in_closed_form(model, two).generator(torch.ones(2, *model.latent_shape))
    assert all(map(torch.equal, before, (*model.buffers(), *vars(two).values())))


def test_nothing_is_kept_for_the_next_face(model, two):
    latents = torch.ones(2, *model.latent_shape)
    first = in_closed_form(model, two).generator(latents)
    in_closed_form(model, batch(cards.load("decoys")[1])).generator(latents)
    assert torch.equal(in_closed_form(model, two).generator(latents), first)
