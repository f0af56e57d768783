"""The doors for settings: recipes, `--set`, and the cards of ONNX judges."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from random import Random
from typing import Any

from fuzz.door import ACCEPTED, Door, check
from fuzz.mutate import mutated
from kohl import recipe, settings
from kohl.recipe import Recipe

RECIPES = Path(__file__).resolve().parents[2] / "recipes"
CARD = b"""size = 112
channels = "rgb"
mean = 127.5
std = [128, 128.0, 1e2]
template = "arcface"

[thresholds]
"0.01" = 0.3
"1e-3" = 0.4
"""
WORDS = (
    "",
    "x",
    "default",
    "sface",
    "dlib",
    "face_model",
    "../../etc/passwd",
    "onnx:\0",
    "\x1b[2J",
    "\ud800",
    "ﬀ",
    "'",
    '"',
)
KEYS = (
    "size",
    "channels",
    "mean",
    "std",
    "template",
    "thresholds",
    "threshold",
    "",
    "\x1b]0;x\x07",
    "size.x",
    "größe",
    "a" * 3000,
)


def names() -> list[str]:
    """The dotted name of every setting."""
    return list(settings.names(Recipe))


def number(rng: Random) -> str:
    """A number as TOML may have it."""
    return rng.choice(
        (
            *("0", "1", "-1", "2", "0.5", "1e308", "1e309", "-1e400", "nan", "-nan", "inf", "-inf", "1e-320", "-0.0"),
            *("9" * 5000, "1_000", "0x7fffffff", "9223372036854775808", "1." + "0" * 4400, str(rng.random()), "01"),
        )
    )


def value(rng: Random, depth: int = 0) -> str:
    """A value as TOML may have it, and sometimes not."""
    kind = rng.randrange(11)
    if kind < 4:
        return number(rng)
    if kind < 6 or depth > 3:
        return text(rng)
    if kind == 6:
        return rng.choice(("true", "false", "True", "null", "1979-05-27T07:32:00Z", "07:32:00", ""))
    inner = [value(rng, depth + 1) for _ in range(rng.choice((0, 1, 2, 3, 5)))]
    if kind == 7:
        return "{" + ", ".join(f"{key(rng)} = {each}" for each in inner) + "}"
    if kind == 8 and depth == 0:
        levels = rng.choice((2, 50, 500, 5_000, 20_000))
        return rng.choice(("[" * levels + "]" * levels, "[" * levels, "{a=" * levels + "1" + "}" * levels))
    return "[" + ", ".join(inner) + "]"


def text(rng: Random) -> str:
    """A string in any of TOML's quotes, escaped or not."""
    word = rng.choice((*WORDS, "".join(chr(rng.randrange(0x250)) for _ in range(rng.randrange(8)))))
    quote = rng.choice(('"', "'", '"""', "'''"))
    escaped = "".join(f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else letter for letter in word)
    return quote + (escaped if rng.random() < 0.5 else word) + quote


def key(rng: Random) -> str:
    """A name, mostly of a setting."""
    chosen = rng.random()
    if chosen < 0.7:
        return rng.choice(names())
    if chosen < 0.8:
        return ".".join(["a"] * rng.choice((2, 100, 5000)))
    return text(rng) if chosen < 0.95 else rng.choice(names()).replace("e", "", 1)


def toml(rng: Random) -> bytes:
    """A recipe that may be anything."""
    if rng.random() < 0.4:
        return mutated(rng, rng.choice([path.read_bytes() for path in sorted(RECIPES.glob("*.toml"))]))
    lines = []
    for _ in range(rng.choice((1, 1, 2, 4, 10))):
        if rng.random() < 0.15:
            lines.append(rng.choice(("[%s]", "[[%s]]", "[%s")) % key(rng))
        lines.append(f"{key(rng)} = {value(rng)}")
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    return data if rng.random() < 0.9 else mutated(rng, data)


def read_recipe(data: bytes, folder: Path) -> str:
    """Try a recipe's file; what is accepted must be sound, and the same once written down."""
    path = folder / "recipe.toml"
    path.write_bytes(data)
    found = recipe.load(path)
    check_sound(found)
    path.write_text(settings.to_toml(found), "utf-8")
    check(recipe.load(path) == found, "contract", "the recipe is another one once it is written down")
    return ACCEPTED


def check_sound(built: Any) -> None:
    """Raise `Wrong` for a number that is none among the settings."""
    for field in fields(built):
        found = getattr(built, field.name)
        if is_dataclass(found):
            check_sound(found)
        for each in found if isinstance(found, tuple) else [found]:
            check(not isinstance(each, float) or math.isfinite(each), "contract", f"{field.name} is {each}")


def assignments(rng: Random) -> list[str]:
    """What `--set` is given."""
    made = []
    for _ in range(rng.choice((1, 1, 2, 5))):
        made.append(
            rng.choice(("%s=%s", "%s=%s", "%s = %s", "%s", "%s=%s=1"))
            .replace("%s", key(rng), 1)
            .replace("%s", value(rng))
        )
    return made


def override(given: list[str], folder: Path) -> str:
    """Try `--set`."""
    check_sound(recipe.override(Recipe(), given))
    return ACCEPTED


def card(rng: Random) -> bytes:
    """A card of a judge that may be anything."""
    if rng.random() < 0.4:
        return mutated(rng, CARD)
    lines = [f"size = {value(rng) if rng.random() < 0.3 else 112}"]
    lines += [f"{rng.choice(KEYS[:5])} = {value(rng)}" for _ in range(rng.choice((0, 1, 2)))]
    if rng.random() < 0.1:
        lines.append(f"{text(rng)} = 1")
    lines.append("[thresholds]")
    for _ in range(rng.choice((0, 1, 2, 3))):
        rate = rng.choice(
            (*("0.01", "0.1", "0.001", "nan", "inf", "-1", "0", "1", "2", "1e-400", "٠.١", "0_1", " 0.01 "),)
        )
        lines.append(f'"{rate}" = {value(rng) if rng.random() < 0.6 else 0.3}')
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def read_card(data: bytes, folder: Path) -> str:
    """Try a card; no threshold that is accepted may make strangers of everybody, or nothing."""
    from kohl.zoo.judges import onnx  # late: it may want an extra

    path = folder / "model.onnx.toml"
    path.write_bytes(data)
    fed = onnx.read_card(onnx.Settings, path)
    check(type(fed.size) is int and 0 < fed.size < 100_000, "contract", f"size = {fed.size!r}")
    for rate, least in onnx.by_rate(fed.thresholds).items():
        check(0 < rate < 1, "contract", f"a threshold at the rate {rate}")
        check(-1 <= least <= 1, "contract", f"the threshold {least}")
    for name in ("mean", "std"):
        given = getattr(fed, name)
        for each in given if isinstance(given, tuple) else [given]:
            check(math.isfinite(each) and not isinstance(each, bool), "contract", f"{name} = {given!r}")
            check(name == "mean" or each != 0, "contract", f"{name} = {given!r}")
    return ACCEPTED


RECIPE = Door("recipes", toml, read_recipe)
SET = Door("set", assignments, override)
CARDS = Door("cards", card, read_card)
