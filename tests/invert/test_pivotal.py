"""Pivotal tuning: a copy of the generator gives the face back; the caller's is as it was."""

from dataclasses import fields

import pytest
import torch
import torch.nn.functional as F
from sitters import sitters
from tiny import numbers
from tiny_styles import WIDTH, Blocks, Encoder, generator

from kohl import recipe
from kohl.geometry import resized
from kohl.invert.tune import SMALLEST, Tuning, pivotal
from kohl.recipe import Recipe
from kohl.types import BadSetting, Faces
from kohl.zoo.own_styles import OwnStyles

FACES = resized(sitters(), 32)
FACE = Faces(*(part[:1] for part in vars(FACES).values()))
HELD = 2
PIXELS = 0.1


def tuned(made=None, faces=FACE, *, seen=None, **settings):
    """The inversion by a tuning of a few steps."""
    made = made or generator()
    settings = {"steps": 4, "rate": 0.01, "held": HELD, "pixels": PIXELS, **settings}
    return pivotal(made, Encoder(made.latent_shape[0]), seen or Blocks(), faces, Tuning(**settings))


def loss(made, codes, faces=FACE):
    """How far the generator is from the faces, worked out here."""
    images = made.synthesis(codes)
    apart = (F.avg_pool2d(images, 4) - F.avg_pool2d(faces.crops, 4)).abs().mean((1, 2, 3))
    return float((apart + PIXELS * (images - faces.crops).square().mean((1, 2, 3))).sum())


def codes_of(inversion):
    """The whole w+ of an inversion."""
    personal = inversion.generator
    return torch.cat([personal.first, inversion.latents[:, : personal.styles].view(len(personal.first), -1, WIDTH)], 1)


def weights(made):
    return [part.clone() for part in made.state_dict().values()]


@pytest.mark.parametrize("settings", [{}, {"steps": 0}, {"refine": 2, "noise": True}], ids=str)
def test_gives_the_faces_back_bit_for_bit(settings):
    inversion = tuned(faces=FACES, **settings)
    assert isinstance(inversion.generator, OwnStyles)
    assert torch.equal(inversion.generator(inversion.latents), FACES.crops)
    assert inversion.latents.shape == (3, *inversion.generator.latent_shape)
    assert not inversion.latents.requires_grad


def test_the_caller_s_generator_and_faces_are_as_they_were_bit_for_bit():
    made = generator()
    before, faces = weights(made), [part.clone() for part in vars(FACE).values()]
    inversion = tuned(made, refine=2)
    assert all(map(torch.equal, before, weights(made)))
    assert all(map(torch.equal, faces, vars(FACE).values()))
    assert not any(weight.requires_grad or weight.grad is not None for weight in made.parameters())
    assert not all(map(torch.equal, before, weights(inversion.generator.generator)))


def test_a_generator_that_is_being_trained_stays_so():
    made = generator().requires_grad_()
    inversion = tuned(made, steps=1)
    assert all(weight.requires_grad for weight in made.parameters())
    assert not any(weight.requires_grad for weight in inversion.generator.parameters())


def test_the_tuned_generator_is_closer_to_the_faces_at_the_same_codes():
    made = generator()
    codes = Encoder(made.latent_shape[0])(FACE.crops)
    losses = [loss(made, codes)]
    for steps in (10, 30):
        inversion = tuned(made, steps=steps)
        assert torch.equal(codes_of(inversion), codes)
        losses.append(loss(inversion.generator.generator, codes))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.4 * losses[0]


def test_the_first_step_is_adam_s():
    # Its length is the rate in every weight that the loss depends on, whatever the slope, and downhill.
    made = generator()
    codes = Encoder(made.latent_shape[0])(FACE.crops)
    own = generator().requires_grad_()
    images = own.synthesis(codes)
    apart = (F.avg_pool2d(images, 4) - F.avg_pool2d(FACE.crops, 4)).abs().mean()
    (apart + PIXELS * (images - FACE.crops).square().mean()).backward()
    after = dict(tuned(made, steps=1, rate=0.01).generator.generator.named_parameters())
    for name, weight in own.named_parameters():
        slope = torch.zeros_like(weight) if weight.grad is None else weight.grad
        clear = slope.abs() > 1e-5  # beside Adam's 1e-8
        expected = weight.detach() - 0.01 * slope.sign()
        torch.testing.assert_close(after[name][clear], expected[clear], atol=2e-5, rtol=0)
        assert torch.equal(after[name][slope == 0], weight.detach()[slope == 0])


