"""Models that are loaded once, however often they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Shelf:
    """What a function made of its arguments, kept for the next who asks: `shelf(cards.encoder, "sface")`."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Any] = {}

    def __call__(self, make: Callable[..., T], *arguments: Hashable) -> T:
        """`make(*arguments)`, made at the first call with these."""
        key = make, arguments
        if key not in self._kept:
            self._kept[key] = make(*arguments)
        found: T = self._kept[key]
        return found
