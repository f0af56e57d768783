"""Every face in a photo is listed, and one that is unfit carries the reason."""

from dataclasses import replace

import bundled
import numpy as np
import pytest
from photos import SAMPLE, portrait
from PIL import Image

from kohl.align import crop, imageio
from kohl.align.crop import to_crop
from kohl.align.detect import Detect
from kohl.types import Photo

LIMITS = {"min_eye_distance": 16.0, "max_outside": 0.1, "doubtful": np.inf, "max_disagreement": 0.25}


@pytest.fixture(scope="module")
def models():
    return bundled.load("yunet"), bundled.load("landmarks68")


@pytest.fixture(scope="module")
def detect(models):
    return Detect(*models, **LIMITS)


@pytest.fixture(scope="module")
def astronaut():
    return imageio.read(SAMPLE)


def test_the_astronaut_has_one_good_face(detect, astronaut):
    (face,) = detect(astronaut)
    assert face.reason is None
    assert face.score > 0.9
    assert (face.points.shape, face.landmarks.shape, face.to_crop.shape) == ((5, 2), (68, 2), (2, 3))
    np.testing.assert_array_equal(face.to_crop, to_crop(face.points))
    left, top, width, height = face.box
    assert ((face.points > (left, top)) & (face.points < (left + width, top + height))).all()


def test_a_face_of_few_pixels_is_too_small(detect, astronaut):
    small = np.asarray(Image.fromarray(astronaut.pixels).resize((150, 150), Image.Resampling.LANCZOS))
    (face,) = detect(Photo(small))
    assert face.reason == "too small: 12.5 pixels between the eyes, at least 16 are needed"


@pytest.mark.parametrize(
    "part", [(slice(None), slice(222, None)), (slice(None, 132), slice(None))], ids=["half a face", "no mouth"]
)
def test_a_face_across_the_border_is_cut_off(detect, astronaut, part):
    (face,) = detect(Photo(astronaut.pixels[part].copy()))
    assert face.reason.startswith("cut off: ")
    assert face.reason.endswith("% of the face lies beyond the photo's border")


def test_landmarks_that_do_not_agree_make_a_face_unreadable(models, astronaut):
    find, landmarks = models

    def beside(pixels, box):
        return np.add(landmarks(pixels, box), (0, 15))  # the eyes are 44 pixels apart

    (face,) = Detect(find, beside, **LIMITS)(astronaut)
    assert face.reason.startswith("unreadable: the landmarks do not agree")
    assert Detect(find, beside, **{**LIMITS, "max_disagreement": 0.5})(astronaut)[0].reason is None


def test_doubtful_landmarks_are_moved_onto_the_detector_s_points(models, astronaut):
    find, landmarks = models

    def beside(pixels, box):
        return np.add(landmarks(pixels, box) * 1.1, (0, 15))

    # However far off they were, they end up where the right ones would be moved to.
    (moved,) = Detect(find, beside, **{**LIMITS, "doubtful": 0.1})(astronaut)
    (right,) = Detect(find, landmarks, **{**LIMITS, "doubtful": 0.0})(astronaut)
    assert moved.reason is None
    np.testing.assert_allclose(moved.landmarks, right.landmarks, atol=1e-6)


def test_a_face_is_aligned_as_was_asked(models, astronaut):
    (face,) = Detect(*models, **LIMITS, align=crop.ffhq)(astronaut)
    (usual,) = Detect(*models, **LIMITS)(astronaut)
    assert np.array_equal(face.to_crop, crop.ffhq(face.points, face.landmarks))
    assert np.array_equal(usual.to_crop, crop.to_crop(face.points))
    one_place = Detect(lambda pixels: [((0, 0, 9, 9), 1.0, face.points)], lambda pixels, box: np.ones((68, 2)))
    assert replace(one_place, align=crop.ffhq)(astronaut)[0].reason is not None


def test_landmarks_in_one_place_are_unreadable():
    assert reason(eyes=(0.0, 30.0), doubtful=0.1).startswith("unreadable: ")


def test_forty_faces_are_all_listed_the_largest_first(detect):
    crowd, sizes = Image.new("RGB", (1480, 960), "grey"), [180 - (7 * index + 13) % 40 for index in range(40)]
    for index, size in enumerate(sizes):
        row, column = divmod(index, 8)
        crowd.paste(portrait().resize((size, size * 256 // 240)), (column * 185, row * 192))
    found = detect(Photo(np.asarray(crowd)))
    assert len(found) == 40
    assert {face.reason for face in found} == {None}
    areas = [face.box[2] * face.box[3] for face in found]
    assert areas == sorted(areas, reverse=True)
    places = [np.array(face.box[:2]) // (185, 192) @ (1, 8) for face in found]
    assert sorted(places) == list(range(40))
    assert min(sizes[int(place)] for place in places[:5]) > max(sizes[int(place)] for place in places[-5:])


@pytest.mark.parametrize("pixels", [np.zeros((1, 1, 3), np.uint8), np.full((200, 300, 3), 127, np.uint8)])
def test_where_there_is_no_face_none_is_listed(detect, pixels):
    assert detect(Photo(pixels)) == []


POINTS = np.array([(30.0, 40.0), (50.0, 40.0), (40.0, 52.0), (32.0, 60.0), (48.0, 60.0)])


def reason(points=POINTS, *, outside=0, eyes=(0.0, 0.0), size=(100, 100), **limits):
    """Why a face in a photo of `size` is skipped: some landmarks outside, the eyes' a little beside the points."""
    landmarks = np.tile(points[2], (68, 1))
    landmarks[36:42], landmarks[42:48] = points[0] + eyes, points[1] + eyes
    landmarks[:outside] = (-1, 30)
    find = [((20.0, 20.0, 40.0, 50.0), 0.9, points)]
    (face,) = Detect(lambda pixels: find, lambda pixels, box: landmarks, **{**LIMITS, **limits})(
        Photo(np.zeros((*size, 3), np.uint8))
    )
    return face.reason


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, None),
        ({"min_eye_distance": 20.0}, None),
        ({"min_eye_distance": 21.0}, "too small: 20.0 pixels between the eyes, at least 21 are needed"),
        ({"outside": 6}, None),
        ({"outside": 7}, "cut off: 10% of the face lies beyond the photo's border"),
        ({"outside": 7, "max_outside": 7 / 68}, None),
        ({"size": (53, 100)}, None),  # 52.4 is still in the last row of pixels, whose centre is 52
        ({"size": (52, 100)}, "cut off: 82%"),
        ({"size": (100, 50), "max_outside": 0.08}, "cut off: 9%"),
        ({"eyes": (0.0, 4.9)}, None),
        ({"eyes": (3.0, 4.1)}, "unreadable: the landmarks do not agree"),
        ({"eyes": (0.0, 15.0), "outside": 60}, "cut off: 88%"),
    ],
)
def test_the_limits_are_where_they_should_be(settings, expected):
    found = reason(**settings)
    assert (found is None) if expected is None else found.startswith(expected)


def test_the_distance_is_not_rounded_up_to_what_is_needed():
    assert "20 pixels between the eyes, at least 20" not in reason(POINTS * 0.98, min_eye_distance=20.0)
