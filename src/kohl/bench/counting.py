"""What cells say, counted: shares with their intervals by person, and their spread over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from kohl.bench.cells import Cell

Counts: TypeAlias = Mapping[str, Sequence[float]]  # by person

DRAWS = 2000  # of a bootstrap
LEVEL = 0.95


@dataclass(frozen=True)
class Figure:
    """A mean over everything that was counted, the interval that holds it, and what each seed says alone."""

    value: float
    low: float  # not a number where there is only one person to draw
    high: float
    count: int
    people: int
    seeds: tuple[float, ...]

    @property
    def spread(self) -> float:
        """From the least to the most of the seeds."""
        known = [value for value in self.seeds if not math.isnan(value)]
        return max(known) - min(known) if known else math.nan


def figure(by_seed: Sequence[Counts]) -> Figure:
    """The mean of all values, and the 95 % interval of a bootstrap that draws people (Efron & Tibshirani, 1993)."""
    people = list(dict.fromkeys(name for counts in by_seed for name, values in counts.items() if len(values)))
    sums = np.array([sum(sum(counts.get(name, ())) for counts in by_seed) for name in people], float)
    sizes = np.array([sum(len(counts.get(name, ())) for counts in by_seed) for name in people], float)
    seeds = tuple(_mean(value for values in counts.values() for value in values) for counts in by_seed)
    if not len(people):
        return Figure(math.nan, math.nan, math.nan, 0, 0, seeds)
    low = high = math.nan
    if len(people) > 1:
        drawn = np.random.default_rng(0).integers(0, len(people), (DRAWS, len(people)))
        means = sums[drawn].sum(1) / sizes[drawn].sum(1)
        low, high = (float(end) for end in np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]))
    return Figure(float(sums.sum() / sizes.sum()), low, high, int(sizes.sum()), len(people), seeds)


def evaded(cell: Cell, threshold: float) -> Counts:
    """Of each comparison with another photo of the person, in per cent: whether the judge says another one.

    Where the judge finds no face there is no comparison: see `lost`.
    """
    return _counted(cell, lambda probe: [100.0 * (score < threshold) for score in _known(probe["genuine"])])


def matched_target(cell: Cell, threshold: float) -> Counts:
    """Of each comparison with another photo of the target, in per cent: whether the judge says the same person."""
    return _counted(cell, lambda probe: [100.0 * (score >= threshold) for score in _known(probe.get("targeted", ()))])


def lost(cell: Cell) -> Counts:
    """Of each photo, in per cent: whether the judge finds no face in the result at all."""
    return _counted(cell, lambda probe: [100.0 * all(score is None for score in probe["genuine"])])


def beyond(cell: Cell, rank: int) -> Counts:
    """Of each photo, in per cent: whether the person is not among the first so many of the gallery."""
    return _counted(cell, lambda probe: [100.0 * (probe["rank"] > rank)] if probe.get("rank") is not None else [])


def within(cell: Cell, rank: int) -> Counts:
    """Of each photo, in per cent: whether the target is among the first so many of the gallery."""
    ranked = "target rank"
    return _counted(cell, lambda probe: [100.0 * (probe[ranked] <= rank)] if probe.get(ranked) is not None else [])


def linked(cell: Cell, threshold: float) -> Counts:
    """Of each pair of results of one person, in per cent: whether the judge says the same person."""
    found: dict[str, list[float]] = {}
    for first, _, score in cell["pairs"]:
        if score is not None:
            found.setdefault(cell["probes"][first]["person"], []).append(100.0 * (score >= threshold))
    return found


def learned(cell: Cell, threshold: float) -> Counts:
    """Of each photo, in per cent: whether a gallery knows it that starts with one photo of the person and learns.

    Results come in their order; what matches any photo of the person that the gallery has is taken in.
    """
    scores = {(first, second): score for first, second, score in cell["pairs"] if score is not None}
    taken: dict[str, list[int]] = {}
    found: dict[str, list[float]] = {}
    for index, probe in enumerate(cell["probes"]):
        if probe["genuine"][0] is None and all(score is None for score in probe["genuine"]):
            continue
        known = taken.setdefault(probe["person"], [])
        against = [probe["genuine"][0], *(scores.get((earlier, index)) for earlier in known)]
        hit = any(score is not None and score >= threshold for score in against)
        if hit:
            known.append(index)
        found.setdefault(probe["person"], []).append(100.0 * hit)
    return found


def of_figures(cell: Cell, name: str) -> Counts:
    """A figure of each photo, where it has one."""
    return _counted(cell, lambda probe: _known([probe["figures"].get(name)]))


def _counted(cell: Cell, values: Callable[[Mapping[str, Any]], Sequence[float]]) -> Counts:
    found: dict[str, list[float]] = {}
    for probe in cell["probes"]:
        found.setdefault(probe["person"], []).extend(values(probe))
    return found


def _known(scores: Iterable[float | None]) -> list[float]:
    return [score for score in scores if score is not None]


def _mean(values: Iterable[float]) -> float:
    all_ = list(values)
    return sum(all_) / len(all_) if all_ else math.nan
