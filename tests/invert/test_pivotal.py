"""Pivotal tuning: a copy of the generator gives the face back; the caller's is as it was."""

from contextlib import nullcontext
from dataclasses import fields
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from sitters import sitters
from tiny import numbers
from tiny_styles import WIDTH, Blocks, Encoder, generator

from kohl import recipe
from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.invert import pivotal as tuning
from kohl.invert.own_styles import OwnStyles
from kohl.invert.pivotal import SMALLEST, Tuning, pivotal
from kohl.recipe import Recipe
from kohl.types import Faces, ignore

FACES = resized(sitters(), 32)
FACE = Faces(*(part[:1] for part in vars(FACES).values()))
HELD = 2
PIXELS = 0.1


def tuned(made=None, faces=FACE, *, seen=None, dtype=None, watch=ignore, **settings):
    """The inversion by a tuning of a few steps, in float32."""
    made = made or generator()
    settings = {"steps": 4, "rate": 0.01, "held": HELD, "pixels": PIXELS, "exact": True, **settings}
    with_ = made, Encoder(made.latent_shape[0]), seen or Blocks()
    return pivotal(*with_, faces, Tuning(**settings), dtype=dtype, watch=watch)


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


def test_biases_styles_and_the_mapping_may_be_left_alone():
    made = generator()
    before = dict(made.named_parameters())
    after = dict(tuned(made, weights=True).generator.generator.named_parameters())
    moved = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    assert moved == {
        *(f"layers.{index}.{part}" for index in range(7) for part in ("weight", "strength")),
        *(f"colours.{index}.weight" for index in range(4)),
    }


def test_without_them_a_face_is_given_back_too():
    made = generator()
    start = loss(made, Encoder(made.latent_shape[0])(FACE.crops))
    inversion = tuned(made, steps=30, weights=True)
    assert loss(inversion.generator.generator, codes_of(inversion)) < 0.6 * start


def test_no_steps_change_no_weight():
    made = generator()
    inversion = tuned(made, steps=0)
    assert all(map(torch.equal, weights(made), weights(inversion.generator.generator)))


def test_stops_as_soon_as_the_loss_is_enough():
    seen = Blocks()
    tuned(seen=seen, steps=12, pixels=0.0)
    enough = seen.said[7]
    first = next(index for index, said in enumerate(seen.said) if said <= enough)
    again = Blocks()
    inversion = tuned(seen=again, steps=12, pixels=0.0, enough=enough)
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


def test_refining_leaves_what_the_encoder_found_as_it_was():
    made = generator()
    found = Encoder(made.latent_shape[0])(FACE.crops)
    before = found.clone()
    inversion = pivotal(made, lambda crops: found, Blocks(), FACE, Tuning(refine=3, steps=0, held=HELD))
    assert torch.equal(found, before)
    assert not torch.equal(codes_of(inversion), before)


@pytest.mark.parametrize(("size", "seen_at"), [(16, 16), (32, 32), (256, 32)])
def test_compares_at_the_size_that_is_set_or_the_generator_s_own(size, seen_at):
    seen, made = Blocks(), generator()
    last = weights(made.layers[-1])
    inversion = tuned(made, seen=seen, size=size, exact=False)
    assert seen.sizes == [seen_at]
    same = map(torch.equal, last, weights(inversion.generator.generator.layers[-1]))
    assert all(same) == (seen_at < 32)  # a block behind it is not tuned


@pytest.mark.parametrize("size", [16, 32])
def test_exact_compares_the_generator_s_whole_picture_made_smaller(size):
    made, seen, steps = generator(64), Blocks(), []
    inversion = tuned(made, seen=seen, size=size, steps=1, watch=steps.append)
    codes = Encoder(made.latent_shape[0])(FACE.crops)
    whole = made.synthesis(codes)
    assert whole.shape[-1] == 64

    def smaller(images):
        side = images.shape[-1] // size
        return images.unfold(2, side, side).unfold(3, side, side).mean((-2, -1))

    images, wanted = smaller(whole), smaller(FACE.crops)
    apart = (F.avg_pool2d(images, 4) - F.avg_pool2d(wanted, 4)).abs().mean()
    expected = apart + PIXELS * (images - wanted).square().mean()
    assert steps[0].losses["tuning"] == pytest.approx(float(expected), rel=1e-5)
    tuned_weights = weights(inversion.generator.generator.layers[-1])
    assert not all(map(torch.equal, weights(made.layers[-1]), tuned_weights))  # the last block is tuned too
    assert inversion.generator.drawn == 64
    assert tuned(made, steps=0, exact=False).generator.drawn == 32


def test_noise_may_be_among_the_latents():
    without, with_noise = tuned(), tuned(noise=True)
    assert with_noise.latents.shape[1] > without.latents.shape[1]
    assert torch.equal(with_noise.latents[:, : without.latents.shape[1]], without.latents)
    assert without.noise == 0
    assert with_noise.noise == 4 * 4 + 2 * (8 * 8 + 16 * 16 + 32 * 32)
    assert tuned(noise=True, directions=3).noise == 0  # each of them moves both


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "fast"])
def test_the_same_faces_give_the_same_generator_and_no_random_numbers_are_spent(exact):
    state = torch.get_rng_state()
    first = tuned(refine=2, noise=True, exact=exact, dtype=torch.bfloat16)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    second = tuned(refine=2, noise=True, exact=exact, dtype=torch.bfloat16)
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


