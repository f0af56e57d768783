"""One search, every strength: more of it is more change, less chance, and never another search."""

from dataclasses import replace

import bundled
import numpy as np
import pytest
import site_server
import tiny
from photos import SAMPLE

from kohl import dial
from kohl.errors import BadSetting, NoFace

STEPS = 20  # enough for more change than is needed
SEARCHED = replace(site_server.QUICK, text="red lipstick", search=replace(site_server.QUICK.search, steps=STEPS))


@pytest.fixture(scope="module")
def turned():
    steps = []
    made = dial.dial(SAMPLE, 0, bundled.house(SEARCHED), watch=steps.append)
    return made, steps


def test_more_strength_is_more_change_and_less_chance(turned):
    made, _ = turned
    shown = [made(strength) for strength in (0, 0.5, 1)]
    changed = [np.abs(pixels.astype(int) - made.tile).mean() for pixels, _ in shown]
    assert changed == sorted(changed)
    assert changed[0] < changed[2]
    chances = [chance for _, chance in shown]
    assert chances == sorted(chances, reverse=True)
    assert all(pixels.shape == (dial.SIDE, dial.SIDE, 3) for pixels, _ in shown)


def test_turning_searches_no_more(turned):
    made, steps = turned
    searched = len(steps)
    made(0.3)
    assert searched == len(steps) == STEPS


def test_beside_the_face_nothing_changes(turned):
    made, _ = turned
    pixels, _ = made(1)
    assert (pixels[:20] == made.tile[:20]).all()


def test_what_cannot_be_turned_is_refused(tmp_path):
    photo = tiny.picture(tmp_path / "photo.png")
    with pytest.raises(BadSetting, match="only the latent search"):
        dial.dial(photo, 0, tiny.house(attack=tiny.Tint()))
    with pytest.raises(NoFace):
        dial.dial(SAMPLE, 5, bundled.house(site_server.QUICK))
