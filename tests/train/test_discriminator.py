"""The discriminator's losses against closed forms, and what it sees of a batch."""

import math

import pytest
import torch
from tiny import numbers
from torch import nn

from kohl.train import discriminator
from kohl.train.discriminator import discriminator_loss, generator_loss, r1_penalty, untrained


def pictures(count=3, size=64, seed=0):
    return torch.rand(count, 3, size, size, generator=numbers(seed))


# Losses


def test_who_cannot_tell_loses_the_logarithm_of_two_for_each_kind():
    unsure = torch.zeros(5)
    assert generator_loss(unsure).item() == pytest.approx(math.log(2))
    assert discriminator_loss(unsure, unsure).item() == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize("score", [-3.0, -0.5, 2.0])
def test_losses_are_negative_logarithms_of_probabilities(score):
    real = 1 / (1 + math.exp(-score))  # how likely it takes the picture for real
    scores = torch.full((4,), score)
    assert generator_loss(scores).item() == pytest.approx(-math.log(real), rel=1e-5)
    assert discriminator_loss(scores, torch.full((4,), 99.0)).item() == pytest.approx(-math.log(1 - real), rel=1e-5)
    assert discriminator_loss(torch.full((4,), -99.0), scores).item() == pytest.approx(-math.log(real), rel=1e-5)


def test_losses_are_means_and_pull_either_way():
    drawn, real = (torch.tensor(values, requires_grad=True) for values in ([1.0, -2.0], [0.5, 3.0]))
    generator_loss(drawn).backward()
    torch.testing.assert_close(drawn.grad, -torch.sigmoid(-drawn.detach()) / 2)
    drawn.grad = None
    discriminator_loss(drawn, real).backward()
    torch.testing.assert_close(drawn.grad, torch.sigmoid(drawn.detach()) / 2)
    torch.testing.assert_close(real.grad, -torch.sigmoid(-real.detach()) / 2)


def test_losses_stay_finite_however_sure_it_is():
    sure = torch.tensor([1e4])
    assert generator_loss(-sure).item() == pytest.approx(1e4)
    assert generator_loss(sure).item() == 0
    assert discriminator_loss(sure, -sure).item() == pytest.approx(2e4)


# Steepness


class Linear(nn.Module):
    """A plane through the pixels."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 8, 8, generator=numbers(1)))

    def forward(self, images):
        return (images * self.weight).sum((1, 2, 3))


def test_a_plane_is_as_steep_everywhere_as_its_weights_are_long():
    plane = Linear()
    for count in (1, 5):
        found = r1_penalty(plane, pictures(count, 8))
        torch.testing.assert_close(found, plane.weight.square().sum())
    found.backward()
    torch.testing.assert_close(plane.weight.grad, 2 * plane.weight.detach())


def test_a_bowl_is_as_steep_as_its_pictures_are_far_from_its_middle():
    real = pictures(4, 8)
    found = r1_penalty(lambda images: images.square().sum((1, 2, 3)) / 2, real)
    torch.testing.assert_close(found, real.square().sum((1, 2, 3)).mean())
    assert not real.requires_grad


def test_the_steepness_of_the_network_can_be_learned_from():
    network = untrained(64, widest=4, rng=numbers())
    r1_penalty(network, pictures()).backward()
    assert sum(weight.grad.square().sum() for weight in network.parameters() if weight.grad is not None) > 0


# The network


@torch.no_grad()
@pytest.mark.parametrize("size", [64, 128])
def test_says_one_number_of_each_picture(size):
    network = untrained(size, widest=4, rng=numbers())
    verdicts = network(pictures(5, size))
    assert verdicts.shape == (5,)
    assert verdicts.dtype == torch.float32
    assert len(set(verdicts.tolist())) == 5
    with torch.autocast("cpu", torch.bfloat16):
        coarse = network(pictures(5, size))
    assert coarse.dtype == torch.float32
    torch.testing.assert_close(coarse, verdicts, atol=0.1 * float(verdicts.abs().max()), rtol=0)


@torch.no_grad()
def test_sees_how_much_the_batch_varies():
    network, seen = untrained(64, widest=4, rng=numbers()), []
    network.last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    alone = pictures(1)
    network(alone.expand(4, -1, -1, -1))
    network(pictures(4))
    for x in seen:
        features, spread = x[:, :-1], x[:, -1]
        expected = features.std(0, correction=0).mean() if x is seen[1] else torch.tensor(math.sqrt(discriminator.EPS))
        torch.testing.assert_close(spread, expected.expand(spread.shape), rtol=1e-3, atol=1e-6)
    # So the same picture is another beside others.
    assert network(torch.cat([alone, alone]))[0] != network(torch.cat([alone, pictures(1, seed=1)]))[0]


def test_starts_with_normal_weights_of_the_random_numbers_alone():
    state = torch.get_rng_state()
    first, second, other = (untrained(64, widest=48, rng=numbers(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    for name, values in first.state_dict().items():
        assert torch.equal(values, second.state_dict()[name])
        if name.endswith(".weight"):
            assert not torch.equal(values, other.state_dict()[name])
        else:
            assert not values.any()
    deepest = first.blocks[-1].second.weight
    assert (deepest.mean().abs() < 0.05, deepest.std().sub(1).abs() < 0.05) == (True, True)
