"""What the page shows of a photo, of every kind of file that kohl reads."""

import io

import photos
import pytest
from photos import SAMPLE
from PIL import Image

from kohl import contact_sheet
from kohl.errors import BadSetting
from kohl.ui import pictures


@pytest.fixture(scope="module")
def detect():
    return contact_sheet.detector()


@pytest.fixture(scope="module")
def seen(detect):
    return pictures.seen(SAMPLE, detect)


def opened(content):
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image


def test_every_kind_of_photo_is_shown_as_a_jpeg_without_a_story(tmp_path, detect):
    for name, path in photos.odd_photos(tmp_path).items():
        found = pictures.seen(path, detect)
        images = [found.whole, *(pictures.face(found, index, 160) for index in range(len(found.tiles)))]
        for content in images:
            assert opened(content).format == "JPEG", name
            assert photos.SECRET not in content
        profile = opened(found.whole).info.get("icc_profile")
        assert profile is None or profile[16:20] == b"RGB ", name


def test_a_face_is_kept_small_and_shown_at_each_size(seen):
    assert seen.memory < 500_000
    for side in pictures.SIDES:
        assert opened(pictures.face(seen, 0, side)).size == (side, side)


@pytest.mark.parametrize("text", ["blue and yellow eyeshadow", "bronzer", "lipstick on the upper lip", "concealer"])
def test_a_coat_that_goes_on_a_part_of_a_place_is_drawn(seen, text):
    assert pictures.Mirror()(seen, 0, 256, text) != pictures.face(seen, 0, 256)


def test_what_drawing_needs_is_kept_for_the_last_few_faces_and_forgotten(seen):
    mirror = pictures.Mirror()
    first = mirror(seen, 0, 160, "red lipstick")
    assert mirror(seen, 0, 160, "red lipstick") == first
    assert mirror(seen, 0, 160, "blue lipstick") != first
    assert len(mirror._kept) == 1
    with pytest.raises(BadSetting, match="names no makeup"):
        mirror(seen, 0, 160, "nothing that is known")
    mirror.forget(seen)
    assert len(mirror._kept) == 0
