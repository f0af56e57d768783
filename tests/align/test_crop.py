"""Crops against answers that are known."""

import cv2
import numpy as np
import pytest
import torch
from photos import SAMPLE
from tiny import face

from kohl.align import crop, imageio
from kohl.align.crop import SIZE, TEMPLATE, crops, to_crop
from kohl.types import Face, Photo

EYES_AND_MOUTH = np.array([(201.8, 105.5), (245.3, 105.0), (220.9, 127.2), (204.0, 145.3), (242.2, 145.4)])  # of SAMPLE


def noise(height, width):
    return Photo(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def standing(points):
    """A face with these five points, whose landmarks are the points again and again."""
    points = np.asarray(points, dtype=np.float64)
    return Face((0, 0, 1, 1), 1.0, points, np.resize(points, (68, 2)), to_crop(points))


def test_the_points_are_taken_to_the_template():
    points = np.array(TEMPLATE) @ [[0.8, 0.6], [-0.6, 0.8]] * 3 + (700, -20)
    matrix = to_crop(points)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-9)


def test_a_face_where_it_belongs_is_cut_out_bit_for_bit():
    photo = noise(300, 280)
    found = crops(photo, [face(11, 30, SIZE)])
    assert found.crops.dtype == torch.float32
    expected = photo.pixels[30 : 30 + SIZE, 11 : 11 + SIZE]
    np.testing.assert_array_equal((found.crops[0].permute(1, 2, 0) * 255).round().byte(), expected)
    torch.testing.assert_close(found.points, torch.tensor([TEMPLATE]))


def test_beyond_the_photo_its_edge_is_mirrored():
    photo = noise(SIZE, SIZE)
    (found,) = crops(photo, [face(-9, 0, SIZE)]).crops
    pixels = (found.permute(1, 2, 0) * 255).round().byte().numpy()
    np.testing.assert_array_equal(pixels[:, 9:], photo.pixels[:, :-9])
    np.testing.assert_array_equal(pixels[:, :9], photo.pixels[:, 8::-1])


def test_landmarks_move_with_the_face():
    points = np.array(TEMPLATE) * 2 + (40, 10)
    found = crops(noise(600, 600), [standing(points)])
    assert (found.points.shape, found.landmarks.shape) == ((1, 5, 2), (1, 68, 2))
    assert found.points.dtype == found.landmarks.dtype == torch.float32
    torch.testing.assert_close(found.landmarks[0, :5], torch.tensor(TEMPLATE))
    torch.testing.assert_close(found.landmarks[0, 67], torch.tensor(TEMPLATE[67 % 5]))


def test_a_batch_is_its_faces_one_by_one():
    photo, both = noise(300, 400), [face(0, 0, 200), face(130, 40, 250)]
    together = crops(photo, both)
    for index, one in enumerate(both):
        alone = crops(photo, [one])
        assert torch.equal(alone.crops[0], together.crops[index])
        assert torch.equal(alone.points[0], together.points[index])


def enlarged(pixels, points, factor):
    """The photo and its points at a multiple of the resolution; pixel centres are at integers."""
    large = cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return Photo(large), standing((points + 0.5) * factor - 0.5)


def test_the_same_face_at_another_resolution_is_the_same_crop():
    pixels = imageio.read(SAMPLE).pixels
    (reference,) = crops(Photo(pixels), [standing(EYES_AND_MOUTH)]).crops
    for factor in (2, 3, 4, 7, 11):  # 11 is halved four times
        photo, one = enlarged(pixels[:257, :399], EYES_AND_MOUTH, factor)  # odd: halving leaves a row over
        (large,) = crops(photo, [one]).crops
        middle = (..., slice(40, 210), slice(40, 210))
        difference = (large - reference)[middle] * 255
        assert difference.abs().mean() < 2.5
        assert difference.mean().abs() < 0.5  # each halving rounds upwards
        # Half a pixel beside would cost more: the sharpest test of where the centres are.
        beside = (large.roll(1, -1) - reference)[middle] * 255
        assert beside.abs().mean() > 2 * difference.abs().mean()


def test_no_pixel_of_a_large_photo_is_skipped():
    # Of black and white dots, the mean of 8 × 8 spreads an eighth as far as a dot; of fewer, further.
    dots = 255 * np.random.default_rng(0).integers(0, 2, (2048, 2048, 1), np.uint8)
    (found,) = crops(Photo(np.repeat(dots, 3, axis=2)), [face(0, 0, 2048)]).crops
    assert found.std().item() == pytest.approx(0.5 / 8, rel=0.05)


def test_the_photo_is_left_as_it_is():
    photo = noise(300, 400)
    before = photo.pixels.copy()
    crops(photo, [face(0, 0, 900)])
    np.testing.assert_array_equal(photo.pixels, before)


def test_the_template_is_symmetric():
    x, y = np.array(crop.TEMPLATE).T
    np.testing.assert_allclose(x[[0, 1, 2, 3, 4]] + x[[1, 0, 2, 4, 3]], SIZE - 1, atol=0.01)
    np.testing.assert_allclose(y[[0, 3]], y[[1, 4]])
