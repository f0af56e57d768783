"""Models that are loaded once, however often they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import torch
from torch import nn

T = TypeVar("T")


class Shelf:
    """What a function made of its arguments, kept for the next who asks: `shelf(cards.encoder, "sface")`.

    Networks come on the shelf's device; each device has its own.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)
        self._kept: dict[Hashable, Any] = {}

    def on(self, device: str) -> Shelf:
        """The same shelf, for another device."""
        other = Shelf(device)
        other._kept = self._kept
        return other

    def __call__(self, make: Callable[..., T], *arguments: Hashable) -> T:
        """`make(*arguments)`, made at the first call with these."""
        key = make, arguments, self.device
        if key not in self._kept:
            made = make(*arguments)
            self._kept[key] = made.to(self.device) if isinstance(made, nn.Module) else made
        found: T = self._kept[key]
        return found
