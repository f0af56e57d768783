"""kohl from Python: what goes in, what comes out, and the examples of the guide."""

import re
import threading
from io import BytesIO
from pathlib import Path

import bundled
import numpy as np
import photos
import pytest
import tiny
from PIL import Image

import kohl
from kohl import api
from kohl.recipe import Recipe

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "python.md"


@pytest.fixture
def protector():
    """With toys for models, which find a face in every photo's corner."""
    made = api.Protector.__new__(api.Protector)
    made.house = tiny.house()
    return made


@pytest.fixture
def photo(tmp_path):
    return tiny.picture(tmp_path / "photo.png")


def test_whatever_a_photo_is_given_as_the_result_is_the_same(protector, photo):
    image = Image.open(photo)
    given = [photo, str(photo), photo.read_bytes(), image, np.asarray(image)]
    results = [protector(each, seed=3) for each in given]
    assert len({result.content for result in results}) == 1
    assert [result.row.photo for result in results] == [str(photo)] * 2 + ["photo in memory"] * 3
    for result in results:
        assert (result.status, result.suffix, result.row.output) == (kohl.Status.PROTECTED, ".png", None)
        assert result.image.size == image.size
        assert np.asarray(result.image).tobytes() != np.asarray(image).tobytes()
    assert sorted(path.name for path in photo.parent.iterdir()) == ["photo.png"]


def test_what_is_saved_is_what_was_judged(protector, photo, tmp_path):
    result = protector(photo)
    saved = result.save(tmp_path / "new" / "out.PNG")
    assert saved.read_bytes() == result.content
    with pytest.raises(kohl.BadPhoto, match=r"out\.PNG: already exists; overwrite it"):
        result.save(saved)
    assert result.save(str(saved), force=True) == saved
    with pytest.raises(kohl.BadSetting, match=r"the file that was judged is \.png"):
        result.save(tmp_path / "out.jpg")
    assert not (tmp_path / "out.jpg").exists()


def test_nothing_is_saved_over_the_original_nor_where_it_cannot_be(protector, photo, tmp_path):
    before, result = photo.read_bytes(), protector(photo)
    with pytest.raises(kohl.BadPhoto, match="is the original photo"):
        result.save(photo, force=True)
    assert photo.read_bytes() == before
    with pytest.raises(kohl.BadPhoto, match="is a file, not a folder"):
        result.save(photo / "out.png")


def test_the_format_is_the_photo_s_or_the_one_that_was_asked_for(protector):
    jpeg = photos.encoded(photos.portrait(), "JPEG", quality=95)
    assert protector(jpeg).suffix == ".jpg"
    other = protector(jpeg, suffix=".webp")
    with Image.open(BytesIO(other.content)) as file:
        assert (file.format, other.suffix) == ("WEBP", ".webp")


def test_a_phone_s_photo_in_memory_comes_back_as_one_with_what_was_to_be_kept(protector, tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:11:27 20:30:40"
    photos.heif(tmp_path / "photo.heic", photos.portrait(), exif=exif.tobytes())
    result = protector((tmp_path / "photo.heic").read_bytes(), keep=["date"])
    assert (result.suffix, result.image.size) == (".heic", (240, 256))
    assert result.image.getexif().get_ifd(0x8769)[0x9003] == "2026:11:27 20:30:40"
    with pytest.raises(kohl.BadSetting, match="nothing that can be kept"):
        protector((tmp_path / "photo.heic").read_bytes(), keep=["gps"])


def test_an_image_that_must_be_turned_is_turned(protector):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = photos.encoded(photos.portrait(), "JPEG", quality=95, exif=exif)
    with Image.open(BytesIO(turned)) as image:
        assert protector(image).image.size == protector(turned).image.size == (256, 240)


def test_references_are_photos_of_any_kind(protector, photo):
    row = protector(photo, references=[photo, photo.read_bytes()]).row
    assert [len(face.references) for face in row.faces] == [2]


def test_what_is_wrong_is_said_without_a_temporary_name(protector):
    with pytest.raises(kohl.BadPhoto, match=r"^photo in memory: is not a picture"):
        protector(b"no photo" * 50)
    with pytest.raises(kohl.BadPhoto, match=r"^photo in memory: must be uint8 \(height, width, 3\), not float64"):
        protector(np.zeros((4, 4, 3)))
    with pytest.raises(kohl.BadPhoto, match=r"^missing\.jpg: no such file"):
        protector("missing.jpg")
    with pytest.raises(kohl.BadSetting, match=r"^faces: name at least one"):
        protector(photos.encoded(photos.portrait(), "PNG"), faces=[])


def test_watch_hears_of_every_step_and_cancel_ends_the_work(protector, photo):
    steps, cancel = [], threading.Event()
    protector(photo, watch=steps.append)
    assert [(step.index, step.total) for step in steps] == [(0, 1)]
    cancel.set()
    with pytest.raises(kohl.Cancelled):
        protector(photo, cancel=cancel)


def test_again_is_another_one_with_the_same_models():
    first = kohl.Protector(text="red lipstick", settings=["search.steps=3"], shelf=bundled.SHELF)
    second = first.again(strength=0.2)
    assert first.recipe == Recipe(text="red lipstick", search=first.recipe.search)
    assert (second.recipe.text, second.recipe.strength, second.recipe.search.steps) == ("red lipstick", 0.2, 3)
    models = [(each.house.decoys, each.house.detect.find, each.house.attack.words.model) for each in (first, second)]
    assert all(one is other for one, other in zip(*models, strict=True))
    assert kohl.Protector(second.recipe, shelf=bundled.SHELF).recipe == second.recipe
    with pytest.raises(kohl.BadSetting, match="no such recipe"):
        kohl.Protector("nonsense")


def test_names_are_there_and_others_are_not():
    assert {"protect", "Protector", "Result", "KohlError", "Status"} <= set(dir(kohl))
    with pytest.raises(AttributeError, match="has no attribute 'protct'"):
        kohl.protct  # noqa: B018


def test_the_examples_of_the_guide(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("me.jpg", "us.jpg", "me_before.jpg"):
        photos.portrait().save(tmp_path / name, quality=95)
    code = "\n".join(re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL))
    few = ["search.steps=2", "search.tries=1", "models.judges=['sface']", "models.surrogates=['sface']"]
    for given, more in (("strength=0.4", []), ('text="red lipstick"', ["search.chance=0"])):
        code = code.replace(given, f"{given}, settings={few + more}")
    exec(code.replace("Protector(", "Protector(shelf=shelf, "), {"shelf": bundled.SHELF})
    first, look, last = capsys.readouterr().out.splitlines()
    assert look == "{'lipstick': 'red'}"
    assert first.split()[0] in ("protected", "not_protected")
    assert 20 < float(last) < 60
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"me.jpg", "us.jpg"}
