"""How the curve of `kohl.perturb.chance` is fitted and checked: `training/chance.py` on numbers of a known curve."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from kohl.perturb.chance import Curve

TRAINING = Path(__file__).parent.parent / "training"


@pytest.fixture(scope="module")
def chance():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TRAINING)
        return importlib.import_module("chance")


def drawn(curve, count=20_000):
    """Distances, and whether they match as often as the curve says."""
    numbers = np.random.default_rng(0)
    distances = numbers.uniform(0.8, 1.8, count)
    return distances, (numbers.random(count) < [curve(distance) for distance in distances]).astype(float)


@pytest.mark.parametrize("curve", [Curve(1.1, 9.0), Curve(1.3, 5.0)])
def test_the_curve_that_made_the_numbers_is_found_again(chance, curve):
    middle, slope = chance.fitted(*drawn(curve))
    assert middle == pytest.approx(curve.middle, abs=0.02)
    assert slope == pytest.approx(curve.slope, rel=0.05)


def test_a_bin_says_what_was_said_and_what_came(chance):
    chances = np.array([0.01, 0.015, 0.06, 0.08, 0.97, 1.0])
    matched = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0])
    assert [tuple(round(number, 4) for number in row) for row in chance.reliability(chances, matched)] == [
        (0.0, 0.0125, 0.5, 2),
        (0.05, 0.07, 0.0, 2),
        (0.95, 0.985, 1.0, 2),
    ]
