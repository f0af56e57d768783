"""The search, and what every attack promises, on toy models."""

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import pytest
import tiny
import torch
from sitters import sitters
from tiny import SEARCH, STILL, LinearText, faces, numbers, surrogates

from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.makeup.facial_features import dearness
from kohl.perturb import terms
from kohl.perturb.latent import LatentSearch, Search
from kohl.perturb.pixel import Painted
from kohl.perturb.terms import Words
from kohl.types import Candidate, Faces, Goal, Inversion, Step, ignore
from kohl.zoo.impressions import RATINGS, strayed

WORDS = Words(LinearText(), "red lips")
SOURCE, TARGET = faces(2, seed=1), faces(2, seed=2)
GOALS = {
    "pure dodging": Goal.dodge(SOURCE, TARGET, towards=0.0),
    "dodging": Goal.dodge(SOURCE, TARGET, towards=0.5),
    "impersonation": Goal.impersonate(SOURCE, TARGET),
}


def apart(surrogate, first, second):
    """The distance of the faces in two batches of crops, in thresholds."""
    return surrogate.distance(*(surrogate.embed(SOURCE.with_crops(crops)) for crops in (first, second)))


def left(surrogate, crops, goal):
    """How far it still is to the goal."""
    leaving = (SEARCH.margin - apart(surrogate, crops, SOURCE.crops)).relu()
    nearing = (apart(surrogate, crops, TARGET.crops) - SEARCH.closeness).relu()
    return goal.away * leaving + goal.towards * nearing


def search(goal=GOALS["pure dodging"], *, seed=0, models=None, words=None, **settings):
    """The changed faces and the steps of a search with still views."""
    steps = []
    attack = LatentSearch(tiny.invert, models or surrogates(), replace(SEARCH, **{"views": STILL, **settings}), words)
    return attack(SOURCE, goal, rng=numbers(seed), watch=steps.append), steps


def loss(step, name):
    """What that surrogate has against the faces."""
    (value,) = (value for key, value in step.losses.items() if key.startswith(name))
    return value


def test_a_goal_that_is_reached_at_once_stops_the_search_and_changes_nothing():
    somebody_else = Goal.dodge(TARGET, TARGET, towards=0.0)
    changed, steps = search(somebody_else, margin=0.05, patience=3)
    assert len(steps) == 3
    assert {step.total for step in steps} == {SEARCH.steps}
    assert torch.equal(changed, SOURCE.crops)


def test_the_search_stops_once_every_surrogate_has_been_where_it_should_for_long_enough():
    _, steps = search(margin=0.5, steps=60, patience=4, change=0.0)
    reached = [loss(step, "linear0") == loss(step, "linear1") == 0 for step in steps]
    assert len(steps) < 60
    assert reached[-4:] == [True] * 4
    assert not any(all(reached[start : start + 4]) for start in range(len(reached) - 4))


def test_recognisers_take_turns():
    _, steps = search(turns=2, steps=6, margin=9.0)
    seen = [{name.split()[0] for name in step.losses} - {"change"} for step in steps]
    assert seen == [{"linear0"}, {"linear1"}] * 3


def test_with_more_turns_than_recognisers_each_has_one():
    _, steps = search(turns=5, steps=4, margin=9.0)
    assert [len([name for name in step.losses if name.startswith("linear")]) for step in steps] == [1] * 4


def test_one_surrogate_that_still_matches_keeps_the_search_going():
    stubborn = surrogates()
    stubborn[1] = replace(stubborn[1], threshold=-999.0)  # nobody is far enough apart for it
    _, steps = search(margin=0.5, steps=30, patience=4, change=0.0, models=stubborn)
    assert len(steps) == 30
    assert any(loss(step, "linear0") == 0 for step in steps)
    assert all(loss(step, "linear1") > 0 for step in steps)


def painted(faces, *, watch=ignore):
    """A face whose latents are its pixels: each may change by itself."""
    return Inversion(torch.zeros_like(faces.crops), Painted(faces))


