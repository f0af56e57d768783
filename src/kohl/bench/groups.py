"""Figures by group of people, such as the skin tone that photos show or the perceived age, and the largest gaps."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kohl import plain_file
from kohl.errors import BadSetting

# Degrees that a tone lies above.
TONES = ((55, "very light"), (41, "light"), (28, "intermediate"), (10, "tan"), (-30, "brown"), (-90, "dark"))
FEWEST = 5  # faces that a group needs to be held against the others: fewer say nothing
Line = tuple[str, str, str]  # of a table: figure, goal, measured
LARGEST = 2**24  # bytes of a file of labels
NORMAL = 1.96  # standard deviations that hold 95 %


@dataclass(frozen=True)
class Outcome:
    """What became of one face."""

    name: str
    groups: Mapping[str, str]  # by kind
    figures: Mapping[str, float]  # by name


def ita(colour: np.ndarray) -> float:
    """The individual typology angle of a skin's CIELAB colour, in degrees (Chardon, Cretois & Hourseau, 1991)."""
    return math.degrees(math.atan2(colour[0] - 50, colour[2]))


def tone(degrees: float) -> str:
    """The group of a typology angle (Del Bino & Bernerd, British Journal of Dermatology, 2013)."""
    return next((name for least, name in TONES if degrees > least), TONES[-1][1])


def labels(path: Path) -> dict[str, dict[str, str]]:
    """By face, its perceived labels by kind; lines that begin with # are comments. Raises `BadSetting`."""
    try:
        text = plain_file.content(path, LARGEST).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is no text in UTF-8"
        raise BadSetting(f"{path}: these groups cannot be read ({reason})") from None
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    if "name" not in (rows.fieldnames or ()):
        raise BadSetting(f"{path}: its first line must name a column name, and one for each kind of group")
    return {row.pop("name"): {kind: group for kind, group in row.items() if kind and group} for row in rows}


def by_group(outcomes: Sequence[Outcome], goals: Mapping[str, str]) -> Iterator[Line]:
    """The lines of a table: every figure's mean, the largest gap in it between groups of each kind, and their means.

    `goals` are those for a gap, by a part of the figure's name.
    """
    for name in outcomes[0].figures:
        yield f"all {len(outcomes)}: {name}", "", f"{mean(one.figures[name] for one in outcomes):.1f}"
    for kind in outcomes[0].groups:
        for name in outcomes[0].figures:
            found = grouped(outcomes, kind, name)
            size, worst, best = gap(found)
            parts = " · ".join(f"{group} {value:.1f} ({count})" for group, (value, count) in found.items())
            goal = next((goal for part, goal in goals.items() if part in name), "")
            yield f"{kind}: {name}", goal, f"gap {size:.1f}, {worst} to {best}: {parts}"


def grouped(outcomes: Sequence[Outcome], kind: str, figure: str) -> dict[str, tuple[float, int]]:
    """By group of a kind, the mean of a figure, and how many faces have one."""
    groups = sorted({outcome.groups[kind] for outcome in outcomes})
    values = {group: [one.figures[figure] for one in outcomes if one.groups[kind] == group] for group in groups}
    return {group: (mean(all_), sum(not math.isnan(value) for value in all_)) for group, all_ in values.items()}


def gap(found: Mapping[str, tuple[float, int]]) -> tuple[float, str, str]:
    """The largest difference between means of groups of `FEWEST` faces or more, and the worst and the best group."""
    ranked = sorted((value, group) for group, (value, count) in found.items() if count >= FEWEST)
    return (ranked[-1][0] - ranked[0][0], ranked[0][1], ranked[-1][1]) if ranked else (math.nan, "none", "none")


def mean(values: Iterable[float]) -> float:
    """The mean of the values that are numbers; not a number if there are none."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def interval(right: int, count: int) -> tuple[float, float]:
    """The 95 % confidence interval of a share, in per cent (Wilson, Journal of the ASA, 1927)."""
    if not count:
        return math.nan, math.nan
    share, spread = right / count, NORMAL**2 / count
    half = NORMAL * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    low, high = ((share + spread / 2 + sign * half) / (1 + spread) for sign in (-1, 1))
    return 100 * low, 100 * high
