"""The strength at which an attack changes faces as much as was asked for: attacks compare at the same PSNR."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from kohl.bench.data import Probe
from kohl.bench.entries import Entry
from kohl.bench.made import Target, Workshop

CLOSE = 0.1  # dB
TRIES = 8
SLOPE = 24.0  # dB from strength 0 to 1, as far as is known before anything was tried: sixteen times the budget
INSIDE = 0.05  # of an interval, that the next guess keeps from its ends


def strength_at(psnr: float, at: Callable[[float], float]) -> tuple[float, float]:
    """The strength from 0 to 1 whose PSNR is closest to `psnr`, and that PSNR, of those that were tried.

    `at` gives the PSNR at a strength, and falls. The interval shrinks around the answer, at the place where a line
    through the last two tries would have it (the false position, kept inside).
    """
    low, high, guess = 0.0, 1.0, 0.5
    tried: dict[float, float] = {}
    for _ in range(TRIES):
        tried[guess] = found = at(guess)
        if abs(found - psnr) <= CLOSE or high - low < 1e-3:
            break
        low, high = (guess, high) if found > psnr else (low, guess)
        guess = _next(psnr, tried, low, high)
        if guess in tried:
            break
    best = min(tried, key=lambda strength: abs(tried[strength] - psnr))
    return best, tried[best]


def _next(psnr: float, tried: dict[float, float], low: float, high: float) -> float:
    around = sorted(tried, key=lambda strength: abs(tried[strength] - psnr))[:2]
    near, value = around[0], tried[around[0]]
    slope = -SLOPE
    if len(around) > 1 and math.isfinite(value) and math.isfinite(tried[around[1]]):
        slope = (tried[around[1]] - value) / (around[1] - near) or slope
    guess = near + (psnr - value) / slope if math.isfinite(value) else (low + high) / 2
    if not tried.keys() & {0.0, 1.0} and not low < guess < high:  # beyond the dial: its end is what can be reached
        return high if guess >= high else low
    margin = INSIDE * (high - low)
    return min(max(guess, low + margin), high - margin)


def mean_psnr(
    entry: Entry, probes: Sequence[Probe], seed: int, workshop: Callable[[Entry], Workshop], target: Target | None
) -> Callable[[float], float]:
    """By strength, the mean PSNR of the faces; infinite where none changes."""

    def at(strength: float) -> float:
        make = workshop(entry.at(strength))
        found = [make(probe, seed, target).figures.get("psnr") for probe in probes]
        known = [value for value in found if value is not None]
        return sum(known) / len(known) if known else math.inf

    return at
