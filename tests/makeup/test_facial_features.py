"""What people know a face by: nose, brows, mouth and the skin below the eyes are dear, the rest is light."""

import numpy as np
import pytest
import torch
from sitters import sitter, sitters

from kohl.makeup.face_map import FaceMap
from kohl.makeup.facial_features import BELOW, BETWEEN, BROW, MOUTH, NOSE, dear, dearness

LANDMARKS = sitter(0).landmarks[0].double().numpy()
FACE = FaceMap(np.full((256, 256, 3), 0.5, np.float32), LANDMARKS)
UNIT = FACE.unit


def at(place):
    """What a change counts there on that face."""
    column, row = np.round(place).astype(int)
    return dear(FACE)[row, column]


@pytest.mark.parametrize(
    ("place", "times"),
    [
        (LANDMARKS[30], NOSE),
        (LANDMARKS[33], NOSE),
        (LANDMARKS[19], BROW),
        (LANDMARKS[24], BROW),
        (LANDMARKS[[21, 22]].mean(0), BETWEEN),
        (LANDMARKS[48], MOUTH),
        (LANDMARKS[51], MOUTH),
        (LANDMARKS[41] + (0, 0.1 * UNIT), BELOW),
        (LANDMARKS[46] + (0, 0.1 * UNIT), BELOW),
    ],
    ids=[
        "tip",
        "base",
        "left brow",
        "right brow",
        "between them",
        "corner",
        "cupid's bow",
        "below the left eye",
        "below the right eye",
    ],
)
def test_features_are_dear(place, times):
    assert at(place) == pytest.approx(times, rel=0.1)


@pytest.mark.parametrize(
    "place",
    [
        LANDMARKS[8],
        LANDMARKS[4] * 0.6 + LANDMARKS[48] * 0.4,
        LANDMARKS[[31, 3]].mean(0),
        LANDMARKS[27] - (0, 0.9 * UNIT),
        LANDMARKS[1],
        (3, 3),
    ],
    ids=["chin", "cheek", "beside the nose", "forehead", "temple", "beside the face"],
)
def test_everything_else_counts_once(place):
    assert at(place) == pytest.approx(1, abs=0.1)


def test_a_larger_crop_has_the_same_map():
    large = FaceMap(np.full((512, 512, 3), 0.5, np.float32), (LANDMARKS + 0.5) * 2 - 0.5)
    np.testing.assert_allclose(dear(large).reshape(256, 2, 256, 2).mean((1, 3)), dear(FACE), rtol=0.07)


def test_a_batch_has_the_map_of_each_face():
    maps = dearness(sitters())
    assert (maps.shape, maps.dtype) == ((3, 1, 256, 256), torch.float32)
    for index, one in enumerate(maps):
        torch.testing.assert_close(one, dearness(sitter(index))[0])
    assert not torch.equal(maps[0], maps[1])
    assert maps.min() >= 1
