"""Open a photo upright and without its story: the one reader that kohl and its judges have."""

from __future__ import annotations

import mmap
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageCms, JpegImagePlugin

from kohl import icc, memory, plain_file
from kohl.errors import BadPhoto
from kohl.types import Metadata, Photo

MAX_PIXELS = 64 * 2**20  # a 64-megapixel phone's 9248 × 6936 still fits; 200 MB as RGB
TOO_LARGE = f"has more than {MAX_PIXELS / 1e6:.0f} megapixels, the most that kohl reads; scale it down first"
LARGEST = 8 * MAX_PIXELS + 2**26  # bytes of a file: four times 16 bits a pixel, and what else it may hold
LARGEST_WHOLE = 4 * MAX_PIXELS  # of one that Pillow reads whole before it looks at it: WebP, AVIF
DECODING = 8  # bytes a pixel while one is decoded: Pillow's four, three of the result, and some
STRIP = 2**22  # pixels that are turned into the result at a time
READ = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")  # none that starts a program, as EPS does
WRITTEN_AS = {"MPO": "JPEG", "GIF": "PNG"}  # an MPO's other pictures show the same face; 256 colours lose the change

MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*", b"BM", b"GIF8")
ORIENTATION, SUBFILE_TYPE, DNG_VERSION = 0x0112, 0x00FE, 0xC612  # EXIF and TIFF tags
BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339  # of a TIFF
MOST_CHUNKS = 100  # of a WebP, until that of the picture
PILLOW_ERRORS = (  # what Pillow raises on broken data, and for what a format cannot hold
    *(OSError, SyntaxError, ValueError, RuntimeError, EOFError, TypeError, LookupError, ArithmeticError),
    *(AttributeError, AssertionError, struct.error, zlib.error),
)


def read(path: Path, *, spare: int = 0) -> Photo:
    """The photo at `path`: upright, 8-bit RGB; of its metadata only what `write` needs, nothing of who, where or when.

    Greyscale of more than 8 bits is scaled, not clipped; CMYK and Lab become sRGB, and so does RGB whose profile is
    more than its primaries; other profiles are written anew. `spare` bytes of memory are to be left when it is read.
    Raises BadPhoto for whatever is no single, complete picture of at most MAX_PIXELS, or will not fit.
    """
    with _opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on odd tags, and on Pillow's own size limit: ours is lower
        head = file.read(32)
        lossless = _is_lossless(file, head)
        file.seek(0)
        try:
            image = Image.open(file, formats=READ)
            _check_header(image, path)
            _check_memory(image, path, spare, memory.available())
            deep = _is_deep(image, head)
            orientation = _orientation(image)
            image.load()
            if image.format in ("JPEG", "MPO"):
                _check_end(file)
            turned = 1 if image.format == "TIFF" else orientation  # those are turned by Pillow
            photo = _photo(image, path, turned, lossless=lossless)
            del image  # a quarter of a gigabyte, perhaps
        except Image.DecompressionBombError:
            raise BadPhoto(f"{path}: {TOO_LARGE}") from None
        except (*PILLOW_ERRORS, MemoryError):  # a chunk may say that it has gigabytes
            raise BadPhoto(f"{path}: {_complaint(head)}") from None
    return replace(photo, metadata=replace(photo.metadata, deep=_deep(path, orientation, photo))) if deep else photo


def eight_bit(deep: np.ndarray) -> np.ndarray:
    """The 8-bit values that `read` gives for 16-bit ones (h, w, c): of colours the upper byte, of grey the nearest."""
    if deep.shape[2] > 1:
        return (deep >> 8).astype(np.uint8)
    return np.rint(deep * np.float32(255 / 65535)).astype(np.uint8)


def _opened(path: Path) -> BinaryIO:
    try:
        status = os.stat(path)  # noqa: PTH116 - a name may hold a NUL
        if stat.S_ISDIR(status.st_mode):
            raise BadPhoto(f"{path}: is a folder; name the photos in it")
        if not stat.S_ISREG(status.st_mode):  # a pipe would keep us waiting, a device might never end
            raise BadPhoto(f"{path}: is not an ordinary file; save the photo as one first")
        if status.st_size == 0:
            raise BadPhoto(f"{path}: is empty (0 bytes); get a complete copy of it")
        file = plain_file.opened(path, LARGEST)
        head = file.read(16)
        file.seek(0)
        if status.st_size > LARGEST_WHOLE and (head[8:12] == b"WEBP" or head[4:8] == b"ftyp"):
            file.close()
            raise BadPhoto(f"{path}: is larger than any photo in that format; get a complete copy of it")
        return file
    except (FileNotFoundError, NotADirectoryError):
        raise BadPhoto(f"{path}: no such file; check its name") from None
    except OSError as error:
        raise BadPhoto(f"{path}: cannot be opened ({error.strerror}); check its name and permissions") from None
    except ValueError:
        raise BadPhoto(f"{path}: no file can have this name; check it") from None


