"""The tables of words, as values: what products, phrases, aliases and styles there are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from kohl.makeup.words import colours
from kohl.makeup.words.colours import Shade, Triple, parsed

Dials: TypeAlias = Mapping[str, float]  # by their names in kohl.makeup.layers.DIALS, in [0, 1]
Bounds: TypeAlias = Mapping[str, tuple[float, float]]
HALVES: Mapping[str, str] = {
    "on the left half": "left",
    "on the right half": "right",
}  # of the picture, as layers have them
LIVES = {  # what else is on a part of a face than the product that is meant by its name alone
    "eyeshadow": ("eyeliner", "mascara"),
    "blush": ("bronzer", "concealer", "contour", "freckles", "highlighter"),
    "lipstick": ("lip liner",),
}


class Role(Enum):
    """What a phrase can be in a sentence."""

    PRODUCT = auto()
    PART = auto()  # of the face: a product where something is said about it
    STYLE = auto()
    LOOK = auto()  # "makeup": no style by itself
    NONE = auto()  # no makeup
    EVERYTHING = auto()
    COLOUR = auto()
    SHADE = auto()
    STRENGTH = auto()
    FINISH = auto()
    SHAPE = auto()
    PLACE = auto()
    MORE = auto()
    LIMIT = auto()  # says something only after "not too"
    DEGREE = auto()
    NO = auto()
    NOT = auto()
    TOO = auto()
    EXCEPT = auto()
    AND = auto()
    OR = auto()
    WITH = auto()
    IN = auto()
    ON = auto()
    MINE = auto()
    THING = auto()  # that kohl does not make up
    PATTERN = auto()  # that paint would need shapes for
    FLAW = auto()  # of a face, which a product hides
    FILLER = auto()
    COMMA = auto()
    COLON = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class Product:
    """What words say about one product; see products.toml."""

    name: str
    opacity: float
    usual: Triple
    words: Sequence[str]
    parts: Sequence[str] = ()
    instead: Sequence[str] = ()
    flaws: Sequence[str] = ()
    halves: Sequence[str] = ()
    opposite: Sequence[str] = ()
    fades: Mapping[str, Sequence[str]] = field(default_factory=dict)
    told: str = ""
    shapes: Mapping[str, Dials] = field(default_factory=dict)
    places: Mapping[str, Dials] = field(default_factory=dict)
    layers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    colours: Mapping[str, Triple] = field(default_factory=dict)

    def goes(self, place: str) -> bool:
        """Whether it knows the place."""
        return place in self.places or place in self.layers or place in HALVES

    def drawn(self, place: str) -> bool:
        """Whether it can be drawn there, and not only where it usually goes."""
        return bool(self.places.get(place)) or place in self.layers or place in HALVES

    def reached(self, place: str, half: str) -> Sequence[str]:
        """The layers that draw it in a place, on half of a face or on both halves."""
        layers = self.layers.get(place, (self.name,))
        return [f"{HALVES[half]} {layer}" for layer in layers] if half else layers


@dataclass(frozen=True)
class Style:
    """A whole look, in words; see styles.toml."""

    name: str
    look: str
    also: Sequence[str] = ()
    phrases: Sequence[str] = ()
    learned: bool = False


@cache
def products() -> Mapping[str, Product]:
    """Every product by its name."""
    found = {}
    for name, row in _read("products").items():
        coloured = {word: parsed(code) for word, code in row.pop("colours", {}).items()}
        found[name] = Product(name=name, colours=coloured, **{**row, "usual": parsed(row["usual"])})
    return found


@cache
def styles() -> Mapping[str, Style]:
    """Every style by its name, in the order of the table."""
    return {name: Style(name, **row) for name, row in _read("styles").items()}


@cache
def aliases() -> Mapping[str, str]:
    """Phrases, and the words that they stand for."""
    return dict(_read("aliases")["aliases"])


@cache
def strengths() -> Mapping[str, float]:
    """Opacity by phrase, where 0.8 is as usual."""
    return dict(_phrases()["strengths"])


@cache
def finishes() -> Mapping[str, float]:
    """Gloss by phrase."""
    return dict(_phrases()["finishes"])


@cache
def shades() -> Mapping[str, Shade]:
    """What a word makes of a colour."""
    return {word: Shade(**row) for word, row in _phrases()["shades"].items()}


@cache
def colour_names() -> Mapping[str, Triple]:
    """Every colour by its name."""
    return {**colours.names(), **{name: parsed(code) for name, code in _phrases()["colours"].items()}}


@cache
def more() -> Mapping[str, Dials]:
    """What comparatives add to dials."""
    return dict(_phrases()["more"])


@cache
def degrees() -> Mapping[str, float]:
    """How much of a comparative, or of a shade."""
    return dict(_phrases()["degrees"])


@cache
def limits() -> Mapping[str, Bounds]:
    """What "not too …" allows."""
    return {word: {name: tuple(pair) for name, pair in row.items()} for word, row in _phrases()["limits"].items()}


@cache
def style_of() -> Mapping[str, str]:
    """The name of a style, by each of its names."""
    rows = styles().values()
    return {name: style.name for style in rows for name in (*style.phrases, *style.also, style.name)}


@cache
def product_of() -> Mapping[str, str]:
    """The name of a product, by each of its words and of the parts of the face that it goes on."""
    rows = products().values()
    return {
        **{word: product.name for product in rows for word in product.parts},
        **{word: product.name for product in rows for word in (*product.words, *product.flaws, product.name)},
    }


def lives(part: str) -> tuple[str, ...]:
    """The products that are on a part of a face."""
    product = product_of()[part]
    return product, *LIVES.get(product, ())


@cache
def lexicon() -> Mapping[str, frozenset[Role]]:
    """Every phrase, and what it can be."""
    rows, words = products().values(), _phrases()["words"]
    roles = {
        Role.PRODUCT: [word for row in rows for word in (row.name, *row.words, *row.flaws)],
        Role.FLAW: [word for row in rows for word in row.flaws],
        Role.PART: [word for row in rows for word in row.parts],
        Role.STYLE: style_of(),
        Role.COLOUR: [*colour_names(), *(word for row in rows for word in row.colours if word not in shades())],
        Role.SHADE: shades(),
        Role.STRENGTH: strengths(),
        Role.FINISH: finishes(),
        Role.SHAPE: [word for row in rows for word in row.shapes],
        Role.PLACE: [*HALVES, *(word for row in rows for word in (*row.places, *row.layers))],
        Role.MORE: more(),
        Role.LIMIT: limits(),
        Role.DEGREE: degrees(),
        Role.THING: words["things"],
        Role.PATTERN: words["shapes"],
        **{Role[kind.upper()]: words[kind] for kind in _JOINING},
    }
    found: dict[str, set[Role]] = {}
    for role, phrases in roles.items():
        for phrase in phrases:
            found.setdefault(phrase, set()).add(role)
    return {phrase: frozenset(one) for phrase, one in found.items()}


_JOINING = (
    "no", "not", "too", "except", "and", "or", "with", "in", "on", "mine", "look", "none", "everything", "filler",
)  # fmt: skip


@cache
def _phrases() -> Mapping[str, Any]:
    return _read("phrases")


def _read(name: str) -> dict[str, Any]:
    """A table of this folder."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
