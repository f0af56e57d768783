"""Open a photo upright and without its story: the one reader that kohl and its judges have."""

from __future__ import annotations

import mmap
import os
import stat
import struct
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image

from kohl import decode, exif, heif, icc, memory, plain_file
from kohl.errors import BadPhoto, Remedy
from kohl.types import Photo

MAX_PIXELS = 64 * 2**20  # a 64-megapixel phone's 9248 × 6936 still fits; 200 MB as RGB
TOO_LARGE = f"has more than {MAX_PIXELS / 1e6:.0f} megapixels, the most that kohl reads; scale it down first"
LARGEST = 8 * MAX_PIXELS + 2**26  # bytes of a file: four times 16 bits a pixel, and what else it may hold
LARGEST_WHOLE = 4 * MAX_PIXELS  # of one that Pillow reads whole before it looks at it: WebP, AVIF
DECODING = 8  # bytes a pixel while one is decoded: Pillow's four, three of the result, and some
KNOWN = "it reads JPEG, MPO, HEIC, PNG, WebP, AVIF, TIFF, BMP and GIF"
READ = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF")  # none that starts a program, as EPS does

MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"II*\0", b"MM\0*", b"BM", b"GIF8")
ORIENTATION, SUBFILE_TYPE, DNG_VERSION = 0x0112, 0x00FE, 0xC612  # EXIF and TIFF tags
BITS, PHOTOMETRIC, SAMPLE_FORMAT = 258, 262, 339  # of a TIFF
TAGS = (SUBFILE_TYPE, DNG_VERSION, BITS, PHOTOMETRIC, SAMPLE_FORMAT)
MOST_CHUNKS = 100  # of a WebP, until that of the picture
# What Pillow raises for broken files; it documents none of it, and `scripts/fuzz` has met each. For its calls alone.
PILLOW_ERRORS = (
    *(OSError, EOFError, SyntaxError, ValueError, RuntimeError, struct.error),
    *(TypeError, LookupError, AttributeError, AssertionError),
)


def read(path: Path, *, spare: int = 0, keep: Collection[str] = ()) -> Photo:
    """The photo at `path`: upright, 8-bit RGB; of its metadata only what `write` needs, nothing of who, where or when.

    Greyscale of more than 8 bits is scaled, not clipped; CMYK and Lab become sRGB, and so does RGB whose profile is
    more than its primaries; other profiles are written anew. Of a file with several pictures it is the main one.
    `spare` bytes of memory are to be left when it is read; `keep` names metadata to hold on to, see `exif`.
    Raises BadPhoto for whatever is no photo, complete and of at most MAX_PIXELS, or will not fit.
    """
    with _opened(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on odd tags, and on Pillow's own size limit: ours is lower
        head = file.read(32)
        lossless = _is_lossless(file, head)
        file.seek(0)
        whole = partial(_whole, path, head)
        with whole():
            image = heif.opened(file) if heif.is_heif(head) else Image.open(file, formats=READ)
        _check_size(image, path)
        with whole():
            known = getattr(image, "tag_v2", {})  # a TIFF's, and so a raw file's
            tags = {tag: known[tag] for tag in TAGS if tag in known}
            several = image.format not in ("MPO", "HEIF") and getattr(image, "is_animated", False)
        _check_kind(tags, path, several=several)
        _check_memory(image, path, spare, memory.available())
        deep = _is_deep(image, tags, head)
        orientation = 1 if image.format == "HEIF" else _orientation(image)  # which libheif has obeyed
        wide = image.format in ("HEIF", "AVIF") and _is_wide(file, path, image)
        found = _kept(image, keep) if keep else None
        with whole():
            image.load()
        if image.format in ("JPEG", "MPO") and not _has_end(file):
            raise _damaged(path, head)
        turned = 1 if image.format == "TIFF" else orientation  # those are turned by Pillow
        photo = decode.photo(image, path, turned, lossless=lossless, whole=whole, profile_as_it_is=exif.ICC in keep)
        del image  # a quarter of a gigabyte, perhaps
    profile = icc.display_p3() if wide else photo.metadata.icc_profile
    photo = replace(photo, metadata=replace(photo.metadata, icc_profile=profile, exif=found))
    if not deep:
        return photo
    values = _deep(path, orientation, photo)
    pixels = photo.pixels if values is None else eight_bit(values[..., :3])  # of a HEIF, other roundings
    pixels = pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, 2)
    return replace(photo, pixels=pixels, metadata=replace(photo.metadata, deep=values))


def eight_bit(deep: np.ndarray) -> np.ndarray:
    """The 8-bit values that `read` gives for 16-bit ones (h, w, c): of colours the upper byte, of grey the nearest."""
    if deep.shape[2] > 1:
        return (deep >> 8).astype(np.uint8)
    return np.rint(deep * np.float32(255 / 65535)).astype(np.uint8)


def _opened(path: Path) -> BinaryIO:
    try:
        status = os.stat(path)  # noqa: PTH116 - a name may hold a NUL
        if stat.S_ISDIR(status.st_mode):
            raise BadPhoto(f"{path}: is a folder", Remedy.PHOTOS_IN_IT)
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


