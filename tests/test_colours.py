"""The colours of the captions: which names there are, which are held out, and their families."""

import importlib
import random
from pathlib import Path

import pytest
import torch

TRAINING = Path(__file__).parent.parent / "training"


@pytest.fixture(scope="module")
def colours():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TRAINING)
        return importlib.import_module("colours")


@pytest.mark.parametrize(
    ("name", "family"),
    [
        *(
            (name, name)
            for name in ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "grey")
        ),
        ("burgundy", "red"),
        ("navy", "blue"),
        ("gold", "yellow"),
        ("silver", "grey"),
        ("teal", "turquoise"),
        ("plum", "purple"),
        ("nude", "brown"),
        ("fuchsia", "pink"),
        ("dark red", "red"),
        ("sky blue", "blue"),
    ],
)
def test_families_are_those_that_people_see(colours, name, family):
    assert colours.family({**colours.SURVEY, **colours.COLOURS}[name]) == family
    assert len(colours.FAMILIES) == 12


def test_lab_of_known_colours(colours):
    # white, black and sRGB's red, as colorimetry tables have them
    found = colours.lab(torch.tensor([(1, 1, 1), (0, 0, 0), (1, 0, 0)], dtype=torch.float64))
    known = torch.tensor([[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20]], dtype=torch.float64)
    torch.testing.assert_close(found, known, rtol=0, atol=0.05)


def test_about_an_eighth_of_the_survey_is_held_out(colours):
    share = len(colours.HELD_OUT_COLOURS) / len(colours.SURVEY)
    assert 0.10 < share < 0.14
    assert len({colours.family(rgb) for rgb in colours.HELD_OUT_COLOURS.values()}) >= 9


def test_vulgar_names_are_left_out(colours):
    words = {word for name in colours.SURVEY for word in name.split()}
    assert not words & {"poo", "poop", "shit", "puke", "snot", "piss", "barf", "vomit", "booger", "diarrhea"}
    assert len(colours.SURVEY) > 800


def test_what_two_words_mean_is_near_what_the_survey_says(colours):
    first = {*colours.MODIFIED, *(word for words in colours.TINTS.values() for word in words)}
    pairs = [name.split() for name in colours.SURVEY if name.count(" ") == 1]
    found = [pair for pair in pairs if pair[0] in first and pair[1] in colours.SURVEY_COLOURS]
    said, mixed, plain = (
        colours.lab(torch.tensor([value(*pair) for pair in found]))
        for value in (
            lambda first, base: colours.SURVEY[f"{first} {base}"],
            colours.mixed,
            lambda _, base: colours.SURVEY[base],
        )
    )
    far, without = ((said - other).norm(dim=1).median() for other in (mixed, plain))
    assert len(found) > 250
    assert far < 16
    assert far < 0.6 * without


def test_composed_names_are_two_words_or_one(colours):
    rng = random.Random(0)
    names = [colours.composed(rng) for _ in range(300)]
    assert {name.count(" ") for name, _ in names} == {0, 1}
    assert len(set(names)) > 200
    assert all(0 <= level <= 1 for _, value in names for level in value)
