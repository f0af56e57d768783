"""Tables become dataclasses, and what is wrong in them is named in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from kohl.errors import BadSetting
from kohl.settings import build


@dataclass(frozen=True)
class Inner:
    steps: int = 40
    rate: float = 0.1
    layer: str | None = None
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ("a",)
    span: tuple[float, float] = (0.0, 1.0)
    quiet: bool = False
    shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadSetting(f"search.steps: must be at least 1, not {self.steps}")


@dataclass(frozen=True)
class Outer:
    search: Inner = field(default_factory=Inner)
    strength: float = 0.5


def test_nothing_given_is_the_defaults():
    assert build(Outer, {}) == Outer()


def test_values_are_converted_to_the_type_that_is_asked_for():
    built = build(
        Outer,
        {
            "strength": 1,
            "search": {"names": ["b", "c"], "span": [0, 2], "layer": "x", "mode": "slow", "shares": {"x": 1}},
        },
    )
    assert built == Outer(Inner(shares={"x": 1.0}, names=("b", "c"), span=(0.0, 2.0), layer="x", mode="slow"), 1.0)
    assert type(built.strength) is float
    assert type(built.search.span[1]) is float


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"search": {"stesp": 1}}, "search.stesp: no such setting; did you mean search.steps?"),
        ({"serch": {"steps": 1}}, "serch: no such setting; did you mean search?"),
        ({"rate": 1}, "rate: no such setting; did you mean search.rate?"),
        ({"zzz": 1}, "zzz: no such setting; there are search, strength"),
        ({"strength": True}, "strength: must be a number, not true"),
        ({"strength": float("nan")}, "strength: must be a number, not NaN"),
        ({"search": 3}, "search: must be a table of settings, not 3"),
        ({"search": {"steps": 1.5}}, "search.steps: must be a whole number, not 1.5"),
        ({"search": {"steps": True}}, "search.steps: must be a whole number, not true"),
        ({"search": {"steps": {"x": 1}}}, "search.steps: must be a whole number, not a table"),
        ({"search": {"steps": 0}}, "search.steps: must be at least 1, not 0"),
        ({"search": {"quiet": 1}}, "search.quiet: must be true or false, not 1"),
        ({"search": {"layer": 1}}, "search.layer: must be a text, not 1"),
        ({"search": {"mode": "medium"}}, 'search.mode: must be one of fast, slow, not "medium"'),
        ({"search": {"names": "b"}}, 'search.names: must be a list [ ] of any number, each a text, not "b"'),
        ({"search": {"names": [1]}}, "search.names: must be a text, not 1"),
        ({"search": {"shares": 1}}, "search.shares: must be a table of settings, not 1"),
        ({"search": {"shares": {"x": True}}}, "search.shares.x: must be a number, not true"),
        ({"search": {"span": [1]}}, "search.span: must be a list [ ] of 2, each a number, not [1]"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(mapping, message):
    with pytest.raises(BadSetting) as error:
        build(Outer, mapping)
    assert str(error.value) == message


def test_what_has_no_default_must_be_given():
    @dataclass(frozen=True)
    class Needed:
        size: int
        span: tuple[int, ...] = ()

    assert build(Needed, {"size": 1}) == Needed(1)
    with pytest.raises(BadSetting, match=r"^input\.size: this setting is missing$"):
        build(Needed, {}, "input")
