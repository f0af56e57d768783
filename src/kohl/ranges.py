"""Which values a dataclass of settings takes: its numbers are finite, of their kind, and within a table of ranges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

from kohl.errors import BadSetting

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Ranges: TypeAlias = Mapping[str, tuple[float, float]]  # by the name of a setting, the least and the most

MOST = 1e9  # of a setting that names none: a weight or a rate beyond it is a slip of the pen
NEVER_NEGATIVE = (0.0, MOST)
ANY = (-MOST, MOST)  # what the dataclass itself has more to say about


def check(settings: DataclassInstance, ranges: Ranges, where: str = "") -> None:
    """Raises a `BadSetting` that names the first setting of another kind than its default, or out of its range.

    A number that `ranges` does not name must not be negative; `where` is what stands before the names.
    """
    for setting in fields(settings):
        default, value = setting.default, getattr(settings, setting.name)
        if isinstance(default, bool | str) and not isinstance(value, type(default)):
            kind = "a text" if isinstance(default, str) else "true or false"
            raise BadSetting(f"{where}{setting.name}: must be {kind}, not {value!r}")
        if isinstance(default, int | float) and not isinstance(default, bool):
            wrong = _wrong(value, *ranges.get(setting.name, NEVER_NEGATIVE), whole=isinstance(default, int))
            if wrong:
                raise BadSetting(f"{where}{setting.name}: must {wrong}")


def _wrong(value: Any, least: float, most: float, *, whole: bool) -> str:
    """How a number must be, if it is not so."""
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return f"be a {'whole ' if whole else ''}number, not {value!r}"
    if isinstance(value, float) and not math.isfinite(value):
        return f"be a number, not {value}"
    if value < least:
        return f"not be negative, not {value}" if least == 0 else f"be at least {least:g}, not {value}"
    return f"be at most {most:g}, not {value if value < 2**64 else 'that large'}" if value > most else ""
