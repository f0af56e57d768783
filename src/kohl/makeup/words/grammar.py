"""Clauses as a look: styles, then products on top of them, then what is ruled out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from kohl.makeup.words import clauses, coats, tables, tint, typed
from kohl.makeup.words.clauses import Reading
from kohl.makeup.words.colours import Colour
from kohl.makeup.words.item import Item
from kohl.makeup.words.look import USUAL, Look, Worn, listed
from kohl.makeup.words.phrase import PRODUCTS, Term, phrases
from kohl.makeup.words.tables import HALVES, Product, Role

ONE_COLOUR = "monochrome"  # the style that everything in one colour is
MONOCHROME = ("monochrome", "monochromatic", "tonal", "one colour", "one color")
MADE_UP = "made up"  # and makeup that nothing is said about
NONE = "none"
TINTED = ("eyeshadow", "lipstick")  # what a colour before a style is the colour of: the first that it wears


@dataclass
class _Draft:
    """A look in the making."""

    wears: dict[str, Worn]
    notes: list[str]
    asked: set[str]  # products that were named


def look(terms: Sequence[Term]) -> tuple[Look, Reading]:
    """The look that the terms ask for, with notes on what is not drawn as it was said, and how they were read."""
    reading = clauses.reading(terms)
    draft = _Draft({}, [], set())
    named = [item for item in reading.items if item.target and not item.target.can(Role.LOOK)]
    for item in reading.items:
        if not item.negated and item.target and item.target.can(Role.STYLE, Role.EVERYTHING, Role.LOOK):
            _wear_style(draft, item, alone=not named and not reading.unknown)
    for item in reading.items:
        if not item.negated and item.target and item.target.can(*PRODUCTS) and _wears(item):
            _wear_product(draft, item)
    for item in reading.items:
        if item.negated and item.target:
            _take_off(draft, item)
    return Look(dict(draft.wears), tuple(dict.fromkeys(draft.notes)), _known(reading.items)), reading


@cache
def of_style(name: str) -> Mapping[str, Worn]:
    """What a style wears."""
    found, _ = look(phrases(typed.tokens(tables.styles()[name].look)))
    return found.wears


def _wears(item: Item) -> bool:
    """Whether a part of the face is to wear anything: "face" alone says nothing, nor does a face that is soft."""
    if item.target is None or not item.target.can(Role.PART) or item.target.can(Role.PRODUCT):
        return True
    if tables.product_of()[item.target.words] == "face paint":
        return any(term.can(Role.COLOUR) for term in item.about)
    said = (*item.about, *item.against, *item.barred)
    return item.manner is not None or any(term.words not in HALVES for term in said)  # "left eye" alone says nothing


def _wear_style(draft: _Draft, item: Item, *, alone: bool) -> None:
    """Puts a whole look on."""
    assert item.target is not None
    tints = [term for term in item.about if term.can(Role.COLOUR)]
    strengths = [term.words for term in item.about if term.can(Role.STRENGTH)]
    if item.target.can(Role.STYLE):
        name = tables.style_of()[item.target.words]
    elif tints or item.target.words in MONOCHROME:
        name = ONE_COLOUR
    elif strengths or alone or item.target.can(Role.EVERYTHING):
        name = MADE_UP
    else:
        return
    wears = dict(of_style(name))
    tinted = [one for one in wears if one in (*TINTED, "blush")] if name == ONE_COLOUR else []
    finishes = [term.words for term in item.about if term.can(Role.FINISH)]
    for product in tinted or [one for one in TINTED if one in wears][:1]:
        colour, _ = tint.coloured(tables.products()[product], item.about) if tints else (None, ())
        worn = wears[product]
        wears[product] = replace(worn, colour=colour or worn.colour, finish=(finishes or [worn.finish])[-1])
    half = next((term.words for term in item.about if term.words in HALVES), "")
    if half:
        wears = {product: replace(worn, half=half, also=()) for product, worn in wears.items()}
    if not tints:
        wears = {product: _deepened(worn, item.about) for product, worn in wears.items()}
    scale = tables.strengths()[strengths[-1]] / USUAL if strengths else 1.0
    compared = _compared(item.about)
    for product, worn in wears.items():
        changed = replace(worn, scale=worn.scale * scale, more=worn.more + compared)
        draft.wears[product] = _without_colours(_limited(changed, item), tables.products()[product], item.against)
    if len(tints) > 1:
        draft.notes.append(f"{listed([one.words for one in tints[1:]])} is left out: the look takes one colour")


def _deepened(worn: Worn, about: Sequence[Term]) -> Worn:
    """A product of a style that is to be darker, lighter …"""
    plain = [term for term in about if not term.can(Role.STRENGTH, Role.FINISH, Role.SHAPE)]
    shades = tint.shades(plain)
    if not shades or worn.product not in (*TINTED, "blush"):
        return worn
    product = tables.products()[worn.product]
    return replace(worn, colour=tint.shaded(worn.colour or Colour("", product.usual), shades, product))


def _wear_product(draft: _Draft, item: Item) -> None:
    """Puts one product on, or changes it where it is worn already: every coat that is said."""
    assert item.target is not None
    product = tables.products()[tables.product_of()[item.target.words]]
    parted = coats.parted(product, item.about)
    for about in parted:
        _put_on(draft, product, replace(item, about=about))
        draft.asked.add(product.name)
    for place in (term.words for term in item.against if product.goes(term.words)):
        _leave_free(draft, product, place)


def _put_on(draft: _Draft, product: Product, item: Item) -> None:
    """Puts one coat on, or changes it where it is worn already."""
    worn = draft.wears.pop(product.name, None)  # in the order in which they are asked for
    places = [term.words for term in item.about if product.drawn(term.words)]
    half = next((place for place in reversed(places) if place in HALVES), "")
    layers = product.reached(next((place for place in reversed(places) if place not in HALVES), ""), half)
    others = [one for one in worn.coats if set(one.layers).isdisjoint(layers)] if worn else []
    if half:  # what goes there alone is not put on top of what goes on both halves
        both = product.reached(next((place for place in reversed(places) if place not in HALVES), ""), "")
        others = [replace(one, half=_other(half)) if set(one.layers) & set(both) else one for one in others]
    before = next((one for one in worn.coats if one not in others), None) if worn else None
    if others and before is None:  # what is said of another place begins with the colour of the first
        colour = others[0].colour
        compared = colour is not None and colour.name in tables.shades()  # darker than this
        before = Worn(product.name, colour if places and not compared else None)
        coat = _coat(draft, product, item, before, fresh=True)
    else:
        coat = _coat(draft, product, item, before, fresh=product.name not in draft.asked)
    first, *rest = sorted([*others, coat], key=lambda one: product.name not in one.layers)  # what goes everywhere first
    draft.wears[product.name] = replace(first, also=tuple(rest))


def _coat(draft: _Draft, product: Product, item: Item, before: Worn | None, *, fresh: bool) -> Worn:
    """One coat as it is said, on top of what was worn before; `fresh`: it has not been asked for yet."""
    coloured = any(term.can(Role.COLOUR) for term in item.about)
    if not fresh and before is not None:
        start = before
    elif item.manner is not None:
        start = of_style(tables.style_of()[item.manner.words]).get(product.name, Worn(product.name))
    elif before is not None and not coloured and not any(term.can(Role.STRENGTH) for term in item.about):
        start = before
    else:
        start = Worn(product.name)
    colour, others = tint.coloured(product, item.about, start.colour)
    if not fresh and start.colour and coloured:
        colour, others = start.colour, [colour.name] if colour and colour != start.colour else []
    if colour and others:
        draft.notes.append(f"{product.name} is drawn in one colour: {colour.name}, not {' or '.join(others)}")
        if not fresh and before is not None:
            return before
    worn = _modified(replace(start, colour=colour or start.colour), product, item, draft)
    return _without_colours(_limited(worn, item), product, item.against)


def _other(half: str) -> str:
    """The other half of a face."""
    return next(one for one in HALVES if one != half)


def _leave_free(draft: _Draft, product: Product, place: str) -> None:
    """Takes a product off in one place: its coat there, or half of one that goes everywhere."""
    worn, layers = draft.wears.get(product.name), product.layers.get(place, ())
    if worn is not None and place in HALVES:
        _replace(draft, [replace(coat, half=_other(place)) for coat in worn.coats if coat.half != place], product)
        return
    if worn is None or not layers:
        return
    kept = [coat for coat in worn.coats if set(coat.layers).isdisjoint(layers) or product.name in coat.layers]
    others = [half for half in (*product.halves, *product.opposite) if half != place]
    if place in (*product.halves, *product.opposite) and len(others) == 1:
        kept = [replace(coat, place=others[0]) if product.name in coat.layers else coat for coat in kept]
    else:
        kept = [replace(coat, place="") if set(layers) & set(coat.layers) else coat for coat in kept]
    _replace(draft, kept, product)


def _replace(draft: _Draft, coats: Sequence[Worn], product: Product) -> None:
    """Wears only these coats of a product."""
    if coats:
        draft.wears[product.name] = replace(coats[0], also=tuple(coats[1:]))
    else:
        del draft.wears[product.name]


def _modified(worn: Worn, product: Product, item: Item, draft: _Draft) -> Worn:
    """The product with the strength, finish, shapes and place that were said."""
    used = {id(term) for term in tint.of_colour(product, item.about)}
    for term in item.about:
        words = term.words
        if id(term) in used or term.can(Role.DEGREE, Role.MORE):
            continue
        if words in product.shapes:
            if not product.shapes[words]:
                draft.notes.append(f"{product.name} is drawn as usual, not {words}")
            else:
                worn = replace(worn, shapes=tuple(dict.fromkeys((*worn.shapes, words))))
        elif product.goes(words):
            if not product.drawn(words):
                draft.notes.append(f"“{words}” is not drawn: {product.name} goes where it usually does")
            if words in HALVES:
                worn = replace(worn, half=words)
            else:
                worn = replace(worn, place=words if product.drawn(words) else worn.place)
        elif words in tables.strengths():
            worn = replace(worn, strength=words)
        elif words in tables.finishes():
            worn = replace(worn, finish=words)
        elif not term.can(Role.SHADE, Role.COLOUR) and (term.can(Role.PLACE) or not term.implied):
            draft.notes.append(f"“{words}” says nothing about {product.name}")
    return replace(worn, more=worn.more + _compared(item.about))


def _compared(about: Sequence[Term]) -> tuple[tuple[str, float], ...]:
    """Comparatives, and how much of each."""
    much, found = 1.0, []
    for term in about:
        if term.can(Role.DEGREE):
            much = tables.degrees()[term.words]
        elif term.words in tables.more():
            found.append((term.words, much))
            much = 1.0
    return tuple(found)


def _limited(worn: Worn, item: Item) -> Worn:
    """It as "not too dark" and "not matte" allow it."""
    against = [term.words for term in item.against if not term.can(Role.COLOUR)]
    said = [("not too", term.words) for term in item.barred] + [("not", word) for word in against]
    colours = [term.words for term in item.barred if term.can(Role.COLOUR)]
    words = [f"{how} {word}" for how, word in said if word in tables.limits() or word in colours]
    return replace(worn, limits=tuple(dict.fromkeys((*worn.limits, *words)))) if words else worn


def _without_colours(worn: Worn, product: Product, against: Sequence[Term]) -> Worn:
    """It in another colour, where the one that it has was ruled out."""
    ruled = tint.values(product, against)
    if not any(tint.alike(worn.colour.rgb if worn.colour else product.usual, one) for one in ruled):
        return worn
    others = [Colour(name, tint.named(name, product)) for name in product.instead]
    other = next((one for one in others if not any(tint.alike(one.rgb, barred) for barred in ruled)), None)
    return replace(worn, colour=other)


def _take_off(draft: _Draft, item: Item) -> None:
    """Leaves out what was ruled out; of "no red lipstick", only a red one."""
    assert item.target is not None
    if item.target.can(Role.STYLE):
        for name, worn in of_style(tables.style_of()[item.target.words]).items():
            if draft.wears.get(name) == worn:
                del draft.wears[name]
        return
    if not item.target.can(*PRODUCTS):
        return
    product = tables.products()[tables.product_of()[item.target.words]]
    places = [term.words for term in item.about if product.goes(term.words)]
    if places:
        halves = all(place in HALVES for place in places) and item.target.can(Role.PART)
        for name in tables.lives(item.target.words) if halves else (product.name,):
            for place in places:
                _leave_free(draft, tables.products()[name], place)
        return
    there = draft.wears.get(product.name)
    finishes = [term.words for term in item.about if term.implied and term.words in tables.limits()]
    if there and finishes and all(term.implied for term in item.about):  # of "dark lips, no gloss" only the gloss
        limits = (*there.limits, *(f"not {finish}" for finish in finishes))
        draft.wears[product.name] = replace(there, limits=tuple(dict.fromkeys(limits)))
        return
    ruled = tint.values(product, [term for term in item.about if not term.implied])
    if there and (not ruled or (there.colour and any(tint.alike(there.colour.rgb, one) for one in ruled))):
        del draft.wears[product.name]


def _known(items: Sequence[Item]) -> str:
    """The name of the style that all of it is, if the text-image model has learned it."""
    if len(items) != 1 or not items[0].bare or items[0].negated or not (target := items[0].target):
        return ""
    if not target.can(Role.STYLE):
        return ""
    style = tables.styles()[tables.style_of()[target.words]]
    return style.name if style.learned else ""
