"""Noise becomes styles like those that are known, and none of them is left out."""

import pytest
import torch
from tiny import numbers
from tiny_training import same, weights

from kohl.train import mapping
from kohl.train.mapping import Pairing
from kohl.zoo.generators import stylegan2

WIDTH = 8


def untrained(seed=0, depth=2):
    return stylegan2.untrained((4,), width=WIDTH, depth=depth, rng=numbers(seed)).mapping


def learn(styles, settings, *, seed=0, said=lambda line: None):
    made = untrained()
    mapping.learn(made, styles, numbers(seed), settings, said=said)
    return made


def clusters(count=128, share=0.5):
    """Styles near two opposite points, that share of them near the first, and the points."""
    centres = torch.stack([torch.ones(WIDTH), -torch.ones(WIDTH)])
    belongs = (torch.arange(count) >= share * count).long()
    return centres[belongs] + 0.05 * torch.randn(count, WIDTH, generator=numbers(1)), centres


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_every_style_comes_to_have_noise_that_becomes_it(share):
    # A discriminator may forget a rare kind; here each style pulls.
    settings = Pairing(rounds=15, batch=64)  # fewer than for real styles, which are more, and of more numbers
    styles, centres = clusters(share=share)
    noise = torch.randn(1000, WIDTH, generator=numbers(2))
    before, after = (made(noise) for made in (untrained(), learn(styles, settings)))
    furthest = [float(torch.cdist(styles, found).min(1).values.max()) for found in (before, after)]
    assert furthest[1] < 0.2 * torch.dist(*centres) < furthest[0]
    # Nothing forbids what lies between, but that becomes rarer too.
    apart = [torch.cdist(found, centres) for found in (before, after)]
    assert apart[1].min(1).values.mean() < 0.8 * apart[0].min(1).values.mean()
    assert 0.2 < (apart[1].argmin(1) == 0).float().mean() < 0.8


QUICK = Pairing(rounds=2, steps=3)


def test_the_same_random_numbers_give_the_same_mapping_and_no_others_are_spent():
    styles, _ = clusters()
    state, before = torch.get_rng_state(), styles.clone()
    first, second, other = (weights(learn(styles, QUICK, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert same(first, second)
    assert not same(first, other)
    assert torch.equal(styles, before)


def test_afterwards_it_no_longer_learns():
    made = learn(clusters()[0], QUICK)
    assert not any(weight.requires_grad for weight in made.parameters())
    assert not same(weights(made), weights(untrained()))


def test_says_how_far_it_is_every_ten_rounds():
    lines = []
    learn(clusters()[0], Pairing(rounds=21, steps=1), said=lines.append)
    assert [line.split(",")[0] for line in lines] == ["mapping: 10 of 21", "mapping: 20 of 21"]


def test_each_style_is_paired_with_the_nearest_of_what_is_drawn():
    # With one step and one round, the loss that is said is that of the pairs.
    settings = Pairing(rounds=10, steps=1, rate=0.0, batch=20_000)  # so that every style is drawn about as often
    lines, (styles, _) = [], clusters()
    learn(styles, settings, said=lines.append)
    rng, made = numbers(), untrained()
    for _ in range(10):
        noise = torch.randn(2 * len(styles), WIDTH, generator=rng)
        torch.randint(len(styles), (20_000,), generator=rng)
    nearest = torch.cdist(styles, made(noise)).min(1).values.square().mean() / WIDTH
    assert float(lines[0].split()[-1]) == pytest.approx(float(nearest), rel=0.02)
