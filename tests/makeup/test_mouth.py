"""Mouths whose landmarks miss: found again by the colour of lips, and left alone where it says nothing."""

import numpy as np
import pytest
from sitters import NAMES as SITTERS
from sitters import sitter

from kohl.makeup.face_map import FaceMap
from kohl.makeup.lips import lips, upper_half


def mapped(index, down=0.0, size=256):
    """A portrait whose mouth was taken to be so many eye distances further down."""
    one = sitter(index, size)
    face = FaceMap(one.crops[0].permute(1, 2, 0).numpy(), one.landmarks[0].double().numpy())
    missed = face.landmarks.copy()
    missed[48:] += down * face.unit * face.down
    return FaceMap(face.pixels, missed)


def whole(face, field):
    """Its cover on the whole crop."""
    cover = np.zeros((face.size, face.size))
    (top, left), (height, width) = field.corner, field.cover.shape
    cover[top : top + height, left : left + width] = field.cover
    return cover


@pytest.mark.parametrize("index", range(len(SITTERS)), ids=SITTERS)
def test_a_mouth_that_is_right_stays(index):
    face = mapped(index)
    assert face.with_mouth is face


@pytest.mark.parametrize("size", [256, 512])
@pytest.mark.parametrize("down", [-0.16, 0.12])
@pytest.mark.parametrize("index", range(len(SITTERS)), ids=SITTERS)
def test_a_mouth_that_was_missed_is_found(index, down, size):
    right, missed = mapped(index, size=size), mapped(index, down, size)
    found = missed.with_mouth
    away = np.linalg.norm(found.landmarks[48:60] - right.landmarks[48:60], axis=1).max()
    assert away < 0.08 * right.unit
    np.testing.assert_array_equal(found.landmarks[:48], right.landmarks[:48])
    np.testing.assert_array_equal(missed.landmarks[48:], mapped(index, down, size).landmarks[48:])
    expected, drawn = (whole(face, lips(face)) for face in (right, missed))
    assert np.minimum(expected, drawn).sum() > 0.75 * np.maximum(expected, drawn).sum()


def test_lips_without_a_colour_of_their_own_are_found_by_the_dark_line_between_them():
    face = mapped(0, size=512)
    line = np.linspace(face.landmarks[48], face.landmarks[54], 9) + 0.06 * face.unit * face.down
    dark = 0.7 * np.exp(-np.square(face.distance(line) / 0.012))[..., None]
    points = face.landmarks.copy()
    low = points[[48, 54]].mean(0) @ face.down
    for number in (*range(55, 60), *range(60, 68)):  # a mouth that was taken for its upper lip alone
        points[number] += (low - points[number] @ face.down) * face.down
    found = FaceMap((np.array((0.8, 0.62, 0.54)) * (1 - dark)).astype(np.float32), points).with_mouth
    moved = (found.landmarks[60:] - points[60:]) @ face.down / face.unit
    assert np.abs(moved - 0.06).max() < 0.03


@pytest.mark.parametrize("pale", ["upper", "lower"])
def test_each_lip_ends_where_its_own_colour_does(pale):
    face = mapped(0, size=512)
    (red, there), (brown, _) = (painted(face, 0.03, rgb) for rgb in ((0.72, 0.4, 0.42), (0.74, 0.52, 0.48)))
    above = upper_half(face)[..., None]
    share = above if pale == "upper" else 1 - above
    two = FaceMap((share * brown.pixels + (1 - share) * red.pixels).astype(np.float32), face.landmarks)
    two.with_mouth = two  # its landmarks are right
    rim = there * (face.filled(face.lips) < 0.5) * share[..., 0]
    assert (whole(two, lips(two)) * rim).sum() > 0.5 * rim.sum()


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_without_colour_it_stays(grey):
    face = mapped(0, -0.16)
    plain = FaceMap(np.full_like(face.pixels, grey), face.landmarks)
    assert plain.with_mouth is plain


def painted(face, grown, colour):
    """Even skin with lips of a colour, so many eye distances larger than the landmarks say."""
    outer = face.lips - face.lips.mean(0)
    outline = face.lips + grown * face.unit * outer / np.linalg.norm(outer, axis=1, keepdims=True)
    inside = face.filled(outline)[..., None]
    pixels = (1 - inside) * np.array((0.8, 0.62, 0.54)) + inside * np.array(colour)
    return FaceMap(pixels.astype(np.float32), face.landmarks), inside[..., 0]


@pytest.mark.parametrize(("grown", "more"), [(-0.02, False), (0.02, True)])
def test_lips_end_where_their_colour_ends(grown, more):
    (plain, _), (red, there) = (painted(mapped(0), grown, rgb) for rgb in ((0.8, 0.62, 0.54), (0.75, 0.4, 0.42)))
    said, drawn = (whole(face, lips(face)) for face in (plain, red))
    rim = there * (said < 0.5) if more else (1 - there) * (said > 0.05)
    assert rim.sum() > 20
    change = ((drawn - said) * rim).sum() / rim.sum()
    assert change > 0.1 if more else change < -0.1
