"""What the page draws, as places on a canvas: change against protection, and shares with their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
        (cell["way"], cell["settings"]["attack"], cell["settings"]["search"]["distance"])
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
    success = counting.matched_target if results.aimed else counting.evaded
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


def trade(results: Results, judge: str) -> Plot | None:
    """PSR against PSNR, a curve for each attack; None where nothing changes a face."""
    success = counting.matched_target if results.aimed else counting.evaded
    points: dict[str, list[tuple[float, Figure, str]]] = {}
    for attack in results.attacks:
        psnr, rate = results.quality(attack, "psnr"), results.rate(attack, judge, success)
        if psnr is not None and rate is not None and not math.isnan(rate.value):
            points.setdefault(family(attack), []).append((psnr.value, rate, attack))
    if not points:
        return None
    levels = [level for found in points.values() for level, _, _ in found]
    low, high = math.floor(min(levels) - 0.5), math.ceil(max(levels) + 0.5)
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(level: float) -> float:
        return LEFT + (right - LEFT) * (level - low) / (high - low)

    def y(share: float) -> float:
        return bottom - (bottom - TOP) * share / 100

    curves = []
    for name, found in points.items():
        dots = [
            Dot(
                x(level),
                y(rate.value),
                y(_or(rate.low, rate.value)),
                y(_or(rate.high, rate.value)),
                f"{attack}: {said(rate)} % at {level:.1f} dB",
            )
            for level, rate, attack in sorted(found, key=lambda point: point[0])
        ]
        ours = any(is_ours(results, attack) for *_, attack in found)
        curves.append(Curve(name, ours, tuple(dots), (dots[-1].x + 9, dots[-1].y + 4)))
    step = max(1, round((high - low) / 6))
    return Plot(
        f"Change against protection, before {judge}",
        "further right is a smaller change, further up fewer matches",
        "PSNR of the face, dB",
        "PSR, %",
        tuple(_apart(curves)),
        tuple((x(level), f"{level}") for level in range(low, high + 1, step)),
        tuple((y(share), f"{share}") for share in range(0, 101, 25)),
    )


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
