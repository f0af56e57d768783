"""A photo as the bytes of a file: in its own format and depth, with no metadata but how the pixels look."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image, JpegImagePlugin

from kohl import exif, heif
from kohl.errors import BadPhoto, Remedy
from kohl.reader import eight_bit
from kohl.types import Metadata, Photo

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

SUFFIXES = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".heic", ".heif", ".hif"), "HEIF"),
    **{".png": "PNG", ".webp": "WEBP", ".bmp": "BMP", ".avif": "AVIF"},
}
WITHOUT_ALPHA = ("JPEG", "BMP")
WITHOUT_GREY = ("WEBP", "AVIF")
WITHOUT_PROFILE = WITHOUT_EXIF = ("BMP",)
DEEP = {"PNG": ".png", "TIFF": ".tiff"}  # formats that are written with 16 bits, and what OpenCV calls them
QUALITY = 95  # where no tables say what is fine enough: WebP, AVIF, JPEG from another format
COARSEST = 80  # no JPEG gets coarser tables than this quality's: they would round the change away
ROWS = 256  # that are changed at a time
ICC_TAG, UNDEFINED = 34675, 7  # of TIFF: what it is called, and of which type


def encoded(photo: Photo, path: Path) -> bytes:
    """The bytes of the file that `path` is to be; raises BadPhoto where its format cannot hold the photo."""
    format_ = SUFFIXES.get(path.suffix.lower(), photo.metadata.format)
    grey, alpha = photo.metadata.grey and format_ not in WITHOUT_GREY, photo.metadata.alpha
    if photo.metadata.deep is not None and format_ in (*DEEP, "HEIF"):
        return _deep(photo, path, format_, photo.metadata.deep)
    image = Image.fromarray(photo.pixels)
    image = image.convert("L") if grey else image
    if alpha is not None and format_ not in WITHOUT_ALPHA:
        image.putalpha(Image.fromarray(alpha))
    elif alpha is not None and alpha.min() < 255:
        raise BadPhoto(f"{path}: {format_} cannot hold this photo's transparency", Remedy.PNG)
    profile = None if format_ in WITHOUT_PROFILE else _profile(photo.metadata.icc_profile, grey=grey)
    if format_ == "HEIF":
        return _heif(image, path, photo, profile)
    settings = _settings(format_, photo.metadata)
    kept = None if format_ in WITHOUT_EXIF else photo.metadata.exif
    if kept is not None and format_ != "TIFF":
        settings["exif"] = kept.tobytes()
    buffer = BytesIO()
    try:
        image.save(buffer, format_, icc_profile=profile, **settings)
    except (OSError, ValueError, RuntimeError) as error:  # too many pixels in a row, for one: each format has its own
        raise BadPhoto(f"{path}: cannot be written as {format_} ({error})", Remedy.PNG) from None
    # libtiff writes no directory of EXIF that it is given.
    return buffer.getvalue() if kept is None or format_ != "TIFF" else _tiff_with(None, kept, buffer.getvalue())


def _profile(profile: bytes | None, *, grey: bool) -> bytes | None:
    """`profile` if it describes grey or RGB pixels as asked."""
    return profile if profile and profile[16:20] == (b"GRAY" if grey else b"RGB ") else None


def _heif(pixels: Image.Image | np.ndarray, path: Path, photo: Photo, profile: bytes | None) -> bytes:
    """A HEIF, whose colours are as coarse as those of the photo's file."""
    exif = photo.metadata.exif
    try:
        return heif.encoded(
            pixels,
            icc_profile=profile,
            exif=None if exif is None else exif.tobytes(),
            subsampling=photo.metadata.subsampling,
        )
    except heif.NotHere as error:
        raise BadPhoto(f"{path}: {error}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise BadPhoto(f"{path}: cannot be written as HEIC ({error})", Remedy.PNG) from None


def _settings(format_: str, metadata: Metadata) -> dict[str, Any]:
    """Pillow's settings for `format_`."""
    if format_ == "JPEG":  # not optimised: that saves 2 % and fails on a noisy photo with fine tables
        tables = metadata.jpeg_tables
        fine = {"qtables": _fine(tables)} if tables else {"quality": QUALITY}
        return {"subsampling": metadata.subsampling, **fine}
    if format_ == "WEBP":  # exact: the colours behind transparency too
        return {"lossless": True, "exact": True} if metadata.lossless else {"quality": QUALITY, "exact": True}
    if format_ == "AVIF":
        return {"quality": QUALITY, "subsampling": "4:4:4"}
    return {"compression": "tiff_lzw"} if format_ == "TIFF" else {}


def _fine(tables: dict[int, list[int]]) -> list[list[int]]:
    """The original's quantisation `tables`, nowhere coarser than those of quality COARSEST."""
    buffer = BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=COARSEST)
    limits = JpegImagePlugin.JpegImageFile(BytesIO(buffer.getvalue())).quantization  # 0: luma, 1: chroma
    return [np.minimum(table, limits[min(index, 1)]).tolist() for index, table in sorted(tables.items())]


