"""Tables of settings in TOML, however hostile the text: a table, or one `ValueError` that says why not."""

from __future__ import annotations

import tomllib
from typing import Any

DOTS = 200  # in a line; a name of many parts takes tomllib their number squared
LARGEST = 2**63  # TOML's whole numbers have 64 bits; those in hexadecimal may come with any number of digits


def parsed(text: str) -> dict[str, Any]:
    """The table that `text` describes; raises `ValueError`."""
    if any(line.count(".") > DOTS for line in text.split("\n")):
        raise ValueError(f"a line with more than {DOTS} dots")
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    _check(table)
    return table


def _check(table: dict[str, Any]) -> None:
    left: list[Any] = [table]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, int) and not -LARGEST <= value < LARGEST:
            raise ValueError("a whole number of more than 64 bits")
