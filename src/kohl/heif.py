"""HEIC photos, by way of the extra `heif`: opened as Pillow opens others, with all of their bits, and written."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")  # with which a file of HEVC may begin
MISSING = "needs pillow-heif, which is not here; run `pip install 'kohl[heif]'`, or use JPEG"
QUALITY = 85  # x265's own scale; about as fine as the COARSEST JPEG of `align.encode`
PRESET = "ultrafast"  # the others take three to eight times as long for files that are no smaller
HDR = (16, 18)  # transfer characteristics of ITU-T H.273 that are no curve of a profile: PQ and HLG
P3 = 12  # colour primaries of H.273
HOLDERS = {b"meta": 4, b"iprp": 0, b"ipco": 0}  # boxes with boxes inside, and the bytes before these
MOST_BOXES, LARGEST_META, LARGEST_BOX = 4096, 2**24, 2**40


class NotHere(Exception):
    """The extra is not installed."""


def is_heif(head: bytes) -> bool:
    """Whether a file that starts so is a HEIF, and not an AVIF, whose brand is another."""
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS


def opened(file: BinaryIO) -> Image.Image:
    """The main picture of a HEIF as an image of Pillow's that is not decoded yet; raises `NotHere`, and what that does.

    It is upright already: the container says how to turn it, and what EXIF says of that does not count.
    """
    _library()
    from pillow_heif.as_plugin import HeifImageFile  # late: its libraries take a while

    image: Image.Image = HeifImageFile(file)  # type: ignore[no-untyped-call]
    return image


def bits(image: Image.Image) -> int:
    """Bits a value in the file."""
    found = image.info.get("bit_depth", 8)
    return found if isinstance(found, int) else 8


def subsampling(image: Image.Image) -> str:
    """How coarse its colours are."""
    return {420: "4:2:0", 422: "4:2:2"}.get(image.info.get("chroma", 0), "4:4:4")


def deep(content: bytes) -> np.ndarray:
    """The main picture's values (h, w, 1, 3 or 4), red first, scaled to 16 bits."""
    library = _library()
    found = library.open_heif(BytesIO(content), convert_hdr_to_8bit=False)
    values = np.asarray(found[found.primary_index])
    return values[..., None] if values.ndim == 2 else values


def encoded(pixels: Image.Image | np.ndarray, **settings: Any) -> bytes:
    """The file of an image, or of 16-bit values (h, w, 1, 3 or 4), of which 10 bits are kept; raises `NotHere`.

    `settings` are `icc_profile`, `exif` and `subsampling`.
    """
    library = _library()
    if isinstance(pixels, Image.Image):
        picture = library.from_pillow(pixels)
    else:
        mode = {1: "L;16", 3: "RGB;16", 4: "RGBA;16"}[pixels.shape[2]]
        picture = library.from_bytes(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes())
    profile, exif = settings["icc_profile"], settings["exif"]
    picture.info["icc_profile"] = profile
    # With a profile, the container only says how colours became brightness and two differences.
    primaries, transfer = (2, 2) if profile else (1, 13)
    buffer = BytesIO()
    picture.save(
        buffer,
        quality=QUALITY,
        chroma=int(settings["subsampling"].replace(":", "")),
        enc_params={"preset": PRESET},
        exif=exif,
        color_primaries=primaries,
        transfer_characteristics=transfer,
        matrix_coefficients=6,
        full_range_flag=1,
    )
    return buffer.getvalue()


def colours(file: BinaryIO) -> tuple[int, int]:
    """Which primaries and transfer a HEIF or AVIF names, by the numbers of H.273; 2 is unspecified."""
    file.seek(0)
    for kind, content in _boxes(file):
        if kind == b"colr" and content[:4] == b"nclx" and len(content) >= 8:
            primaries, transfer = struct.unpack_from(">HH", content, 4)
            return primaries, transfer
    return 2, 2


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """The boxes that say how pictures look."""
    for _ in range(MOST_BOXES):
        head = file.read(8)
        if len(head) < 8:
            return
        size, kind = struct.unpack(">I4s", head)
        if size == 1:  # of more than 4 GB, or said as if it were
            size = int.from_bytes(file.read(8)) - 8
        if not 8 <= size < LARGEST_BOX:  # until the end of the file, or nonsense
            return
        if kind in HOLDERS:
            yield from _boxes(BytesIO(file.read(min(size - 8, LARGEST_META))[HOLDERS[kind] :]))
        elif kind == b"colr":
            yield kind, file.read(min(size - 8, LARGEST_META))
        else:
            file.seek(size - 8, 1)


def _library() -> ModuleType:
    """pillow-heif, which most people need not have."""
    try:
        import pillow_heif
    except ImportError:
        raise NotHere(MISSING) from None
    module: ModuleType = pillow_heif
    return module