def _check_header(image: Image.Image, path: Path) -> None:
    """Refuse, before anything is decoded, what is too large, more than one picture, or only a preview of one."""
    if image.width * image.height > MAX_PIXELS:
        raise BadPhoto(f"{path}: {TOO_LARGE}")
    tags = getattr(image, "tag_v2", {})  # a TIFF's, and so a raw file's
    kind = tags.get(SUBFILE_TYPE, 0)
    if DNG_VERSION in tags or (isinstance(kind, int) and kind & 1):
        raise BadPhoto(f"{path}: is a camera's raw file; export it as JPEG or TIFF first")
    if image.format != "MPO" and getattr(image, "is_animated", False):
        raise BadPhoto(f"{path}: holds several pictures (an animation or pages); save the one you want as PNG first")


def _check_memory(image: Image.Image, path: Path, spare: int, free: int | None) -> None:
    """Refuse what will not fit, before any work."""
    needed = image.width * image.height * DECODING + spare
    if free is not None and needed > free:
        raise BadPhoto(
            f"{path}: needs {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free; "
            "close other programs, or scale the photo down"
        )


def _check_end(file: BinaryIO) -> None:
    """Raise EOFError for a JPEG whose scan never ends: a copy that broke off, padded with zeros, decodes to grey."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = 2
        while data[position + 1] != 0xDA:  # start of scan; a thumbnail in a segment before it has an end of its own
            position += 1 if data[position + 1] == 0xFF else 2 + int.from_bytes(data[position + 2 : position + 4])
        if data.find(b"\xff\xd9", position) < 0:
            raise EOFError


def _complaint(head: bytes) -> str:
    """What is wrong with an unreadable file that starts with `head`, and what to do."""
    if head[4:11] in (b"ftyphei", b"ftyphev", b"ftypmif", b"ftypmsf"):
        return "is a HEIC photo, which kohl cannot read; export it as JPEG first"
    if head.startswith(MAGIC):
        return "is damaged or incomplete; get a complete copy of it"
    return "is not a picture that kohl can read; give it a JPEG, PNG, WebP or TIFF photo"


def _orientation(image: Image.Image) -> int:
    """How the file's EXIF or XMP asks to be turned, 1 to 8; 1, as it is, where that cannot be understood.

    It is a number to be read and nothing more.
    """
    try:
        found = image.getexif().get(ORIENTATION)
    except PILLOW_ERRORS:
        return 1
    return found if type(found) is int and 1 <= found <= 8 else 1


def _before_turning(upright: np.ndarray, orientation: int) -> np.ndarray:
    """A view of the array for the upright picture in which it stands as it does in the file."""
    upright = upright[::-1] if orientation in (3, 4, 7, 8) else upright
    upright = upright[:, ::-1] if orientation in (2, 3, 6, 7) else upright
    return upright.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else upright


def _photo(image: Image.Image, path: Path, orientation: int, *, lossless: bool) -> Photo:
    """The decoded picture, upright, with what writing it needs."""
    grey = image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I")
    profile, in_srgb = _profile(image, grey=grey)
    width, height = image.size if orientation < 5 else image.size[::-1]
    pixels = np.empty((height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if image.has_transparency_data else None
    place = _before_turning(pixels, orientation)
    place_alpha = None if alpha is None else _before_turning(alpha, orientation)
    for top, strip in _strips(image, to_srgb=in_srgb):
        place[top : top + len(strip)] = strip[..., :3]
        if place_alpha is not None:
            place_alpha[top : top + len(strip)] = strip[..., 3]
    metadata = Metadata(
        format=WRITTEN_AS.get(image.format or "", image.format or "PNG"),
        icc_profile=profile,
        alpha=alpha,
        grey=grey,
        jpeg_tables=dict(image.quantization) if isinstance(image, JpegImagePlugin.JpegImageFile) else None,
        lossless=lossless,
    )
    return Photo(pixels, path, metadata)


def _strips(image: Image.Image, *, to_srgb: ImageCms.ImageCmsTransform | None) -> Iterator[tuple[int, np.ndarray]]:
    """Some rows at a time, with the number of the first: uint8 RGB, or RGBA where the file says what is transparent."""
    rows = max(1, STRIP // image.width)
    white = _white(image)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        if white is not None:
            grey = np.nan_to_num(np.asarray(strip).astype(np.float32), copy=False)
            yield top, np.repeat(np.rint(grey * np.float32(255 / white)).clip(0, 255).astype(np.uint8)[..., None], 3, 2)
            continue
        alpha = np.asarray(strip.convert("RGBA"))[..., 3:] if mode == "RGBA" else None
        if to_srgb is not None:
            moved = ImageCms.applyTransform(strip if strip.mode in ("CMYK", "LAB") else strip.convert("RGB"), to_srgb)
            assert moved is not None  # only when converting in place
            strip = moved
        pixels = np.asarray(strip.convert("RGB" if alpha is None or to_srgb is not None else "RGBA"))
        yield top, pixels if alpha is None else np.concatenate([pixels[..., :3], alpha], 2)


def _white(image: Image.Image) -> float | None:
    """Of grey with more than 8 bits the value that is white: 16 bits', or the usual one that nothing exceeds."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    if image.mode != "F" and (image.mode != "I" or image.format == "PNG"):
        return 65535.0
    brightest = float(np.nan_to_num(np.asarray(image).astype(np.float32), copy=False).max())
    return float(next((usual for usual in (1, 255, 65535) if brightest <= usual), brightest))