def test_less_is_changed_where_people_know_a_face_by():
    face = Faces(SOURCE.crops, SOURCE.points, (sitters().landmarks[:2] + 0.5) * tiny.SIZE / 256 - 0.5)
    dear = dearness(face)

    def dearly(weight):
        searched = replace(SEARCH, views=STILL, change=300.0, features=weight, chance=0.0)
        attack = LatentSearch(painted, surrogates(), searched)
        change = (attack(face, GOALS["pure dodging"], rng=numbers()) - face.crops).square()
        return float((dear * change).sum() / change.sum())

    assert dearly(9.0) < 0.9 * dearly(0.0)


def test_a_face_keeps_the_impression_that_it_makes():
    known = [replace(one, impressions=2 * torch.randn(8, len(RATINGS), generator=numbers(7))) for one in surrogates()]

    def astray(**settings):
        changed, _ = search(models=known, margin=0.8, change=0.0, steps=40, **settings)
        assert all((apart(one, changed, SOURCE.crops) > 0.5).all() for one in known)
        return sum(
            float(strayed((one.embed(SOURCE.with_crops(changed)) - one.embed(SOURCE)) @ one.impressions).sum())
            for one in known
        )

    assert astray(keep=1.0) < 0.5 * astray(keep=0.0)


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
    settings = replace(SEARCH, chance=0.02)
    dial = [settings.at(turn / 10) for turn in range(11)]
    assert all(weaker.change > stronger.change for weaker, stronger in pairwise(dial))
    assert all(weaker.margin < stronger.margin for weaker, stronger in pairwise(dial))
    assert dial[5] == settings
    assert all(weaker.chance > stronger.chance for weaker, stronger in pairwise(dial))
    turned = ("change", "margin", "chance")
    for settings in dial:
        assert all(
            getattr(settings, each.name) == getattr(dial[5], each.name)
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
        ("last_rate", 0.0),
        ("last_rate", 1.1),
        ("masking", 0.0),  # detail is divided by it
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(BadSetting, match=rf"search\.{name}: must "):
        replace(SEARCH, **{name: value})


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


def test_recognisers_share_one_weight():
    one, three = (search(recognition=weight, steps=1)[1][0] for weight in (1.0, 3.0))
    for name in ("linear0", "linear1"):
        assert loss(three, name) == pytest.approx(3 * loss(one, name))


@pytest.mark.parametrize(("weight", "moves"), [(0.0, True), (1e4, False)], ids=["free", "held back"])
def test_noise_is_free_unless_it_has_a_weight_of_its_own(weight, moves):
    ends = []

    def noisy(faces, *, watch=ignore):
        return replace(tiny.invert(faces), noise=3)

    settings = replace(SEARCH, views=STILL, change=0.0, latent=1e4, noise=weight)
    LatentSearch(noisy, surrogates(), settings)(
        SOURCE, GOALS["dodging"], rng=numbers(), watch=lambda step: ends.append(step.candidate.latents.detach())
    )
    styles, noise = ends[-1].abs().split([5, 3], 1)
    # Adam takes steps of its rate where nothing pulls back, and few of them where something does.
    assert styles.mean() < 0.2
    assert (noise.mean() > 0.5) == moves


# Words


def wording(changed, **settings):
    """What the words have against the faces, seen straight on."""
    term = terms.directional(WORDS, SOURCE.crops, view=lambda images: images)
    return term(Candidate(changed, changed)).sum().item()


def test_watch_sees_what_the_words_say():
    _, steps = search(words=WORDS, perspective=0.0, text=0.25)
    assert all(len(step.losses) == 4 for step in steps)
    for step in steps[1:]:
        assert step.losses["text"] == pytest.approx(0.25 * wording(step.candidate.images), rel=1e-4)


def test_the_released_code_s_term_may_take_the_paper_s_place():
    _, steps = search(words=WORDS, perspective=0.0, text=0.25, text_loss="contrastive")
    term = terms.contrastive(WORDS, SOURCE.crops, view=lambda images: images)
    for step in steps:
        assert step.losses["text"] == pytest.approx(0.25 * term(step.candidate).sum().item(), rel=1e-3)


def test_each_step_sees_the_face_from_another_side():
    (first, second), still = (
        (
            [step.losses["text"] for step in search(words=WORDS, rate=0.0, perspective=0.3, seed=seed)[1]]
            for seed in (0, 1)
        ),
        search(words=WORDS, rate=0.0, perspective=0.0)[1],
    )
    assert len(set(first)) == len(first)
    assert first != second
    assert len({step.losses["text"] for step in still}) == 1


def test_with_words_the_face_comes_to_look_like_them():
    silent, spoken = (wording(search(words=WORDS, steps=30, text=text)[0]) for text in (0.0, 3.0))
    assert spoken < silent - 0.2


def test_the_search_ends_early_although_words_are_never_content():
    _, steps = search(words=WORDS, margin=0.5, steps=60, patience=4, change=0.0)
    reached = [loss(step, "linear0") == loss(step, "linear1") == 0 for step in steps]
    assert len(steps) < 60
    assert reached[-4:] == [True] * 4
    assert all(step.losses["text"] > 0 for step in steps)


def test_words_take_no_random_numbers_of_the_surrogates_away():
    # The same views with and without: at a rate of nothing the surrogates say the same.
    views = replace(STILL, shift=0.05, light=0.1)
    without, with_words = (search(words=words, rate=0.0, views=views)[1] for words in (None, WORDS))
    assert [loss(step, "linear1") for step in without] != [loss(step, "linear1") for step in with_words]
    assert "text" not in without[0].losses


def test_no_words_no_text_model():
    model = LinearText()
    search(words=None)
    assert (model.pictures, model.sentences) == (0, [])


# Crops larger than those that are looked at

LARGE = replace(SOURCE, **{name: getattr(faces(2, seed=1, size=48), name) for name in vars(SOURCE)})


class Recorded:
    """An inverter that keeps the faces that it was given and the latents that its generators were."""

    def __init__(self, start=None):
        self.faces, self.latents, self.start = [], [], start

    def __call__(self, faces, *, watch=ignore):
        self.faces.append(faces)
        inversion = tiny.invert(faces)
        seen = []
        self.latents.append(seen)
        inversion.generator.register_forward_pre_hook(lambda module, args: seen.append(args[0].detach().clone()))
        return Inversion(inversion.latents if self.start is None else self.start, inversion.generator)


def on_large(inverter, *, size=tiny.SIZE, seed=0, source=LARGE, **settings):
    """What becomes of large crops, and the steps."""
    steps = []
    attack = LatentSearch(inverter, surrogates(), replace(SEARCH, **settings), size=size)
    return attack(source, Goal.dodge(source, TARGET, towards=0.5), rng=numbers(seed), watch=steps.append), steps


def test_larger_crops_come_back_at_their_own_size_with_the_same_latents():
    inverter = Recorded()
    changed, steps = on_large(inverter)
    assert changed.shape == LARGE.crops.shape
    assert {step.candidate.images.shape[-1] for step in steps} == {tiny.SIZE}
    assert [seen.crops.shape[-1] for seen in inverter.faces] == [tiny.SIZE, LARGE.crops.shape[-1]]
    (final,) = inverter.latents[1]
    assert torch.equal(changed, tiny.Paint(LARGE)(final))
    # They are those of the search on the small crops alone.
    small = resized(LARGE, tiny.SIZE)
    alone, _ = on_large(tiny.invert, source=small)
    torch.testing.assert_close(alone, tiny.Paint(small)(final))
    torch.testing.assert_close(resized(LARGE.with_crops(changed), tiny.SIZE).crops, alone)


def test_what_is_looked_at_is_the_mean_of_the_pixels():
    inverter = Recorded()
    on_large(inverter)
    expected = LARGE.crops.unfold(2, 3, 3).unfold(3, 3, 3).mean((-2, -1))
    torch.testing.assert_close(inverter.faces[0].crops, expected)
    assert inverter.faces[1] is LARGE


def test_crops_of_the_size_that_is_looked_at_are_searched_as_if_none_were_named():
    first, second = (on_large(tiny.invert, size=size, source=SOURCE)[0] for size in (tiny.SIZE, None))
    assert torch.equal(first, second)
    inverter = Recorded()
    on_large(inverter, source=SOURCE)
    assert len(inverter.faces) == 1
    assert inverter.faces[0] is SOURCE


def test_a_change_is_what_differs_from_where_the_search_starts():
    # A start other than the face itself, such as one that is made up, costs nothing.
    start = torch.full((2, 8), 0.5)
    changed, steps = on_large(Recorded(start), source=SOURCE, rate=0.0)
    assert steps[0].losses["change"] == 0
    torch.testing.assert_close(changed, tiny.Paint(SOURCE)(start))
    assert not torch.equal(changed, SOURCE.crops)


# An inverter that takes steps


@dataclass(frozen=True)
class Stepping:
    """An inverter that tells so many of its steps, of which it takes only the first few if it is soon done."""

    steps: int
    taken: int

    def __call__(self, faces, *, watch=ignore):
        inversion = tiny.invert(faces)
        for index in range(self.taken):
            watch(Step(index, self.steps, {"tuning": 0.5}, Candidate(faces.crops, inversion.latents)))
        return inversion


def told(inverter, *, source=SOURCE, **settings):
    """The steps that are told of an inverter's work and a search."""
    return on_large(inverter, source=source, steps=4, **settings)[1]


@pytest.mark.parametrize("scouts", [0, 3])
def test_the_inverter_s_steps_and_the_search_s_are_told_as_one_count(scouts):
    steps = told(Stepping(5, taken=5), scouts=scouts)
    assert [(step.index, step.total) for step in steps] == [(index, 9) for index in range(9)]
    assert [step.losses.keys() == {"tuning"} for step in steps] == [True] * 5 + [False] * 4


def test_steps_that_an_inverter_leaves_out_are_left_out_of_the_count():
    # The total stands from the first step, so that a bar moves on and never back.
    steps = told(Stepping(5, taken=2))
    assert [(step.index, step.total) for step in steps] == [(index, 9) for index in (0, 1, 5, 6, 7, 8)]


def test_an_inverter_that_takes_no_steps_is_not_told_of():
    plain, stepping = told(tiny.invert), told(Stepping(0, taken=0))
    assert [(step.index, step.total) for step in plain] == [(index, 4) for index in range(4)]
    assert [step.losses for step in stepping] == [step.losses for step in plain]


def test_only_the_inversion_that_is_searched_is_told_of():
    # Larger crops are inverted once more in the end, when the steps are over.
    steps = told(Stepping(5, taken=5), source=LARGE)
    assert [(step.index, step.total) for step in steps] == [(index, 9) for index in range(9)]
    assert {step.candidate.images.shape[-1] for step in steps} == {tiny.SIZE}


def test_a_step_of_the_inverter_is_told_as_it_was_but_for_the_count():
    seen, given = [], []

    def inverter(faces, *, watch=ignore):
        inversion = tiny.invert(faces)
        given.append(Step(0, 1, {"tuning": 0.25}, Candidate(faces.crops, inversion.latents)))
        watch(given[0])
        return inversion

    LatentSearch(inverter, surrogates(), SEARCH)(SOURCE, GOALS["dodging"], rng=numbers(), watch=seen.append)
    assert seen[0].candidate is given[0].candidate
    assert (seen[0].losses, seen[0].index, seen[0].total) == ({"tuning": 0.25}, 0, 1 + SEARCH.steps)
