"""The change on the photo: exact where it is known, and nothing anywhere else."""

from dataclasses import replace
from functools import cache

import bundled
import cv2
import numpy as np
import pytest
import torch
from photos import SAMPLE
from tiny import face, faces, numbers

from kohl.align import imageio
from kohl.align.crop import SIZE, at_size, crops, own_size
from kohl.align.detect import Detect
from kohl.restore.paste import paste
from kohl.templates import with_forehead
from kohl.types import Face, Metadata, Photo
from kohl.zoo.generators.own_face import OwnFace

INNER = slice(64, 192)  # rows and columns of the crop in the middle


@cache
def drawn(height, width):
    return np.random.default_rng(0).integers(60, 190, (height, width, 3), np.uint8)


def noise(height=300, width=400, **metadata):
    return Photo(drawn(height, width), metadata=Metadata(**metadata))


def stepped(before, *colour):
    """The crops with the middle changed by so many brightness levels."""
    after = before.crops.clone()
    after[:, :, INNER, INNER] += torch.tensor(colour).view(3, 1, 1) / 255
    return after


def turned(degrees, scale, x, y):
    """A face whose crop is turned and scaled on the photo, with its corner at x, y."""
    matrix = np.c_[cv2.getRotationMatrix2D((0, 0), degrees, scale)[:, :2], (x, y)]
    return replace(face(0, 0, SIZE), to_crop=cv2.invertAffineTransform(matrix))


@pytest.mark.parametrize(
    "one", [face(9, 20, 256), face(-90, 150, 333.3), turned(31, 0.4, 80, 90), turned(200, 3, 9, 9)]
)
def test_an_unchanged_face_gives_the_photo_back_bit_for_bit(one):
    photo = noise()
    before = crops(photo, [one])
    np.testing.assert_array_equal(paste(photo, [one.to_crop], before, before.crops).pixels, photo.pixels)


def test_a_step_on_an_upright_face_is_that_step_and_nothing_else():
    photo, one = noise(), face(30, 20, SIZE)
    before = crops(photo, [one])
    pasted = paste(photo, [one.to_crop], before, stepped(before, 10, -7, 3)).pixels.astype(int)
    expected = photo.pixels.astype(int)
    expected[84:212, 94:222] += (10, -7, 3)
    np.testing.assert_array_equal(pasted, expected)


@pytest.mark.parametrize("side", [64, 100, 256, 777])
def test_a_step_is_the_same_at_any_resolution(side):
    photo = noise(1000, 1100)
    one = face(150, 100, side)
    before = crops(photo, [one])
    difference = paste(photo, [one.to_crop], before, stepped(before, 12, 12, 12)).pixels.astype(int) - photo.pixels
    centre, reach, rim = side / 2, side / 4, 3 * side / SIZE + 3
    y, x = np.mgrid[0:1000, 0:1100]
    away = np.maximum(abs(x + 0.5 - 150 - centre), abs(y + 0.5 - 100 - centre))
    assert (difference[away < reach - rim] == 12).all()
    assert not difference[away > reach + rim].any()


def test_a_turned_face_is_changed_where_it_stands():
    photo, one = noise(700, 700), turned(40, 1.5, 200, 300)
    before = crops(photo, [one])
    difference = paste(photo, [one.to_crop], before, stepped(before, 9, 9, 9)).pixels.astype(int) - photo.pixels
    to_photo = cv2.invertAffineTransform(one.to_crop)
    corners = np.array([(64, 64), (192, 64), (192, 192), (64, 192)]) @ to_photo[:, :2].T + to_photo[:, 2]
    mask = np.zeros((700, 700), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    kernel = np.ones((13, 13), np.uint8)
    assert (difference[cv2.erode(mask, kernel) == 1] == 9).all()
    assert not difference[cv2.dilate(mask, kernel) == 0].any()


def test_detail_finer_than_the_crop_survives():
    # A chequerboard of single pixels under a face four times as large as its crop.
    y, x = np.mgrid[0:1024, 0:1024]
    photo = Photo(np.repeat((100 + 50 * ((x + y) % 2)).astype(np.uint8)[..., None], 3, axis=2))
    one = face(0, 0, 1024)
    before = crops(photo, [one])
    middle = paste(photo, [one.to_crop], before, stepped(before, 20, 20, 20)).pixels[300:700, 300:700]
    np.testing.assert_array_equal(middle, photo.pixels[300:700, 300:700] + 20)


def test_a_slope_is_enlarged_smoothly():
    photo, one = Photo(np.full((1024, 1024, 3), 20, np.uint8)), face(0, 0, 1024)
    before = crops(photo, [one])
    after = before.crops + 0.8 * torch.arange(SIZE) / 255  # 0.8 brightness levels per pixel of the crop
    row = paste(photo, [one.to_crop], before, after).pixels[500, 20:-20, 0].astype(int)
    np.testing.assert_allclose(row, 20 + 0.8 * ((np.arange(20, 1004) + 0.5) / 4 - 0.5), atol=0.6)


def test_black_and_white_are_the_limits():
    photo = Photo(np.full((256, 256, 3), (5, 128, 250), np.uint8))
    one = face(0, 0, 256)
    before = crops(photo, [one])
    pasted = paste(photo, [one.to_crop], before, stepped(before, -30, 0, 30)).pixels
    assert pasted[128, 128].tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    "one", [face(-128, -100, 256), face(300, 200, 256), face(-1000, -700, 1800), turned(90, 1, 200, 170)]
)
def test_a_face_may_overhang_the_photo(one):
    photo = noise()
    before = crops(photo, [one])
    difference = paste(photo, [one.to_crop], before, stepped(before, 8, 8, 8)).pixels.astype(int) - photo.pixels
    assert difference.shape == (300, 400, 3)
    assert 0 < (difference == 8).mean() < 1
    assert difference.min() >= -1  # cubic interpolation swings a little beside an edge


