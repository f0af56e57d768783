"""The colour that is said about a product: names, codes, and words such as "deep" before them."""

from __future__ import annotations

from collections.abc import Sequence

from kohl.makeup.words import colours, tables
from kohl.makeup.words.colours import Colour, Triple
from kohl.makeup.words.phrase import Term
from kohl.makeup.words.tables import Product, Role

ALIKE = 24.0  # in CIELAB, and degrees of hue: a colour that is nearer to one that was ruled out is ruled out too
BEFORE = 0.4  # share of pink in "pink nude"
NEAR_GREY = 12.0  # chroma below which a colour has no hue


def coloured(product: Product, about: Sequence[Term], before: Colour | None = None) -> tuple[Colour | None, list[str]]:
    """The colour that was said, if any, and the names of others that were said too.

    Where only a shade was said, it is that of the colour `before`, or of the usual one.
    """
    terms = {id(term) for term in of_colour(product, about)}
    said = units(product, about)
    used = {id(term) for unit in said for term in unit}
    left = shades([term for term in about if id(term) not in used and (term.can(Role.DEGREE) or id(term) in terms)])
    if not said:
        return (shaded(before or Colour("", product.usual), left, product) if left else None), []
    found = [(_mixed(product, unit), all(term.implied for term in unit)) for unit in said]
    colour = next((one for one, implied in found if not implied), found[0][0])
    others = [one.name for one, implied in found if one != colour and not implied and not alike(one.rgb, colour.rgb)]
    return shaded(colour, left, product), others


def units(product: Product, about: Sequence[Term]) -> list[list[Term]]:
    """The terms of each colour that was said: shades, and names that stand side by side, as in "deep pink nude"."""
    terms = {id(term) for term in of_colour(product, about)}
    found: list[list[Term]] = []
    waiting: list[Term] = []
    for term in about:
        if term.can(Role.DEGREE) or (id(term) in terms and _is_shade(term, product)):
            waiting.append(term)
        elif id(term) in terms:
            if found and not waiting and _goes_on(found[-1][-1], term):
                found[-1].append(term)
            else:
                found.append([*waiting, term])
            waiting = []
    return found


def _goes_on(before: Term, term: Term) -> bool:
    """Whether two names of colours are those of one colour between them."""
    said = not (before.implied or term.implied)
    return said and (before.clause, before.spot + 1) == (term.clause, term.spot)


def _mixed(product: Product, unit: Sequence[Term]) -> Colour:
    """The colour of a unit: what stands last, and some of what stands before it."""
    before = [term for term in unit if term.can(Role.DEGREE) or _is_shade(term, product)]
    names = [term.words for term in unit if term not in before]
    rgb = named(names[-1], product)
    if any(alike(named(name, product), rgb) for name in names[:-1]):
        names = names[:1]
        rgb = named(names[0], product)
    for name in names[:-1]:
        rgb = colours.between(rgb, named(name, product), BEFORE)
    return shaded(Colour(" ".join(names), rgb), shades(before), product)


def _is_named(term: Term) -> bool:
    """Whether it is a colour on any product, and not of hair or skin alone."""
    return term.words.startswith("#") or (term.can(Role.COLOUR) and term.words in tables.colour_names())


def _is_shade(term: Term, product: Product) -> bool:
    return term.words in tables.shades() and term.words not in product.colours


def of_colour(product: Product, about: Sequence[Term]) -> list[Term]:
    """Those of the terms that are about the colour of this product."""
    later = any(_is_named(term) and term.words not in product.colours for term in about)
    found = []
    for place, term in enumerate(about):
        words, following = term.words, about[place + 1] if place + 1 < len(about) else None
        if words in product.colours or (_is_named(term) and words not in product.shapes):
            found.append(term)
        elif words in tables.shades() and words not in product.shapes:
            also = term.can(Role.STRENGTH, Role.FINISH)
            if not also or (later and following is not None and _is_named(following)):
                found.append(term)
    return found


def shades(about: Sequence[Term]) -> list[tuple[str, float]]:
    """The shades among the terms, as they are said, and how much of each."""
    much, said, found = 1.0, "", []
    for term in about:
        if term.can(Role.DEGREE):
            much, said = tables.degrees()[term.words], f"{term.words} "
        elif term.can(Role.SHADE):
            found.append((f"{said}{term.words}", much))
            much, said = 1.0, ""
    return found


def shaded(colour: Colour, shades: Sequence[tuple[str, float]], product: Product) -> Colour:
    """The colour with words such as "very deep" before it; hair and skin have names of their own for some."""
    if not shades:
        return colour
    name = " ".join(filter(None, [*(words for words, _ in shades), colour.name]))
    if own := product.colours.get(name):
        return Colour(name, own)
    rgb = colour.rgb
    for words, much in shades:
        rgb = tables.shades()[words.split()[-1]].of(rgb, much)
    return Colour(name, rgb)


def alike(first: Triple, second: Triple) -> bool:
    """Whether people would call both by the same plain name."""
    hues = [colours.hue(one) for one in (first, second) if colours.chroma(one) > NEAR_GREY]
    if colours.apart(first, second) < (ALIKE / 2 if len(hues) == 1 else ALIKE):  # brown is not black
        return True
    if len(hues) < 2:
        return False
    apart = abs(hues[0] - hues[1]) % 360
    return min(apart, 360 - apart) < ALIKE and abs(colours.lab(first)[0] - colours.lab(second)[0]) < 2 * ALIKE


def values(product: Product, terms: Sequence[Term]) -> list[Triple]:
    """The colours among the terms."""
    return [named(term.words, product) for term in terms if term.words in product.colours or _is_named(term)]


def named(words: str, product: Product) -> Triple:
    """The colour of a name or a code; hair and skin have their own for some."""
    if words.startswith("#"):
        return colours.parsed(words)
    return product.colours.get(words) or tables.colour_names()[words]
