"""The one descent, by itself: its steppers, when it ends, and what it tells."""

import time

import pytest
import torch
from tiny import numbers

from kohl import adam
from kohl.errors import BadSetting
from kohl.perturb.descend import Adam, decay, descend
from kohl.types import Generator


class Same(Generator):
    """The latents are the picture."""

    def forward(self, latents):
        return latents


def towards(target):
    return lambda candidate: (candidate.images - target).square().flatten(1).sum(1)


@pytest.mark.parametrize("last", [0.0, 0.05, 1.0])
def test_the_rate_falls_along_half_a_cosine_to_what_is_left(last):
    assert [decay(progress, last) for progress in (0.0, 0.5, 1.0)] == pytest.approx([1, (1 + last) / 2, last])
    path = [decay(index / 10, last) for index in range(11)]
    assert path == sorted(path, reverse=True)


def test_a_step_is_adam_s_at_what_is_left_of_the_rate_and_the_latents_stay_as_they_were():
    step, plain = Adam(0.1, last=0.2, betas=(0.5, 0.9)), adam.Adam((0.5, 0.9))
    latents = start = torch.randn(2, 3, generator=numbers())
    expected, asked = [start.clone()], []
    for progress in (0.0, 0.5, 0.9):
        latents = step(latents, lambda at: asked.append(at) or 2 * at, progress)
        plain(expected, [2 * expected[0]], 0.1 * decay(progress, 0.2))
    assert torch.equal(latents, expected[0])
    assert torch.equal(start, asked[0])
    assert torch.equal(start, torch.randn(2, 3, generator=numbers()))


def test_anybody_may_call_it_with_a_generator_terms_and_a_stepper():
    target = torch.rand(2, 3, 4, 4, generator=numbers())
    found = descend(Same(), torch.zeros_like(target), {"near": towards(target)}, Adam(0.05, 0.01), steps=200)
    torch.testing.assert_close(found, target, atol=1e-2, rtol=0)
    assert not found.requires_grad


def test_the_sum_of_the_terms_counts_and_the_pull_on_the_latents():
    start, one = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    terms = {"one": towards(one), "none": towards(0 * one)}
    rate = Adam(0.05, 0.01)
    found = descend(Same(), start, terms, rate, steps=300, pull=lambda at: 2 * (at.latents - 1).square().sum((1, 2, 3)))
    torch.testing.assert_close(found, 0.75 * one, atol=1e-3, rtol=0)  # of x² + (x − 1)² + 2 (x − 1)²


def test_terms_that_take_turns_are_seen_in_theirs_alone_and_count_for_all():
    seen, slopes = [], []

    def term(name):
        def told(candidate):
            seen.append(name)
            return candidate.images.flatten(1).sum(1)

        return told

    def step(latents, slope, progress):
        slopes.append(float(slope(latents).flatten()[0]))
        return latents

    terms = {name: term(name) for name in ("always", "first", "second", "third")}
    descend(Same(), torch.ones(1, 3, 1, 1), terms, step, steps=4, turns=[("first", "third"), ("second",)])
    assert [sorted(seen[:3]), sorted(seen[3:5])] == [["always", "first", "third"], ["always", "second"]]
    assert slopes == [1 + 2 + 2, 1 + 2] * 2


def test_a_term_whose_turn_has_not_come_is_not_content():
    steps = []
    terms = {
        "content": lambda at: 0 * at.images.sum((1, 2, 3)),
        "late": lambda at: 0 * at.images.sum((1, 2, 3)),
        "busy": lambda at: torch.full((1,), float(len(steps) < 4)) + 0 * at.images.sum((1, 2, 3)),
    }
    turns = [("content",), ("late",), ("busy",)]
    descend(Same(), torch.ones(1, 3, 1, 1), terms, Adam(0.1), steps=20, patience=2, turns=turns, watch=steps.append)
    assert [sorted(step.losses) for step in steps[:3]] == [["content"], ["late"], ["busy"]]
    assert len(steps) == 7  # busy is content when it is seen in the sixth


def test_it_ends_once_all_but_the_restless_are_content_for_long_enough():
    steps = []
    terms = {"content": lambda at: 0 * at.images.sum((1, 2, 3)), "restless": towards(1.0)}
    descend(
        Same(),
        torch.zeros(1, 3, 2, 2),
        terms,
        Adam(0.1),
        steps=9,
        patience=4,
        restless=("restless",),
        watch=steps.append,
    )
    assert [(step.index, step.total) for step in steps] == [(index, 9) for index in range(4)]
    assert steps[0].losses == {"content": 0.0, "restless": 12.0}


def test_a_stepper_may_ask_for_the_slope_elsewhere_and_the_watch_hears_of_the_first():
    asked, steps = [], []

    def look_ahead(latents, slope, progress):
        asked.append(progress)
        return latents - 0.25 * (slope(latents) + slope(latents + 1))

    found = descend(Same(), torch.zeros(1, 3, 1, 1), {"to one": towards(1.0)}, look_ahead, steps=2, watch=steps.append)
    assert asked == [0.0, 0.5]
    assert [float(step.candidate.latents.detach().mean()) for step in steps] == [0.0, 0.5]
    torch.testing.assert_close(found, torch.full((1, 3, 1, 1), 0.5))  # −2 + 0, then −1 + 1


def test_a_gradient_that_is_no_number_is_said():
    with pytest.raises(BadSetting, match="the search diverge"):
        descend(Same(), torch.zeros(1, 3, 2, 2), {"root": lambda at: at.images.sqrt().sum((1, 2, 3))}, Adam(1), steps=2)


def test_what_took_longest_begins_first_the_next_time(monkeypatch):
    monkeypatch.setattr("kohl.device.cores", lambda: 1)  # one thread: what begins first is also done first
    begun = []

    def term(name, seconds):
        def weighed(candidate):
            begun.append(name)
            time.sleep(seconds)
            return candidate.images.square().flatten(1).sum(1)

        return weighed

    terms = {name: term(name, seconds) for name, seconds in (("quick", 0.0), ("slow", 0.02), ("middling", 0.01))}
    descend(Same(), torch.ones(1, 3, 2, 2), terms, Adam(0.1), steps=2)
    assert begun == ["quick", "slow", "middling", "slow", "middling", "quick"]