def test_two_faces_are_both_changed():
    photo, both = noise(), [face(0, 0, 128), face(200, 100, 128)]
    before = crops(photo, both)
    pasted = paste(photo, [one.to_crop for one in both], before, stepped(before, 6, 6, 6)).pixels.astype(int)
    assert (pasted - photo.pixels)[64, 64].tolist() == (pasted - photo.pixels)[164, 264].tolist() == [6, 6, 6]


def test_a_grey_photo_stays_grey():
    grey = np.repeat(noise().pixels[..., :1], 3, axis=2)
    photo, one = Photo(grey, metadata=Metadata(grey=True)), face(30, 20, SIZE)
    before = crops(photo, [one])
    pasted = paste(photo, [one.to_crop], before, stepped(before, 20, -10, 40)).pixels.astype(int)
    np.testing.assert_array_equal(pasted[..., 0], pasted[..., 1])
    np.testing.assert_array_equal(pasted[..., 1], pasted[..., 2])
    step = round(0.299 * 20 - 0.587 * 10 + 0.114 * 40)
    assert set((pasted - grey)[84:212, 94:222].ravel()) == {step}


def test_the_photo_that_came_in_is_left_as_it_was():
    photo, one = noise(format="JPEG"), face(0, 0, SIZE)
    pixels, before = photo.pixels.copy(), crops(photo, [one])
    changed = stepped(before, 9, 9, 9)
    pasted = paste(photo, [one.to_crop], before, changed)
    np.testing.assert_array_equal(photo.pixels, pixels)
    assert torch.equal(changed, stepped(before, 9, 9, 9))
    assert (pasted.path, pasted.metadata) == (photo.path, photo.metadata)


# Crops of other sizes


@pytest.mark.parametrize(
    "one", [face(9, 20, 700), face(-90, 150, 1000), turned(31, 2.4, 80, 90), turned(200, 3, 900, 900)]
)
@pytest.mark.parametrize("size", [512, 768, 1024])
def test_a_large_crop_that_is_unchanged_gives_the_photo_back_bit_for_bit(one, size):
    photo = noise(800, 900)
    before = crops(photo, [one], size)
    np.testing.assert_array_equal(paste(photo, [at_size(one.to_crop, size)], before, before.crops).pixels, photo.pixels)