@contextmanager
def _whole(path: Path, head: bytes) -> Iterator[None]:
    """Around Pillow's calls alone: what it raises for a broken file becomes a `BadPhoto`."""
    try:
        yield
    except Image.DecompressionBombError:
        raise BadPhoto(f"{path}: {TOO_LARGE}") from None
    except heif.NotHere as error:
        raise BadPhoto(f"{path}: is a HEIC photo, which {error}") from None
    except (*PILLOW_ERRORS, MemoryError):  # a chunk may say that it has gigabytes
        raise _damaged(path, head) from None


def _check_size(image: Image.Image, path: Path) -> None:
    """Refuse what is too large."""
    if image.width * image.height > MAX_PIXELS:
        raise BadPhoto(f"{path}: {TOO_LARGE}")


def _check_kind(tags: Mapping[int, Any], path: Path, *, several: bool) -> None:
    """Refuse, before anything is decoded, more than one picture, or only a preview of one."""
    kind = tags.get(SUBFILE_TYPE, 0)
    if DNG_VERSION in tags or (isinstance(kind, int) and kind & 1):
        raise BadPhoto(f"{path}: is a camera's raw file; export it as JPEG or TIFF first")
    if several:
        raise BadPhoto(f"{path}: holds several pictures (an animation or pages); save the one you want as PNG first")


def _check_memory(image: Image.Image, path: Path, spare: int, free: int | None) -> None:
    """Refuse what will not fit, before any work."""
    needed = image.width * image.height * DECODING + spare
    if free is not None and needed > free:
        raise BadPhoto(
            f"{path}: needs {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free; "
            "close other programs, or scale the photo down"
        )


def _is_wide(file: BinaryIO, path: Path, image: Image.Image) -> bool:
    """Whether it is in Display P3 and only its container says so; refuses what is too bright for 8 bits."""
    primaries, transfer = heif.colours(file)
    if transfer in heif.HDR:
        raise BadPhoto(f"{path}: is an HDR photo (PQ or HLG), whose light kohl cannot write; export it as SDR first")
    return primaries == heif.P3 and not image.info.get("icc_profile") and not image.mode.startswith("L")


def _has_end(file: BinaryIO) -> bool:
    """Whether the scan of a JPEG ever ends: a copy that broke off, padded with zeros, decodes to grey."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        position = 2
        while position + 1 < len(data):
            if data[position + 1] == 0xDA:  # start of scan; a thumbnail in a segment before it has an end of its own
                return data.find(b"\xff\xd9", position) >= 0
            position += 1 if data[position + 1] == 0xFF else 2 + int.from_bytes(data[position + 2 : position + 4])
    return False


def _damaged(path: Path, head: bytes) -> BadPhoto:
    """What is wrong with an unreadable file that starts with `head`, and what to do."""
    if head.startswith(MAGIC) or heif.is_heif(head) or head[4:11] == b"ftypavi":
        return BadPhoto(f"{path}: is damaged or incomplete; get a complete copy of it")
    return BadPhoto(f"{path}: is not a picture that kohl can read; {KNOWN}")


def _orientation(image: Image.Image) -> int:
    """How the file's EXIF or XMP asks to be turned, 1 to 8; 1, as it is, where that cannot be understood.

    It is a number to be read and nothing more.
    """
    try:
        found = image.getexif().get(ORIENTATION)
    except PILLOW_ERRORS:
        return 1
    return found if type(found) is int and 1 <= found <= 8 else 1


def _kept(image: Image.Image, keep: Collection[str]) -> Image.Exif | None:
    """What is to stay of the file's EXIF; nothing of one that cannot be understood."""
    try:
        return exif.kept(image.getexif(), keep)
    except PILLOW_ERRORS:
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


def _is_deep(image: Image.Image, tags: Mapping[int, Any], head: bytes) -> bool:
    """Whether the file has 16 bits a value, in a form that can be written again."""
    if image.format == "PNG":
        return head[24] == 16
    if image.format == "HEIF":
        return heif.bits(image) > 8
    return (
        image.format == "TIFF"
        and set(tags.get(BITS, ())) == {16}
        and set(tags.get(SAMPLE_FORMAT, (1,))) == {1}
        and tags.get(PHOTOMETRIC) in (1, 2)
    )


def _deep(path: Path, orientation: int, photo: Photo) -> np.ndarray | None:
    """The file's own values, scaled to 16 bits, upright (h, w, c), red first; Pillow reads 8 bits of a colour.

    None where they are not what Pillow read: another picture of the file, or other colours.
    """
    with plain_file.opened(path, LARGEST) as file:
        content = file.read()
    near = 2 if photo.metadata.format == "HEIF" else 0
    found = _sixteen(content) if near == 0 else _ten(content)
    if found is None or found.dtype != np.uint16:
        return None
    turned = np.empty_like(found if orientation < 5 else found.swapaxes(0, 1), order="C")
    decode.before_turning(turned, orientation)[:] = found
    if turned.shape[:2] != photo.size:
        return None
    apart = np.abs(eight_bit(turned[..., :3]).astype(np.int16) - photo.pixels[..., : turned.shape[2]])
    return turned if apart.max() <= near else None


def _sixteen(content: bytes) -> np.ndarray | None:
    """The values of a PNG or TIFF."""
    try:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if found is None:
        return None
    return found[..., None] if found.ndim == 2 else found[..., [2, 1, 0, 3][: found.shape[2]]]


def _ten(content: bytes) -> np.ndarray | None:
    """The values of a HEIF."""
    try:
        return heif.deep(content)
    except PILLOW_ERRORS:
        return None
