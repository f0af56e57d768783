"""Crops against answers that are known."""

import cv2
import numpy as np
import pytest
import torch
from photos import SAMPLE
from sitters import sitters
from tiny import face

from kohl.align import crop, imageio
from kohl.align.crop import LARGEST, SIZE, at_size, crops, own_size, to_crop
from kohl.geometry import resized
from kohl.templates import CROP
from kohl.types import Face, Photo

EYES_AND_MOUTH = np.array([(201.8, 105.5), (245.3, 105.0), (220.9, 127.2), (204.0, 145.3), (242.2, 145.4)])  # of SAMPLE


def noise(height, width):
    return Photo(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def standing(points):
    """A face with these five points, whose landmarks are the points again and again."""
    points = np.asarray(points, dtype=np.float64)
    return Face((0, 0, 1, 1), 1.0, points, np.resize(points, (68, 2)), to_crop(points))


def test_the_points_are_taken_to_the_template():
    points = np.array(CROP) @ [[0.8, 0.6], [-0.6, 0.8]] * 3 + (700, -20)
    matrix = to_crop(points)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], CROP, atol=1e-9)


def test_a_face_where_it_belongs_is_cut_out_bit_for_bit():
    photo = noise(300, 280)
    found = crops(photo, [face(11, 30, SIZE)])
    assert found.crops.dtype == torch.float32
    expected = photo.pixels[30 : 30 + SIZE, 11 : 11 + SIZE]
    np.testing.assert_array_equal((found.crops[0].permute(1, 2, 0) * 255).round().byte(), expected)
    torch.testing.assert_close(found.points, torch.tensor([CROP]))


def test_beyond_the_photo_its_edge_is_mirrored():
    photo = noise(SIZE, SIZE)
    (found,) = crops(photo, [face(-9, 0, SIZE)]).crops
    pixels = (found.permute(1, 2, 0) * 255).round().byte().numpy()
    np.testing.assert_array_equal(pixels[:, 9:], photo.pixels[:, :-9])
    np.testing.assert_array_equal(pixels[:, :9], photo.pixels[:, 8::-1])


def test_landmarks_move_with_the_face():
    points = np.array(CROP) * 2 + (40, 10)
    found = crops(noise(600, 600), [standing(points)])
    assert (found.points.shape, found.landmarks.shape) == ((1, 5, 2), (1, 68, 2))
    assert found.points.dtype == found.landmarks.dtype == torch.float32
    torch.testing.assert_close(found.landmarks[0, :5], torch.tensor(CROP))
    torch.testing.assert_close(found.landmarks[0, 67], torch.tensor(CROP[67 % 5]))


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
    x, y = np.array(CROP).T
    np.testing.assert_allclose(x[[0, 1, 2, 3, 4]] + x[[1, 0, 2, 4, 3]], SIZE - 1, atol=0.01)
    np.testing.assert_allclose(y[[0, 3]], y[[1, 4]])


# Crops of other sizes


@pytest.mark.parametrize(
    ("side", "size"),
    [(40, 256), (255, 256), (256, 256), (257, 512), (512, 512), (513, 768), (768, 768), (900, 1024), (1025, 1024)],
)
def test_a_face_s_own_size_shows_all_the_detail_that_the_photo_has(side, size):
    assert own_size(face(30, 20, side)) == size


def test_a_turned_face_has_the_size_of_an_upright_one():
    points = np.array(CROP) * 700 / SIZE
    turn = np.array([[0.8, 0.6], [-0.6, 0.8]])
    assert own_size(standing(points)) == own_size(standing(points @ turn + 900)) == 768
    assert own_size(standing(points * 20)) == LARGEST == 1024


@pytest.mark.parametrize("size", [64, 256, 512, 768])
def test_a_point_of_the_photo_is_in_the_same_place_of_a_crop_of_any_size(size):
    # Measured from the crop's corner, half a pixel before the first centre, in shares of its side.
    matrix, where = face(37, 20, 333.3).to_crop, np.array([(37.0, 20.0), (100.5, 300.25), (-4.0, 999.0)])
    larger = at_size(matrix, size)
    small, large = (where @ m[:, :2].T + m[:, 2] for m in (matrix, larger))
    np.testing.assert_allclose((large + 0.5) / size, (small + 0.5) / SIZE, atol=1e-9)


def test_at_the_usual_size_nothing_is_different():
    matrix = face(37, 20, 333.3).to_crop
    np.testing.assert_array_equal(at_size(matrix, SIZE), matrix)
    photo, one = noise(300, 280), face(9, 4, 230)
    assert all(map(torch.equal, vars(crops(photo, [one])).values(), vars(crops(photo, [one], SIZE)).values()))


