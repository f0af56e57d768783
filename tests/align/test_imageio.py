import os
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import photos
import pytest
from heard import heard
from PIL import Image, JpegImagePlugin
from PIL.PngImagePlugin import PngInfo
from scarce import full_disk

from kohl import icc
from kohl.align import encode, imageio
from kohl.errors import BadPhoto
from kohl.types import Metadata, Photo

READ_AS = {  # every odd photo: format to write, grey, has alpha, mean error of the pixels against the portrait
    "plain.jpg": ("JPEG", False, False, 2),
    "coarse.jpg": ("JPEG", False, False, 6),
    "progressive.jpg": ("JPEG", False, False, 2),
    "turned.jpg": ("JPEG", False, False, 2),
    "grey.jpg": ("JPEG", True, False, 2),
    "cmyk.jpg": ("JPEG", False, False, 3),
    "really_png.jpg": ("PNG", False, False, 0),
    "plain.png": ("PNG", False, False, 0),
    "profiled.png": ("PNG", False, False, 0),
    "grey_16_bit.png": ("PNG", True, False, 0),
    "bilevel.png": ("PNG", True, False, 128),
    "palette.png": ("PNG", False, False, 12),
    "palette_clear.png": ("PNG", False, True, 12),
    "rgba.png": ("PNG", False, True, 0),
    "grey_alpha.png": ("PNG", True, True, 0),
    "plain.webp": ("WEBP", False, False, 4),
    "rgba.webp": ("WEBP", False, True, 0),
    "plain.tif": ("TIFF", False, False, 0),
    "cmyk.tif": ("TIFF", False, False, 0),
    "lab.tif": ("TIFF", False, False, 3),
    "grey_16_bit.tif": ("TIFF", True, False, 0),
    "float.tif": ("TIFF", True, False, 0),
    "plain.bmp": ("BMP", False, False, 0),
    "plain.gif": ("PNG", False, False, 12),
    "rgb_16_bit.png": ("PNG", False, False, 0),
    "rgb_16_bit.tif": ("TIFF", False, False, 0),
    "private.jpg": ("JPEG", False, False, 2),
    "plain.avif": ("AVIF", False, False, 2),
    "several.mpo": ("JPEG", False, False, 2),
    "motion.jpg": ("JPEG", False, False, 2),
    "turned.heic": ("HEIF", False, False, 3),
    "several.heif": ("HEIF", False, False, 3),
    "clear.heic": ("HEIF", False, True, 2),
    "10_bit.heic": ("HEIF", False, False, 3),
}
REFUSED = {
    "empty.jpg": "is empty",
    "text.jpg": "not a picture",
    "noise.png": "not a picture",
    "cut.jpg": "damaged or incomplete",
    "padded.jpg": "damaged or incomplete",
    "header_only.jpg": "damaged or incomplete",
    "cut.png": "damaged or incomplete",
    "cut.webp": "damaged or incomplete",
    "drawing.svg": "not a picture",
    "scan.pdf": "not a picture",
    "phone.heic": "damaged or incomplete",
    "vast.png": "megapixels",
    "animation.gif": "several pictures",
    "animation.png": "several pictures",
    "animation.webp": "several pictures",
    "pages.tif": "several pictures",
    "camera.dng": "raw file",
    "bomb.png": "megapixels",
    "folder.jpg": "is a folder",
    "pipe.jpg": "not an ordinary file",
    "missing.jpg": "no such file",
}
TURNS = {  # EXIF orientation: what makes the stored picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,  # anticlockwise
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
HARMLESS = {"icc_profile", "jfif", "jfif_version", "jfif_unit", "jfif_density"} | {  # what Pillow reports of any file
    *("compression", "dpi", "resolution", "loop", "background", "timestamp", "duration"),
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    return photos.odd_photos(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    return photos.bad_files(tmp_path_factory.mktemp("bad"))


def test_every_odd_photo_and_bad_file_is_expected(odd, bad):
    assert set(odd) == {*READ_AS, "1x1.png"}
    assert set(bad) == set(REFUSED)


@pytest.mark.parametrize("name", READ_AS)
def test_reads_the_portrait_out_of(odd, name):
    format_, grey, has_alpha, error = READ_AS[name]
    photo = imageio.read(odd[name])
    face = photos.portrait()
    truth = np.asarray(face.convert("L").convert("RGB") if grey else face, dtype=int)
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous
    assert photo.pixels.flags.writeable
    assert np.abs(photo.pixels - truth).mean() <= error
    assert photo.path == odd[name]
    assert (photo.metadata.format, photo.metadata.grey) == (format_, grey)
    assert (photo.metadata.alpha is not None) == has_alpha


@pytest.mark.parametrize("name", READ_AS)
def test_every_odd_photo_comes_back_under_its_default_name(odd, name, tmp_path):
    photo = imageio.read(odd[name])
    path = imageio.default_output(odd[name], tmp_path)
    imageio.write(photo, path)
    again = imageio.read(path)
    assert again.metadata.grey == photo.metadata.grey
    assert again.metadata.icc_profile == photo.metadata.icc_profile
    if photo.metadata.alpha is not None:
        np.testing.assert_allclose(again.metadata.alpha, photo.metadata.alpha, atol=photo.metadata.format == "HEIF")
    if again.metadata.format in ("PNG", "TIFF", "BMP"):
        np.testing.assert_equal(again.pixels, photo.pixels)
    else:
        assert np.abs(again.pixels.astype(int) - photo.pixels).mean() < 3


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_in_one_sentence(bad, name):
    with pytest.raises(BadPhoto, match=REFUSED[name]) as refusal:
        imageio.read(bad[name])
    sentence = str(refusal.value)
    assert sentence.startswith(str(bad[name]))
    assert "; " in sentence  # what to do
    assert "\n" not in sentence


def test_a_single_pixel_is_a_photo(odd):
    assert imageio.read(odd["1x1.png"]).pixels.tolist() == [[[255, 0, 0]]]


def test_a_device_is_refused():
    with pytest.raises(BadPhoto, match="not an ordinary file"):
        imageio.read(Path("/dev/zero"))


def test_what_may_not_be_opened_is_refused(odd):
    def denied(name, *_):  # whoever asks: the superuser may open everything
        if str(name) == str(odd["plain.png"]):
            raise PermissionError(13, "Permission denied")

    with heard("open", denied), pytest.raises(BadPhoto, match="Permission denied"):
        imageio.read(odd["plain.png"])


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_a_file_cut_anywhere_is_refused_or_complete(format_, tmp_path):
    # The last bytes of a PNG or GIF hold no pixels: without them it is still the whole picture.
    data = photos.encoded(photos.portrait().resize((60, 64)), format_)
    path = tmp_path / "photo"
    path.write_bytes(data)
    whole = imageio.read(path).pixels
    for length in (*range(1, len(data), len(data) // 25), len(data) - 9, len(data) - 1):
        path.write_bytes(data[:length])
        with suppress(BadPhoto):
            np.testing.assert_equal(imageio.read(path).pixels, whole)


def test_random_damage_never_raises_anything_else(tmp_path):
    random = np.random.default_rng(0)
    path = tmp_path / "photo"
    for format_ in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"):
        data = np.frombuffer(photos.encoded(photos.portrait().resize((60, 64)), format_), np.uint8)
        for _ in range(60):
            damaged = data.copy()
            damaged[random.integers(0, min(len(data), 400), 4)] = random.integers(0, 256, 4)
            path.write_bytes(damaged.tobytes())
            with suppress(BadPhoto):
                imageio.read(path)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [None, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_orientation_is_applied_to_pixels_and_alpha(format_, orientation, tmp_path):
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    image = photos.portrait().resize((60, 64))
    if format_ != "JPEG":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    settings = {"lossless": True, "exact": True} if format_ == "WEBP" else {}
    path = tmp_path / f"photo.{format_.lower()}"
    image.save(path, format_, exif=exif, **settings)
    if format_ == "JPEG":
        with Image.open(path) as file:
            image = file.convert("RGB")
    # Not ImageOps.exif_transpose, which Pillow 13 gets wrong for a TIFF opened by name.
    truth = np.asarray(image.transpose(TURNS[orientation]) if orientation in TURNS else image)
    photo = imageio.read(path)
    np.testing.assert_equal(photo.pixels, truth[..., :3])
    if format_ != "JPEG":
        np.testing.assert_equal(photo.metadata.alpha, truth[..., 3])
    written = tmp_path / "out.png"
    imageio.write(photo, written)
    with Image.open(written) as file:
        np.testing.assert_equal(np.asarray(file), truth)
        assert not file.getexif()


def test_orientation_six_means_turn_clockwise(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.uint8([[1, 2, 3], [4, 5, 6]])).save(tmp_path / "photo.png", exif=exif)
    assert imageio.read(tmp_path / "photo.png").pixels[..., 0].tolist() == [[4, 1], [5, 2], [6, 3]]


def test_broken_exif_does_not_make_a_photo_unreadable(tmp_path):
    photos.portrait().save(tmp_path / "photo.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert imageio.read(tmp_path / "photo.jpg").size == (256, 240)


def test_sixteen_bits_are_rounded_not_cut(tmp_path):
    values = np.arange(65536).reshape(256, 256)
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(values.astype(np.uint16)).save(tmp_path / name)
        np.testing.assert_equal(imageio.read(tmp_path / name).pixels[..., 0], np.round(values / 257))


def test_a_dark_sixteen_bit_photo_stays_dark(tmp_path):
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(np.full((4, 4), 200, np.uint16)).save(tmp_path / name)
        assert imageio.read(tmp_path / name).pixels.max() == 1


@pytest.mark.parametrize("white", [1, 255, 65535, 1e6])
def test_white_of_a_float_file_is_the_usual_one_that_nothing_exceeds(white, tmp_path):
    ramp = np.linspace(0, white, 256, dtype=np.float32).reshape(16, 16)
    Image.fromarray(ramp).save(tmp_path / "float.tif")
    np.testing.assert_equal(imageio.read(tmp_path / "float.tif").pixels[..., 0].ravel(), np.arange(256))


def test_cmyk_goes_through_its_profile_and_loses_it(tmp_path):
    magenta = Image.new("CMYK", (16, 16), (0, 255, 0, 0))
    for name in ("press.jpg", "press.tif"):
        magenta.save(tmp_path / name, icc_profile=photos.cmyk_profile())
        photo = imageio.read(tmp_path / name)
        assert photo.pixels.min() >= 253, "this press prints magenta as white"
        assert photo.metadata.icc_profile is None
        magenta.save(tmp_path / name, icc_profile=b"no profile at all")
        assert np.abs(imageio.read(tmp_path / name).pixels.astype(int) - (255, 0, 255)).max() <= 2


def test_the_second_picture_of_an_mpo_is_dropped(tmp_path):
    face = photos.portrait()
    face.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[face.rotate(9)])
    photo = imageio.read(tmp_path / "phone.jpg")
    assert photo.metadata.format == "JPEG"
    imageio.write(photo, tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as file:
        assert file.format == "JPEG"
    assert (tmp_path / "out.jpg").read_bytes().count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp"])
def test_nothing_private_is_written(odd, suffix, tmp_path):
    assert odd["private.jpg"].read_bytes().count(photos.SECRET) >= 6
    out = tmp_path / f"out{suffix}"
    imageio.write(imageio.read(odd["private.jpg"]), out)
    data = out.read_bytes()
    assert photos.SECRET not in data
    assert b"Exif" not in data
    assert b"xmpmeta" not in data
    assert data.count(b"\xff\xd8\xff") == (suffix == ".jpg"), "no thumbnail"
    assert photos.rgb_profile() not in data
    assert (icc.rebuilt(photos.rgb_profile()) in data) == (suffix in (".jpg", ".tif", ".webp"))  # a PNG compresses it
    with Image.open(out) as file:
        assert set(file.info) <= HARMLESS
        assert not file.getexif().get_ifd(0x8825)


def test_nothing_private_of_a_png_is_written(tmp_path):
    info = PngInfo()
    info.add_text("Author", photos.SECRET)
    info.add_itxt("XML:com.adobe.xmp", photos.SECRET.decode())
    photos.portrait().save(tmp_path / "photo.png", pnginfo=info)
    imageio.write(imageio.read(tmp_path / "photo.png"), tmp_path / "out.png")
    assert photos.SECRET in (tmp_path / "photo.png").read_bytes()
    assert photos.SECRET not in (tmp_path / "out.png").read_bytes()


@pytest.mark.parametrize(("name", "kept"), [("fine.jpg", True), ("phone.jpg", True), ("coarse.jpg", False)])
def test_a_jpeg_keeps_its_tables_where_they_are_fine_enough_and_the_resolution_of_its_colours(name, kept, tmp_path):
    quality, sampling = {"fine.jpg": (95, 0), "phone.jpg": (84, 1), "coarse.jpg": (60, 2)}[name]
    limits = []
    for path, how in {tmp_path / "photo.jpg": quality, tmp_path / "limit.jpg": encode.COARSEST}.items():
        photos.portrait().save(path, quality=how, subsampling=sampling, progressive=True)
        with Image.open(path) as file:
            limits.append(file.quantization)
    imageio.write(imageio.read(tmp_path / "photo.jpg"), tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as file:
        assert JpegImagePlugin.get_sampling(file) == sampling
        assert file.quantization == limits[0 if kept else 1]


def test_a_jpeg_that_nobody_changed_is_hardly_larger_and_hardly_another(tmp_path):
    photos.portrait().save(tmp_path / "photo.jpg", quality=82, subsampling=2)
    photo = imageio.read(tmp_path / "photo.jpg")
    imageio.write(photo, tmp_path / "out.jpg")
    sizes = [(tmp_path / name).stat().st_size for name in ("photo.jpg", "out.jpg")]
    assert sizes[1] < 1.02 * sizes[0]
    assert np.abs(imageio.read(tmp_path / "out.jpg").pixels.astype(int) - photo.pixels).mean() < 0.5


def test_the_finest_tables_can_hold_noise(tmp_path):
    # Pillow's optimised JPEG writer fails here: it sets aside two bytes per pixel.
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    photo = Photo(noise, metadata=Metadata("JPEG", jpeg_tables={0: [1] * 64, 1: [1] * 64}))
    imageio.write(photo, tmp_path / "noise.jpg")
    assert np.abs(imageio.read(tmp_path / "noise.jpg").pixels.astype(int) - noise).mean() < 1


def test_transparency_is_never_lost_silently(odd, tmp_path):
    photo = imageio.read(odd["rgba.png"])
    for suffix in (".jpg", ".bmp"):
        with pytest.raises(BadPhoto, match="transparency"):
            imageio.write(photo, tmp_path / f"out{suffix}")
        opaque = replace(photo.metadata, alpha=np.full(photo.size, 255, np.uint8))
        imageio.write(replace(photo, metadata=opaque), tmp_path / f"out{suffix}")


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_the_colours_behind_transparency_are_kept(odd, suffix, tmp_path):
    photo = imageio.read(odd["rgba.png"])
    imageio.write(photo, tmp_path / f"out{suffix}")
    behind = photo.metadata.alpha == 0
    again = imageio.read(tmp_path / f"out{suffix}").pixels[behind].astype(int)
    assert np.abs(again - photo.pixels[behind]).mean() < 3


def test_a_grey_profile_stays_only_with_grey_pixels(tmp_path):
    grey_profile = photos.profile(b"GRAY", {b"kTRC": photos.curve(563)})
    photos.portrait().convert("L").save(tmp_path / "photo.png", icc_profile=grey_profile)
    photo = imageio.read(tmp_path / "photo.png")
    assert photo.metadata.icc_profile == icc.rebuilt(grey_profile)
    imageio.write(photo, tmp_path / "out.webp")  # which has no grey
    assert imageio.read(tmp_path / "out.webp").metadata.icc_profile is None


def test_the_suffix_chooses_the_format_and_none_keeps_it(odd, tmp_path):
    photo = imageio.read(odd["really_png.jpg"])
    for name, format_ in {"out.jpg": "JPEG", "out.TIFF": "TIFF", "out": "PNG", "out.photo": "PNG"}.items():
        imageio.write(photo, tmp_path / name)
        with Image.open(tmp_path / name) as file:
            assert file.format == format_
    with pytest.raises(BadPhoto, match=r"cannot write \.gif"):
        imageio.write(photo, tmp_path / "out.gif")


def test_what_the_format_cannot_hold_is_refused(tmp_path):
    with pytest.raises(BadPhoto, match="cannot be written as WEBP"):
        imageio.write(Photo(np.zeros((1, 16384, 3), np.uint8)), tmp_path / "out.webp")
    assert not list(tmp_path.iterdir())


def test_avif_where_pillow_has_it(tmp_path):
    pytest.importorskip("PIL.AvifImagePlugin")
    exif = Image.Exif()
    exif[0x0112] = 6
    photos.portrait().save(tmp_path / "photo.avif", exif=exif, icc_profile=photos.rgb_profile())
    photo = imageio.read(tmp_path / "photo.avif")
    imageio.write(photo, tmp_path / "out.avif")
    again = imageio.read(tmp_path / "out.avif")
    assert photo.size == (240, 256)
    assert again.metadata.icc_profile == icc.rebuilt(photos.rgb_profile())
    assert np.abs(again.pixels.astype(int) - photo.pixels).mean() < 2


def test_default_output(tmp_path):
    (tmp_path / "folder.png").mkdir()
    out = imageio.default_output
    assert out(Path("a/me.JPG")) == Path("a/me_kohl.JPG")
    assert out(Path("a/me.gif")) == Path("a/me_kohl.png")
    assert out(Path("me")) == Path("me_kohl")
    assert out(Path("a/me.x.jpg"), Path("b")) == Path("b/me.x_kohl.jpg")
    assert out(Path("a/me.jpg"), Path("b/you.png")) == Path("b/you.png")
    assert out(Path("a/me.jpg"), Path("b/you.heic")) == Path("b/you.heic")  # for `write` to refuse by name
    assert out(Path("a/me.jpg"), tmp_path / "folder.png") == tmp_path / "folder.png" / "me_kohl.jpg"
    assert imageio.is_photo_name(Path("x" * 5000 + ".png"))


def test_an_existing_file_is_overwritten_only_with_force(odd, tmp_path):
    photo, path = imageio.read(odd["plain.png"]), tmp_path / "out.png"
    path.write_text("precious")
    with pytest.raises(BadPhoto, match="already exists; overwrite it"):
        imageio.write(photo, path)
    assert path.read_text() == "precious"
    imageio.write(photo, path, force=True)
    np.testing.assert_equal(imageio.read(path).pixels, photo.pixels)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(odd, has_links, tmp_path):
    photo, path = imageio.read(odd["plain.png"]), tmp_path / "out.png"
    imageio.write(photo, path)
    path.unlink()

    def meanwhile(*_):
        path.write_text("precious")
        if not has_links:
            raise PermissionError(1, "Operation not permitted")  # what FAT answers

    with heard("os.link", meanwhile), pytest.raises(BadPhoto, match="File exists"):
        imageio.write(photo, path)
    assert path.read_text() == "precious"
    assert [*tmp_path.iterdir()] == [path]


def test_the_original_is_never_overwritten(tmp_path):
    path = tmp_path / "me.png"
    photos.portrait().save(path)
    (tmp_path / "link.png").symlink_to(path)
    (tmp_path / "twin.png").hardlink_to(path)
    before = path.read_bytes()
    for name in ("me.png", "link.png", "twin.png", "../" + tmp_path.name + "/me.png"):
        with pytest.raises(BadPhoto, match="original"):
            imageio.write(imageio.read(path), tmp_path / name, force=True)
    assert path.read_bytes() == before


def test_a_full_disk_leaves_nothing_behind(odd, tmp_path):
    photo, path = imageio.read(odd["plain.png"]), tmp_path / "out.png"
    path.write_text("precious")
    with full_disk(1000), pytest.raises(BadPhoto, match="File too large"):
        imageio.write(photo, path, force=True)
    assert path.read_text() == "precious"
    assert [*tmp_path.iterdir()] == [path]


def test_places_that_cannot_be_written(odd, tmp_path):
    photo = imageio.read(odd["plain.png"])
    (tmp_path / "file").touch()
    for path in (
        tmp_path,
        tmp_path / "file" / "out.png",
        tmp_path / "file" / "deep" / "out.png",
        tmp_path / ("x" * 300),
    ):
        with pytest.raises(BadPhoto, match="; "):
            imageio.write(photo, path)


def test_folders_are_made_and_the_umask_respected(odd, tmp_path):
    path = tmp_path / "a" / "b" / "out.png"
    before = os.umask(0o027)
    try:
        imageio.write(imageio.read(odd["plain.png"]), path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_same_bytes_every_time(odd, tmp_path):
    photo = imageio.read(odd["plain.jpg"])
    for name in ("a.jpg", "b.jpg"):
        imageio.write(photo, tmp_path / name)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()


def test_digest_follows_the_pixels_alone(odd):
    photo = imageio.read(odd["plain.png"])
    assert imageio.digest(photo) == imageio.digest(imageio.read(odd["plain.tif"]))
    assert len(imageio.digest(photo)) == 32
    changed = photo.pixels.copy()
    changed[0, 0, 0] ^= 1
    assert imageio.digest(replace(photo, pixels=changed)) != imageio.digest(photo)
    assert imageio.digest(replace(photo, pixels=photo.pixels.reshape(240, 256, 3))) != imageio.digest(photo)


def test_a_phone_of_64_megapixels_is_welcome():
    assert 9248 * 6936 <= imageio.MAX_PIXELS < 100e6


@pytest.mark.parametrize("extended", [False, True])
def test_a_lossless_webp_stays_lossless(tmp_path, extended):
    made = photos.portrait()
    if extended:
        made.putalpha(200)
    made.save(
        tmp_path / "photo.webp", lossless=True, exact=True, icc_profile=photos.rgb_profile() if extended else None
    )
    photo = imageio.read(tmp_path / "photo.webp")
    imageio.write(photo, tmp_path / "out.webp")
    again = imageio.read(tmp_path / "out.webp")
    assert (photo.metadata.lossless, again.metadata.lossless) == (True, True)
    np.testing.assert_array_equal(again.pixels, np.asarray(made)[..., :3])
    photos.portrait().save(tmp_path / "lossy.webp", quality=90)
    assert not imageio.read(tmp_path / "lossy.webp").metadata.lossless


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("profiled", [False, True])
def test_sixteen_bits_stay_sixteen_and_are_the_same_where_nothing_changed(tmp_path, suffix, channels, profiled):
    values = np.random.default_rng(0).integers(0, 65536, (40, 30, channels), np.uint16)
    content = cv2.imencode(suffix, values[..., 0] if channels == 1 else values[..., [2, 1, 0, 3][:channels]])[
        1
    ].tobytes()
    if profiled:
        kind, tags = (b"GRAY", {b"kTRC": photos.curve(400)}) if channels == 1 else (b"RGB ", photos.WIDE)
        with_profile = encode._png_with if suffix == ".png" else encode._tiff_with
        content = with_profile(photos.profile(kind, tags), None, content)
    (tmp_path / f"photo{suffix}").write_bytes(content)
    photo = imageio.read(tmp_path / f"photo{suffix}")
    np.testing.assert_array_equal(photo.metadata.deep, values)
    changed = photo.pixels.copy()
    changed[5:9, 5:9] = 255 - changed[5:9, 5:9]
    imageio.write(Photo(changed, photo.path, photo.metadata), tmp_path / f"out{suffix}")
    again = imageio.read(tmp_path / f"out{suffix}")
    same = (changed == photo.pixels).all(-1)
    np.testing.assert_array_equal(again.metadata.deep[same], values[same])
    assert np.abs(again.pixels.astype(int) - changed).max() <= 1
    assert again.metadata.icc_profile == photo.metadata.icc_profile
    assert (again.metadata.icc_profile is not None) == profiled


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_an_odd_tag_beside_the_orientation_does_not_matter(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain, odd = tmp_path / f"plain{suffix}", tmp_path / f"odd{suffix}"
    photos.portrait().save(plain, exif=exif)
    exif[0x9286], exif[0xA005] = "no bytes", 7  # a comment of another type, and a number for a table of tags
    photos.portrait().save(odd, exif=exif)
    np.testing.assert_array_equal(imageio.read(odd).pixels, imageio.read(plain).pixels)
    assert imageio.read(odd).size == ((256, 240) if orientation < 5 else (240, 256))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp", ".gif", ".avif"])
def test_a_giant_is_refused_before_it_is_read(tmp_path, suffix):
    path = tmp_path / f"giant{suffix}"
    heads = {".webp": b"RIFF\xff\xff\xff\x7fWEBPVP8L", ".avif": b"\0\0\0\x20ftypavif", ".jpg": b"\xff\xd8\xff\xe0"}
    path.write_bytes(heads.get(suffix, b"\x89PNG"))
    os.truncate(path, 2**31)
    with pytest.raises(BadPhoto, match="larger than"):
        imageio.read(path)
