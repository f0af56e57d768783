"""What of a photo's metadata may be kept, if somebody asks for it by name; all else is gone, and is never copied."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Collection, Mapping
from fractions import Fraction
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from kohl.errors import BadSetting

INSIDE = 0x8769  # the tag of the directory of the photo's own facts; places and makers have others, never looked at
LONGEST = 200  # letters of a text
DATE = re.compile(r"[0-9]{4}:[0-9]{2}:[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
ASCII, SHORT, LONG, RATIONAL = 2, 3, 4, 5  # types of TIFF 6.0

Tag = tuple[bool, int, Callable[[Any], Any]]  # whether it is among the photo's own facts, which it is, and what is good


def _date(value: Any) -> str | None:
    return value if isinstance(value, str) and DATE.fullmatch(value) else None


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST:
        return None
    return value.strip() if value.isascii() and value.isprintable() else None


def _ratio(value: Any) -> IFDRational | None:
    try:
        found = Fraction(float(value)).limit_denominator(2**20)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return IFDRational(found) if 0 < found < 2**20 else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 < value < 2**16 else None


KINDS: Mapping[str, tuple[Tag, ...]] = {
    "date": ((True, 0x9003, _date),),  # when it was taken, by the camera's clock
    "camera": ((False, 0x010F, _text), (False, 0x0110, _text), (True, 0xA434, _text)),  # maker, model, lens
    "exposure": (  # time, aperture, sensitivity, focal length
        *((True, 0x829A, _ratio), (True, 0x829D, _ratio)),
        *((True, 0x8827, _count), (True, 0x920A, _ratio)),
    ),
    "author": ((False, 0x013B, _text), (False, 0x8298, _text)),  # artist, copyright
    "title": ((False, 0x010E, _text),),
}
ICC = "icc"  # the colour profile as it came, instead of one with the same colours and no story
KEPT = (*KINDS, ICC)


def check(names: Collection[str]) -> None:
    """Raises `BadSetting` for the name of something that cannot be kept."""
    if unknown := [name for name in names if name not in KEPT]:
        raise BadSetting(f"metadata: {unknown[0]!r} is nothing that can be kept; there are {', '.join(KEPT)}")


def kept(found: Image.Exif, names: Collection[str]) -> Image.Exif | None:
    """A new EXIF with what is asked for of the one that was `found`, in so far as it is what it should be."""
    made = Image.Exif()
    inside: dict[int, Any] = {}
    for own, tag, good in (tag for name in names for tag in KINDS.get(name, ())):
        value = good((found.get_ifd(INSIDE) if own else found).get(tag))
        if value is not None:
            (inside if own else made)[tag] = value
    if inside:
        made.get_ifd(INSIDE).update(inside)
    return made if inside or len(made) else None


def directory(found: Image.Exif, place: int) -> tuple[list[bytes], bytes]:
    """Entries for a TIFF's own directory, and what they point to, which is to stand at `place` of the file."""
    inside = found.get_ifd(INSIDE)
    own = {tag: found[tag] for tag in found if tag != INSIDE}
    body = b""
    if inside:
        entries, after = _entries(inside, place + 2 + 12 * len(inside) + 4)
        body = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4) + after
    entries, after = _entries(own, place + len(body))
    if inside:
        entries.append(struct.pack("<HHII", INSIDE, LONG, 1, place))
    return entries, body + after


def _entries(values: Mapping[int, Any], place: int) -> tuple[list[bytes], bytes]:
    """Entries of a little-endian directory in order, and what does not fit in them, which stands at `place`."""
    entries, body = [], b""
    for tag, value in sorted(values.items()):
        kind, count, content = _told(value)
        if len(content) > 4:
            where = struct.pack("<I", place + len(body))
            body += content + bytes(len(content) % 2)
        else:
            where = content.ljust(4, b"\0")
        entries.append(struct.pack("<HHI", tag, kind, count) + where)
    return entries, body


def _told(value: Any) -> tuple[int, int, bytes]:
    """Type, number and bytes of a value."""
    if isinstance(value, str):
        return ASCII, len(value) + 1, value.encode("ascii") + b"\0"
    if isinstance(value, int):
        return SHORT, 1, struct.pack("<H", value)
    return RATIONAL, 1, struct.pack("<II", value.numerator, value.denominator)
