"""The tuned generator gives the faces back at the latents that come with it."""

import bundled
import pytest
import torch
from sitters import sitter, sitters
from tiny import numbers

from kohl.geometry import resized
from kohl.invert.closed_form import in_closed_form
from kohl.makeup.layers import DIALS, Makeup, bare
from kohl.makeup.products import NAMES
from kohl.types import Faces
from kohl.zoo.generators.own_face import OwnFace


@pytest.fixture(scope="module")
def model():
    return bundled.load("face_model")


def batch(decoy):
    """A decoy and its negative."""
    both = {name: value.expand(2, *value.shape[1:]) for name, value in vars(decoy).items()}
    return type(decoy)(**{**both, "crops": torch.cat([decoy.crops, 1 - decoy.crops])})


@pytest.fixture(scope="module")
def two():
    return batch(bundled.load("decoys")[0])


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
    inversion = in_closed_form(model, two)
    inversion.generator(inversion.latents + 1)
    assert all(map(torch.equal, before, (*model.buffers(), *vars(two).values())))


def test_nothing_is_kept_for_the_next_face(model, two):
    latents = torch.ones_like(in_closed_form(model, two).latents)
    first = in_closed_form(model, two).generator(latents)
    in_closed_form(model, batch(bundled.load("decoys")[1])).generator(latents)
    assert torch.equal(in_closed_form(model, two).generator(latents), first)


# Made up

LOOK = bare()
LOOK[[NAMES.index("eyeshadow"), NAMES.index("lipstick")], 0] = 0.8


def test_without_a_look_there_are_latents_of_the_face_only(model):
    inversion, own = in_closed_form(model, sitters()), OwnFace(model, sitters())
    assert inversion.latents.shape == (3, *own.latent_shape)
    latents = torch.randn(inversion.latents.shape, generator=numbers())
    assert torch.equal(inversion.generator(latents), own(latents))
    assert torch.equal(in_closed_form(model, sitters(), bare()).generator(latents), inversion.generator(latents))


def test_with_a_look_the_faces_wear_it_and_each_product_has_a_latent_for_every_dial(model):
    inversion = in_closed_form(model, sitters(), LOOK)
    assert inversion.latents.shape == (3, OwnFace(model, sitters()).latent_shape[0] + 2 * len(DIALS))
    assert not inversion.latents.any()
    made_up = Makeup(sitters())(sitters().crops, LOOK.expand(3, -1, -1))
    assert torch.equal(inversion.generator(inversion.latents), made_up)
    assert ((made_up - sitters().crops).abs().amax((1, 2, 3)) > 0.2).all()


def test_a_larger_crop_takes_the_same_latents(model):
    small, large = sitter(0), sitter(0, 512)
    inversions = [in_closed_form(model, faces, LOOK) for faces in (small, large)]
    assert inversions[0].latents.shape == inversions[1].latents.shape
    latents = torch.randn(inversions[0].latents.shape, generator=numbers())
    changes = []
    for faces, inversion in zip((small, large), inversions, strict=True):
        before, after = (
            Faces(crops, *list(vars(faces).values())[1:]) for crops in (faces.crops, inversion.generator(latents))
        )
        changes.append(resized(after, 256).crops - resized(before, 256).crops)
    difference = (changes[1] - changes[0]).abs()
    assert difference.mean() < 0.05 * changes[0].abs().mean()
