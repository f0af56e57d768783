from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Literal

import pytest

from kohl import recipe
from kohl.recipe import Recipe, build
from kohl.types import BadSetting


@dataclass(frozen=True)
class Inner:
    steps: int = 40
    rate: float = 0.1
    layer: str | None = None
    mode: Literal["fast", "slow"] = "fast"
    names: tuple[str, ...] = ("a",)
    span: tuple[float, float] = (0.0, 1.0)
    quiet: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise BadSetting(f"steps: must be at least 1, not {self.steps}")


@dataclass(frozen=True)
class Outer:
    search: Inner = field(default_factory=Inner)
    strength: float = 0.5


def test_nothing_given_is_the_defaults():
    assert build(Outer, {}) == Outer()


def test_values_are_converted_to_the_type_that_is_asked_for():
    built = build(Outer, {"strength": 1, "search": {"names": ["b", "c"], "span": [0, 2], "layer": "x", "mode": "slow"}})
    assert built == Outer(Inner(names=("b", "c"), span=(0.0, 2.0), layer="x", mode="slow"), 1.0)
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
        ({"search": {"span": [1]}}, "search.span: must be a list [ ] of 2, each a number, not [1]"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(mapping, message):
    with pytest.raises(BadSetting) as error:
        build(Outer, mapping)
    assert str(error.value) == message


@pytest.mark.parametrize("name", ["default", "subtle", "strong"])
def test_every_shipped_recipe_loads(name):
    assert isinstance(recipe.load(name), Recipe)


def test_the_default_recipe_is_the_defaults_and_the_others_lie_on_either_side():
    assert recipe.load("default") == Recipe()
    assert recipe.load("subtle").strength < Recipe().strength < recipe.load("strong").strength


def test_a_file_is_read_and_its_errors_name_it(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("strength = 0.25\n[models]\nfar = 0.1\n")
    assert recipe.load(path) == replace(Recipe(), strength=0.25, models=replace(Recipe().models, far=0.1))
    path.write_text("strenght = 0.25\n")
    with pytest.raises(BadSetting, match=r"mine\.toml: strenght: no such setting; did you mean strength\?"):
        recipe.load(str(path))


@pytest.mark.parametrize("content", [b"strength =", b"\xff\xfe", b"\0"])
def test_a_file_that_is_no_toml_is_a_bad_setting(tmp_path, content):
    (tmp_path / "broken.toml").write_bytes(content)
    with pytest.raises(BadSetting, match=r"broken\.toml: not a TOML file"):
        recipe.load(tmp_path / "broken.toml")


def test_an_unknown_recipe_lists_the_shipped_ones(tmp_path):
    with pytest.raises(BadSetting, match=r"no such recipe; name one of .*default.*strong.*subtle"):
        recipe.load("stronk")
    with pytest.raises(BadSetting, match="cannot be read"):
        recipe.load(tmp_path)


def test_overrides_are_laid_over_in_order_and_leave_the_recipe_alone():
    start = Recipe()
    changed = recipe.override(start, ["search.steps=80", "strength=1", "models.generator=other", "strength = 0.25"])
    assert (changed.search.steps, changed.strength, changed.models.generator) == (80, 0.25, "other")
    assert changed.models.judges == start.models.judges
    assert start == Recipe()


def test_an_override_may_be_any_toml_value():
    assert recipe.override(Recipe(), ['models.judges=["dlib"]']).models.judges == ("dlib",)
    assert recipe.override(Recipe(), ["models={far=0.1}"]).models == replace(Recipe().models, far=0.1)
    assert recipe.override(Recipe(), ["models.generator=a b"]).models.generator == "a b"


@pytest.mark.parametrize("assignment", ["search.steps", "=5", "", "a b=1"])
def test_what_is_no_assignment_is_refused(assignment):
    with pytest.raises(BadSetting):
        recipe.override(Recipe(), [assignment])


def test_an_override_with_a_wrong_name_suggests_the_nearest():
    with pytest.raises(BadSetting, match=r"^search\.stesp: no such setting; did you mean search\.steps\?$"):
        recipe.override(Recipe(), ["search.stesp=80"])


def test_a_written_recipe_reads_back(tmp_path):
    changed = recipe.override(
        Recipe(), ["search.steps=7", 'models.generator=a "quoted" näme', "models.judges=['a', 'b']"]
    )
    path = tmp_path / "written.toml"
    path.write_text(recipe.to_toml(changed), encoding="utf-8")
    assert recipe.load(path) == changed


@pytest.mark.parametrize("said", ["steps: must be odd", "search.steps: must be odd", "search: must be odd"])
def test_a_range_error_has_the_full_name_once(said):
    @dataclass(frozen=True)
    class Odd:
        steps: int = 1

        def __post_init__(self) -> None:
            raise BadSetting(said)

    with pytest.raises(BadSetting, match=r"^search(\.steps)?: must be odd$"):
        build(Odd, {}, where="search")


def test_every_default_in_the_recipe_has_the_type_that_it_declares():
    def rebuilt(settings):
        for setting in fields(settings):
            if is_dataclass(value := getattr(settings, setting.name)):
                rebuilt(value)
        assert build(type(settings), recipe.as_dict(settings)) == settings

    rebuilt(Recipe())