def test_a_tuning_that_diverges_says_so():
    with pytest.raises(BadSetting, match=r"^tuning: .*diverge"):
        tuned(rate=1e9)


def test_latents_are_not_thrown_further_than_they_are_wide():
    with pytest.raises(BadSetting, match=r"^tuning\.refine_rate: must be at most 100, not 101$"):
        Tuning(refine_rate=101)


def test_by_default_the_pixels_weigh_a_tenth_of_their_squares_on_the_published_scale():
    images = generator().synthesis(Encoder(8)(FACE.crops))
    published = 0.1 * F.mse_loss(images * 2 - 1, FACE.crops * 2 - 1)  # both in [−1, 1]
    without, steps = [], []
    tuned(steps=1, pixels=0.0, watch=without.append)
    tuned(steps=1, pixels=Tuning().pixels, watch=steps.append)
    assert steps[0].losses["tuning"] - without[0].losses["tuning"] == pytest.approx(float(published), rel=1e-3)


@pytest.mark.parametrize("settings", [{}, {"rate": 1e9}], ids=["as it should", "diverging"])
def test_afterwards_there_are_as_many_threads_as_before(settings):
    before = torch.get_num_threads()
    with nullcontext() if not settings else pytest.raises(BadSetting):
        tuned(**settings)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("small", "taken"), [(16, [6, 3, 6, 3]), (32, [6, 3])], ids=["larger", "small"])
def test_small_pictures_are_tuned_without_more_threads(small, taken, monkeypatch):
    asked = []
    monkeypatch.setattr(tuning, "SMALL", small)
    monkeypatch.setattr(tuning.device, "cores", lambda: 64)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    tuned(steps=1)
    assert asked == taken  # the last two for what the search needs to know of the generator


NUMBERS = [setting.name for setting in fields(Tuning) if not isinstance(setting.default, bool)]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_negative_setting_is_refused_by_name(name):
    with pytest.raises(BadSetting, match=rf"^tuning\.{name}: must .*, not -1(\.0)?$"):
        recipe.override(Recipe(), [f"tuning.{name}=-1"])


@pytest.mark.parametrize("still", [1.0, 1.5, -0.1])
def test_a_share_that_no_loss_can_fall_by_is_refused(still):
    with pytest.raises(BadSetting, match=rf"^tuning\.still: must be a share, at least 0 and below 1, not {still}$"):
        Tuning(still=still)


@pytest.mark.parametrize("size", [0, 8, 24, 250])
def test_faces_are_compared_at_a_size_that_a_generator_draws_and_lpips_sees(size):
    with pytest.raises(BadSetting, match=rf"^tuning\.size: must be {SMALLEST}, 32 and so on, doubling, not {size}$"):
        Tuning(size=size)
    assert Tuning(size=1024).size == 1024


# Bfloat16


def test_bfloat16_finds_nearly_the_same_and_keeps_its_weights_in_float32():
    exact, fast = (tuned(steps=8, exact=exact, dtype=torch.bfloat16).generator for exact in (True, False))
    assert (exact.generator.dtype, fast.generator.dtype) == (torch.float32, torch.bfloat16)
    assert {weight.dtype for weight in fast.generator.parameters()} == {torch.float32}
    start, end = fast.start, fast.start + 0.5 * torch.randn(fast.start.shape, generator=numbers())
    assert torch.equal(fast(start), FACE.crops)
    moved = [made(end) - FACE.crops for made in (exact, fast)]
    assert moved[0].std() > 0.01
    assert 0 < (moved[1] - moved[0]).std() < 0.1 * moved[0].std()


def test_without_bfloat16_in_the_processor_nothing_is_rounded():
    same = [weights(tuned(exact=exact, dtype=torch.float32).generator.generator) for exact in (True, False)]
    assert all(map(torch.equal, *same))


def test_the_caller_s_generator_stays_as_exact_as_it_was():
    made = generator()
    tuned(made, exact=False, dtype=torch.bfloat16)
    assert made.dtype == torch.float32


# What is told


def test_every_step_is_told_in_order_with_its_loss_and_its_pictures():
    steps, made = [], generator()
    tuned(made, refine=3, steps=4, watch=steps.append)
    assert [(step.index, step.total) for step in steps] == [(index, 7) for index in range(7)]
    codes = Encoder(made.latent_shape[0])(FACE.crops)
    assert steps[0].losses == {"tuning": pytest.approx(loss(made, codes), rel=1e-5)}
    torch.testing.assert_close(steps[0].candidate.images, made.synthesis(codes))
    for step in steps:
        images, latents = step.candidate.images, step.candidate.latents
        apart = (F.avg_pool2d(images, 4) - F.avg_pool2d(FACE.crops, 4)).abs().mean()
        assert step.losses["tuning"] == pytest.approx(
            float(apart + PIXELS * (images - FACE.crops).square().mean()), rel=1e-4
        )
        assert not images.requires_grad
        assert not latents.requires_grad


