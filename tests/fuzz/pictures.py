"""The door for photos: every container damaged in every way, and odd EXIF, XMP and profiles inside whole ones."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import photos
from PIL import Image

from fuzz import tags
from fuzz.door import ACCEPTED, REFUSED, Door, Wrong, check, check_refusal
from fuzz.mutate import ANYWHERE, jpeg_parts, mutated, png_joined, png_parts, riff_joined, riff_parts
from kohl.align import imageio
from kohl.errors import BadPhoto
from kohl.types import Photo
from kohl.zoo.judges import judge

SUFFIX = ".bin"  # what a file is called must not matter
SIZE = (24, 20)
PRIVATE = tags.PRIVATE  # stands in every piece of metadata that has room for it


def profile() -> bytes:
    """A colour profile, the same in every run: a new one says when it was made."""
    made = photos.rgb_profile()
    return made[:24] + bytes(12) + made[36:]


@cache
def seeds() -> dict[str, bytes]:
    """Small whole pictures, by what they are."""
    colour = photos.portrait().resize(SIZE)
    grey, palette = colour.convert("L"), colour.quantize(16)
    clear = colour.copy()
    clear.putalpha(grey)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, PRIVATE.decode()
    story = {"exif": exif, "icc_profile": profile()}
    more, second = {"save_all": True}, colour.rotate(90)  # copied, as Pillow leaves one format's settings in a picture
    made = {
        "jpeg": (colour, "JPEG", story),
        "progressive": (colour, "JPEG", {"progressive": True, "subsampling": 2}),
        "grey jpeg": (grey, "JPEG", {}),
        "cmyk": (colour.convert("CMYK"), "JPEG", {"icc_profile": photos.cmyk_profile()}),
        "mpo": (colour, "MPO", {**more, "append_images": [second.copy()]}),
        "png": (colour, "PNG", story),
        "png alpha": (clear, "PNG", {}),
        "png palette": (palette, "PNG", {"transparency": 3}),
        "png 16": (deep, "PNG", {}),
        "png 1": (grey.convert("1"), "PNG", {}),
        "apng": (colour, "PNG", {**more, "append_images": [second.copy()]}),
        "webp": (colour, "WEBP", story),
        "webp lossless": (clear, "WEBP", {"lossless": True}),
        "webp animated": (colour, "WEBP", {**more, "append_images": [second.copy()]}),
        "tiff": (colour, "TIFF", {"compression": None, "icc_profile": profile()}),
        "tiff lzw": (clear, "TIFF", {"compression": "tiff_lzw"}),
        "tiff deflate": (grey, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "tiff jpeg": (colour, "TIFF", {"compression": "jpeg"}),
        "tiff packbits": (palette, "TIFF", {"compression": "packbits"}),
        "tiff fax": (grey.convert("1"), "TIFF", {"compression": "group4"}),
        "tiff 16": (deep, "TIFF", {}),
        "tiff float": (grey.convert("F"), "TIFF", {}),
        "tiff cmyk": (colour.convert("CMYK"), "TIFF", {}),
        "tiff lab": (photos.lab(colour), "TIFF", {}),
        "tiff pages": (colour, "TIFF", {**more, "append_images": [second.copy()]}),
        "bmp": (colour, "BMP", {}),
        "bmp palette": (palette, "BMP", {}),
        "gif": (palette, "GIF", {"transparency": 3}),
        "gif animated": (palette, "GIF", {**more, "append_images": [second.copy()]}),
        "avif": (colour, "AVIF", story),
    }
    found = {name: photos.encoded(image.copy(), kind, **settings) for name, (image, kind, settings) in made.items()}
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / "photo.heic"
        for name, images in {"heif": (colour,), "heif alpha": (clear,), "heif several": (colour, second)}.items():
            photos.heif(path, *images, exif=exif.tobytes(), icc_profile=profile(), icc_profile_type="prof")
            found[name] = path.read_bytes()
    return found


def damaged(rng: Random) -> bytes:
    """A small picture, mutated; the rare one is whole."""
    known = seeds()
    data = known[rng.choice(sorted(known))]
    if rng.random() < 0.1:
        return data[:2] + rng.randbytes(rng.randrange(64))
    return mutated(rng, data, list(known.values()))


def read(data: bytes, folder: Path) -> str:
    """Try to read these bytes as a photo, as the tool and as a judge does, and to write what was read."""
    path = folder / f"photo{SUFFIX}"
    path.write_bytes(data)
    try:
        photo = imageio.read(path)
    except BadPhoto as error:
        check_refusal(error)
        return _unchanged(path, data, REFUSED)
    check_contract(photo)
    check_judge(path, photo)
    if zlib.crc32(data) % 8 == 0:  # writing takes longer than reading
        check_written(photo, folder)
    return _unchanged(path, data, ACCEPTED)


def check_contract(photo: Photo) -> None:
    """Raise `Wrong` unless this is what a reader promises."""
    pixels, alpha = photo.pixels, photo.metadata.alpha
    check(pixels.dtype in (np.uint8, np.uint16), "contract", f"pixels are {pixels.dtype}")
    check(pixels.ndim == 3 and pixels.shape[2] == 3, "contract", f"pixels are {pixels.shape}")
    check(0 < pixels.shape[0] * pixels.shape[1] <= imageio.MAX_PIXELS, "contract", f"pixels are {pixels.shape}")
    if alpha is not None:
        check(alpha.shape == pixels.shape[:2], "contract", f"alpha is {alpha.shape}, the pixels {pixels.shape}")


def check_judge(path: Path, photo: Photo) -> None:
    """Raise `Wrong` if a judge sees another photo than the tool: of another shape, or none."""
    try:
        seen = judge.read(path).pixels
    except BadPhoto as error:
        raise Wrong("contract", f"a judge cannot read what the tool reads: {error}") from None
    check(seen.shape == photo.pixels.shape, "contract", f"a judge sees {seen.shape}, the tool {photo.pixels.shape}")


def check_written(photo: Photo, folder: Path) -> None:
    """Raise `Wrong` unless the photo is written so that it can be read again, without its story."""
    for suffix in (".png", imageio_suffix(photo)):
        output = folder / f"result{suffix}"
        try:
            imageio.write(photo, output, force=True)
        except BadPhoto as error:
            check_refusal(error)
            continue
        again = imageio.read(output)
        check(again.pixels.shape == photo.pixels.shape, "contract", f"written as {again.pixels.shape}")
        if suffix == ".png" and photo.metadata.alpha is None and not photo.metadata.grey:
            check(bool((again.pixels == photo.pixels).all()), "contract", "a PNG holds other pixels")
        # Mutations may put it among the pixels, where a BMP shows it as it is.
        check(
            suffix == ".bmp" or PRIVATE not in output.read_bytes(),
            "contract",
            f"the story of the photo is in {output.name}",
        )
        output.unlink()


def imageio_suffix(photo: Photo) -> str:
    """The usual suffix of the photo's own format."""
    return next(suffix for suffix, kind in imageio.SUFFIXES.items() if kind == photo.metadata.format)


