"""Bytes that are nearly right: flips, cuts, splices and odd numbers, anywhere or in the parts of a known container."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

ODD = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63, -1)
LARGEST = 200_000  # bytes that a mutation may grow to
PNG, RIFF, ISO = b"\x89PNG\r\n\x1a\n", b"RIFF", b"ftyp"


def flipped(rng: Random, data: bytes) -> bytes:
    """A few bytes are others."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if changed:
            changed[_place(rng, len(changed))] = rng.choice((0, 255, rng.randrange(256)))
    return bytes(changed)


def cut(rng: Random, data: bytes) -> bytes:
    """The end is missing."""
    return data[: _place(rng, len(data) + 1)]


def without(rng: Random, data: bytes) -> bytes:
    """A piece is missing."""
    start = _place(rng, len(data) + 1)
    return data[:start] + data[start + rng.choice((1, 2, 4, 16, 256)) :]


def doubled(rng: Random, data: bytes) -> bytes:
    """A piece is there again, once or often."""
    start = _place(rng, len(data) + 1)
    piece = data[start : start + rng.choice((1, 4, 12, 64, 1024))]
    return data[:start] + piece * rng.choice((2, 2, 3, 50)) + data[start + len(piece) :]


def filled(rng: Random, data: bytes) -> bytes:
    """A piece is zeros, ones or noise."""
    start, length = _place(rng, len(data) + 1), rng.choice((1, 4, 16, 256))
    fill = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length)))
    return data[:start] + fill + data[start + rng.choice((0, length)) :]


def numbered(rng: Random, data: bytes) -> bytes:
    """A number in it is an odd one."""
    width, start = rng.choice((1, 2, 2, 4, 4, 8)), _place(rng, len(data) + 1)
    number = (rng.choice(ODD) + rng.choice((0, 0, 0, 1, -1))) % 256**width
    return data[:start] + number.to_bytes(width, rng.choice(("big", "little"))) + data[start + width :]


def moved(rng: Random, data: bytes) -> bytes:
    """A number in it is a little more or less."""
    width, start, order = rng.choice((1, 2, 4)), _place(rng, len(data) + 1), rng.choice(("big", "little"))
    piece = data[start : start + width]
    number = (int.from_bytes(piece, order) + rng.choice((1, -1, 2, 16, -256))) % 256 ** max(1, len(piece))
    return data[:start] + number.to_bytes(max(1, len(piece)), order) + data[start + width :]


ANYWHERE = (flipped, flipped, cut, without, doubled, filled, numbered, numbered, moved)


def mutated(rng: Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """`data` after one to eight mutations, some of which know what kind of file it is."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        chosen = rng.random()
        if others and chosen < 0.06:
            other = rng.choice(others)
            data = data[: _place(rng, len(data) + 1)] + other[_place(rng, len(other) + 1) :]
        elif chosen < 0.4:
            data = in_parts(rng, data)
        else:
            data = rng.choice(ANYWHERE)(rng, data)
        data = data[:LARGEST]
    return data


def in_parts(rng: Random, data: bytes) -> bytes:
    """One part of the container is mutated, moved, doubled or gone, and the container is whole around it."""
    split, join = _container(data)
    parts = split(data)
    if len(parts) < 2:
        return rng.choice(ANYWHERE)(rng, data)
    index = rng.randrange(len(parts))
    change = rng.randrange(6)
    if change == 0:
        del parts[index]
    elif change == 1:
        parts.insert(rng.randrange(len(parts)), parts[index])
    elif change == 2:
        other = rng.randrange(len(parts))
        parts[index], parts[other] = parts[other], parts[index]
    else:
        parts[index] = rng.choice(ANYWHERE)(rng, parts[index])
    return join(parts)


def _container(data: bytes) -> tuple[Callable[[bytes], list[bytes]], Callable[[Sequence[bytes]], bytes]]:
    """What takes this kind of file apart, and what puts it together again."""
    if data.startswith(b"\xff\xd8"):
        return jpeg_parts, b"".join
    if data.startswith(PNG):
        return png_parts, png_joined
    if data.startswith(RIFF):
        return riff_parts, riff_joined
    if data[4:8] == ISO:
        return iso_parts, iso_joined
    return lambda whole: [whole[start : start + 12] for start in range(0, min(len(whole), 4096), 12)], b"".join


def jpeg_parts(data: bytes) -> list[bytes]:
    """The start, each segment, and the scan with all that follows."""
    parts, position = [data[:2]], 2
    while position + 4 <= len(data) and data[position] == 0xFF and data[position + 1] != 0xDA:
        length = 2 + int.from_bytes(data[position + 2 : position + 4])
        parts.append(data[position : position + length])
        position += length
    return [*parts, data[position:]]


def png_parts(data: bytes) -> list[bytes]:
    """Each chunk's name and content."""
    parts, position = [], len(PNG)
    while position + 12 <= len(data):
        length = int.from_bytes(data[position : position + 4])
        parts.append(data[position + 4 : position + 8 + length])
        position += 12 + length
    return parts


def png_joined(parts: Sequence[bytes]) -> bytes:
    """A PNG of chunks, each with its right length and checksum."""
    return PNG + b"".join(
        struct.pack(">I", max(0, len(part) - 4)) + part + struct.pack(">I", zlib.crc32(part)) for part in parts
    )


def riff_parts(data: bytes) -> list[bytes]:
    """Each chunk's name and content."""
    parts, position = [], 12
    while position + 8 <= len(data):
        length = int.from_bytes(data[position + 4 : position + 8], "little")
        parts.append(data[position : position + 4] + data[position + 8 : position + 8 + length])
        position += 8 + length + length % 2
    return parts


def riff_joined(parts: Sequence[bytes]) -> bytes:
    """A WebP of chunks, each with its right length."""
    body = b"WEBP"
    for part in parts:
        body += part[:4] + struct.pack("<I", max(0, len(part) - 4)) + part[4:] + bytes(len(part) % 2)
    return RIFF + struct.pack("<I", len(body)) + body


def iso_parts(data: bytes) -> list[bytes]:
    """Each outermost box's name and content."""
    parts, position = [], 0
    while position + 8 <= len(data):
        length = max(8, int.from_bytes(data[position : position + 4]))
        parts.append(data[position + 4 : position + length])
        position += length
    return parts


def iso_joined(parts: Sequence[bytes]) -> bytes:
    """Boxes, each with its right length; where one has another length than before, places in the file are wrong."""
    return b"".join(struct.pack(">I", len(part) + 4) + part for part in parts)


def _place(rng: Random, length: int) -> int:
    """Somewhere, rather often near the start, where headers are."""
    if length <= 1:
        return 0
    return rng.randrange(min(length, rng.choice((32, 256, length, length))))
