"""A look as it was understood: what each product wears, in words and as dials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kohl.makeup.words import colours, tables
from kohl.makeup.words.colours import Colour
from kohl.makeup.words.tables import Bounds, Dials

USUAL = 0.8  # the strength of a product about which nothing is said, on the scale of the words
MUTED: Bounds = {"chroma": (0, 40)}  # what "not too red" allows
FAINTEST = 0.12  # opacity that "less" and "not too bold" leave


@dataclass(frozen=True)
class Worn:
    """One product as it is worn; an empty word is none."""

    product: str
    colour: Colour | None = None
    strength: str = ""
    finish: str = ""
    shapes: tuple[str, ...] = ()
    place: str = ""
    half: str = ""  # of the picture that it is on alone
    more: tuple[tuple[str, float], ...] = ()  # comparatives, and how much of each
    limits: tuple[str, ...] = ()  # such as "not too dark"
    scale: float = 1.0  # of the opacity, by a strength of the whole style
    also: tuple[Worn, ...] = ()  # more coats, in other places

    @property
    def coats(self) -> tuple[Worn, ...]:
        """It and its other coats, each alone."""
        return (replace(self, also=()), *self.also)

    @property
    def layers(self) -> Sequence[str]:
        """Those of kohl.makeup.products that draw it, without its other coats."""
        return tables.products()[self.product].reached(self.place, self.half)

    @property
    def said(self) -> str:
        """It in words: "soft brown, matte and gold in the inner corner"; "as usual" where nothing was said."""
        if self.also:
            return " and ".join(coat.said for coat in self.coats)
        strength = self.strength if self.colour else self.strength.removesuffix(" of")
        plain = " ".join(filter(None, [strength, self.colour.name if self.colour else ""]))
        compared = (word if much == 1 else f"{_degree(much)} {word}" for word, much in self.more)
        scaled = "softened" if self.scale < 1 else "strengthened" if self.scale > 1 else ""
        how = ", ".join(filter(None, [plain, self.finish, *self.shapes]))
        parts = [" ".join(filter(None, [how, self.place, self.half])), scaled, *compared, *self.limits]
        return ", ".join(filter(None, parts)) or "as usual"

    @property
    def caption(self) -> str:
        """It in words that the bundled text-image model has learned."""
        product = tables.products()[self.product]
        if product.told:
            return product.told
        own, colour = product.colours, ""
        if self.colour:
            colour = self.colour.name if self.colour.name in own else colours.known(self.colour.name, self.colour.rgb)
        parts = [*self.shapes, self.strength, self.finish, colour, self.product]
        return " ".join(filter(None, parts))

    @property
    def dials(self) -> dict[str, float]:
        """The dials that the words fix; those that they leave open are the layer's usual ones."""
        product = tables.products()[self.product]
        found: dict[str, float] = {"opacity": product.opacity}
        if self.finish:
            found["gloss"] = tables.finishes()[self.finish]
        for shape in self.shapes:
            found |= product.shapes[shape]
        found |= product.places.get(self.place, {})
        if self.strength:
            found["opacity"] = max(product.opacity, found["opacity"]) * tables.strengths()[self.strength] / USUAL
            if self.strength in ("soft", "very soft") and "softness" not in found:
                found["softness"] = 0.75
        found["opacity"] = min(1.0, max(FAINTEST, found["opacity"] * self.scale))
        rgb = self.colour.rgb if self.colour else None
        for word, much in self.more:
            for dial, change in tables.more().get(word, {}).items():
                found[dial] = _level(found.get(dial, 0.4) + change * much, dial)
        for said in self.limits:
            bounds = tables.limits().get(said.removeprefix("not ").removeprefix("too "), MUTED)
            rgb = _bounded(rgb, bounds, product.usual)
            for dial, (low, high) in bounds.items():
                if dial not in ("light", "chroma", "yellow"):
                    found[dial] = min(high, max(low, found.get(dial, 0.4)))
        return found if rgb is None else {**found, **dict(zip(("red", "green", "blue"), rgb, strict=True))}


@dataclass(frozen=True)
class Look:
    """What was understood: what is worn, by product, and what the user should know about it."""

    wears: Mapping[str, Worn] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    known: str = ""  # the words by which the text-image model knows all of it, if there are such
    left_over: bool = False  # whether some words were not understood

    @property
    def said(self) -> dict[str, str]:
        """Each product, and in words how it is worn; in the order in which they were asked for."""
        return {name: worn.said for name, worn in self.wears.items()}

    @property
    def caption(self) -> str:
        """The look in words that the bundled text-image model has learned; of a rich one, only the colours."""
        if self.known:
            return self.known
        worn = [*self.wears.values()]
        if len(worn) > MANY:
            worn = [replace(one, strength="", finish="", shapes=()) for one in worn]
        return ", ".join(one.caption for one in worn)

    @property
    def dials(self) -> dict[str, Dials]:
        """The dials that the words fix, for each layer that is worn."""
        coats = [coat for worn in self.wears.values() for coat in worn.coats]
        return {layer: coat.dials for coat in coats for layer in coat.layers}


MANY = 4  # products: a sentence that says more of each is longer than any that the model has learned from


def sentence(said: Mapping[str, str]) -> str:
    """`lipstick: deep red, matte; eyeshadow: soft brown`, of a look as it is `said`."""
    return "; ".join(f"{product}: {how}" for product, how in said.items())


def listed(words: Sequence[str]) -> str:
    """`“a”, “b”`: words as they are quoted in notes."""
    return ", ".join(f"“{word}”" for word in words)


def _degree(much: float) -> str:
    return "a bit" if much < 1 else "much"


def _level(value: float, dial: str) -> float:
    return min(1.0, max(FAINTEST if dial == "opacity" else 0.0, value))


def _bounded(rgb: colours.Triple | None, bounds: Bounds, usual: colours.Triple) -> colours.Triple | None:
    """The colour within bounds; none where none was asked for and the usual one is within them."""
    if not {"light", "chroma", "yellow"} & bounds.keys():
        return rgb
    found = colours.within(usual if rgb is None else rgb, bounds)
    return None if rgb is None and colours.apart(found, usual) < 1 else found
