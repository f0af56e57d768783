"""Colours by name and what words make of them: against scikit-image, and by hand."""

import numpy as np
import pytest
from PIL import ImageColor
from skimage.color import rgb2lab

from kohl.makeup.words import colours, tables
from kohl.makeup.words.colours import Shade

SOME = [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (0.9, 0.1, 0.2), (0.02, 0.3, 0.7), (0.4, 0.9, 0.1)]


@pytest.mark.parametrize("rgb", SOME)
def test_cielab_is_that_of_scikit_image_and_comes_back(rgb):
    np.testing.assert_allclose(colours.lab(rgb), rgb2lab(np.array(rgb)), atol=0.05)
    np.testing.assert_allclose(colours.srgb(colours.lab(rgb)), rgb, atol=2e-3)


def test_a_colour_that_no_screen_has_keeps_its_lightness_and_hue():
    light, a, b = colours.lab(colours.srgb((50.0, 120.0, 60.0)))
    assert light == pytest.approx(50, abs=1.5)
    assert b / a == pytest.approx(0.5, abs=0.05)


def test_css_names_are_known_unless_they_mean_something_else_to_most_people():
    names = colours.names()
    assert set(ImageColor.colormap) <= set(names)
    assert names["rebeccapurple"] == colours.parsed("#663399")
    assert names["chocolate"] != colours.parsed(ImageColor.colormap["chocolate"])


def test_a_name_that_the_model_has_not_learned_is_told_as_the_nearest_that_it_has():
    assert colours.known("red", colours.names()["red"]) == "red"
    found = colours.known("#e60101", colours.parsed("#e60101"))
    assert colours.apart(colours.learned()[found], colours.names()["red"]) < 3


@pytest.mark.parametrize("word", tables.shades())
def test_every_shade_gives_a_colour(word):
    for rgb in SOME:
        for much in (0.4, 1.0, 1.7):
            assert all(0 <= level <= 1 for level in tables.shades()[word].of(rgb, much))


def test_a_shade_goes_so_far_towards_a_lightness():
    grey = colours.srgb((40.0, 0.0, 0.0))
    assert colours.lab(Shade(to=100, by=0.5, chroma=1).of(grey))[0] == pytest.approx(70, abs=0.5)
    red = (0.6, 0.2, 0.2)
    assert colours.chroma(Shade(to=50, by=0, chroma=0.5).of(red)) == pytest.approx(colours.chroma(red) / 2, rel=0.03)


def test_within_bounds_nothing_changes_and_beyond_them_it_is_the_bound():
    rose = colours.names()["rose"]
    assert colours.within(rose, {"light": (0, 100)}) == pytest.approx(rose, abs=2e-3)
    assert colours.lab(colours.within((0.05, 0.0, 0.0), {"light": (40, 100)}))[0] == pytest.approx(40, abs=0.5)
    assert colours.chroma(colours.within((0.9, 0.1, 0.1), {"chroma": (0, 30)})) == pytest.approx(30, abs=1)
