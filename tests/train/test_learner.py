"""One step of learning: its losses worked out again, what it moves, and the pace and running means at known points."""

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from tiny import numbers
from tiny_training import SIZE, SMALL, Apart, gallery, same, weights

from kohl.errors import BadSetting
from kohl.train import discriminator
from kohl.train.learner import Learner, Networks, Training
from kohl.zoo.generators.stylegan2_ops import fast_dtype

SETTINGS = {**SMALL, "images": 80, "batch": 4, "precision": "float32"}  # twenty steps
JUDGED = {"adversarial_from": 0.0}


def learning(**settings):
    return Learner(Training(**{**SETTINGS, **settings}))


def real(count=4, seed=0):
    return gallery().views(count, SIZE, numbers(seed))


def step(made, number=0, *, pictures=None, seed=0):
    return made.step(number, real() if pictures is None else pictures, Apart(), numbers(seed))


def drawn_by(made, pictures, seed=0):
    """What the generator will draw of these pictures in the step that comes next."""
    drawn, _ = copy.deepcopy(made)._given_back(pictures, Apart(), numbers(seed))
    return drawn.detach()


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 100}, r"^size: must be 64, 128, 256, 512 or 1024, not 100$"),
        ({"size": 32}, r"^size: must be 64, 128, 256, 512 or 1024, not 32$"),
        ({"size": 2048}, r"^size: must be 64, 128, 256, 512 or 1024, not 2048$"),
        ({"images": 0}, r"^images: must be at least 1, not 0$"),
        ({"batch": -1}, r"^batch: must be at least 1, not -1$"),
    ],
)
def test_a_wrong_setting_is_refused(settings, message):
    with pytest.raises(BadSetting, match=message):
        Training(**settings)


def test_every_size_has_channels_all_the_way_to_it():
    assert 4 << len(Networks().channels) - 1 == 1024


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"channels": (4,) * 8}, r"^networks\.channels: must be at least 9 numbers from 1 to 4096$"),
        ({"encoder": (4, 0)}, r"^networks\.encoder: must be at least 2 numbers from 1 to 4096$"),
        ({"width": 0}, r"^networks\.width: must be at least 1, not 0$"),
    ],
)
def test_networks_have_some_width_everywhere(settings, message):
    with pytest.raises(BadSetting, match=message):
        Networks(**settings)


@pytest.mark.parametrize(("images", "batch", "steps"), [(80, 4, 20), (83, 4, 20), (3, 4, 1)])
def test_steps_are_whole_batches_and_at_least_one(images, batch, steps):
    assert Training(images=images, batch=batch).steps == steps


def test_the_pace_rises_stays_and_falls_to_nothing():
    settings = Training(images=1000, batch=1, warm_up=0.02, decay=0.25)
    assert settings.pace(0) == pytest.approx(1 / 20)  # the first of twenty steps of warming up
    assert settings.pace(9 / 1000) == pytest.approx(0.5)
    assert [settings.pace(done) for done in (0.02, 0.4, 0.75)] == pytest.approx([1, 1, 1])
    assert settings.pace(0.875) == pytest.approx(0.5)
    assert 0 < settings.pace(0.999) == pytest.approx(0.004)
    steady = Training(images=1000, batch=1, warm_up=0.0, decay=0.0)
    assert {steady.pace(number / 1000) for number in range(1000)} == {1.0}


def test_both_kinds_of_weights_keep_that_pace():
    # Adam's first step is the rate, up or down, whatever the gradient.
    for number in (0, 5, 15):
        made = learning(**JUDGED, warm_up=0.2, decay=0.5)
        before = [[weight.detach().clone() for weight in descent.weights] for descent in (made.giving, made.telling)]
        step(made, number)
        expected = made.settings.rate * made.settings.pace(number / 20)
        for descent, old in zip((made.giving, made.telling), before, strict=True):
            moved = max(float((new.detach() - was).abs().max()) for new, was in zip(descent.weights, old, strict=True))
            assert moved == pytest.approx(expected, rel=1e-2)


# What is learned


def test_the_same_seed_starts_and_learns_the_same_and_no_other_random_numbers_are_spent():
    state = torch.get_rng_state()
    first, second, other = learning(**JUDGED), learning(**JUDGED), learning(**JUDGED, seed=1)
    assert same(weights(first), weights(second))
    assert not same(weights(first.encoder), weights(other.encoder))
    for number in (0, 1):
        assert step(first, number) == step(second, number)
    assert torch.equal(torch.get_rng_state(), state)
    assert same(weights(first), weights(second))
    before = weights(first)
    step(second, 2)
    step(first, 2, seed=1)  # another draw of noise and of simple pictures
    assert not same(before, weights(first))
    assert not same(weights(first), weights(second))


def test_pictures_come_to_be_given_back():
    made, pictures = learning(rate=1e-2, warm_up=0.0, decay=0.0, simple=0.0), real()
    losses = [step(made, number, pictures=pictures)["pixels"] for number in range(20)]
    assert losses[-1] < 0.7 * losses[0]


