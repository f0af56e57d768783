"""Names of colours, and what "deep", "neon" or "not too dark" make of one, in CIELAB; without torch."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import atan2, degrees, dist, hypot
from pathlib import Path
from typing import TypeAlias

from PIL import ImageColor

Triple: TypeAlias = tuple[float, float, float]
WHITE = (0.9505, 1.0, 1.089)  # of the illuminant D65, in XYZ
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))  # IEC 61966-2-1
FROM_XYZ = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))


@dataclass(frozen=True)
class Colour:
    """A colour with the words for it; sRGB in [0, 1]."""

    name: str
    rgb: Triple


@dataclass(frozen=True)
class Shade:
    """Towards a lightness of CIELAB, a share of the way; times chroma; and how much more yellow than blue."""

    to: float
    by: float
    chroma: float
    yellow: float = 0.0

    def of(self, rgb: Triple, much: float = 1.0) -> Triple:
        """The colour changed so, `much` times as far."""
        light, a, b = lab(rgb)
        share = float(self.chroma**much)
        light += (self.to - light) * min(0.85, self.by * much)
        return srgb((light, a * share, b * share + self.yellow * much))


def parsed(code: str) -> Triple:
    """The colour of a code such as #aa2233 or #a23."""
    red, green, blue = ImageColor.getrgb(code)[:3]
    return red / 255, green / 255, blue / 255


@cache
def learned() -> Mapping[str, Triple]:
    """The names whose colours the bundled text-image model has learned."""
    return {name: parsed(code) for name, code in _table()["learned"].items()}


@cache
def names() -> Mapping[str, Triple]:
    """Every name: those of CSS, unless makeup counters or most people mean something else by them."""
    css = {name: parsed(code) for name, code in ImageColor.colormap.items() if isinstance(code, str)}
    return {**css, **{name: parsed(code) for name, code in _table()["others"].items()}, **learned()}


def known(name: str, rgb: Triple) -> str:
    """The name, or that of the nearest colour that the text-image model has learned."""
    return name if name in learned() else min(learned(), key=lambda other: apart(learned()[other], rgb))


def apart(first: Triple, second: Triple) -> float:
    """The distance in CIELAB."""
    return dist(_labs(first), _labs(second))


def chroma(rgb: Triple) -> float:
    """How far from grey in CIELAB."""
    return hypot(*_labs(rgb)[1:])


def hue(rgb: Triple) -> float:
    """The angle in CIELAB, in degrees."""
    _, a, b = _labs(rgb)
    return degrees(atan2(b, a))


def between(rgb: Triple, other: Triple, share: float) -> Triple:
    """The colour so far on the way to the other."""
    first, second = lab(rgb), lab(other)
    light, a, b = (one + share * (two - one) for one, two in zip(first, second, strict=True))
    return srgb((light, a, b))


def within(rgb: Triple, bounds: Mapping[str, tuple[float, float]]) -> Triple:
    """The nearest colour whose `light`, `chroma` and `yellow` are within bounds."""
    light, a, b = there = lab(rgb)
    light = _clamped(light, bounds.get("light"))
    if (chroma := hypot(a, b)) > 0:
        share = _clamped(chroma, bounds.get("chroma")) / chroma
        a, b = a * share, b * share
    found = light, a, _clamped(b, bounds.get("yellow"))
    return rgb if found == there else srgb(found)


def lab(rgb: Triple) -> Triple:
    """CIELAB of an sRGB colour in [0, 1], white point D65."""
    linear = [((level + 0.055) / 1.055) ** 2.4 if level > 0.04045 else level / 12.92 for level in rgb]
    shares = (_dot(row, linear) / white for row, white in zip(TO_XYZ, WHITE, strict=True))
    x, y, z = (share ** (1 / 3) if share > 0.008856 else 7.787 * share + 4 / 29 for share in shares)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def srgb(colour: Triple) -> Triple:
    """The sRGB colour of one in CIELAB; of one that no screen has, the nearest of that lightness and hue."""
    light, a, b = colour
    light = min(100.0, max(0.0, light))
    for step in range(50):
        share = 1 - step / 50
        levels = _levels(light, a * share, b * share)
        if all(-1e-3 <= level <= 1 + 1e-3 for level in levels):
            break
    red, green, blue = (min(1.0, max(0.0, level)) for level in levels)
    return red, green, blue


def _levels(light: float, a: float, b: float) -> list[float]:
    y = (light + 16) / 116
    roots = (y + a / 500, y, y - b / 200)
    shares = (root**3 if root**3 > 0.008856 else (root - 4 / 29) / 7.787 for root in roots)
    xyz = [share * white for share, white in zip(shares, WHITE, strict=True)]
    linear = (_dot(row, xyz) for row in FROM_XYZ)
    return [1.055 * level ** (1 / 2.4) - 0.055 if level > 0.0031308 else 12.92 * level for level in linear]


def _dot(row: Triple, values: list[float]) -> float:
    return sum(weight * value for weight, value in zip(row, values, strict=True))


def _clamped(value: float, bounds: tuple[float, float] | None) -> float:
    return value if bounds is None else min(bounds[1], max(bounds[0], value))


@cache
def _labs(rgb: Triple) -> Triple:
    return lab(rgb)


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((Path(__file__).parent / "colours.toml").read_text(encoding="utf-8"))
