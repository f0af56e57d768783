"""The search, and what every attack promises, on toy models."""

from dataclasses import dataclass, field, fields, replace
from itertools import pairwise

import pytest
import tiny
import torch
from tiny import REACH, STILL, faces, numbers, surrogates

from kohl.perturb.latent import Adam, LatentSearch, Search
from kohl.types import BadSetting, Goal

SEARCH = Search(
    steps=14,
    rate=0.1,
    margin=1.6,
    closeness=0.3,
    decoy=1.0,
    change=1.0,
    colour=3.0,
    masking=0.03,
    patience=50,
    views=replace(STILL, shift=0.01, rotation=0.01, scale=0.01, blur=0.5, blurred=0.2, grey=0.2, light=0.02),
)
ATTACKS = {  # one line makes an attack keep all the promises below
    "latent search": lambda models: LatentSearch(tiny.invert, models, SEARCH),
}
SOURCE, TARGET = faces(2, seed=1), faces(2, seed=2)
GOALS = {
    "pure dodging": Goal.dodge(SOURCE, TARGET, towards=0.0),
    "dodging": Goal.dodge(SOURCE, TARGET, towards=0.5),
    "impersonation": Goal.impersonate(SOURCE, TARGET),
}


@dataclass(frozen=True)
class Case:
    """One attack with one goal."""

    name: str
    goal: Goal = field(repr=False)

    def __call__(self, seed=0, watch=lambda step: None, source=SOURCE):
        return ATTACKS[self.name](surrogates())(source, self.goal, rng=numbers(seed), watch=watch)


@pytest.fixture(params=[(attack, goal) for attack in ATTACKS for goal in GOALS], ids=" × ".join)
def case(request):
    attack, goal = request.param
    return Case(attack, GOALS[goal])


def test_gives_images_like_those_it_got(case):
    changed = case()
    assert changed.shape == SOURCE.crops.shape
    assert changed.dtype == torch.float32
    assert not changed.requires_grad
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert not torch.equal(changed, SOURCE.crops)


def test_changes_none_of_its_arguments(case):
    before = [part.clone() for whole in (SOURCE, TARGET) for part in vars(whole).values()]
    case()
    now = [part for whole in (SOURCE, TARGET) for part in vars(whole).values()]
    assert all(map(torch.equal, before, now))


def test_the_same_random_numbers_give_the_same_images(case):
    assert torch.equal(case(seed=3), case(seed=3))
    assert not torch.equal(case(seed=3), case(seed=4))


def test_no_other_random_numbers_are_used_or_spent(case):
    state = torch.get_rng_state()
    first = case()
    torch.manual_seed(1)
    assert torch.equal(case(), first)
    torch.set_rng_state(state)
    case()
    assert torch.equal(torch.get_rng_state(), state)


def test_what_the_generator_cannot_reach_stays_bit_for_bit(case):
    rim = torch.ones(tiny.SIZE, tiny.SIZE, dtype=torch.bool)
    rim[REACH, REACH] = False
    assert torch.equal(case()[..., rim], SOURCE.crops[..., rim])


def test_tells_watch_of_every_step_in_order(case):
    steps = []
    case(watch=steps.append)
    assert [step.index for step in steps] == list(range(len(steps)))
    (total,) = {step.total for step in steps}
    assert 1 <= len(steps) <= total
    assert all(isinstance(loss, float) for step in steps for loss in step.losses.values())


def test_nears_its_goal_in_the_eyes_of_the_surrogates(case):
    changed, goal = case(), case.goal
    before, after = (
        sum(left(surrogate, crops, goal) for surrogate in surrogates()) for crops in (SOURCE.crops, changed)
    )
    assert (after < before).all()
    assert after.mean() < 0.9 * before.mean()
    for surrogate in surrogates():
        if not goal.towards:
            assert (apart(surrogate, changed, SOURCE.crops) > 0.1).all()
        if not goal.away:
            start = apart(surrogate, SOURCE.crops, TARGET.crops)
            assert apart(surrogate, changed, TARGET.crops).mean() < 0.95 * start.mean()


def apart(surrogate, first, second):
    """The distance of the faces in two batches of crops, in thresholds."""
    return surrogate.distance(*(surrogate.embed(SOURCE.with_crops(crops)) for crops in (first, second)))


def left(surrogate, crops, goal):
    """How far it still is to the goal."""
    leaving = (SEARCH.margin - apart(surrogate, crops, SOURCE.crops)).relu()
    nearing = (apart(surrogate, crops, TARGET.crops) - SEARCH.closeness).relu()
    return goal.away * leaving + goal.towards * nearing


def search(goal=GOALS["pure dodging"], *, seed=0, models=None, **settings):
    """The changed faces and the steps of a search with still views."""
    steps = []
    attack = LatentSearch(tiny.invert, models or surrogates(), replace(SEARCH, **{"views": STILL, **settings}))
    return attack(SOURCE, goal, rng=numbers(seed), watch=steps.append), steps


def loss(step, name):
    """What that surrogate has against the faces."""
    (value,) = (value for key, value in step.losses.items() if key.startswith(name))
    return value