def _profile(image: Image.Image, *, grey: bool) -> tuple[bytes | None, ImageCms.ImageCmsTransform | None]:
    """The colour profile to write, and how to come to sRGB where there shall be none.

    CMYK and Lab always become sRGB. A profile that only says what the primaries are is written anew; RGB with one that
    says more becomes sRGB.
    """
    profile = image.info.get("icc_profile") or b""
    if image.mode in ("CMYK", "LAB"):
        source = ImageCms.createProfile("LAB") if image.mode == "LAB" else BytesIO(profile)
        return None, _to_srgb(source, image.mode)
    if profile[16:20] != (b"GRAY" if grey else b"RGB "):  # it says nothing about these pixels
        return None, None
    rebuilt = icc.rebuilt(profile)
    if rebuilt is not None or grey or len(profile) > icc.LARGEST:
        return rebuilt, None
    return None, _to_srgb(BytesIO(profile), "RGB")


def _to_srgb(source: Any, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile to sRGB, if that is valid."""
    try:
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, *PILLOW_ERRORS):
        return None


def _is_lossless(file: BinaryIO, head: bytes) -> bool:
    """Whether a WebP keeps every pixel as it is."""
    if head[:4] + head[8:12] != b"RIFFWEBP":
        return False
    file.seek(12)
    for _ in range(MOST_CHUNKS):
        chunk = file.read(8)
        if len(chunk) < 8 or chunk[:4] in (b"VP8L", b"VP8 "):
            return chunk[:4] == b"VP8L"
        file.seek(-(-int.from_bytes(chunk[4:], "little") // 2) * 2, os.SEEK_CUR)
    return False


def _is_deep(image: Image.Image, head: bytes) -> bool:
    """Whether the file has 16 bits a value, in a form that can be written again."""
    if image.format == "PNG":
        return head[24] == 16
    tags = getattr(image, "tag_v2", {})
    return (
        image.format == "TIFF"
        and set(tags.get(BITS, ())) == {16}
        and set(tags.get(SAMPLE_FORMAT, (1,))) == {1}
        and tags.get(PHOTOMETRIC) in (1, 2)
    )


def _deep(path: Path, orientation: int, photo: Photo) -> np.ndarray | None:
    """The file's own 16-bit values, upright (h, w, c), red first; Pillow reads no more than 8 bits of a colour.

    None where they are not what Pillow read: another picture of the file, or other colours.
    """
    with plain_file.opened(path, LARGEST) as file:
        content = np.frombuffer(file.read(), np.uint8)
    try:
        found = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if found is None or found.dtype != np.uint16:
        return None
    found = found[..., None] if found.ndim == 2 else found[..., [2, 1, 0, 3][: found.shape[2]]]
    turned = np.empty_like(found if orientation < 5 else found.swapaxes(0, 1), order="C")
    _before_turning(turned, orientation)[:] = found
    agrees = (
        turned.shape[:2] == photo.size and (eight_bit(turned[..., :3]) == photo.pixels[..., : turned.shape[2]]).all()
    )
    return turned if agrees else None