@pytest.mark.parametrize("side", [512, 768, 1024])
def test_detail_drawn_on_a_crop_as_large_as_the_face_is_on_the_photo_pixel_by_pixel(side):
    photo, one = noise(1060, 1050), face(20, 30, side)
    size = own_size(one)
    assert size == side
    before = crops(photo, [one], size)
    change = torch.randint(-9, 10, before.crops.shape, generator=numbers())
    pasted = paste(photo, [at_size(one.to_crop, size)], before, before.crops + change / 255).pixels.astype(int)
    expected = photo.pixels.astype(int)
    expected[30 : 30 + side, 20 : 20 + side] += change[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(pasted, expected)


@pytest.mark.parametrize("side", [300, 600, 900])
def test_a_step_is_the_same_whatever_the_size_of_its_crop(side):
    photo, one = noise(1000, 1000), face(33, 44, side)
    differences = []
    for size in (256, 512, 1024):
        before = crops(photo, [one], size)
        after = before.crops.clone()
        after[:, :, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] += 12 / 255
        pasted = paste(photo, [at_size(one.to_crop, size)], before, after)
        differences.append(pasted.pixels.astype(int) - photo.pixels)
    y, x = np.mgrid[0:1000, 0:1000]
    away = np.maximum(abs(x + 0.5 - 33 - side / 2), abs(y + 0.5 - 44 - side / 2))
    rim = 3 * side / 256 + 3
    for difference in differences:
        assert (difference[away < side / 4 - rim] == 12).all()
        assert not difference[away > side / 4 + rim].any()


def test_every_face_needs_its_matrix():
    photo, both = noise(), [face(0, 0, 128), face(200, 100, 128)]
    with pytest.raises(ValueError, match="zip"):
        paste(photo, [both[0].to_crop], crops(photo, both), crops(photo, both).crops + 0.1)


# With the real model


@pytest.fixture(scope="module")
def model():
    return bundled.load("face_model")


@pytest.fixture(scope="module")
def astronaut():
    """Photo and face."""
    photo = imageio.read(SAMPLE)
    (found,) = Detect(bundled.load("yunet"), bundled.load("landmarks68"))(photo)
    return photo, found


def scaled(photo, found, factor):
    """Photo and face at another size; pixel centres are at integers."""
    pixels = cv2.resize(photo.pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    points, landmarks = ((part + 0.5) * factor - 0.5 for part in (found.points, found.landmarks))
    # The crop shows what lies at (p + 0.5) · factor − 0.5 where it showed p.
    linear = found.to_crop[:, :2] / factor
    matrix = np.c_[linear, found.to_crop[:, 2] + linear @ np.full(2, 0.5 - 0.5 * factor)]
    return Photo(pixels), Face(tuple(factor * side for side in found.box), found.score, points, landmarks, matrix)


@pytest.mark.parametrize("factor", [0.5, 1.0, 4.0])
def test_pixels_outside_the_face_stay_bit_for_bit(model, astronaut, factor):
    photo, found = scaled(*astronaut, factor)
    before = crops(photo, [found])
    own = OwnFace(model, before)
    latents = torch.randn(1, *own.latent_shape, generator=numbers())
    pasted = paste(photo, [found.to_crop], before, own(latents))
    mask = np.zeros(photo.size, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(with_forehead(found.landmarks)).astype(np.int32)), 1)
    rim = int(np.ceil(4 / found.to_crop[0, 0])) + 2  # four pixels of the crop, two of the photo
    mask = cv2.dilate(mask, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)).astype(bool)
    np.testing.assert_array_equal(pasted.pixels[~mask], photo.pixels[~mask])
    changed = (pasted.pixels != photo.pixels).any(-1)
    assert changed[mask].mean() > 0.5


@pytest.mark.parametrize("factor", [0.5, 1.0, 4.0])
def test_no_latents_give_the_photo_back_bit_for_bit(model, astronaut, factor):
    photo, found = scaled(*astronaut, factor)
    before = crops(photo, [found])
    own = OwnFace(model, before)
    pasted = paste(photo, [found.to_crop], before, own(torch.zeros(1, *own.latent_shape)))
    np.testing.assert_array_equal(pasted.pixels, photo.pixels)


def test_no_latents_give_the_photo_back_from_a_large_crop_too(model, astronaut):
    photo, found = scaled(*astronaut, 4.0)
    before = crops(photo, [found], 512)
    own = OwnFace(model, before)
    pasted = paste(photo, [at_size(found.to_crop, 512)], before, own(torch.zeros(1, *own.latent_shape)))
    np.testing.assert_array_equal(pasted.pixels, photo.pixels)


def test_toy_faces_can_be_pasted_too():
    # Nothing in the paste knows the size of the crop but the crop itself.
    photo, before = noise(64, 64), faces()
    one = replace(face(0, 0, 64), to_crop=np.array([[0.25, 0, -0.375], [0, 0.25, -0.375]]))
    after = before.crops.clone()
    after[:, :, 4:12, 4:12] += 10 / 255
    difference = paste(photo, [one.to_crop], before, after).pixels.astype(int) - photo.pixels
    assert (difference[24:40, 24:40] == 10).all()
    assert not difference[:8].any()


def test_what_is_finer_than_the_photo_leaves_no_grid(astronaut):
    # A chequer of single crop pixels on a face a quarter as large as its crop; a soft field of that height stays.
    photo, found = scaled(*astronaut, 0.25)
    before = crops(photo, [found])
    rows, columns = torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")
    moved = []
    for field in (((rows + columns) % 2) * 0.4 - 0.2, torch.full((256, 256), 0.2)):
        pasted = paste(photo, [found.to_crop], before, before.crops + field)
        moved.append(np.abs(pasted.pixels.astype(int) - photo.pixels).mean())
    assert moved[0] < 0.05 * moved[1]


def test_a_small_face_keeps_what_the_search_found():
    # The finest waves of the shading, 256 / 24 crop pixels long, on a face of 180 pixels between the photo's.
    photo, one = Photo(np.full((220, 220, 3), 128, np.uint8)), face(10.3, 7.6, 180)
    before = crops(photo, [one])
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    field = 0.15 * torch.sin(rows * (2 * torch.pi * 24 / SIZE)) * torch.sin(columns * (2 * torch.pi * 24 / SIZE))
    after = crops(paste(photo, [one.to_crop], before, before.crops + field), [one])
    seen, asked = (after.crops - before.crops)[0, :, INNER, INNER], field[INNER, INNER]
    kept = float((seen * asked).sum() / (3 * asked.square().sum()))
    assert 1.0 < kept < 1.08  # with linear interpolation on either way some is lost
