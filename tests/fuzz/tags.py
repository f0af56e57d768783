"""EXIF, XMP and colour profiles that are odd: wrong types, loops, huge counts, every orientation beside them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from random import Random

PRIVATE = b"Emmy Noether was here"
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
ORIENTATION, POINTERS = 0x0112, (0x8769, 0x8825, 0xA005, 0x014A, 0x927C)
USUAL = (
    *(0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x0201, 0x0202, 0x0213, 0x02BC, 0x4746),
    *(0x8298, 0x829A, 0x829D, 0x83BB, 0x8773, 0x9000, 0x9003, 0x9286, 0x9C9B, 0xA001, 0xA002, 0xC4A5, 0xC612, 0xEA1C),
)
COUNTS = (0, 1, 2, 3, 4, 8, 100, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def exif(rng: Random) -> bytes:
    """A block of EXIF: mostly an orientation, and other tags that may be anything."""
    order = rng.choice("<>")
    entries = [_entry(rng, order) for _ in range(rng.choice((0, 1, 1, 2, 5, 20)))]
    if rng.random() < 0.85:
        entries.insert(rng.randrange(len(entries) + 1), _orientation(rng, order))
    if rng.random() < 0.7:
        entries.sort()  # as they should be, by tag
    count = len(entries) if rng.random() < 0.9 else rng.choice(COUNTS) & 0xFFFF
    following = rng.choice((0, 0, 0, 8, 8 + 2, rng.randrange(400), 0xFFFFFFFF))
    magic = 42 if rng.random() < 0.97 else rng.choice((43, 0))
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", magic, 8)
    room = PRIVATE + rng.randbytes(rng.choice((0, 8, 64))) + _directory(rng, order)
    return head + struct.pack(f"{order}H", count) + b"".join(entries) + struct.pack(f"{order}I", following) + room


def tiff(
    needed: Mapping[int, tuple[int, tuple[int, ...]]], pixels: bytes, blobs: Mapping[int, bytes | None], odd: bytes
) -> bytes:
    """A little-endian picture of these tags, then those of the EXIF block `odd` that are not among them."""
    known = {
        tag: (kind, len(values), struct.pack(f"<{len(values)}{'HI'[kind == 4]}", *values))
        for tag, (kind, values) in needed.items()
    }
    known |= {tag: (7, len(blob), blob) for tag, blob in blobs.items() if blob}
    known[0x111] = (4, 1, struct.pack("<I", 8))  # the pixels come first
    known |= {tag: raw for tag, raw in _entries(odd) if tag not in known}
    start = 8 + len(pixels) + len(pixels) % 2
    directory, room = [], start + 2 + 12 * len(known) + 4
    tail = b""
    for tag, described in sorted(known.items()):
        kind, count, value = described
        if len(value) > 4:
            value, tail = struct.pack("<I", room + len(tail)), tail + value
        directory.append(struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0"))
    head = b"II*\0" + struct.pack("<I", start) + pixels.ljust(start - 8, b"\0")
    return head + struct.pack("<H", len(directory)) + b"".join(directory) + bytes(4) + tail


def _entries(block: bytes) -> list[tuple[int, tuple[int, int, bytes]]]:
    """By tag, the raw type, count and value of the first list in a block, all of them little-endian."""
    order = "<" if block[:2] == b"II" else ">"
    found = []
    for place in range(10, len(block) - 12, 12):
        tag, kind, count, value = struct.unpack_from(f"{order}HHI4s", block, place)
        found.append((tag, (kind, count, value if order == "<" else value[::-1])))
        if len(found) > 30:
            break
    return found


def _orientation(rng: Random, order: str) -> bytes:
    """The tag, right in three of five."""
    chosen, value = rng.random(), rng.randrange(1, 9)
    if chosen < 0.6:
        return struct.pack(f"{order}HHIHH", ORIENTATION, 3, 1, value, 0)
    kind = rng.choice((*SIZES, 0, 14, 0xFFFF))
    odd = rng.choice((value, 0, 9, 0xFFFF, 0x7FFFFFFF))
    return struct.pack(f"{order}HHII", ORIENTATION, kind, rng.choice(COUNTS), odd)


def _entry(rng: Random, order: str) -> bytes:
    """A tag of any type with any count and value; a list of tags may be said to be where this one is."""
    tag = rng.choice((*USUAL, *POINTERS, rng.randrange(0x10000)))
    kind = rng.choice((*SIZES, *SIZES, 0, 14, 255, 0xFFFF))
    value = rng.choice((0, 1, 8, rng.randrange(400), rng.randrange(400), rng.choice((0x7FFFFFFF, 0xFFFFFFFF))))
    if rng.random() < 0.1:
        return struct.pack(f"{order}HHI4s", tag, kind, rng.choice(COUNTS), rng.randbytes(4))
    return struct.pack(f"{order}HHII", tag, kind, rng.choice(COUNTS), value)


def _directory(rng: Random, order: str) -> bytes:
    """A list of tags for a pointer to find."""
    entries = [_entry(rng, order) for _ in range(rng.choice((0, 1, 4)))]
    return struct.pack(f"{order}H", len(entries)) + b"".join(entries) + struct.pack(f"{order}I", rng.choice((0, 8)))


def xmp(rng: Random) -> bytes:
    """XMP that may ask for an orientation, in a way that may be odd."""
    value = rng.choice(
        (str(rng.randrange(1, 9)), str(rng.randrange(1, 9)), "0", "9", "-1", "1e9", "9" * 5000, "٣", "", "x")
    )
    asked = rng.choice(
        (
            f'<rdf:Description tiff:Orientation="{value}"/>',
            f"<rdf:Description><tiff:Orientation>{value}</tiff:Orientation></rdf:Description>",
            f'<rdf:Description tiff:Orientation="{value}" tiff:Orientation="3"/>',
            "<tiff:Orientation>" * rng.choice((1, 2000)),
            f'tiff:Orientation="{value}',
        )
    )
    around = rng.choice(
        ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>%s</rdf:RDF></x:xmpmeta>', "%s", "<a" * 900 + "%s")
    )
    entity = '<!DOCTYPE a [<!ENTITY b "%s"><!ENTITY c "&b;&b;&b;">]>' % ("&d;" * 9) if rng.random() < 0.1 else ""
    text = (entity + around % asked).encode() + PRIVATE
    return text if rng.random() < 0.8 else text.replace(b"e", bytes([rng.randrange(256)]), 3)


def profile(rng: Random, known: bytes) -> bytes:
    """A colour profile with an odd header or table, cut short or with something after it."""
    data = bytearray(known)
    for _ in range(rng.choice((0, 1, 2, 6))):
        place = rng.choice((0, 4, 8, 12, 16, 20, 36, 64, 128, *range(132, min(len(data) - 4, 260), 4)))
        data[place : place + 4] = rng.choice(
            (struct.pack(">I", rng.choice(COUNTS)), b"CMYK", b"GRAY", b"Lab ", b"RGB ", b"link", rng.randbytes(4))
        )
    return bytes(data[: rng.choice((len(data), len(data), 16, 127, 128, 131))]) + rng.choice(
        (b"", PRIVATE, bytes(3000))
    )
