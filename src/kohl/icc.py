"""Colour profiles without a story: what says how the pixels look is read, and written anew.

A profile can name a device, a program, a person and a day, in its header, its texts, private tags, and behind its end.
Of one that describes RGB by its primaries, or grey by a curve, only these numbers are taken (ICC.1:2022, 8.3 and 8.4).
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

LARGEST = 2**22  # bytes of a profile that is looked at; those of presses have half of that
MOST_TAGS, LONGEST_CURVE = 200, 4096
PRIMARIES = (b"rXYZ", b"gXYZ", b"bXYZ")
CURVES = {b"RGB ": (b"rTRC", b"gTRC", b"bTRC"), b"GRAY": (b"kTRC",)}
TABLES = (b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1", b"D2B2", b"D2B3")  # they would count for more than primaries
PARAMETERS = (1, 3, 4, 5, 7)  # of the five kinds of formula
ONE = 65536  # in numbers of 16.16 bits
D50 = (63190, ONE, 54061)
STEPS = 1024  # of a curve that was a formula
CLOSE = 0.002  # of a known space: less than half a level of 255


class _Space(NamedTuple):
    """Three primaries, of three numbers of 16.16 bits each (none for grey), and a curve for each channel."""

    primaries: tuple[tuple[int, ...], ...]
    curves: tuple[np.ndarray, ...]  # uint16: no entry is a straight line, one is a power times 256, more are a table


class _Odd(Exception):
    """No profile that says what its pixels look like by primaries and curves alone."""


def rebuilt(profile: bytes) -> bytes | None:
    """A new profile for pixels that `profile` describes; None if it is broken or says more than a new one could."""
    kind = profile[16:20]
    if kind not in CURVES or len(profile) > LARGEST:
        return None
    try:
        tags, primaries = _tags(profile), PRIMARIES if kind == b"RGB " else ()
        if tags.keys() & {*TABLES} or not {*primaries, *CURVES[kind]} <= tags.keys():
            return None
        curves = tuple(_curve(tags[name]) for name in CURVES[kind])
        space = _known(_Space(tuple(_xyz(tags[name]) for name in primaries), curves))
    except _Odd:
        return None
    return _written(kind, space)


def display_p3() -> bytes:
    """A profile of Display P3."""
    return _written(b"RGB ", KNOWN[1])


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """What the profile says, by the name of the tag."""
    if profile[36:40] != b"acsp" or profile[20:24] not in (b"XYZ ", b"Lab "):
        raise _Odd
    (count,) = _numbers(">I", profile, 128)
    if count > MOST_TAGS:
        raise _Odd
    found = {}
    for place in range(132, 132 + 12 * count, 12):
        name, start, size = _numbers(">4sII", profile, place)
        if start + size > len(profile):
            raise _Odd
        found[name] = profile[start : start + size]
    return found


def _numbers(layout: str, content: bytes, place: int) -> tuple[Any, ...]:
    """What stands at that place."""
    try:
        return struct.unpack_from(layout, content, place)
    except struct.error:
        raise _Odd from None


def _xyz(tag: bytes) -> tuple[int, ...]:
    """One primary."""
    numbers = _numbers(">4s4x3i", tag, 0)
    if numbers[0] != b"XYZ " or any(abs(number) > 2 * ONE for number in numbers[1:]):
        raise _Odd
    return tuple(numbers[1:])


def _curve(tag: bytes) -> np.ndarray:
    """How one channel becomes light."""
    if tag[:4] == b"curv":
        (count,) = _numbers(">I", tag, 8)
        if count > LONGEST_CURVE:
            raise _Odd
        table = np.array(_numbers(f">{count}H", tag, 12), np.uint16)
    elif tag[:4] == b"para":
        table = np.rint(_formula(tag) * 65535).astype(np.uint16)
    else:
        raise _Odd
    # What falls anywhere is no curve of light, and might be words.
    if (np.diff(table.astype(int)) < 0).any() or (len(table) == 1 and not 64 <= table[0] <= 2048):
        raise _Odd
    return table


def _formula(tag: bytes) -> np.ndarray:
    """The values in [0, 1] of a curve that is given as a formula (ICC.1:2022, 10.18)."""
    (kind,) = _numbers(">H", tag, 8)
    if kind >= len(PARAMETERS):
        raise _Odd
    given = np.array(_numbers(f">{PARAMETERS[kind]}i", tag, 12)) / ONE
    if np.abs(given).max() > 100:
        raise _Odd
    power, a, b, c, d, e, f = map(float, np.concatenate([given, np.array([1.0, 1, 0, 0, 0, 0, 0])[len(given) :]]))
    x = np.linspace(0, 1, STEPS)
    if kind in (1, 2):  # below −b / a it is level
        if a == 0:
            raise _Odd
        level = c if kind == 2 else 0.0
        c, d, e, f = 0.0, -b / a, level, level
    with np.errstate(all="ignore"):
        upper = np.clip(a * x + b, 0, None) ** power + e
    values = np.where(x >= d, upper, c * x + f) if kind else x**power
    if not np.isfinite(values).all():
        raise _Odd
    clipped: np.ndarray = values.clip(0, 1)
    return clipped


def _shape(curve: np.ndarray) -> np.ndarray:
    """The values in [0, 1] of a curve."""
    x = np.linspace(0, 1, STEPS)
    if len(curve) < 2:
        return x ** (float(curve[0]) / 256 if len(curve) else 1.0)
    return np.interp(x, np.linspace(0, 1, len(curve)), curve / 65535)


def _known(space: _Space) -> _Space:
    """One of the spaces that most photos are in, if it is as good as that: many makers have numbers of their own."""
    for known in KNOWN:
        if len(known.primaries) == len(space.primaries):
            apart = [abs(a - b) / ONE for a, b in zip(sum(known.primaries, ()), sum(space.primaries, ()), strict=True)]
            bent = [abs(_shape(a) - _shape(b)).max() for a, b in zip(known.curves, space.curves, strict=True)]
            if max([*apart, *bent]) < CLOSE:
                return known
    return space


def _fixed(*numbers: float) -> tuple[int, ...]:
    return tuple(round(number * ONE) for number in numbers)


_SRGB_CURVE = np.rint(  # IEC 61966-2-1
    _formula(struct.pack(">4s4xH2x5i", b"para", 3, *_fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))) * 65535
).astype(np.uint16)
_ADOBE_CURVE = np.array([563], np.uint16)  # 2.2, as near as it can be said
KNOWN = (
    _Space(  # sRGB, adapted to D50
        (_fixed(0.43607, 0.22249, 0.01392), _fixed(0.38515, 0.71687, 0.09708), _fixed(0.14307, 0.06061, 0.71410)),
        (_SRGB_CURVE,) * 3,
    ),
    _Space(  # Display P3
        (_fixed(0.51512, 0.24120, -0.00105), _fixed(0.29198, 0.69225, 0.04189), _fixed(0.15710, 0.06657, 0.78407)),
        (_SRGB_CURVE,) * 3,
    ),
    _Space(  # Adobe RGB (1998)
        (_fixed(0.60974, 0.31111, 0.01947), _fixed(0.20528, 0.62567, 0.06087), _fixed(0.14919, 0.06322, 0.74457)),
        (_ADOBE_CURVE,) * 3,
    ),
    _Space((), (_SRGB_CURVE,)),
    _Space((), (_ADOBE_CURVE,)),
)


def _written(kind: bytes, space: _Space) -> bytes:
    """A profile of version 2 with these numbers, and nothing else that could differ from one to the next."""
    name = b"RGB\0" if kind == b"RGB " else b"Grey\0"
    text = struct.pack(">4s4xI", b"desc", len(name)) + name + bytes(4 + 4 + 2 + 1 + 67)
    parts = {b"desc": text, b"cprt": b"text\0\0\0\0None\0", b"wtpt": struct.pack(">4s4x3i", b"XYZ ", *D50)}
    for tag, primary in zip(PRIMARIES, space.primaries, strict=False):
        parts[tag] = struct.pack(">4s4x3i", b"XYZ ", *primary)
    for tag, curve in zip(CURVES[kind], space.curves, strict=True):
        parts[tag] = struct.pack(">4s4xI", b"curv", len(curve)) + curve.astype(">u2").tobytes()
    start = 132 + 12 * len(parts)
    table, body = struct.pack(">I", len(parts)), b""
    places: dict[bytes, int] = {}
    for tag, content in parts.items():
        if content not in places:  # the three curves are often one
            places[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", tag, places[content], len(content))
    header = struct.pack(
        ">I4xI4s4s4s6H4s28x3i48x",
        *(start + len(body), 0x02100000, b"mntr", kind, b"XYZ ", *(2000, 1, 1, 0, 0, 0), b"acsp", *D50),
    )
    return header + table + body
