"""What becomes of a posted photo, by its size, its format and its pixels."""

import numpy as np
import pytest
from PIL import Image

from kohl.bench.posting import POSTINGS, Posting, at_most, cut, enlarged, lit, median, screenshot


@pytest.fixture
def photo(tmp_path):
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(60, 180, (6, 9, 3), np.uint8)).resize((96, 64), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def opened(path):
    with Image.open(path) as image:
        image.load()
        return image


@pytest.mark.parametrize("name", POSTINGS)
def test_every_posting_writes_a_photo_of_its_own_kind_and_nothing_else(photo, name):
    posting = POSTINGS[name]
    output = photo.with_name(f"posted{posting.suffix}")
    before = photo.read_bytes()
    posting(photo, output)
    with Image.open(output) as found:
        assert found.mode == "RGB"
        assert found.format == {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP"}[posting.suffix]
        assert np.asarray(found).std() > 5
    assert photo.read_bytes() == before
    assert {path.name for path in photo.parent.iterdir()} == {photo.name, output.name}


@pytest.mark.parametrize(
    ("name", "size"),
    [("half", (48, 32)), ("half, jpeg 75", (48, 32)), ("crop 5 %", (92, 60)), ("edge 640", (96, 64))],
)
def test_sizes(photo, name, size):
    POSTINGS[name](photo, photo.with_name("posted.jpg"))
    assert opened(photo.with_name("posted.jpg")).size == size


def test_a_jpeg_has_the_tables_of_its_quality(photo):
    for quality in (95, 85, 75, 50):
        Image.new("RGB", (8, 8)).save(photo.with_name("plain.jpg"), quality=quality)
        POSTINGS[f"jpeg {quality}"](photo, photo.with_name("posted.jpg"))
        tables = [opened(photo.with_name(f"{name}.jpg")).quantization for name in ("plain", "posted")]
        assert tables[0] == tables[1]


def test_longer_edge():
    assert at_most(40, Image.new("RGB", (80, 30))).size == (40, 15)
    assert at_most(40, Image.new("RGB", (30, 80))).size == (15, 40)
    assert at_most(80, Image.new("RGB", (80, 30))).size == (80, 30)


def test_a_median_takes_single_pixels_away():
    pixels = np.full((9, 9, 3), 100, np.uint8)
    pixels[4, 4] = 255
    assert (np.asarray(median(Image.fromarray(pixels))) == 100).all()


def test_light_and_cuts():
    grey = Image.new("RGB", (40, 20), (100, 100, 100))
    assert lit(1.25, grey).getpixel((0, 0)) == (125, 125, 125)
    assert cut(0.1, grey).size == (36, 18)
    shown = screenshot(grey)
    assert shown.size == (32 + 48, 16 + 48)
    assert shown.getpixel((0, 0)) == (236, 236, 236)
    assert shown.getpixel((40, 32)) == (100, 100, 100)


def test_jpeg_then_upscale_keeps_the_size_and_drops_what_is_fine():
    fine = np.indices((64, 64)).sum(0) % 2 * 40 + 100
    image = Image.fromarray(np.repeat(fine[..., None], 3, 2).astype(np.uint8))
    found = np.asarray(enlarged(75, image)).astype(float)
    assert found.shape == (64, 64, 3)
    assert found.std() < 4 < 20 <= fine.std()
    assert found.mean() == pytest.approx(120, abs=2)


def test_an_encoding_alone_keeps_every_pixel_of_a_png(photo):
    Posting()(photo, photo.with_name("same.png"))
    assert (np.asarray(opened(photo.with_name("same.png"))) == np.asarray(opened(photo))).all()