def test_the_generator_and_the_encoder_learn_but_not_the_mapping():
    made = learning()
    before = weights(made.generator.mapping), weights(made.discriminator)
    start = {name: weight.detach().clone() for name, weight in made.named_parameters()}
    for number in range(3):  # the rows' weights start at zero, so that what is behind them waits a step
        step(made, number)
    assert same(before[0], weights(made.generator.mapping))
    assert not any(weight.requires_grad for weight in made.generator.mapping.parameters())
    assert same(before[1], weights(made.discriminator))
    kept = ("ema_", "discriminator.", "generator.mapping.")
    learns = {name: weight for name, weight in made.named_parameters() if not name.startswith(kept)}
    assert not [name for name, weight in learns.items() if torch.equal(weight, start[name])]
    assert all(weight.requires_grad for weight in learns.values())


def test_what_is_learned_is_a_batch_of_any_size():
    for count in (1, 3):
        losses = step(learning(**JUDGED), pictures=real(count))
        assert len(losses) == 6
        assert all(map(math.isfinite, losses.values()))


def test_what_diverges_says_so():
    with pytest.raises(BadSetting, match=r"^the learning diverges; begin again in another folder"):
        step(learning(), pictures=torch.full((4, 3, SIZE, SIZE), float("nan")))


# The losses


def test_losses_are_differences_of_what_is_drawn_from_what_is_real():
    made, pictures = learning(coarse=0.5, features=0.2, adversarial=0.0), real()
    drawn = drawn_by(made, pictures)
    losses = step(made, pictures=pictures)
    assert list(losses) == ["pixels", "coarse", "features", "delta"]
    assert losses["pixels"] == pytest.approx(float((drawn - pictures).abs().mean()), rel=1e-5)
    quarter = [x.unfold(2, 4, 4).unfold(3, 4, 4).mean((-2, -1)) for x in (drawn, pictures)]
    assert losses["coarse"] == pytest.approx(0.5 * float((quarter[0] - quarter[1]).abs().mean()), rel=1e-4)
    half = (drawn[[0, 2]] - pictures[[0, 2]]).square().mean()
    assert losses["features"] == pytest.approx(0.2 * float(half), rel=1e-5)


def with_rows(**settings):
    """A learner whose encoder tells rows apart from the start."""
    made = learning(**settings)
    made.encoder.rows.weight.data.normal_(generator=numbers(3))
    return made


def test_rows_are_kept_near_the_style():
    made, pictures = with_rows(simple=0.0, delta=0.5), real()
    _, rows = made.encoder.parts(pictures)
    assert step(made, pictures=pictures)["delta"] == pytest.approx(0.5 * float(rows.detach().square().mean()), rel=1e-4)


def given_to(generator):
    """The rows and the noise that each layer of the generator will be given."""
    rows, noise = [], []
    for layer in generator.layers:
        layer.register_forward_pre_hook(lambda layer, inputs: rows.append(inputs[1]))
        layer.register_forward_pre_hook(lambda layer, inputs: noise.append(inputs[2]))
    return rows, noise


def test_some_pictures_must_do_with_one_style():
    assert step(with_rows(simple=1.0))["delta"] == 0
    alike, pictures = [], real(64)
    for simple in (0.0, 0.25, 1.0):
        made = with_rows(simple=simple)
        rows, _ = given_to(made.generator)
        made._given_back(pictures, Apart(), numbers())
        w = torch.stack(rows, 1)
        alike.append(float((w == w[:, :1]).all(2).all(1).float().mean()))
    assert (alike[0], alike[2]) == (0, 1)
    assert 0.1 < alike[1] < 0.4


def test_noise_is_new_for_every_picture_and_step():
    made = learning()
    _, noise = given_to(made.generator)
    step(made)
    step(made, 1, seed=1)
    layers = len(made.generator.noise)
    assert [layer.shape for layer in noise[:layers]] == [(4, *own.shape[1:]) for own in made.generator.noise]
    flat = torch.cat([torch.cat([layer.flatten(1) for layer in each], 1) for each in (noise[:layers], noise[layers:])])
    assert (torch.corrcoef(flat) - torch.eye(8)).abs().max() < 0.1
    assert abs(float(flat.std()) - 1) < 0.02


# The discriminator


def test_the_discriminator_comes_in_late():
    made, start = learning(images=24, adversarial_from=0.5), None  # of six steps
    for number in range(6):
        start = weights(made.discriminator) if number == 2 else start
        losses = step(made, number)
        assert list(losses)[4:] == (["adversarial", "discriminator"] if number >= 3 else [])
        if number == 2:
            assert same(start, weights(made.discriminator))
    assert not same(start, weights(made.discriminator))


def test_without_an_adversarial_weight_there_is_no_discriminator():
    made = learning(adversarial=0.0, adversarial_from=0.0)
    before = weights(made.discriminator)
    assert list(step(made, 19)) == ["pixels", "coarse", "features", "delta"]
    assert same(before, weights(made.discriminator))


