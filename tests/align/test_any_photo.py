"""Any photo in, the same photo out: its colours, its depth, and nothing of its story but what was asked for."""

import shutil
import struct
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from functools import cache
from io import BytesIO

import audit
import cv2
import numpy as np
import photos
import pillow_heif
import pytest
from PIL import Image, ImageCms

from kohl import exif, heif, icc, reader
from kohl.align import imageio
from kohl.errors import BadPhoto, BadSetting
from kohl.job import Job

KEEPING = (".jpg", ".png", ".webp", ".tif", ".avif", ".heic")  # what can hold EXIF
HOW_COLOURS_ARE_KEPT = {"ColorPrimaries", "ColorProfiles", "MatrixCoefficients", "TransferCharacteristics"}
TOLD = {  # what stays of a photo that says everything, by what was asked for
    (): set(),
    ("date",): {"9003"},
    ("camera",): {"10F", "110", "A434"},
    ("exposure",): {"829A", "829D", "8827", "920A"},
    ("author", "title"): {"13B", "8298", "10E"},
    ("date", "exposure"): {"9003", "829A", "829D", "8827", "920A"},
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    return photos.odd_photos(tmp_path_factory.mktemp("odd"))


def everything():
    """An EXIF that says who, where, when and with what."""
    made = Image.Exif()
    made.update({0x010F: "Maker", 0x0110: "Model 7", 0x010E: "Title", 0x013B: "Artist", 0x8298: "Copyright"})
    made.update({0x0112: 6, 0x0131: photos.SECRET.decode(), 0x013C: "host", 0x9C9D: "author".encode("utf-16-le")})
    made.get_ifd(0x8769).update(
        {0x9003: "2026:11:27 20:30:40", 0x829A: 0.005, 0x829D: 2.8, 0x8827: 400, 0x920A: 35.0, 0xA434: "Lens 35"}
    )
    made.get_ifd(0x8769).update({0x9286: photos.SECRET, 0xA431: "serial", 0xA420: "unique", 0x927C: photos.SECRET})
    made.get_ifd(0x8825).update({1: "N", 2: (51.0, 32.0, 0.0)})
    return made


@cache
def telling():
    return photos.encoded(photos.portrait(), "JPEG", quality=95, exif=everything(), icc_profile=photos.rgb_profile())


@pytest.fixture
def told(tmp_path):
    path = tmp_path / "told.jpg"
    path.write_bytes(telling())
    return path


def test_of_every_odd_photo_nothing_is_written_but_pixels_and_colours(odd, tmp_path):
    for name, path in odd.items():
        out = imageio.default_output(path, tmp_path / name.replace(".", "_"))
        imageio.write(imageio.read(path), out)
        assert set(audit.said(out.read_bytes())) <= {"icc"}, name
        assert photos.SECRET not in out.read_bytes()


@pytest.mark.parametrize("suffix", KEEPING)
def test_the_audit_sees_what_a_careless_writer_leaves(suffix, tmp_path):
    path = tmp_path / f"told{suffix}"
    image = photos.portrait()
    if suffix == ".heic":
        photos.heif(path, image, exif=everything().tobytes(), xmp=b"<x:xmpmeta/>")
    else:
        image.save(path, exif=everything())
    assert any(word.startswith(("exif", "tag", "item")) for word in audit.said(path.read_bytes()))


@pytest.mark.parametrize("suffix", KEEPING)
@pytest.mark.parametrize("names", TOLD)
def test_what_was_asked_for_stays_and_nothing_else(told, suffix, names, tmp_path):
    out = tmp_path / f"out{suffix}"
    imageio.write(imageio.read(told, keep=names), out)
    said = set(audit.said(out.read_bytes())) - {"icc"}
    if suffix in (".avif", ".heic") and names:
        assert said == {"exif"}
        with pillow_heif.open_heif(out).to_pillow() if suffix == ".heic" else Image.open(out) as file:
            said = set(audit.exif(file.info["exif"].removeprefix(b"Exif\0\0")))
    assert said == {f"exif {tag}" for tag in TOLD[names]}
    for secret in (photos.SECRET, b"serial", b"unique", b"host"):
        assert secret not in out.read_bytes()
    assert imageio.read(out).size == imageio.read(told).size


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_deep_photos_keep_it_too(odd, suffix, tmp_path):
    path, out = tmp_path / f"deep{suffix}", tmp_path / f"out{suffix}"
    deep = np.asarray(photos.portrait())[..., ::-1].astype(np.uint16) * 257
    cv2.imwrite(str(path), deep)
    photo = imageio.read(path)
    kept = exif.kept(everything(), ("date", "camera", "exposure"))
    imageio.write(replace(photo, metadata=replace(photo.metadata, exif=kept)), out)
    with Image.open(out) as file:
        found = file.getexif()
        assert (found[0x010F], found.get_ifd(0x8769)[0x9003]) == ("Maker", "2026:11:27 20:30:40")
        assert (float(found.get_ifd(0x8769)[0x829D]), found.get_ifd(0x8769)[0x8827]) == (pytest.approx(2.8), 400)
    np.testing.assert_array_equal(imageio.read(out).metadata.deep, photo.metadata.deep)


def test_a_kept_profile_is_the_very_same(told, tmp_path):
    imageio.write(imageio.read(told, keep=("icc",)), tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as file:
        assert file.info["icc_profile"] == photos.rgb_profile()
    assert audit.said((tmp_path / "out.jpg").read_bytes()) == ["icc"]


def test_what_is_kept_is_what_it_should_be():
    hostile = Image.Exif()
    hostile.update({0x010F: "x" * 5000, 0x0110: "bell\a", 0x013B: 7, 0x8298: "caf\u00e9"})
    hostile.get_ifd(0x8769).update({0x9003: "yesterday, at home", 0x8827: -1, 0x829A: "soon", 0x829D: float("inf")})
    assert exif.kept(hostile, exif.KEPT) is None


def test_a_broken_exif_keeps_nothing_and_loses_no_photo(tmp_path):
    photos.portrait().save(tmp_path / "photo.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert imageio.read(tmp_path / "photo.jpg", keep=("date", "camera")).metadata.exif is None


def test_what_cannot_be_kept_is_refused_by_name():
    with pytest.raises(BadSetting, match="'gps' is nothing that can be kept; there are date, camera"):
        Job(photos.SAMPLE, photos.SAMPLE, keep=("date", "gps"))


def test_a_phones_heic_comes_back_as_one(odd, tmp_path):
    photo = imageio.read(odd["turned.heic"])
    assert (photo.size, photo.metadata.subsampling) == ((256, 240), "4:2:0")
    out = imageio.default_output(odd["turned.heic"], tmp_path)
    assert out.name == "turned_kohl.heic"
    imageio.write(photo, out)
    file = pillow_heif.open_heif(out)
    assert (len(file), file.size, file.info["chroma"], file.info["bit_depth"]) == (1, (240, 256), 420, 8)
    assert np.abs(imageio.read(out).pixels.astype(int) - photo.pixels).mean() < 3


def test_ten_bits_stay_ten(odd, tmp_path):
    photo = imageio.read(odd["10_bit.heic"])
    assert photo.metadata.deep.shape == (256, 240, 3)
    imageio.write(photo, tmp_path / "out.heic")
    assert pillow_heif.open_heif(tmp_path / "out.heic", convert_hdr_to_8bit=False).info["bit_depth"] == 10
    apart = imageio.read(tmp_path / "out.heic").metadata.deep.astype(int) - photo.metadata.deep
    assert np.abs(apart).mean() < 2 * 256
    imageio.write(photo, tmp_path / "out.png")
    np.testing.assert_array_equal(imageio.read(tmp_path / "out.png").metadata.deep, photo.metadata.deep)


def test_of_several_pictures_the_main_one_is_taken_and_the_others_are_gone(tmp_path):
    first, second = photos.portrait(), Image.new("RGB", (300, 200), "red")
    file = pillow_heif.from_pillow(second)
    file.add_from_pillow(first)
    file.save(tmp_path / "photo.heic", quality=95, primary_index=1)
    photo = imageio.read(tmp_path / "photo.heic")
    assert np.abs(photo.pixels - np.asarray(first).astype(int)).mean() < 3
    imageio.write(photo, tmp_path / "out.heic")
    assert len(pillow_heif.open_heif(tmp_path / "out.heic")) == 1


def test_what_a_phone_filmed_beside_the_photo_is_gone(odd, tmp_path):
    imageio.write(imageio.read(odd["motion.jpg"]), tmp_path / "out.jpg")
    assert b"ftypmp42" in odd["motion.jpg"].read_bytes()
    assert b"ftypmp42" not in (tmp_path / "out.jpg").read_bytes()


@pytest.mark.parametrize("suffix", [".heic", ".avif"])
def test_display_p3_that_only_the_container_names_is_written_as_a_profile(suffix, tmp_path):
    path = tmp_path / f"photo{suffix}"
    if suffix == ".heic":
        numbers = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 6}
        pillow_heif.from_pillow(photos.portrait()).save(path, quality=95, full_range_flag=1, **numbers)
    else:
        photos.portrait().save(path)
        path.write_bytes(path.read_bytes().replace(b"nclx\0\1\0\x0d", b"nclx\0\x0c\0\x0d"))
    photo = imageio.read(path)
    assert photo.metadata.icc_profile == icc.display_p3()
    imageio.write(photo, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as file:
        assert file.info["icc_profile"] == icc.display_p3()


def test_display_p3_looks_the_same_afterwards(tmp_path):
    wide = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8))
    red = Image.new("RGB", (64, 64), (250, 20, 30))
    for image, suffix in ((wide, ".png"), (red, ".jpg"), (red, ".heic"), (red, ".webp")):
        path, out = tmp_path / f"photo{suffix}", tmp_path / f"out{suffix}"
        if suffix == ".heic":
            file = pillow_heif.from_pillow(image)
            file.info["icc_profile"] = icc.display_p3()
            file.save(path, quality=95)
        else:
            image.save(path, icc_profile=icc.display_p3(), quality=95)
        imageio.write(imageio.read(path), out)
        seen = [in_lab(file) for file in (path, out)]
        assert np.abs(seen[0] - seen[1]).max() <= 3, suffix


def in_lab(path):
    """What a colour-managed program shows, in CIELAB."""
    image = pillow_heif.open_heif(path).to_pillow() if path.suffix == ".heic" else Image.open(path)
    profile = ImageCms.ImageCmsProfile(BytesIO(image.info["icc_profile"]))
    shown = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("LAB"), outputMode="LAB")
    return np.asarray(shown).astype(int)


