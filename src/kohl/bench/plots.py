"""What the page draws, as places on a canvas: change against protection, and shares with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from kohl.bench import counting
from kohl.bench.counting import Figure
from kohl.bench.results import Results
from kohl.bench.tables import said

WIDTH, HEIGHT = 680, 400  # of a plot, in its own units
LEFT, RIGHT, TOP, BOTTOM = 48, 96, 16, 44  # around what is plotted; names stand right of the last dot
PSR = "per cent of comparisons; more is better"
LINKED = "per cent of pairs of results of one person that match each other; less is better"
LINE, LETTER = 15, 7.5  # of a name: its height and the width of a letter


@dataclass(frozen=True)
class Bar:
    """A share with its interval, in per cent of a scale."""

    name: str
    ours: bool
    value: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Bars:
    """Shares of all attacks, one below the other."""

    title: str
    note: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Dot:
    """A point with its interval up and down."""

    x: float
    y: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class Curve:
    """What one attack reaches as its strength varies."""

    name: str
    ours: bool
    dots: tuple[Dot, ...]
    label: tuple[float, float]  # where its name begins

    @property
    def path(self) -> str:
        """Through all dots, as SVG has it."""
        return "M" + " L".join(f"{dot.x:.1f} {dot.y:.1f}" for dot in self.dots)


@dataclass(frozen=True)
class Plot:
    """Curves over a horizontal and a vertical scale, each a list of places and their numbers."""

    title: str
    note: str
    across: str
    up: str
    curves: tuple[Curve, ...]
    columns: tuple[tuple[float, str], ...]
    lines: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def family(attack: str) -> str:
    """The name of an attack without its strength."""
    return attack.partition("@")[0].partition(" at ")[0]


def is_ours(results: Results, attack: str) -> bool:
    """Whether it is kohl's own search, and no baseline."""
    ways = {
        (cell["way"], cell["settings"].get("attack"), cell["settings"].get("search", {}).get("distance"))
        for cell in results.cells
        if cell.get("attack") == attack
    }
    return ways == {("attack", "latent", "thresholds")}


def shares(results: Results, title: str, note: str, of: Callable[[str], Figure | None]) -> Bars:
    """A bar for each attack that has a figure."""
    found = {attack: of(attack) for attack in results.attacks}
    bars = [
        Bar(attack, is_ours(results, attack), one.value, _or(one.low, one.value), _or(one.high, one.value), said(one))
        for attack, one in found.items()
        if one is not None and not math.isnan(one.value)
    ]
    return Bars(title, note, tuple(bars))


def bars(results: Results) -> list[Bars]:
    """PSR and linking, before each judge."""
    success = results.success()
    kinds = [
        ("Taken for the target by" if results.aimed else "Not recognised by", PSR, success),
        ("Linked by", LINKED, counting.linked),
    ]
    found = [
        shares(results, f"{title} {judge}", note, partial(results.rate, judge=judge, counted=counted))
        for title, note, counted in kinds
        for judge in results.judges
    ]
    return [one for one in found if one.bars]


@dataclass(frozen=True)
class _Point:
    across: float
    share: Figure
    text: str


@dataclass(frozen=True)
class _Scale:
    """Where numbers stand from the left of a plot to its right."""

    low: float
    high: float

    def __call__(self, number: float) -> float:
        return LEFT + (WIDTH - RIGHT - LEFT) * (number - self.low) / (self.high - self.low)


def trade(results: Results, judge: str) -> Plot | None:
    """PSR against PSNR, a curve for each attack; None where nothing changes a face."""
    success = results.success()
    points: dict[str, list[_Point]] = {}
    for attack in results.changing:
        psnr, rate = results.quality(attack, "psnr"), results.rate(attack, judge, success)
        if psnr is not None and rate is not None and not math.isnan(rate.value):
            text = f"{attack}: {said(rate)} % at {psnr.value:.1f} dB"
            points.setdefault(family(attack), []).append(_Point(psnr.value, rate, text))
    if not points:
        return None
    levels = [point.across for found in points.values() for point in found]
    scale = _Scale(math.floor(min(levels) - 0.5), math.ceil(max(levels) + 0.5))
    step = max(1, round((scale.high - scale.low) / 6))
    return Plot(
        f"Change against protection, before {judge}",
        "further right is a smaller change, further up fewer matches",
        "PSNR of the face, dB",
        "PSR, %",
        tuple(_apart(_curves(results, points, scale))),
        tuple((scale(level), f"{level}") for level in range(int(scale.low), int(scale.high) + 1, step)),
        LINES,
    )


def adaptive(results: Results, judge: str) -> Plot | None:
    """PSR against the photos that an attacker has seen before and after; None where nobody asked one."""
    cells = [cell for cell in results.adapted if cell["judge"] == judge]
    counts = sorted({one["pairs seen"] for cell in cells for one in cell["adapted"]})
    points: dict[str, list[_Point]] = {}
    for attack in dict.fromkeys(cell["attack"] for cell in cells):
        for place, count in enumerate(counts):
            rate = results.after_seeing(attack, judge, count, linking=False)
            if rate is not None and not math.isnan(rate.value):
                point = _Point(place, rate, f"{attack}: {said(rate)} % after {count} photos")
                points.setdefault(attack, []).append(point)
    if not points:
        return None
    scale = _Scale(-0.25, max(1, len(counts) - 1) + 0.25)
    return Plot(
        f"An attacker with {judge} who adapts",
        "further up fewer matches, though the attacker has seen what the same attack does to others",
        "photos of others, seen before and after",
        "PSR, %",
        tuple(_apart(_curves(results, points, scale))),
        tuple((scale(place), f"{count}") for place, count in enumerate(counts)),
        LINES,
    )


def _curves(results: Results, points: Mapping[str, Sequence[_Point]], scale: _Scale) -> list[Curve]:
    """A curve for each name, from left to right."""
    ours = {family(attack): is_ours(results, attack) for attack in results.attacks}
    curves = []
    for name, found in points.items():
        dots = [
            Dot(
                scale(point.across),
                _height(point.share.value),
                _height(_or(point.share.low, point.share.value)),
                _height(_or(point.share.high, point.share.value)),
                point.text,
            )
            for point in sorted(found, key=lambda point: point.across)
        ]
        curves.append(Curve(name, ours[family(name)], tuple(dots), (dots[-1].x + 9, dots[-1].y + 4)))
    return curves


def _height(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share / 100


LINES = tuple((_height(share), f"{share}") for share in range(0, 101, 25))


def _apart(curves: Sequence[Curve]) -> list[Curve]:
    """The curves with their names moved up or down so that none lies on another."""
    placed: list[Curve] = []
    for curve in sorted(curves, key=lambda curve: curve.label[1], reverse=True):  # from below
        x, y = curve.label
        for other in sorted(placed, key=lambda other: other.label[1], reverse=True):
            across = x < other.label[0] + LETTER * len(other.name) and other.label[0] < x + LETTER * len(curve.name)
            if across and abs(other.label[1] - y) < LINE:
                y = other.label[1] - LINE
        placed.append(replace(curve, label=(x, y)))
    return placed


def _or(value: float, other: float) -> float:
    return other if math.isnan(value) else value
