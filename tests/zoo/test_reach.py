"""Where a change may be, on drawn faces: all of it on skin, nothing on eyes, teeth and what covers the skin."""

import cv2
import numpy as np
import pytest
from sitters import sitter

from kohl.makeup.face_map import FaceMap
from kohl.zoo.generators.reach import SHADOW, facing, reach

LANDMARKS = sitter(0).landmarks[0].double().numpy()
SKINS = {"pale": (0.93, 0.78, 0.70), "brown": (0.55, 0.38, 0.29), "dark": (0.30, 0.19, 0.14)}
BROW, CHEEK, FOREHEAD, CHIN = (LANDMARKS[list(part)].mean(0) for part in ((19, 24), (2, 31), (21, 22), (8, 57)))
FOREHEAD = FOREHEAD - (0, 18)


def skin(name, light=1.0):
    """A face of one skin under a `light` (256, 256) or of one brightness, with a little grain."""
    grain = 0.004 * np.random.RandomState(0).randn(256, 256, 1)
    return np.clip(np.array(SKINS[name]) * np.broadcast_to(light, (256, 256))[..., None] + grain, 0, 1)


def found(pixels):
    return reach(FaceMap(pixels.astype(np.float32), LANDMARKS))


def at(image, place):
    x, y = np.round(place).astype(int)
    return float(image[y - 1 : y + 2, x - 1 : x + 2].mean())


def covered(name, colour, shape):
    """The share of a change that is left where a shape of that colour lies on the face: its mean over the shape."""
    pixels, mask = skin(name), np.zeros((256, 256), np.uint8)
    shape(mask)
    pixels[mask > 0] = colour
    inner = cv2.erode(mask, np.ones((3, 3))) if (cv2.erode(mask, np.ones((3, 3))) > 0).any() else mask
    return found(pixels).share[inner > 0].mean() / found(skin(name)).share[inner > 0].mean()


@pytest.mark.parametrize("name", SKINS)
def test_bare_skin_takes_all_of_a_change(name):
    share = found(skin(name)).share
    for place in (CHEEK, FOREHEAD, CHIN, LANDMARKS[30]):
        assert at(share, place) > 0.9


@pytest.mark.parametrize("name", SKINS)
def test_eyes_and_teeth_take_none(name):
    share = found(skin(name)).share
    for part in (range(36, 42), range(42, 48)):
        assert at(share, LANDMARKS[list(part)].mean(0)) < 0.02
    inner = np.zeros((256, 256), np.uint8)
    cv2.fillPoly(inner, [np.round(LANDMARKS[60:68]).astype(np.int32)], 1)
    assert share[cv2.erode(inner, np.ones((3, 3))) > 0].max(initial=0) < 0.3


def fringe(mask):
    mask[: int(FOREHEAD[1]) + 6] = 1


def lock(mask):
    cv2.line(mask, (60, 40), (110, 200), 1, 6)


def frames(mask):
    for part in (range(36, 42), range(42, 48)):
        x, y = np.round(LANDMARKS[list(part)].mean(0)).astype(int)
        cv2.ellipse(mask, (int(x), int(y)), (24, 18), 0, 0, 360, 1, 3)


def hat(mask):
    mask[: int(BROW[1]) - 8] = 1


def hand(mask):
    cv2.ellipse(mask, tuple(np.round(CHIN).astype(int).tolist()), (50, 30), 0, 0, 360, 1, -1)


@pytest.mark.parametrize(
    ("name", "colour", "shape"),
    [
        ("pale", (0.12, 0.09, 0.08), fringe),
        ("pale", (0.35, 0.22, 0.12), lock),
        ("pale", (0.08, 0.08, 0.09), frames),
        ("pale", (0.70, 0.10, 0.10), frames),
        ("pale", (0.20, 0.30, 0.60), hat),
        ("brown", (0.05, 0.04, 0.04), fringe),
        ("brown", (0.08, 0.08, 0.08), frames),
        ("brown", (0.85, 0.85, 0.85), hat),
        ("brown", (0.15, 0.45, 0.30), hand),  # in a glove
        ("dark", (0.02, 0.02, 0.02), lock),
        ("dark", (0.75, 0.70, 0.10), hat),
        ("dark", (0.60, 0.60, 0.62), frames),
    ],
)
def test_what_covers_the_skin_takes_hardly_any(name, colour, shape):
    assert covered(name, colour, shape) < 0.25


def test_hair_of_the_skins_own_colour_takes_hardly_any():
    # A fringe of strands two pixels wide, on average as light as the skin; the forehead between them is not seen.
    pixels, rows = skin("pale"), slice(None, int(FOREHEAD[1]) + 6)
    strands = np.where(np.arange(256) // 2 % 2, 1.06, 0.94)
    pixels[rows] = np.clip(pixels[rows] * strands[:, None], 0, 1)
    assert at(found(pixels).share, FOREHEAD) < 0.25 * at(found(skin("pale")).share, FOREHEAD)
    assert at(found(pixels).share, CHEEK) > 0.9


def test_furrows_are_skin_still():
    furrows = 1 + 0.06 * np.sin(np.arange(256) / 256 * 2 * np.pi * 20)[:, None]  # ten or so on a forehead
    assert at(found(skin("pale", furrows)).share, FOREHEAD) > 0.8


@pytest.mark.parametrize("name", SKINS)
def test_a_change_ends_softly_towards_the_hair(name):
    column = found(skin(name)).share[: int(FOREHEAD[1]) + 1, int(FOREHEAD[0])]
    assert column[0] == 0
    assert np.diff(column).max() < 0.08


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_face_that_is_all_black_or_white_has_a_reach_too(level):
    assert np.isfinite(found(np.full((256, 256, 3), level)).share).all()


@pytest.mark.parametrize("name", SKINS)
def test_shade_and_shine_are_skin_still(name):
    across = np.linspace(0.45, 1.15, 256)[None, :]
    share = found(skin(name, across)).share
    assert min(at(share, LANDMARKS[2] * 0.6 + LANDMARKS[31] * 0.4), at(share, CHIN), at(share, LANDMARKS[29])) > 0.85


def test_only_the_skin_above_the_lips_may_not_darken():
    shadow = found(skin("pale")).shadow
    assert at(shadow, LANDMARKS[[33, 51]].mean(0)) == pytest.approx(SHADOW, abs=0.01)
    for place in (CHEEK, FOREHEAD, LANDMARKS[30], CHIN):
        assert at(shadow, place) > 0.95


def test_lids_and_lips_take_no_colour():
    colour = found(skin("pale")).colour
    assert at(colour, LANDMARKS[[48, 54, 51, 57]].mean(0)) < 0.02
    assert at(colour, LANDMARKS[[19, 37]].mean(0)) < 0.02 < at(colour, CHEEK)


@pytest.mark.parametrize("side", [-1, 1])
def test_the_far_half_of_a_turned_head_takes_less(side):
    turned, bridge = LANDMARKS.copy(), LANDMARKS[27, 0]
    far = side * (turned[:, 0] - bridge) > 0
    turned[far, 0] = bridge + 0.15 * (turned[far, 0] - bridge)
    share = facing(FaceMap(skin("pale").astype(np.float32), turned))
    near_cheek, far_cheek = LANDMARKS[[2, 14]][::side] * 0.6 + LANDMARKS[[31, 35]][::side] * 0.4
    assert at(share, near_cheek) == 1
    assert at(share, far_cheek) < 0.5
    assert np.abs(np.diff(share, axis=1)).max() < 0.06  # and no line between them
    assert facing(FaceMap(skin("pale").astype(np.float32), LANDMARKS)).min() == 1