def _unchanged(path: Path, data: bytes, outcome: str) -> str:
    check(path.read_bytes() == data, "changed", "the original was written to")
    return outcome


def with_tags(rng: Random) -> bytes:
    """A whole picture with odd EXIF, XMP or a profile, or several of them, inside."""
    known = seeds()
    name = rng.choice(("jpeg", "png", "webp", "tiff", "avif", "jpeg", "mpo"))
    chosen = [kind for kind in ("exif", "xmp", "icc") if rng.random() < 0.5] or ["exif"]
    content = {
        "exif": tags.exif(rng),
        "xmp": tags.xmp(rng),
        "icc": tags.profile(rng, profile()),
    }
    if "exif" in chosen and rng.random() < 0.2:
        content["exif"] = rng.choice(ANYWHERE)(rng, content["exif"])
    return inside(known[name], {kind: content[kind] for kind in chosen})


def inside(data: bytes, content: dict[str, bytes]) -> bytes:
    """A picture with this metadata instead of its own."""
    if data.startswith(b"\xff\xd8"):
        return _in_jpeg(data, content)
    if data.startswith(b"\x89PNG"):
        return _in_png(data, content)
    if data.startswith(b"RIFF"):
        return _in_webp(data, content)
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _in_tiff(content)
    with Image.open(BytesIO(data)) as image:
        exif, profile = content.get("exif", b""), content.get("icc", b"")
        try:
            return photos.encoded(image, "AVIF", exif=exif or None, icc_profile=profile or None, speed=10)
        except Exception:
            return data  # Pillow looks into what it writes


def _in_jpeg(data: bytes, content: dict[str, bytes]) -> bytes:
    start, *segments = jpeg_parts(data)
    kept = [part for part in segments if part[1:2] not in (b"\xe1", b"\xe2")]
    new = []
    for kind, marker, head in (
        ("exif", 0xE1, b"Exif\0\0"),
        ("xmp", 0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
        ("icc", 0xE2, b"ICC_PROFILE\0\x01\x01"),
    ):
        if kind in content:
            body = (head + content[kind])[:65_533]
            new.append(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)
    return b"".join([start, *new, *kept])


def _in_png(data: bytes, content: dict[str, bytes]) -> bytes:
    header, *chunks = [part for part in png_parts(data) if part[:4] not in (b"eXIf", b"iCCP")]
    new = {
        "exif": lambda body: b"eXIf" + body,
        "xmp": lambda body: b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + body,
        "icc": lambda body: b"iCCPname\0\0" + zlib.compress(body),
    }
    return png_joined([header, *(new[kind](body) for kind, body in content.items()), *chunks])


def _in_webp(data: bytes, content: dict[str, bytes]) -> bytes:
    names = {"icc": b"ICCP", "exif": b"EXIF", "xmp": b"XMP "}
    parts = [part for part in riff_parts(data) if part[:4] not in (*names.values(), b"VP8X")]
    flags = 0x20 * ("icc" in content) | 0x08 * ("exif" in content) | 0x04 * ("xmp" in content)
    size = b"".join((side - 1).to_bytes(3, "little") for side in SIZE)
    profile = [names["icc"] + content["icc"]] if "icc" in content else []
    after = [names[kind] + content[kind] for kind in ("exif", "xmp") if kind in content]
    return riff_joined([b"VP8X" + bytes([flags, 0, 0, 0]) + size, *profile, *parts, *after])


def _in_tiff(content: dict[str, bytes]) -> bytes:
    """A TIFF is a list of tags itself: odd ones beside those that say where the picture is."""
    width, height = SIZE
    pixels = bytes(index % 251 for index in range(3 * width * height))
    needed = {
        **{0x100: (4, (width,)), 0x101: (4, (height,)), 0x102: (3, (8, 8, 8)), 0x103: (3, (1,)), 0x106: (3, (2,))},
        **{0x115: (3, (3,)), 0x116: (4, (height,)), 0x117: (4, (len(pixels),))},
    }
    return tags.tiff(needed, pixels, {0x02BC: content.get("xmp"), 0x8773: content.get("icc")}, content.get("exif", b""))


PHOTOS = Door("photos", damaged, read, share=3)
TAGS = Door("tags", with_tags, read, share=3)