@pytest.mark.parametrize("size", [512, 768, 1024])
def test_a_crop_as_large_as_the_face_is_the_photo_bit_for_bit(size):
    photo, one = noise(1100, 1060), face(11, 30, size)
    assert own_size(one) == size
    found = crops(photo, [one], size)
    expected = photo.pixels[30 : 30 + size, 11 : 11 + size]
    np.testing.assert_array_equal((found.crops[0].permute(1, 2, 0) * 255).round().byte(), expected)
    torch.testing.assert_close(found.points[0] + torch.tensor([11, 30]), torch.tensor(one.points).float())


@pytest.mark.parametrize("size", [512, 768, 1024])
def test_landmarks_and_points_move_with_the_size(size):
    photo, both = noise(600, 600), [standing(np.array(CROP) * 2 + (40, 10)), standing(np.array(CROP) * 1.3)]
    small, large = crops(photo, both), crops(photo, both, size)
    assert large.crops.shape == (2, 3, size, size)
    for name in ("points", "landmarks"):
        expected = (getattr(small, name) + 0.5) * size / SIZE - 0.5
        torch.testing.assert_close(getattr(large, name), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(("factor", "size"), [(2.3, 512), (4, 512), (4, 768), (8, 1024)])
def test_a_large_crop_made_small_is_the_small_crop(factor, size):
    pixels = imageio.read(SAMPLE).pixels
    photo, one = enlarged(pixels[:300, :400], EYES_AND_MOUTH, factor)
    small, large = crops(photo, [one]), resized(crops(photo, [one], size), SIZE)
    difference = (large.crops - small.crops) * 255
    assert difference.abs().mean() < 1
    assert difference.mean().abs() < 0.5  # each halving rounds upwards
    beside = (large.crops.roll(1, -1) - small.crops) * 255
    assert beside.abs().mean() > 4 * difference.abs().mean()
    for name in ("points", "landmarks"):
        torch.testing.assert_close(getattr(large, name), getattr(small, name), atol=1e-3, rtol=0)


def test_of_twice_the_size_each_pixel_of_the_small_crop_is_the_mean_of_four():
    photo, one = noise(600, 600), face(12, 30, 2 * SIZE)
    small, large = crops(photo, [one]), resized(crops(photo, [one], 2 * SIZE), SIZE)
    torch.testing.assert_close(large.crops, small.crops, atol=0.51 / 255, rtol=0)  # the small one is rounded


def quad(landmarks):
    """The corners that FFHQ's own description gives, from the top left one counterclockwise."""
    eyes = [landmarks[36:42].mean(0), landmarks[42:48].mean(0)]
    middle, across = (eyes[0] + eyes[1]) / 2, eyes[1] - eyes[0]
    down = (landmarks[48] + landmarks[54]) / 2 - middle
    x = across - np.flipud(down) * [-1, 1]
    x = x / np.linalg.norm(x) * max(np.linalg.norm(across) * 2.0, np.linalg.norm(down) * 1.8)
    y, centre = np.flipud(x) * [-1, 1], middle + down * 0.1
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize(("turn", "scale"), [(0.0, 1.0), (0.4, 3.0), (-1.0, 0.5)])
def test_ffhq_s_corners_are_the_crop_s(index, turn, scale):
    rotation = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    landmarks = sitters().landmarks[index].double().numpy() @ rotation.T + (70, -20)
    matrix = crop.ALIGNMENTS["ffhq"](np.zeros((5, 2)), landmarks)
    corners = quad(landmarks) @ matrix[:, :2].T + matrix[:, 2]
    # A pixel's centre is at a whole number, so the crop begins half a pixel before the first.
    np.testing.assert_allclose(corners, [(-0.5, -0.5), (-0.5, 255.5), (255.5, 255.5), (255.5, -0.5)], atol=1e-9)


def test_ffhq_s_crop_is_near_the_one_by_five_points():
    # Whose template is the mean of portraits that were cut like this.
    for landmarks in sitters().landmarks.double().numpy():
        matrix = crop.ffhq(np.zeros((5, 2)), landmarks)
        moved = np.array([(64.0, 64.0), (192.0, 64.0), (128.0, 200.0)]) @ matrix[:, :2].T + matrix[:, 2]
        assert np.abs(moved - [(64.0, 64.0), (192.0, 64.0), (128.0, 200.0)]).max() < 16