def test_being_watched_changes_nothing():
    plain, watched = tuned(refine=2), tuned(refine=2, watch=lambda step: torch.rand(3))
    assert torch.equal(plain.latents, watched.latents)
    assert all(map(torch.equal, *(weights(found.generator.generator) for found in (plain, watched))))


def test_nothing_to_do_is_nothing_to_tell():
    steps = []
    tuned(steps=0, watch=steps.append)
    assert steps == []


# Convergence


def course(losses, *, still=0.0, enough=0.0):
    """How many of these losses are looked at before it stops, and by how many steps the one variable moved."""
    variable, seen = torch.zeros(1), []

    def fall(index):
        seen.append(index)
        return losses[index] + (variable - variable.detach()).sum()  # of this value, and always downhill

    tuning._descend([variable], 1.0, fall, range(len(losses)), still=still, enough=enough)
    assert not variable.requires_grad
    return SimpleNamespace(seen=len(seen), moved=round(-variable.item()))


SPAN = tuning.SPAN


def test_a_loss_that_hardly_falls_for_a_span_stops_the_tuning():
    # A fall by half the share, spread over every span.
    slow = [0.995 ** (index / SPAN) for index in range(4 * SPAN)]
    assert course(slow, still=0.01).seen == SPAN + 1
    assert course(slow, still=0.004).seen == len(slow)


def test_a_loss_that_falls_far_enough_goes_on_to_the_end():
    fast = [0.98 ** (index / SPAN) for index in range(4 * SPAN)]
    assert course(fast, still=0.01) == SimpleNamespace(seen=len(fast), moved=len(fast))


def test_a_loss_that_stops_falling_is_left_a_span_later():
    losses = [1.0 - 0.01 * min(index, 30) for index in range(4 * SPAN)]
    assert course(losses, still=0.01).seen == 31 + SPAN  # the best of the span is then no better than that before


def test_a_jolt_is_no_end_while_better_ones_follow():
    losses = [0.98 ** (index / SPAN) * (3.0 if index % 7 == 0 else 1.0) for index in range(4 * SPAN)]
    assert course(losses, still=0.01).seen == len(losses)


def test_no_share_stops_nothing_not_even_what_rises():
    rising = [1.0 + index for index in range(3 * SPAN)]
    assert course(rising, still=0.0).seen == len(rising)
    assert course(rising, still=0.01).seen == SPAN + 1


def test_no_step_is_taken_from_the_loss_that_ends_it():
    assert course([3.0, 2.0, 1.0, 0.5], enough=1.0) == SimpleNamespace(seen=3, moved=2)


def test_what_has_converged_stops_the_tuning():
    # A rate of nothing leaves the loss where it is.
    steps, refining = [], []
    tuned(steps=90, rate=0.0, watch=steps.append)
    assert len(steps) == SPAN + 1
    tuned(steps=3, refine=90, refine_rate=0.0, watch=refining.append)
    assert [step.index for step in refining] == [*range(SPAN + 1), 90, 91, 92]  # the generator has yet to converge
    assert {step.total for step in refining} == {93}


@pytest.mark.parametrize("wrong", [{"held": 8}, {"directions": 10_000}], ids=str)
def test_what_cannot_be_searched_is_found_out_before_the_tuning(wrong):
    seen = []
    made = generator()
    with pytest.raises(BadSetting, match=f"tuning.{next(iter(wrong))}: must be "):
        pivotal(
            made, Encoder(made.latent_shape[0]), Blocks(), FACE, Tuning(**{"held": HELD, **wrong}), watch=seen.append
        )
    assert seen == []


# The rate


def lengths(count, *, start=0, **settings):
    """How far each of so many steps moves a variable whose slope is always the same: Adam's steps are its rate."""
    variable, places = torch.zeros(1), []

    def fall(index):
        places.append(variable.item())
        return (variable - variable.detach()).sum()

    tuning._descend([variable], 1.0, fall, range(start, start + count), still=0.0, enough=-1.0, **settings)
    return -torch.tensor([*places, variable.item()]).diff()


def test_the_rate_stays_as_it_is_set():
    torch.testing.assert_close(lengths(8), torch.ones(8), atol=1e-5, rtol=0)


@pytest.mark.parametrize("start", [0, 7])  # behind the steps on the latents
def test_on_a_ramp_the_rate_rises_in_a_twentieth_of_the_steps_and_falls_in_the_last_quarter(start):
    found = lengths(80, start=start, ramp=True)
    torch.testing.assert_close(found[:4], torch.tensor([0.125, 0.375, 0.625, 0.875]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[4:60], torch.ones(56), atol=1e-4, rtol=0)
    torch.testing.assert_close(found[60:], found[60:].sort(descending=True).values)
    assert found[60:].mean() == pytest.approx(0.5, abs=1e-3)  # half a wave
    assert 0 < found[-1] < 0.01


def test_a_ramp_of_few_steps_is_worth_them():
    assert lengths(1, ramp=True) == pytest.approx(1, abs=1e-5)
    assert (lengths(4, ramp=True) > 0.4).all()
