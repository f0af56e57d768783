"""The strength for a PSNR: against curves whose answer is known."""

import math

import pytest

from kohl.bench.equal import CLOSE, TRIES, strength_at


class Curve:
    """A PSNR by strength that counts how often it was asked."""

    def __init__(self, of):
        self.of, self.asked = of, []

    def __call__(self, strength):
        self.asked.append(strength)
        return self.of(strength)


@pytest.mark.parametrize("wanted", [28.0, 31.0, 34.0, 37.0, 39.0])
@pytest.mark.parametrize(
    "of",
    [
        lambda s: 42 - 24 * s,
        lambda s: 40 - 8 * s**0.5 - 8 * s,
        lambda s: 45 - 20 * s**3,
        lambda s: 41 - 14 / (1 + math.exp(-9 * (s - 0.6))),
    ],
)
def test_the_answer_of_a_falling_curve(of, wanted):
    curve = Curve(of)
    strength, reached = strength_at(wanted, curve)
    assert reached == of(strength)
    inside = of(1.0) <= wanted <= of(0.0)
    assert abs(reached - wanted) <= (2 * CLOSE if inside else min(abs(of(end) - wanted) for end in (0, 1)) + 2 * CLOSE)
    assert len(curve.asked) <= TRIES
    assert len(set(curve.asked)) == len(curve.asked)


def test_a_line_that_is_as_expected_takes_two_tries():
    curve = Curve(lambda s: 42 - 24 * s)
    assert strength_at(34.0, curve)[0] == pytest.approx(1 / 3)
    assert curve.asked == [0.5, pytest.approx(1 / 3)]


@pytest.mark.parametrize(("of", "end"), [(lambda s: 30 - s, 0.0), (lambda s: 50 - s, 1.0)])
def test_what_cannot_be_reached_ends_at_the_end_of_the_dial(of, end):
    strength, reached = strength_at(40.0, Curve(of))
    assert strength == end
    assert reached == of(end)


def test_a_flat_and_an_unchanged_face_end_too():
    assert strength_at(34.0, Curve(lambda s: 36.0))[1] == 36.0
    assert strength_at(34.0, Curve(lambda s: math.inf))[1] == math.inf