def test_a_goal_that_is_reached_at_once_stops_the_search_and_changes_nothing():
    changed, steps = search(margin=0.0, patience=3)
    assert len(steps) == 3
    assert {step.total for step in steps} == {SEARCH.steps}
    assert torch.equal(changed, SOURCE.crops)


def test_the_search_stops_once_every_surrogate_has_been_where_it_should_for_long_enough():
    _, steps = search(margin=0.5, steps=60, patience=4, change=0.0)
    reached = [loss(step, "linear0") == loss(step, "linear1") == 0 for step in steps]
    assert len(steps) < 60
    assert reached[-4:] == [True] * 4
    assert not any(all(reached[start : start + 4]) for start in range(len(reached) - 4))


def test_one_surrogate_that_still_matches_keeps_the_search_going():
    stubborn = surrogates()
    stubborn[1] = replace(stubborn[1], threshold=-999.0)  # nobody is far enough apart for it
    _, steps = search(margin=0.5, steps=30, patience=4, change=0.0, models=stubborn)
    assert len(steps) == 30
    assert any(loss(step, "linear0") == 0 for step in steps)
    assert all(loss(step, "linear1") > 0 for step in steps)


def test_watch_sees_every_loss_by_name():
    _, steps = search(change=50.0)
    assert all(len(step.losses) == 3 for step in steps)
    assert steps[0].losses["change"] == 0 < steps[-1].losses["change"]
    assert all(loss(steps[0], name) > 0 for name in ("linear0", "linear1"))


def test_watch_sees_images_with_the_latents_they_came_from():
    generator, seen = tiny.invert(SOURCE).generator, []
    LatentSearch(tiny.invert, surrogates(), SEARCH)(
        SOURCE,
        GOALS["dodging"],
        rng=numbers(),
        watch=lambda step: seen.append(torch.equal(generator(step.candidate.latents), step.candidate.images)),
    )
    assert seen == [True] * SEARCH.steps


def test_a_dearer_change_is_a_smaller_one():
    sizes = [(search(change=change, steps=25)[0] - SOURCE.crops).square().mean() for change in (0.0, 100.0, 10_000.0)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.5 * sizes[0]


def test_a_longer_search_gets_further():
    losses = [loss(search(steps=steps)[1][-1], "linear0") for steps in (2, 6, 20)]
    assert losses == sorted(losses, reverse=True)


def test_a_rate_of_nothing_changes_nothing():
    assert torch.equal(search(rate=0.0)[0], SOURCE.crops)


def test_the_dial_turns_one_way():
    dial = [SEARCH.at(turn / 10) for turn in range(11)]
    assert all(weaker.change > stronger.change for weaker, stronger in pairwise(dial))
    assert all(weaker.margin < stronger.margin for weaker, stronger in pairwise(dial))
    assert dial[5] == SEARCH
    turned = ("change", "margin")
    for settings in dial:
        assert all(
            getattr(settings, each.name) == getattr(SEARCH, each.name)
            for each in fields(Search)
            if each.name not in turned
        )


def test_more_strength_is_more_distance():
    distances = []
    for strength in (0.0, 0.5, 1.0):
        settings = replace(SEARCH, change=30.0, steps=40, views=STILL).at(strength)
        changed = LatentSearch(tiny.invert, surrogates(), settings)(SOURCE, GOALS["pure dodging"], rng=numbers())
        distances.append(sum(apart(surrogate, changed, SOURCE.crops).mean() for surrogate in surrogates()))
    assert distances == sorted(distances)
    assert distances[2] > 1.2 * distances[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((each.name, -1) for each in fields(Search) if each.name != "views"),
        ("steps", 0),
        ("patience", 0),
        ("masking", 0.0),  # detail is divided by it
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(BadSetting, match=rf"search\.{name}: must "):
        replace(SEARCH, **{name: value})


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9)])
def test_adam_is_the_one_of_torch(betas):
    from torch.optim import Adam as Theirs  # late: it takes a second

    start = torch.randn(3, 4, generator=numbers())
    ours, theirs = start.clone(), start.clone().requires_grad_()
    mine, reference = Adam(ours, betas), Theirs([theirs], betas=betas)
    for index in range(8):
        gradient = torch.randn(3, 4, generator=numbers(index)) * 10 ** (index - 5)
        rate = 0.1 / (index + 1)
        mine.step(ours, gradient, rate)
        theirs.grad, reference.param_groups[0]["lr"] = gradient, rate
        reference.step()
    torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_the_rate_falls_towards_the_end():
    # Adam's steps are about as long as the rate while the gradient keeps its direction.
    path = []

    def watch(step):
        path.append(step.candidate.latents.detach().clone())

    LatentSearch(tiny.invert, surrogates(), replace(SEARCH, steps=20, margin=9.0, views=STILL))(
        SOURCE, GOALS["pure dodging"], rng=numbers(), watch=watch
    )
    lengths = torch.stack(path).diff(dim=0).norm(dim=(1, 2))
    assert lengths[-3:].mean() < 0.5 * lengths[:3].mean()