def test_light_that_eight_bits_cannot_hold_is_refused(tmp_path):
    for transfer in heif.HDR:
        numbers = {"color_primaries": 9, "transfer_characteristics": transfer, "matrix_coefficients": 9}
        pillow_heif.from_pillow(photos.portrait()).save(tmp_path / "photo.heic", full_range_flag=1, **numbers)
        with pytest.raises(BadPhoto, match="is an HDR photo"):
            imageio.read(tmp_path / "photo.heic")


def test_without_the_extra_a_heic_is_refused_and_the_line_that_brings_it_is_named(odd, tmp_path, monkeypatch):
    photo = imageio.read(odd["turned.heic"])
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(BadPhoto, match=r"is a HEIC photo, which needs pillow-heif.*pip install 'kohl\[heif\]'"):
        imageio.read(odd["turned.heic"])
    with pytest.raises(BadPhoto, match="needs pillow-heif"):
        imageio.write(photo, tmp_path / "out.heic")
    imageio.write(photo, tmp_path / "out.jpg")


@pytest.mark.parametrize("format_", ["HEIF", "AVIF"])
def test_random_damage_is_one_sentence(format_, tmp_path):
    random, path = np.random.default_rng(0), tmp_path / "photo"
    if format_ == "HEIF":
        photos.heif(path, photos.portrait().resize((60, 64)))
    else:
        photos.portrait().resize((60, 64)).save(path, "AVIF")
    data = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(150):
        damaged = data.copy()
        damaged[random.integers(0, min(len(data), 500), 4)] = random.integers(0, 256, 4)
        path.write_bytes(damaged.tobytes())
        with suppress(BadPhoto):
            reader.read(path, keep=exif.KEPT)


