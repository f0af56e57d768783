"""TIP-IM against what can be worked out: the MMD of Gaussians, its steps by hand, and whom it chooses."""

import math
from dataclasses import replace

import pytest
import tiny
import torch
import torch.nn.functional as F
from tiny import LinearEncoder, faces, numbers, surrogates

from kohl.errors import BadSetting
from kohl.perturb.pixel import Painted
from kohl.perturb.terms import Surrogate
from kohl.perturb.tip_im import BANDWIDTHS, Greedy, TipIM, gain, mmd, repeated, unnatural, views, weights
from kohl.types import Candidate, Goal

RING = torch.tensor([[8 + 5 * math.cos(turn), 8 + 5 * math.sin(turn)] for turn in torch.arange(68) * 2 * math.pi / 68])
SOURCE, TARGET = (replace(faces(2, seed=seed), landmarks=RING.expand(2, -1, -1)) for seed in (1, 2))
PEOPLE = [faces(seed=seed) for seed in (3, 4, 5)]
STILL = {"least": 0.0, "most": 0.0}


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_the_mmd_of_two_gaussians_is_the_one_in_closed_form(shift):
    # With d ~ N(shift, 2), E exp(−d²/2σ) = sqrt(σ / (σ + 2)) exp(−shift² / 2 (σ + 2)).
    widths, count = (0.5, 1.0, 10.0), 1500
    first, second = torch.randn(2, count, 1, generator=numbers(), dtype=torch.float64)
    expected = sum(
        2 * math.sqrt(width / (width + 2)) * (1 - math.exp(-(shift**2) / (2 * (width + 2)))) for width in widths
    )
    assert float(mmd(first, second + shift, widths)) == pytest.approx(expected, abs=0.02)


def test_the_mmd_of_a_few_points_counts_every_pair():
    first, second = torch.randn(3, 2, generator=numbers()), torch.randn(2, 2, generator=numbers(1))

    def kernel(x, y):
        total = 0.0
        for one in x.tolist():
            for other in y.tolist():
                square = sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
                total += sum(math.exp(-square / (2 * width)) for width in BANDWIDTHS)
        return total / (len(x) * len(y))

    expected = kernel(first, first) + kernel(second, second) - 2 * kernel(first, second)
    assert float(mmd(first, second)) == pytest.approx(expected, rel=1e-5)
    assert len(BANDWIDTHS) == 19


def test_what_is_unnatural_of_one_picture_follows_from_its_distance_in_levels_of_a_small_picture():
    crops = 0.3 + 0.2 * torch.rand(2, 3, 16, 16, generator=numbers())
    changed = crops + torch.tensor([0.0, 0.02]).view(2, 1, 1, 1)
    found = unnatural(crops, 0.5)(Candidate(changed, changed))
    square = (0.02 * 255) ** 2 * 3 * 112**2  # on 112 × 112 pixels
    expected = 0.5 * 2 * (19 - sum(math.exp(-square / (2 * width)) for width in BANDWIDTHS))
    assert found.tolist() == [0.0, pytest.approx(expected, rel=1e-4)]


def test_the_gain_is_that_of_the_nearest_target():
    left, near = torch.tensor([1.0, 0.2]), torch.tensor([[0.9, 0.4], [0.5, 1.0]])
    expected = [math.log(1 + math.exp(0.6)), math.log(1 + math.exp(-0.3))]
    assert gain(left, near).tolist() == pytest.approx(expected)


def test_views_are_drawn_between_the_deviations_and_none_moves_nothing():
    assert torch.equal(views(2, Greedy(**STILL), numbers()), torch.eye(2, 3).expand(2, -1, -1))
    fixed = views(4000, Greedy(least=0.1, most=0.1), numbers())
    assert fixed[:, 0, 2].std() == pytest.approx(0.1, rel=0.1)
    assert (fixed[:, 0, 1]).std() == pytest.approx(math.hypot(0.1, 0.1), rel=0.1)  # noise, and the angle
    rng = numbers()
    assert len({round(float(views(500, Greedy(), rng)[:, 0, 2].std()), 3) for _ in range(8)}) > 4


def by_hand(models, crop, mask, people, steps):
    """The published steps towards the best of the people, for one face."""
    rate = 1.5 * 0.04 / steps * math.sqrt(3 * int((mask > 0).sum()))

    def embedded(model, pixels):
        return F.normalize((pixels - 0.5).flatten(1) @ model.encoder.weight)

    def objective(latents, person):
        total = 0.0
        for model in models:
            now = embedded(model, crop + mask * latents)
            total = total + (now - embedded(model, person.crops)).square().sum()
            total = total - (now - embedded(model, crop)).square().sum()
        return total / len(models)

    def apart(latents, other):
        return sum(float((embedded(m, crop + mask * latents) - embedded(m, other)).norm()) for m in models)

    place = velocity = torch.zeros_like(crop)
    for _ in range(steps):
        tried = []
        for person in people:
            at = place.clone().requires_grad_()
            (slope,) = torch.autograd.grad(objective(at, person), at)
            momentum = velocity + slope / slope.abs().mean()
            moved = (place - rate * momentum / momentum.norm()).clamp(-0.04, 0.04)
            gained = apart(moved, crop) - min(apart(moved, each.crops) for each in people)
            tried.append((gained, moved, momentum))
        _, place, velocity = max(tried, key=lambda each: each[0])
    return crop + mask * place