def test_no_steps_change_no_weight():
    made = generator()
    inversion = tuned(made, steps=0)
    assert all(map(torch.equal, weights(made), weights(inversion.generator.generator)))


def test_stops_as_soon_as_the_loss_is_enough():
    seen = Blocks()
    tuned(seen=seen, steps=30, pixels=0.0)
    enough = seen.said[7]
    first = next(index for index, said in enumerate(seen.said) if said <= enough)
    again = Blocks()
    inversion = tuned(seen=again, steps=30, pixels=0.0, enough=enough)
    assert again.said == seen.said[: first + 1]
    same = tuned(steps=first, pixels=0.0)
    assert all(map(torch.equal, *(weights(found.generator.generator) for found in (inversion, same))))


def test_what_is_enough_at_once_is_left_alone():
    made, seen = generator(), Blocks()
    inversion = tuned(made, seen=seen, enough=1e9)
    assert len(seen.said) == 1
    assert all(map(torch.equal, weights(made), weights(inversion.generator.generator)))


def test_refining_moves_the_codes_and_no_weight():
    made = generator()
    plain, refined = tuned(made, steps=0), tuned(made, steps=0, refine=10, refine_rate=0.05, enough=1e9)
    assert all(map(torch.equal, weights(made), weights(refined.generator.generator)))
    moved = codes_of(refined) - codes_of(plain)
    assert (moved.abs().amax(2) > 0).all()  # held rows too: they are held in the search
    assert moved.abs().max() <= 10 * 0.05 * 1.01  # Adam's steps are at most about as long as the rate
    assert loss(made, codes_of(refined)) < 0.9 * loss(made, codes_of(plain))


@pytest.mark.parametrize(("size", "seen_at"), [(16, 16), (32, 32), (256, 32)])
def test_compares_at_the_size_that_is_set_or_the_generator_s_own(size, seen_at):
    seen, made = Blocks(), generator()
    last = weights(made.layers[-1])
    inversion = tuned(made, seen=seen, size=size)
    assert seen.sizes == [seen_at]
    same = map(torch.equal, last, weights(inversion.generator.generator.layers[-1]))
    assert all(same) == (seen_at < 32)  # a block behind it is not tuned


def test_noise_may_be_among_the_latents():
    without, with_noise = tuned(), tuned(noise=True)
    assert with_noise.latents.shape[1] > without.latents.shape[1]
    assert torch.equal(with_noise.latents[:, : without.latents.shape[1]], without.latents)


def test_the_same_faces_give_the_same_generator_and_no_random_numbers_are_spent():
    state = torch.get_rng_state()
    first = tuned(refine=2, noise=True)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    second = tuned(refine=2, noise=True)
    torch.set_rng_state(state)
    assert torch.equal(first.latents, second.latents)
    assert all(map(torch.equal, *(weights(found.generator.generator) for found in (first, second))))


def test_nothing_is_kept_for_the_next_face():
    made = generator()
    other = Faces(*(part[1:2] for part in vars(FACES).values()))
    first = tuned(made, other)
    tuned(made)
    second = tuned(made, other)
    latents = first.latents + torch.randn(first.latents.shape, generator=numbers())
    assert torch.equal(first.generator(latents), second.generator(latents))


def test_no_gradient_is_kept():
    inversion = tuned()
    assert all(weight.grad is None for weight in inversion.generator.parameters())


@pytest.mark.parametrize("settings", [{"rate": 1e30}, {"refine": 3, "refine_rate": 1e30}], ids=str)
def test_a_tuning_that_diverges_says_so(settings):
    with pytest.raises(BadSetting, match=r"^tuning: .*diverge"):
        tuned(**settings)


NUMBERS = [setting.name for setting in fields(Tuning) if setting.name != "noise"]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_negative_setting_is_refused_by_name(name):
    with pytest.raises(BadSetting, match=rf"^tuning\.{name}: must .*, not -1(\.0)?$"):
        recipe.override(Recipe(), [f"tuning.{name}=-1"])


@pytest.mark.parametrize("size", [0, 8, 24, 250])
def test_faces_are_compared_at_a_size_that_a_generator_draws_and_lpips_sees(size):
    with pytest.raises(BadSetting, match=rf"^tuning\.size: must be {SMALLEST}, 32 and so on, doubling, not {size}$"):
        Tuning(size=size)
    assert Tuning(size=1024).size == 1024
