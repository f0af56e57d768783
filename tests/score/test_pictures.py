from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kohl.errors import BadPhoto
from kohl.score.pictures import difference, inlined, pictures, slice_of
from kohl.types import FaceRow, Metadata, Photo, Row

GREY = np.full((60, 80, 3), 100, np.uint8)


def decoded(picture):
    kind, data = picture.uri.split(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(BytesIO(base64.b64decode(data)))


def test_a_picture_is_scaled_down_but_never_up():
    assert decoded(inlined(GREY, longest=40)).size == (40, 30)
    assert decoded(inlined(GREY, longest=4000)).size == (80, 60)
    assert decoded(inlined(GREY[:1], longest=4)).size == (4, 1)


def test_a_picture_keeps_its_colours_and_its_profile():
    picture = decoded(inlined(GREY, longest=100, icc_profile=b"profile"))
    assert picture.info["icc_profile"] == b"profile"
    np.testing.assert_allclose(np.asarray(picture), GREY, atol=2)


def test_a_difference_is_enlarged_around_grey_and_clipped():
    after = GREY.copy()
    after[0, 0] = 101, 97, 200
    shown = difference(GREY, after)
    assert shown[0, 0].tolist() == [136, 104, 255]
    assert (shown[1:] == 128).all()


@pytest.mark.parametrize("box", [(30, 20, 10, 20), (0, 0, 10, 10), (75, 55, 5, 5), (-20, -20, 400, 400), (3, 3, 0, 0)])
def test_a_close_up_is_a_square_inside_the_picture(box):
    cut = GREY[slice_of(GREY, box)]
    assert cut.shape[0] == cut.shape[1] <= 60
    assert cut.size


def test_a_close_up_has_the_box_in_its_middle():
    rows, columns = slice_of(GREY, (30, 20, 10, 20))
    assert (rows.start + rows.stop, columns.start + columns.stop) == (60, 70)


def photos(path: Path) -> Photo:
    if path.name == "missing.jpg":
        raise BadPhoto("missing.jpg: there is no such file")
    pixels = GREY[:30] if path.name == "smaller.jpg" else GREY + (path.name == "after.jpg")
    return Photo(pixels.astype(np.uint8), path, Metadata())


def test_a_protected_photo_shows_all_three_of_itself_and_of_each_face():
    row = Row("before.jpg", "after.jpg", "protected", faces=[FaceRow(0, (10, 10, 20, 20), "protected")])
    whole, (face,) = pictures(row, photos)
    np.testing.assert_allclose(np.asarray(decoded(whole.difference)), 136, atol=2)
    assert decoded(face.after).size == (32, 32)


@pytest.mark.parametrize("output", [None, "missing.jpg", "smaller.jpg"])
def test_without_a_result_that_fits_only_the_original_is_shown(output):
    whole, _ = pictures(Row("before.jpg", output, "failed"), photos)
    assert whole.before
    assert whole.after is None
    assert whole.difference is None


def test_a_photo_that_cannot_be_read_is_not_shown():
    row = Row("missing.jpg", None, "failed", faces=[FaceRow(0, (10, 10, 20, 20), "skipped")])
    whole, faces = pictures(row, photos)
    assert whole.before is None
    assert len(faces) == 1