def test_its_steps_are_the_published_ones_towards_the_best_target():
    settings, models = Greedy(epsilon=0.04, steps=5, targets=3, **STILL), surrogates()
    changed = TipIM(models, settings, PEOPLE)(SOURCE, Goal.dodge(SOURCE, TARGET), rng=numbers())
    people, mask = [TARGET.with_crops(TARGET.crops[:1]), *PEOPLE[:2]], Painted(SOURCE).mask[:1]
    expected = [by_hand(models, crop[None], mask, people, 5) for crop in SOURCE.crops]
    torch.testing.assert_close(changed, torch.cat(expected), atol=2e-5, rtol=0)


def test_recognisers_count_by_their_thresholds_and_how_often_they_are_named():
    wide, narrow = (Surrogate(LinearEncoder(seed=seed), threshold) for seed, threshold in ((0, 0.5), (1, 0.9)))
    assert [weight for _, weight in weights([wide])] == [1.0]
    assert [weight for _, weight in weights([wide, wide, narrow])] == pytest.approx([2 * 2 / 14, 10 / 14])


def test_a_step_changes_the_face_by_its_length():
    settings = Greedy(epsilon=0.5, steps=1, pace=0.1, targets=1, **STILL)
    changed = TipIM(surrogates(), settings)(SOURCE, Goal.impersonate(SOURCE, TARGET), rng=numbers())
    mask = (Painted(SOURCE).mask > 0).expand_as(changed)
    inner = (Painted(SOURCE).mask == 1).expand_as(changed)
    length = (changed - SOURCE.crops)[inner].square().mean().sqrt()
    assert 0.03 < length < 0.1  # 0.05 for each value of a pixel, in the mean over the whole face
    assert (changed - SOURCE.crops)[~mask].abs().max() == 0


def test_it_goes_towards_the_person_who_is_easiest_and_to_the_one_asked_for_if_one_is():
    model = Surrogate(LinearEncoder(), 0.5)
    source = replace(faces(seed=1), landmarks=RING.expand(1, -1, -1))
    far = faces(seed=2)
    near = source.with_crops(0.7 * source.crops + 0.3 * faces(seed=9).crops)
    settings = Greedy(epsilon=0.05, steps=10, targets=2, **STILL)

    def reached(goal):
        changed = TipIM([model], settings, [near])(source, goal, rng=numbers())
        mine, there, here = (model.embed(source.with_crops(x)) for x in (changed, far.crops, near.crops))
        return float(mine @ there.T), float(mine @ here.T)

    to_far, to_near = reached(Goal.dodge(source, far, towards=4.0))
    wanted, besides = reached(Goal.impersonate(source, far))
    assert to_near > besides
    assert wanted > to_far


def test_naturalness_holds_the_change_back_and_the_others_stay_out_of_impersonation():
    goal = Goal.dodge(SOURCE, TARGET)
    free, held = (
        TipIM(surrogates(), Greedy(epsilon=0.04, steps=12, targets=2, naturalness=gamma), PEOPLE)(
            SOURCE, goal, rng=numbers()
        )
        for gamma in (0.0, 3.0)
    )
    distances = [(images - SOURCE.crops).square().mean() for images in (free, held)]
    assert distances[1] < 0.9 * distances[0]
    alone = Goal.impersonate(SOURCE, TARGET)
    settings = Greedy(epsilon=0.04, steps=3)
    assert torch.equal(
        TipIM(surrogates(), settings, PEOPLE)(SOURCE, alone, rng=numbers()),
        TipIM(surrogates(), settings)(SOURCE, alone, rng=numbers()),
    )


def test_copies_stand_beside_each_other():
    copies = repeated(SOURCE, 3)
    assert torch.equal(copies.crops[2], SOURCE.crops[0])
    assert torch.equal(copies.landmarks[3], SOURCE.landmarks[1])
    assert Painted(copies).mask.shape == (6, 1, tiny.SIZE, tiny.SIZE)


def test_the_defaults_are_the_repository_s_and_strength_turns_the_budget():
    settings = Greedy()
    assert (255 * settings.epsilon, settings.steps, settings.targets) == (12, 100, 10)
    assert (settings.pace, settings.momentum, settings.naturalness) == (1.5, 1.0, 0.0)
    assert [255 * settings.at(strength).epsilon for strength in (0, 0.5, 1)] == pytest.approx([3, 12, 48])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epsilon": 0.0}, "tip_im.epsilon: must be above 0"),
        ({"targets": 0}, "tip_im.targets: must be at least 1"),
        ({"least": 0.2}, r"tip_im.least: must be at most tip_im.most"),
        ({"naturalness": -1.0}, "tip_im.naturalness: must not be negative"),
    ],
)
def test_settings_that_are_none_are_refused(settings, said):
    with pytest.raises(BadSetting, match=rf"^{said}"):
        Greedy(**settings)
