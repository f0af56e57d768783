"""Maps of a face against answers that are known, and the photo's edges that they follow."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from sitters import NAMES, sitter
from skimage.color import rgb2lab

from kohl.makeup.face_map import COARSE, EYES, FAR, FaceMap, direction, joined, smooth

LANDMARKS = sitter(0).landmarks[0].double().numpy()


def flat(size=256, level=0.5):
    """A face of one shade."""
    return FaceMap(np.full((size, size, 3), level, np.float32), (LANDMARKS + 0.5) * size / 256 - 0.5)


def real(index, size=256):
    """A portrait."""
    one = sitter(index, size)
    return FaceMap(one.crops[0].permute(1, 2, 0).numpy(), one.landmarks[0].double().numpy())


def grid(size=256):
    """The centres of the pixels (size, size, 2)."""
    return np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).astype(float)


def to_path(points, path):
    """By brute force, in pixels."""
    found = np.inf
    for start, end in pairwise(path):
        share = np.clip(((points - start) @ (end - start)) / ((end - start) @ (end - start)), 0, 1)
        found = np.minimum(found, np.linalg.norm(points - start - share[..., None] * (end - start), axis=-1))
    return found


def test_axes_and_unit_are_those_of_the_eyes():
    face = flat()
    left, right = (LANDMARKS[list(eye)].mean(0) for eye in EYES)
    np.testing.assert_allclose(left + face.unit * face.right, right)
    np.testing.assert_allclose(face.middle, (left + right) / 2)
    assert face.right @ face.down == pytest.approx(0, abs=1e-12)
    assert (LANDMARKS[8] - face.middle) @ face.down > 0


@pytest.mark.parametrize("size", [256, 320])
def test_ahead_is_the_distance_in_a_direction(size):
    start, way = np.array([31.5, 80.25]), np.array([0.6, -0.8])
    np.testing.assert_allclose(flat(size).ahead(start, way), (grid(size) - start) @ way, atol=1e-3)


@pytest.mark.parametrize("size", [256, 512])
def test_distance_is_to_the_nearest_point_of_a_path(size):
    face = flat(size)
    path = np.array([(40.0, 50.5), (90.0, 60.0), (90.0, 60.0), (70.3, 150.0), (-9.0, 140.0)]) * size / 256
    with np.errstate(invalid="ignore"):  # a step of no length, by brute force
        expected = np.fmin(to_path(grid(size), path[:2]), to_path(grid(size), path[2:])) / face.unit
    found = face.distance(path, 0.3)
    near = expected < 0.3
    np.testing.assert_allclose(found[near], expected[near], atol=1e-4)
    assert (found[~near] >= expected[~near] - 1e-4).all()
    assert (found[expected > 0.8] > FAR - 1e-3).all()


def test_a_path_may_leave_the_crop():
    assert (flat().distance(np.array([(-500.0, -500.0), (-400.0, -450.0)])) > FAR - 1e-3).all()


def test_an_ellipse_is_one_on_its_rim():
    face, centre, axis = flat(), np.array([120.0, 100.0]), np.array([0.8, 0.6])
    rims = face.ellipse(centre, axis, (0.5, 0.2))
    along, across = (grid() - centre) @ axis, (grid() - centre) @ [-0.6, 0.8]
    expected = np.hypot(along / (0.5 * face.unit), across / (0.2 * face.unit))
    np.testing.assert_allclose(rims, expected, atol=1e-3)
    assert rims[100, 120] == 0


@pytest.mark.parametrize("size", [256, 512, 768, 1024])
def test_an_outline_is_filled_to_the_same_share_at_any_size(size):
    square = np.array([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]) * size - 0.5
    filled = flat(size).filled(square, soft=0.02)
    assert filled[size // 2, size // 2] == pytest.approx(1)
    assert filled[size // 8, size // 2] == 0
    # Half a pixel of 256 is added all around.
    assert filled.mean() ** 0.5 == pytest.approx(0.5 + 1 / 256, abs=1 / 256)


def test_several_outlines_are_filled_together_and_softly():
    one, other = (np.array([(x, 90.0), (x + 40, 90.0), (x + 40, 150.0), (x, 150.0)]) for x in (40.0, 150.0))
    face = flat()
    both = face.filled(one, other, soft=0.05)
    np.testing.assert_allclose(both, face.filled(one, soft=0.05) + face.filled(other, soft=0.05), atol=1e-6)
    edge = both[120, 30:50]
    assert (np.diff(edge) >= 0).all()
    sharp = face.filled(one)[120, 30:50]
    assert ((edge > 0.02) & (edge < 0.98)).sum() > 2 * ((sharp > 0.02) & (sharp < 0.98)).sum()


def test_dots_are_round_spots_and_overlap_without_adding_up():
    face = flat()
    centres, radii = np.array([(50.3, 60.0), (53.0, 61.5), (200.0, 30.7)]), np.array([0.05, 0.03, 0.1])
    wide = np.hypot(radii * face.unit, 0.5)
    expected = 0.0
    for centre, radius, width in zip(centres, radii * face.unit, wide, strict=True):
        squared = ((grid() - centre) ** 2).sum(-1)
        expected = np.maximum(expected, (radius / width) ** 2 * np.exp(-squared / width**2))
    np.testing.assert_allclose(face.dots(centres, radii), expected, atol=1e-3)


def test_a_dot_finer_than_a_pixel_weighs_as_much_at_any_size():
    weights = [
        flat(size).dots((np.array([(0.3, 0.7)])) * size - 0.5, np.array([0.004])).sum() / size**2
        for size in (256, 512, 1024)
    ]
    assert max(weights) < 1.1 * min(weights)


@pytest.mark.parametrize("centre", [(-2.0, 100.0), (257.0, 3.0), (128.0, 255.9), (-900.0, 9000.0), (0.0, 0.0)])
def test_a_dot_may_overhang_the_crop(centre):
    face = flat()
    squared = ((grid() - centre) ** 2).sum(-1)
    wide = np.hypot(0.1 * face.unit, 0.5)
    expected = (0.1 * face.unit / wide) ** 2 * np.exp(-squared / wide**2)
    np.testing.assert_allclose(face.dots(np.array([centre]), np.array([0.1])), expected, atol=1e-3)


# Fitting masks to the photo


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_a_mask_of_one_level_stays_that(level):
    mask = np.full((256, 256), level, np.float32)
    np.testing.assert_allclose(real(1).fitted(mask), mask, atol=1e-4)


def test_an_edge_moves_onto_the_photo_s_own():
    pixels = np.full((256, 256, 3), 0.2, np.float32)
    pixels[:, 128:] = (0.9, 0.7, 0.5)
    face = FaceMap(pixels, LANDMARKS)
    mask = np.zeros((256, 256), np.float32)
    mask[:, 126:] = 1  # two pixels beside
    fitted = face.fitted(mask)[128]
    assert fitted[127] < 0.6
    assert fitted[128] > 0.9
    assert np.abs(np.diff(fitted)).argmax() == 127


def test_on_a_photo_without_edges_a_mask_is_blurred():
    mask = np.zeros((256, 256), np.float32)
    mask[:, 128:] = 1
    fitted = flat().fitted(mask)[128]
    assert (np.diff(fitted) >= -1e-5).all()
    assert fitted[127] == pytest.approx(0.5, abs=0.1)
    assert np.abs(np.diff(fitted)).max() < 0.15


def test_the_guided_filter_is_that_of_he_sun_and_tang():
    # Each window's line through guide and mask, by least squares with a ridge, at one pixel in the middle.
    rng, face = np.random.default_rng(0), real(2)
    mask = rng.random((256, 256)).astype(np.float32)
    radius, y, x = round(0.07 * face.unit), 140, 120
    slopes, offsets = [], []
    for row in range(y - radius, y + radius + 1):
        for column in range(x - radius, x + radius + 1):
            window = np.s_[row - radius : row + radius + 1, column - radius : column + radius + 1]
            guide, wanted = face.pixels[window].reshape(-1, 3).astype(float), mask[window].ravel().astype(float)
            spread = np.cov(guide.T, bias=True) + 2e-3 * np.eye(3)
            slope = np.linalg.solve(spread, ((guide - guide.mean(0)) * (wanted - wanted.mean())[:, None]).mean(0))
            slopes.append(slope)
            offsets.append(wanted.mean() - slope @ guide.mean(0))
    expected = np.mean(slopes, 0) @ face.pixels[y, x] + np.mean(offsets)
    assert face.fitted(mask)[y, x] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("size", [512, 768])
def test_a_mask_is_fitted_alike_at_any_size(size):
    small, large = real(0), real(0, size)
    found = [face.fitted(face.filled(face.lips, soft=0.012)) for face in (small, large)]
    tiles = found[1].reshape(256, size // 256, 256, size // 256).mean((1, 3))
    assert np.abs(tiles - found[0]).mean() < 0.05 * found[0].mean()


# Skin


@pytest.mark.parametrize("index", range(len(NAMES)))
def test_cheeks_nose_and_chin_are_skin_and_eyes_lips_and_brows_are_not(index):
    face = real(index)

    def shown(*numbers):
        x, y = face.at(*numbers).mean(0).round().astype(int)
        return face.skin[y, x]

    assert min(shown(29), shown(2, 31), shown(14, 35), shown(30), shown(27)) > 0.6
    for numbers in (EYES[0], EYES[1], (50, 61), (57, 66)):
        assert shown(*numbers) < 0.1
    assert max(shown(19), shown(24)) < 0.5
    assert face.skin[[0, 0, -1, -1], [0, -1, 0, -1]].max() == 0
    assert -1e-6 < face.skin.min() <= face.skin.max() < 1 + 1e-6


def test_what_has_another_colour_or_is_much_darker_is_no_skin():
    pixels = np.full((256, 256, 3), (0.8, 0.6, 0.5), np.float32)
    pixels[:, :90] = (0.1, 0.7, 0.2)  # a green cheek
    pixels[200:] = (0.12, 0.09, 0.075)  # a chin in the dark
    alike = FaceMap(pixels, LANDMARKS).alike
    assert alike[100:150, 120:].min() > 0.9
    assert alike[100:150, :60].max() < 0.1
    assert alike[230:, 120:].max() < 0.1


@pytest.mark.parametrize("size", [256, 512])
def test_the_colour_of_skin_is_that_of_the_cheeks_and_the_nose(size):
    # A blue face with small patches of skin where one looks for it: the blue is no skin.
    face = flat(size)
    pixels, scale = np.full((size, size, 3), (0.2, 0.3, 0.8), np.float32), size // 256
    for first, second in ((2, 30), (14, 30), (29, 29), (30, 30), (31, 31), (35, 35), (48, 31), (54, 35)):
        where = 0.6 * face.landmarks[first] + 0.4 * face.landmarks[second]
        x, y = np.round((where + 0.5) / scale - 0.5).astype(int)
        pixels[(y - 2) * scale : (y + 3) * scale, (x - 2) * scale : (x + 3) * scale] = (0.8, 0.6, 0.5)
    alike = FaceMap(pixels, face.landmarks).alike
    assert alike[: size // 8].max() < 0.05
    assert alike.max() > 0.5


@pytest.mark.parametrize("level", [0.0, 0.02, 0.1, 0.5, 1.0])
def test_skin_of_any_shade_is_like_itself(level):
    assert flat(level=level).alike.min() > 0.95


@pytest.mark.parametrize("size", [512, 768])
def test_skin_is_the_same_at_any_size(size):
    for index in range(len(NAMES)):
        small, large = real(index).skin, real(index, size).skin
        tiles = large.reshape(256, size // 256, 256, size // 256).mean((1, 3))
        assert np.abs(tiles - small).mean() < 0.03 * small.mean()


# Small things


def test_the_tone_of_skin_leaves_out_what_shines_and_what_is_in_the_shade():
    pixels = np.full((256, 256, 3), (0.62, 0.45, 0.36), np.float32)
    even = FaceMap(pixels, LANDMARKS).tone
    np.testing.assert_allclose(even, rgb2lab(pixels[0, 0]), atol=0.5)
    nose, cheek = LANDMARKS[30].astype(int), (0.6 * LANDMARKS[2] + 0.4 * LANDMARKS[31]).astype(int)
    pixels = pixels.copy()
    pixels[nose[1] - 14 : nose[1] + 8, nose[0] - 8 : nose[0] + 9] = 0.95  # shine
    pixels[cheek[1] : cheek[1] + 30, cheek[0] - 12 : cheek[0] + 13] *= 0.75  # shade
    np.testing.assert_allclose(FaceMap(pixels, LANDMARKS).tone, even, atol=1.5)


def test_a_spline_goes_through_its_points():
    for closed in (False, True):
        curve = smooth(LANDMARKS[48:60], closed=closed, parts=4)
        assert len(curve) == (48 if closed else 45)
        np.testing.assert_allclose(curve[::4], LANDMARKS[48:60], atol=1e-9)


def test_a_spline_of_a_straight_line_is_that_line():
    points = np.stack([np.arange(5.0), 2 * np.arange(5.0) + 1], 1)
    curve = smooth(points)
    np.testing.assert_allclose(curve[:, 1], 2 * curve[:, 0] + 1, atol=1e-9)
    assert (np.diff(curve[:, 0]) > 0).all()


def test_a_closed_spline_of_a_circle_is_round():
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    np.testing.assert_allclose(
        np.hypot(*smooth(np.stack([np.cos(turns), np.sin(turns)], 1), closed=True).T), 1, atol=0.01
    )


def test_a_direction_has_length_one():
    np.testing.assert_allclose(direction(np.array([1.0, 2.0]), np.array([4.0, 6.0])), [0.6, 0.8])


def test_a_field_is_the_part_with_cover():
    cover = np.zeros((COARSE, COARSE), np.float32)
    cover[10:20, 30:33] = 0.5
    cover[40, 60] = 0.003  # nothing to speak of
    across = np.arange(COARSE**2, dtype=np.float32).reshape(COARSE, COARSE)
    field = flat().cut(cover, across, 2.0)
    assert field.corner == (10, 30)
    np.testing.assert_array_equal(field.cover, cover[10:20, 30:33])
    np.testing.assert_array_equal(field.across, across[10:20, 30:33])
    np.testing.assert_array_equal(field.along, np.full((10, 3), 2.0, np.float32))


def test_a_field_without_cover_is_one_pixel_of_nothing():
    nothing = np.zeros((COARSE, COARSE), np.float32)
    field = flat().cut(nothing, nothing, nothing)
    assert field.cover.tolist() == [[0]]


def test_cover_is_between_nothing_and_all():
    cover = np.full((COARSE, COARSE), -1e-7, np.float32)
    cover[[20, 40], [30, 80]] = 1 + 1e-7
    field = flat().cut(cover, cover)
    assert (field.cover.min(), field.cover.max()) == (0, 1)
    assert field.across.max() > 1


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_the_blur_of_a_photo_is_seen_at_its_eyes(sigma):
    sharp = real(1)
    soft = FaceMap(cv2.GaussianBlur(sharp.pixels, (0, 0), sigma), sharp.landmarks)
    assert sharp.blur < 1
    assert soft.blur == pytest.approx(np.hypot(sigma, sharp.blur), rel=0.25)


def test_a_face_of_one_shade_has_no_blur_to_match():
    assert flat().blur == 0


def test_a_face_is_as_soft_at_any_resolution():
    assert real(1, 768).blur / 3 == pytest.approx(real(1).blur, abs=0.25)


def test_what_is_white_on_a_face_says_how_much_light_there_is():
    face = real(0)
    dark = FaceMap(face.pixels * 0.4, face.landmarks)
    assert 70 < face.white <= 100
    assert dark.white < face.white - 15
    beside = FaceMap(face.pixels.copy(), face.landmarks)
    beside.pixels[:40, :40] = 1.0  # what is white behind a face says nothing of the light on it
    assert beside.white == pytest.approx(face.white, abs=0.5)


def test_two_distances_become_one_without_a_crease():
    x = np.linspace(0, 1, 101)
    one, other = np.abs(x - 0.3), np.abs(x - 0.7)
    both = joined(one, other)
    assert (both >= 0).all()
    assert np.abs(both - np.minimum(one, other)).max() < 0.03
    assert both[50] < 0.2
    np.testing.assert_allclose(np.diff(both[49:52]), 0, atol=2e-3)
    np.testing.assert_allclose(joined(one), one, atol=1e-9)
