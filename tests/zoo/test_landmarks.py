"""Landmarks against YuNet's five points, and where the box is not quite on the photo."""

import bundled
import dlib
import numpy as np
import pytest
from photos import SAMPLE

from kohl.align import imageio

ON_FIVE = (slice(36, 42), slice(42, 48), slice(30, 31), slice(48, 49), slice(54, 55))  # eyes, nose tip, mouth corners


@pytest.fixture(scope="module")
def landmarks():
    return bundled.load("landmarks68")


@pytest.fixture(scope="module")
def astronaut():
    return imageio.read(SAMPLE).pixels


@pytest.fixture(scope="module")
def found(astronaut):
    (face,) = bundled.load("yunet")(astronaut)
    return face


def test_agrees_with_the_five_points(landmarks, astronaut, found):
    points = landmarks(astronaut, found.box)
    assert (points.shape, points.dtype) == ((68, 2), np.float64)
    between = np.linalg.norm(found.points[1] - found.points[0])
    five = np.stack([points[part].mean(0) for part in ON_FIVE])
    assert (np.linalg.norm(five - found.points, axis=1) < 0.2 * between).all()


def test_agrees_with_the_landmarks_in_dlib_s_own_box(landmarks, astronaut, found):
    box, *_ = dlib.get_frontal_face_detector()(astronaut, 1)  # the surest first
    theirs = np.array([(point.x, point.y) for point in landmarks.predictor(astronaut, box).parts()])
    assert np.linalg.norm(landmarks(astronaut, found.box) - theirs, axis=1).max() < 3


def test_is_in_the_ibug_order(landmarks, astronaut, found):
    x, y = landmarks(astronaut, found.box).T
    assert (np.diff(x[:17]) > 0).all()  # the jaw, from the viewer's left
    assert y[:17].argmax() in (7, 8, 9)  # the chin
    assert (np.diff(x[17:27]) > 0).all()  # the brows
    assert (np.diff(y[27:31]) > 0).all()  # down the bridge of the nose
    assert x[36:42].max() < x[27:31].mean() < x[42:48].min()
    assert y[17:27].mean() < y[36:48].mean() < y[31:36].mean() < y[48:68].mean() < y[8]


def test_a_shifted_photo_has_shifted_landmarks(landmarks, astronaut, found):
    left, top, width, height = found.box
    shifted = np.pad(astronaut, ((40, 0), (70, 0), (0, 0)), mode="edge")
    moved = landmarks(shifted, (left + 70, top + 40, width, height))
    np.testing.assert_array_equal(moved, landmarks(astronaut, found.box) + np.array([70, 40]))


def test_a_box_a_little_off_gives_about_the_same_landmarks(landmarks, astronaut, found):
    left, top, width, height = found.box
    off = landmarks(astronaut, (left + 0.04 * width, top - 0.04 * height, 1.05 * width, 1.05 * height))
    between = np.linalg.norm(found.points[1] - found.points[0])
    assert np.linalg.norm(off - landmarks(astronaut, found.box), axis=1).mean() < 0.1 * between


@pytest.mark.parametrize("box", [(-300.0, -300.0, 90.0, 110.0), (480.0, 470.0, 90.0, 110.0), (5.0, 5.0, 0.4, 0.4)])
def test_a_box_beyond_the_photo_still_has_landmarks(landmarks, astronaut, box):
    points = landmarks(astronaut, box)
    assert points.shape == (68, 2)
    assert np.isfinite(points).all()