def test_it_judges_what_is_drawn_and_what_is_real_apart():
    # Together, how much the batch varies would say the same of both.
    made, pictures, batches = learning(**JUDGED, adversarial=0.5), real(), []
    before, drawn = copy.deepcopy(made.discriminator), drawn_by(made, pictures)
    made.discriminator.register_forward_pre_hook(lambda module, inputs: batches.append(inputs[0].detach()))
    losses = step(made, pictures=pictures)
    with torch.no_grad():
        fake, genuine = before(drawn), before(pictures)
    assert losses["adversarial"] == pytest.approx(0.5 * float(F.softplus(-fake).mean()), rel=1e-4)
    assert losses["discriminator"] == pytest.approx(float((F.softplus(fake) + F.softplus(-genuine)).mean()), rel=1e-4)
    assert {len(batch) for batch in batches} == {len(pictures)}


def test_fooling_teaches_the_generator_and_telling_the_discriminator():
    made, other = (learning(**JUDGED, adversarial=weight) for weight in (1e-9, 10.0))
    named = {id(weight): name.split(".")[0] for name, weight in made.named_parameters()}
    assert {named[id(weight)] for weight in made.giving.weights} == {"generator", "encoder"}
    assert {named[id(weight)] for weight in made.telling.weights} == {"discriminator"}
    step(made)
    step(other)
    assert not same(made.giving.adam.means, other.giving.adam.means)
    assert same(made.telling.adam.means, other.telling.adam.means)  # which what fools it teaches nothing
    assert all(weight.requires_grad for weight in made.discriminator.parameters())


@pytest.mark.parametrize(("number", "weight"), [(0, 4.0), (1, 0.0), (3, 0.0), (4, 4.0)])
def test_the_slope_counts_now_and_then_and_then_for_all(number, weight):
    # Half of the weight of 2, for four steps; without momentum, what Adam remembers is the last gradient.
    made, pictures = learning(**JUDGED, r1=2.0, r1_every=4), real()
    before, drawn = copy.deepcopy(made.discriminator), drawn_by(made, pictures)
    step(made, number, pictures=pictures)
    loss = discriminator.discriminator_loss(before(drawn), before(pictures)) + weight * discriminator.r1_penalty(
        before, pictures
    )
    for found, expected in zip(made.telling.adam.means, torch.autograd.grad(loss, [*before.parameters()]), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


# Running means


def test_running_means_start_where_the_networks_do_and_do_not_learn_by_themselves():
    made = learning()
    assert same(weights(made.generator), weights(made.ema_generator))
    assert same(weights(made.encoder), weights(made.ema_encoder))
    assert not any(weight.requires_grad for weight in (*made.ema_generator.parameters(),))
    assert not any(weight.requires_grad for weight in (*made.ema_encoder.parameters(),))


def test_a_running_mean_is_what_was_remembered_and_what_is_new():
    made = learning()
    pairs = ((made.ema_generator, made.generator), (made.ema_encoder, made.encoder))
    for mean, now in pairs:
        for kept, value in zip(mean.parameters(), now.parameters(), strict=True):
            kept.fill_(1.0)
            value.data.fill_(5.0)
    made._average(0.75)
    assert {float(x) for mean, _ in pairs for weight in mean.parameters() for x in weight.unique()} == {2.0}
    made._average(0.5)
    assert {float(x) for mean, _ in pairs for weight in mean.parameters() for x in weight.unique()} == {3.5}


@pytest.mark.parametrize(("number", "decay"), [(0, 0.1), (8, 0.5), (19, 0.6)])
def test_running_means_follow_the_steps_and_the_decay_grows_with_them(number, decay):
    # So that the first weights, which nothing was learned for, are soon forgotten.
    made = learning(ema=0.6)
    old = weights(made.ema_encoder)
    step(made, number)
    for before, mean, now in zip(old, weights(made.ema_encoder), weights(made.encoder), strict=True):
        torch.testing.assert_close(mean, before.lerp(now, 1 - decay))


# Bfloat16


def test_the_fastest_precision_is_taken_unless_one_is_named():
    fastest = fast_dtype(torch.device("cpu"))
    assert {name: learning(precision=name).generator.dtype for name in ("auto", "float32", "bfloat16")} == {
        "auto": fastest,
        "float32": torch.float32,
        "bfloat16": torch.bfloat16,
    }


def test_bfloat16_learns_about_the_same():
    exact = step(learning(**JUDGED))
    made = learning(**JUDGED, precision="bfloat16")
    assert (made.generator.dtype, made.ema_generator.dtype) == (torch.bfloat16, torch.bfloat16)
    fast = step(made)
    assert list(fast.values()) == pytest.approx(list(exact.values()), rel=0.05, abs=0.01)
    assert fast != exact
    assert {weight.dtype for weight in made.parameters()} == {torch.float32}
