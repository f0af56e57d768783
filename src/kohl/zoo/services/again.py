"""Asking again, later and later: exponential back-off with jitter, and no faster than a service allows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from kohl.errors import Unavailable
from kohl.zoo.services.service import Busy

TRIES = 7  # of one request: with the pauses below, half a minute, twice that at the most
FIRST_S, LONGEST_S = 1.0, 60.0  # the longest first pause, which doubles each time, and where that ends
PATIENT_S = 300.0  # a service that wants to be left alone for longer is left alone

T = TypeVar("T")


class Paced:
    """Asks a service at most once in `every_s` seconds, and again where it was busy.

    The pause before try n is drawn from 0 to `FIRST_S` · 2ⁿ (full jitter), or is what the service asks for.
    """

    def __init__(
        self,
        every_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self.every_s, self.clock, self.sleep = every_s, clock, sleep
        self.rng = rng or random.Random()
        self._next = -float("inf")  # no request before that

    def __call__(self, ask: Callable[[], T]) -> T:
        """What `ask` returns in the end; raises `Unavailable` where it is `Busy` every time, or for very long."""
        for tried in range(TRIES):
            wait = self._next - self.clock()
            if wait > 0:
                self.sleep(wait)
            self._next = self.clock() + self.every_s
            try:
                return ask()
            except Busy as error:
                busy = error
            if busy.after_s is not None and busy.after_s > PATIENT_S:
                raise Unavailable(f"{busy.reason} and wants to be left alone for {busy.after_s:.0f} seconds; ask later")
            self._next = max(self._next, self.clock() + self._pause(tried, busy.after_s))
        raise Unavailable(f"{busy.reason}, {TRIES} times; ask later")

    def _pause(self, tried: int, after_s: float | None) -> float:
        if after_s is not None:
            return after_s * self.rng.uniform(1, 1.1)
        return self.rng.uniform(0, min(FIRST_S * 2**tried, LONGEST_S))
