"""Brows: where the hair is, and as thick as it is, where landmarks are only near it."""

import numpy as np
import pytest
from sitters import NAMES as SITTERS
from sitters import sitter

from kohl.makeup.brows import THICK, THIN, brow_hairs, brows, traced
from kohl.makeup.face_map import BROWS, FaceMap, smooth

SKIN, HAIR = np.array((0.8, 0.62, 0.54)), np.array((0.2, 0.14, 0.1))


def mapped(index, size=512):
    """A portrait."""
    one = sitter(index, size)
    return FaceMap(one.crops[0].permute(1, 2, 0).numpy(), one.landmarks[0].double().numpy())


def with_brows(face, down, half):
    """Even skin with dark brows so far below the landmarks, half as high as that; eye distances."""
    lines = [smooth(face.at(*brow)) + down * face.unit * face.down for brow in BROWS]
    aside = half * face.unit * face.down
    hair = face.filled(*(np.concatenate([line - aside, (line + aside)[::-1]]) for line in lines))[..., None]
    return FaceMap(((1 - hair) * SKIN + hair * HAIR).astype(np.float32), face.landmarks), hair[..., 0]


@pytest.mark.parametrize("down", [-0.02, 0.025, 0.06])
@pytest.mark.parametrize("half", [0.025, 0.045])
@pytest.mark.parametrize("index", range(len(SITTERS)), ids=SITTERS)
def test_a_brow_is_where_its_hair_is_and_as_thick(index, down, half):
    face, _ = with_brows(mapped(index), down, half)
    for brow in BROWS:
        found, middle = traced(face, brow), smooth(face.at(*brow)) + down * face.unit * face.down
        away = np.abs((found.line - middle) @ face.down)[4:-4] / face.unit
        assert away.max() < 0.025
        assert np.median(found.half) == pytest.approx(half, abs=0.014)


def test_without_hair_it_follows_the_landmarks():
    face = mapped(0)
    plain = FaceMap(np.broadcast_to(SKIN, face.pixels.shape).astype(np.float32), face.landmarks)
    for brow in BROWS:
        found = traced(plain, brow)
        np.testing.assert_allclose((found.line - smooth(face.at(*brow))) @ face.down / face.unit, 0.025, atol=1e-6)
        assert THIN * 0.3 < found.half.min() <= found.half.max() < THICK


@pytest.mark.parametrize("grey", [0.0, 0.5, 1.0])
def test_a_face_without_colour_has_brows(grey):
    face = mapped(0)
    field = brows(FaceMap(np.full_like(face.pixels, grey), face.landmarks))
    assert np.isfinite(field.cover).all()
    assert field.cover.max() > 0.1


def test_what_no_paint_covers_is_the_hair():
    face, hair = with_brows(mapped(1), 0.025, 0.035)
    bare = brow_hairs(face)
    assert (bare * hair).sum() > 0.6 * hair.sum()
    assert (bare * (1 - hair)).sum() < 0.2 * bare.sum()


def test_a_brow_under_a_fringe_is_not_drawn_on_it():
    face, hair = with_brows(mapped(0), 0.025, 0.035)
    up = face.ahead(face.at(19, 24).mean(0), -face.down) / face.unit
    fringe = np.clip(np.maximum(hair, (up > -0.02) * (face.ahead(face.middle, face.right) > 0)), 0, 1)[..., None]
    below = FaceMap(((1 - fringe) * SKIN + fringe * HAIR).astype(np.float32), face.landmarks)
    free, covered = (np.zeros(hair.shape, np.float32) for _ in range(2))
    for one, cover in ((face, free), (below, covered)):
        field = brows(one)
        (top, left), (high, wide) = field.corner, field.cover.shape
        cover[top : top + high, left : left + wide] = field.cover
    right = face.ahead(face.middle, face.right) > 0
    assert covered[right].sum() < 0.2 * free[right].sum()
    assert covered[~right].sum() > 0.8 * free[~right].sum()
