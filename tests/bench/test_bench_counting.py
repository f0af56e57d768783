"""What cells say, counted by hand."""

import math

import numpy as np
import pytest

from kohl.bench import counting
from kohl.bench.counting import figure


def cell(*probes, pairs=()):
    """A cell of probes (person, similarities to the others, and so on)."""
    named = [{"person": person, "genuine": genuine, **more} for person, genuine, more in probes]
    return {"probes": named, "pairs": list(pairs)}


def test_the_mean_is_over_all_values_and_seeds_are_kept_apart():
    found = figure([{"a": [1.0, 0.0], "b": [1.0]}, {"a": [0.0, 0.0], "b": [1.0]}])
    assert found.value == pytest.approx(3 / 6)
    assert found.seeds == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert found.spread == pytest.approx(1 / 3)
    assert (found.count, found.people) == (6, 2)


def test_the_interval_draws_people_not_comparisons():
    # Of two people, drawn with replacement, a quarter of the draws hold the first twice and a quarter the second.
    found = figure([{"a": [0.0] * 50, "b": [1.0] * 50}])
    assert (found.low, found.high) == (0.0, 1.0)
    many = figure([{str(index): [float(index % 2)] for index in range(400)}])
    assert (many.low, many.high) == (pytest.approx(0.45, abs=0.01), pytest.approx(0.55, abs=0.01))


def test_the_interval_is_that_of_the_normal_where_there_are_many_people():
    values = np.random.default_rng(1).normal(5, 2, 900)
    found = figure([{str(index): [value] for index, value in enumerate(values)}])
    half = 1.96 * values.std() / 30
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_one_person_has_no_interval_and_nobody_no_mean():
    assert math.isnan(figure([{"a": [1.0, 0.0]}]).low)
    assert math.isnan(figure([{}]).value)
    assert figure([{"a": []}]).count == 0


def test_a_comparison_is_evaded_below_the_threshold_and_none_is_no_comparison():
    found = cell(("a", [0.5, 0.49, None], {}), ("b", [None, None], {}))
    assert counting.evaded(found, 0.5) == {"a": [0.0, 100.0], "b": []}
    assert counting.lost(found) == {"a": [0.0], "b": [100.0]}


def test_the_target_is_matched_from_the_threshold_on():
    found = cell(("a", [0.5], {"targeted": [0.5, 0.49, None]}))
    assert counting.matched_target(found, 0.5) == {"a": [100.0, 0.0]}


def test_ranks():
    found = cell(
        ("a", [1], {"rank": 1, "target rank": 2}), ("a", [1], {"rank": 6, "target rank": 1}), ("b", [1], {"rank": None})
    )
    assert counting.beyond(found, 1) == {"a": [0.0, 100.0], "b": []}
    assert counting.beyond(found, 5) == {"a": [0.0, 100.0], "b": []}
    assert counting.beyond(found, 6) == {"a": [0.0, 0.0], "b": []}
    assert counting.within(found, 1) == {"a": [0.0, 100.0], "b": []}


def test_linked_pairs():
    found = cell(
        ("a", [1], {}), ("a", [1], {}), ("b", [1], {}), ("b", [1], {}), pairs=[[0, 1, 0.5], [2, 3, 0.4], [2, 3, None]]
    )
    assert counting.linked(found, 0.5) == {"a": [100.0], "b": [0.0]}


def test_a_gallery_that_learns_takes_in_what_it_matched_and_then_matches_more():
    # The second result is known from the enrolled photo; the third only from the second; the first and fourth not.
    probes = [("a", [0.1, 0.9], {}), ("a", [0.6], {}), ("a", [0.1], {}), ("a", [0.1], {})]
    pairs = [[0, 1, 0.9], [0, 2, 0.1], [0, 3, 0.9], [1, 2, 0.7], [1, 3, 0.1], [2, 3, 0.2]]
    assert counting.learned(cell(*probes, pairs=pairs), 0.5) == {"a": [0.0, 100.0, 100.0, 0.0]}


def test_a_result_without_a_face_teaches_nothing():
    assert counting.learned(cell(("a", [None], {})), 0.5) == {}
