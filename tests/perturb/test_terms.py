"""What the terms of the search say, against the same sums by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import STILL, LinearEncoder, faces, numbers, surrogates

from kohl.perturb.terms import Surrogate, change, recognition
from kohl.types import Candidate, Goal

SOURCE, TARGET = faces(2, seed=1), faces(2, seed=2)
WEIGHTS = (0.299, 0.587, 0.114)  # BT.601


def candidate(images):
    return Candidate(images, torch.zeros(len(images), 1))


def term(goal, surrogate, *, margin=1.6, closeness=0.7, views=STILL, seed=0):
    return recognition(surrogate, goal, margin=margin, closeness=closeness, views=views, rng=numbers(seed))


def embedding(crops, encoder):
    """By hand, (n, 8)."""
    rows = (crops.double().numpy() - 0.5).reshape(len(crops), -1) @ encoder.weight.double().numpy()
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def distance(first, second, encoder, threshold):
    """By hand, in thresholds, (n,)."""
    cosine = (embedding(first, encoder) * embedding(second, encoder)).sum(1)
    return (1 - cosine) / (1 - threshold)


@pytest.mark.parametrize(
    "goal",
    [
        Goal.dodge(SOURCE, TARGET, towards=0.5),
        Goal.dodge(SOURCE, TARGET, towards=0.0),
        Goal.impersonate(SOURCE, TARGET),
        Goal(SOURCE, TARGET, away=2.0, towards=3.0),
    ],
    ids=["dodge", "pure dodge", "impersonate", "both"],
)
def test_recognition_is_two_hinges_on_distances_in_thresholds(goal):
    encoder, images = LinearEncoder(), faces(2, seed=3).crops
    found = term(goal, Surrogate(encoder, 0.4), margin=1.5, closeness=0.3)(candidate(images))
    leaving = np.maximum(1.5 - distance(images, SOURCE.crops, encoder, 0.4), 0)
    nearing = np.maximum(distance(images, TARGET.crops, encoder, 0.4) - 0.3, 0)
    assert (nearing > 0).all()
    np.testing.assert_allclose(found, goal.away * leaving + goal.towards * nearing, rtol=1e-4)


def test_every_face_to_avoid_is_left_like_the_source():
    (surrogate,), goal, images = surrogates(1), Goal.dodge(SOURCE, TARGET, towards=0.5), faces(2, seed=3).crops
    other = faces(2, seed=4)
    found = recognition(surrogate, goal, (other,), weight=0.25, margin=4.0, closeness=0.3, views=STILL, rng=numbers())(
        candidate(images)
    )
    hinges = term(goal, surrogate, margin=4.0, closeness=0.3)(candidate(images))
    hinges += term(Goal.dodge(other, TARGET, towards=0.0), surrogate, margin=4.0)(candidate(images))
    torch.testing.assert_close(found, 0.25 * hinges)


def test_recognition_of_the_face_itself_is_the_margin():
    (surrogate,) = surrogates(1)
    away = term(Goal.dodge(SOURCE, TARGET, towards=0.0), surrogate, margin=1.6)
    torch.testing.assert_close(away(candidate(SOURCE.crops)), torch.full((2,), 1.6), atol=1e-5, rtol=0)


def test_recognition_is_zero_where_both_distances_are_reached():
    (surrogate,) = surrogates(1)
    reached = term(Goal.dodge(SOURCE, TARGET, towards=1.0), surrogate, margin=0.01, closeness=0.01)
    assert not reached(candidate(TARGET.crops)).any()


def test_a_threshold_is_one_unit_of_distance():
    surrogate = Surrogate(LinearEncoder(), 0.36)
    first, second = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.36, (1 - 0.36**2) ** 0.5]])
    torch.testing.assert_close(surrogate.distance(first, second), torch.ones(1))


def test_a_batch_is_its_faces_one_by_one():
    (surrogate,), images = surrogates(1), faces(2, seed=3).crops
    both = term(Goal.dodge(SOURCE, TARGET), surrogate)(candidate(images))
    for index in (0, 1):
        source, target = (f.with_crops(f.crops[index : index + 1]) for f in (SOURCE, TARGET))
        alone = term(Goal.dodge(source, target), surrogate)(candidate(images[index : index + 1]))
        torch.testing.assert_close(alone, both[index : index + 1])


def test_every_call_is_a_new_view_and_the_seed_decides_which():
    (surrogate,), goal = surrogates(1), Goal.dodge(SOURCE, TARGET)
    views = replace(STILL, shift=0.05, rotation=0.1, light=0.1)
    first, same, other = (term(goal, surrogate, views=views, seed=seed) for seed in (0, 0, 1))
    one, two = (first(candidate(SOURCE.crops)) for _ in range(2))
    assert not torch.equal(one, two)
    assert torch.equal(one, same(candidate(SOURCE.crops)))
    assert not torch.equal(one, other(candidate(SOURCE.crops)))


def test_the_goal_is_embedded_once_and_not_in_the_loop():
    (surrogate,) = surrogates(1)
    built = term(Goal.dodge(SOURCE, TARGET), surrogate)
    at_first = surrogate.encoder.calls
    for _ in range(5):
        built(candidate(SOURCE.crops))
    assert surrogate.encoder.calls == at_first + 5


def test_the_gradient_leads_away_from_the_source():
    (surrogate,) = surrogates(1)
    away = term(Goal.dodge(SOURCE, TARGET, towards=0.0), surrogate)
    images = faces(2, seed=3).crops.lerp(SOURCE.crops, 0.8).requires_grad_()
    (gradient,) = torch.autograd.grad(away(candidate(images)).sum(), images)
    assert (away(candidate(images - 0.01 * gradient.sign())) < away(candidate(images))).all()


def test_no_change_costs_nothing():
    crops = faces(2).crops
    assert not change(crops, colour=3.0, masking=0.03)(candidate(crops)).any()


FLAT = torch.full((1, 3, 24, 24), 0.5)


@pytest.mark.parametrize(
    ("step", "brightness", "cb", "cr"),
    [
        ((0.1, 0.1, 0.1), 0.1, 0.0, 0.0),
        ((-0.2, -0.2, -0.2), 0.2, 0.0, 0.0),
        ((0.0, 0.0, 0.1), 0.0114, 0.564 * 0.0886, 0.713 * 0.0114),
        ((0.1, 0.0, 0.0), 0.0299, 0.564 * 0.0299, 0.713 * 0.0701),
        ((0.1, -0.1 * 0.299 / 0.587, 0.0), 0.0, 0.0, 0.0713),
    ],
    ids=["grey", "darker", "blue", "red", "colour alone"],
)
@pytest.mark.parametrize("colour", [0.0, 1.0, 3.0])
def test_a_step_on_a_flat_face_costs_its_square_and_colour_by_its_weight(step, brightness, cb, cr, colour):
    seen = change(FLAT, colour=colour, masking=0.03)(candidate(FLAT + torch.tensor(step).view(3, 1, 1)))
    assert seen.item() == pytest.approx(brightness**2 + colour * (cb**2 + cr**2), rel=1e-4, abs=1e-12)


def checked(columns, contrast):
    """A chequerboard of that contrast in the last columns of a flat face; its detail is the contrast."""
    y, x = torch.meshgrid(torch.arange(24), torch.arange(48), indexing="ij")
    board = contrast * (1 - 2 * ((x + y) % 2)) * (x >= 48 - columns)
    return 0.5 + board.float().expand(1, 3, -1, -1)


def dotted(crops, column):
    """The cost of one pixel a little brighter."""
    spot = crops.clone()
    spot[..., 12, column] += 0.01
    return candidate(spot)


def test_detail_of_the_masking_s_size_hides_half_of_a_change():
    crops = checked(columns=24, contrast=0.08)
    cost = change(crops, colour=3.0, masking=0.08)
    assert (cost(dotted(crops, 8)) / cost(dotted(crops, 40))).item() == pytest.approx(2, rel=0.01)


def test_only_where_the_face_has_more_detail_than_elsewhere_counts():
    # Weights have mean one: a face that is equally busy everywhere is like a flat one.
    busy = checked(columns=48, contrast=0.08)
    cost = change(busy, colour=3.0, masking=0.03)(candidate(busy + 0.1))
    assert cost.item() == pytest.approx(0.01, rel=1e-3)


def test_a_batch_of_changes_is_its_faces_one_by_one():
    crops, images = torch.cat([faces(1).crops, faces(1, seed=5).crops.round()]), faces(2, seed=6).crops
    both = change(crops, colour=3.0, masking=0.03)(candidate(images))
    alone = [change(crops[i : i + 1], colour=3.0, masking=0.03)(candidate(images[i : i + 1])) for i in (0, 1)]
    assert both.shape == (2,)
    torch.testing.assert_close(torch.cat(alone), both)
