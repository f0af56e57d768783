"""What a cell must hold, by its kind: cells come from files, and files may hold anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Shape: TypeAlias = Callable[[Any], bool]

MOST = 1e9  # of a number
LONGEST = 2**16  # characters of a text


def text(value: Any) -> bool:
    """A text that is no novel."""
    return isinstance(value, str) and len(value) <= LONGEST


def file_name(value: Any) -> bool:
    """The name of a file beside the cell, or nothing."""
    return text(value) and not {"/", "\\", "\0"} & set(value) and value not in (".", "..")


def number(value: Any) -> bool:
    """A number that is one, and no truth."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and abs(value) <= MOST and not math.isnan(value)


def whole(value: Any) -> bool:
    """A whole number from 0 on."""
    return number(value) and isinstance(value, int) and value >= 0


def score(value: Any) -> bool:
    """A number, or nothing."""
    return value is None or number(value)


def truth(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def one_of(*known: str) -> Shape:
    """One of these texts."""
    return lambda value: isinstance(value, str) and value in known


def many(shape: Shape) -> Shape:
    """A list of such values."""
    return lambda value: isinstance(value, list) and all(map(shape, value))


def by_name(shape: Shape) -> Shape:
    """Such values by name."""
    return lambda value: isinstance(value, dict) and all(map(text, value)) and all(map(shape, value.values()))


def table(value: Any) -> bool:
    """Whatever by name."""
    return isinstance(value, dict)


def holds(needed: Mapping[str, Shape], also: Mapping[str, Shape] | None = None) -> Shape:
    """A table with these values, perhaps with those, and with any others."""

    def sound(value: Any) -> bool:
        if not isinstance(value, dict) or needed.keys() - value.keys():
            return False
        known = {**needed, **(also or {})}
        return all(shape(value[name]) for name, shape in known.items() if name in value)

    return sound


def rate(value: Any) -> bool:
    """The name of a false-accept rate."""
    try:
        return text(value) and 0 < float(value) < 1
    except ValueError:
        return False


def thresholds(value: Any) -> bool:
    """Similarities by false-accept rate."""
    return isinstance(value, dict) and all(map(rate, value)) and all(map(number, value.values()))


def pairs(value: Any, count: int) -> bool:
    """Two indices below `count` and a similarity, each."""
    return isinstance(value, list) and all(
        isinstance(pair, list)
        and len(pair) == 3
        and score(pair[2])
        and all(whole(at) and at < count for at in pair[:2])
        for pair in value
    )


WHO = {"person": text, "photo": text}
RANKS = {"rank": lambda value: value is None or whole(value), "known": whole}
AIMED = {"target": text, "targeted": many(score), "target rank": RANKS["rank"]}
MADE = {"date": text, "commit": text, "hardware": text}
ABOUT = {
    **MADE,
    **{"attack": text, "way": one_of("clean", "inverted", "attack"), "source": text, "surrogates": many(text)},
    **{
        "goal": one_of("dodge", "impersonate"),
        "seed": whole,
        "settings": holds({}, {"attack": text, "search": holds({}, {"distance": text})}),
    },
    "data": holds({"name": text, "content": text, "photos": whole, "people": whole}),
}
GENUINE = holds({**WHO, "genuine": lambda value: many(score)(value) and len(value) > 0}, {**RANKS, **AIMED})
SEEN = holds(
    {
        **{"pairs seen": whole, "threshold": number, "link threshold": number},
        "probes": many(holds({"person": text, "genuine": many(score)})),
    }
)
KINDS: Mapping[str, Shape] = {
    "photo": holds({"file": file_name, "figures": by_name(score), "reason": text}),
    "calibration": holds({"judge": text, "thresholds": thresholds, "impostors": whole}),
    "quality": holds(
        {
            **ABOUT,
            "probes": many(holds({**WHO, "figures": by_name(score), "reason": text})),
            "distances": by_name(score),
        }
    ),
    "scores": holds(
        {
            **ABOUT,
            **{"judge": text, "posting": text, "thresholds": thresholds, "calibration": text, "white box": truth},
            "probes": many(GENUINE),
        }
    ),
    "adapted": holds({**ABOUT, "judge": text, "far": number, "adapted": many(SEEN)}),
}


def sound(cell: Any) -> bool:
    """Whether it is a cell of a kind that is known, with all that this kind needs."""
    if not isinstance(cell, dict) or not text(cell.get("key")) or not text(cell.get("kind")):
        return False
    if cell["kind"] not in KINDS or not KINDS[cell["kind"]](cell):
        return False
    paired = [cell] if cell["kind"] == "scores" else cell["adapted"] if cell["kind"] == "adapted" else []
    return all(pairs(one.get("pairs"), len(one["probes"])) for one in paired)