def test_boxes_without_an_end_end(tmp_path):
    path = tmp_path / "photo.heic"
    head = struct.pack(">I4s4s", 24, b"ftyp", b"heic").ljust(24, b"\0")
    for tail in (struct.pack(">I4s", 0, b"meta"), struct.pack(">I4sQ", 1, b"mdat", 2**62), b"\0\0\0\x08free" * 9999):
        path.write_bytes(head + tail)
        with path.open("rb") as file:
            assert heif.colours(file) == (2, 2)
        with pytest.raises(BadPhoto, match="damaged or incomplete"):
            imageio.read(path)


@pytest.mark.tools
@pytest.mark.skipif(not shutil.which("mat2"), reason="mat2 is Debian's")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".heic"])  # it knows no others
def test_mat2_finds_nothing_to_remove(told, suffix, tmp_path):
    out = tmp_path / f"out{suffix}"
    photo = imageio.read(told)
    imageio.write(
        replace(photo, metadata=replace(photo.metadata, icc_profile=None)), out
    )  # whose colours it would list
    done = subprocess.run(["mat2", "--show", str(out)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {line.split(":")[0].strip() for line in done.stdout.splitlines()[1:]}
    assert "No metadata found" in done.stdout or found <= HOW_COLOURS_ARE_KEPT