def _deep(photo: Photo, path: Path, format_: str, deep: np.ndarray) -> bytes:
    """A file of 16 bits a value, equal to the original's wherever the pixel was not changed; a HEIF has 10 of them."""
    changed = deep.copy()
    for top in range(0, len(deep), ROWS):
        colours = changed[top : top + ROWS, :, :3]  # grey has one
        new = photo.pixels[top : top + ROWS, :, : colours.shape[2]].astype(np.int32)
        moved = new - eight_bit(colours)
        colours[:] = np.clip(colours + 257 * moved, 0, 65535)
    profile = _profile(photo.metadata.icc_profile, grey=deep.shape[2] == 1)
    if format_ == "HEIF":
        return _heif(changed, path, photo, profile)
    ordered = changed if changed.shape[2] == 1 else changed[..., [2, 1, 0, 3][: changed.shape[2]]]
    content = cv2.imencode(DEEP[format_], ordered)[1].tobytes()
    return (_png_with if format_ == "PNG" else _tiff_with)(profile, photo.metadata.exif, content)


def _png_with(profile: bytes | None, kept: Image.Exif | None, png: bytes) -> bytes:
    """The PNG with a colour profile and EXIF, which stand right after its header."""
    chunks = b""
    for content in (
        *([b"iCCPRGB\0\0" + zlib.compress(profile)] if profile else []),
        *([b"eXIf" + kept.tobytes().removeprefix(b"Exif\0\0")] if kept else []),
    ):
        chunks += struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    after = 8 + 25  # the signature, and the header chunk
    return png[:after] + chunks + png[after:]


def _tiff_with(profile: bytes | None, kept: Image.Exif | None, tiff: bytes) -> bytes:
    """The little-endian TIFF with a colour profile and EXIF: at its end, with a new directory that names them too."""
    if profile is None and kept is None:
        return tiff
    (start,) = struct.unpack_from("<I", tiff, 4)
    (count,) = struct.unpack_from("<H", tiff, start)
    entries: list[bytes] = [tiff[start + 2 + 12 * index :][:12] for index in range(count)]
    body = tiff + bytes(len(tiff) % 2)
    if profile is not None:
        entries.append(struct.pack("<HHII", ICC_TAG, UNDEFINED, len(profile), len(body)))
        body += profile + bytes(len(profile) % 2)
    if kept is not None:
        further, after = exif.directory(kept, len(body))
        entries, body = entries + further, body + after
    directory = struct.pack("<H", len(entries)) + b"".join(sorted(entries, key=_tag)) + bytes(4)
    return body[:4] + struct.pack("<I", len(body)) + body[8:] + directory


def _tag(entry: Buffer) -> int:
    """Which tag a directory's entry is about."""
    return int.from_bytes(bytes(entry)[:2], "little")
