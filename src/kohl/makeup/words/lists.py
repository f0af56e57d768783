"""Items of neighbouring clauses that belong together: lists with one no or one colour, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kohl.makeup.words import tables
from kohl.makeup.words.item import Item
from kohl.makeup.words.phrase import PRODUCTS, Term
from kohl.makeup.words.tables import Role

LISTED = (Role.AND, Role.OR)
SHAPED = {"winged": "eyeliner", "cut crease": "eyeshadow"}  # the product of a shape that nothing else has
PLACED = {  # the product of a place that several have, if it is not the first of them
    "on the left half": "face paint",
    "on the right half": "face paint",
    "on the upper lip": "lipstick",
    "in the inner corner": "eyeshadow",
    "on the lower lash line": "eyeliner",
    "on both lash lines": "eyeliner",
    "on top": "lipstick",
    "on the bottom": "lipstick",
    "in the middle": "lipstick",
    "across the nose": "blush",
    "on the nose": "highlighter",
    "on the cheekbones": "highlighter",
    "on the jaw": "contour",
    "under the eyes": "eyeshadow",
    "around the eyes": "eyeshadow",
}


def together(items: Sequence[Item]) -> list[Item]:
    """The items, each of a product or a style, with all that is said about it."""
    found = _told(items)
    for place in range(1, len(found)):
        found[place] = _like_the_one_before(found[place - 1], found[place:])
    for place in range(len(found) - 2, -1, -1):
        found[place] = _like_the_one_after(found[place], found[place + 1])
    return found


def _like_the_one_before(before: Item, rest: Sequence[Item]) -> Item:
    """The first of the rest, negated in a list that is, or in the colour of the lips where it is "and cheeks"."""
    item = rest[0]
    if item.target is None:
        return item
    if item.joint is Role.EXCEPT:  # of nothing it is what is worn, of a look what is not
        return replace(item, negated=not (before.target and before.target.can(Role.NONE)))
    if before.negated and item.plain:
        return replace(item, negated=item.negated or _goes_on(rest))
    if before.negated or item.negated or not item.bare or item.joint not in LISTED:
        return item
    shares = item.target.can(Role.PART) and before.about and not before.after
    return item.with_more(before) if shares else item


def _like_the_one_after(item: Item, later: Item) -> Item:
    """The item in what is said of the next: "lips and cheeks in pink"."""
    said = later.after and later.about and later.joint in LISTED and not later.negated
    takes = item.bare and not item.negated and item.target is not None and item.target.can(*PRODUCTS)
    return replace(item, about=later.about, after=True) if said and takes else item


def _goes_on(rest: Sequence[Item]) -> bool:
    """Whether a list that began with a no goes on: "no lipstick, blush or mascara"."""
    for item in rest:
        if not item.plain or item.negated:
            return False
        if item.joint is not Role.COMMA:
            return item.joint is Role.OR or (item.joint is Role.AND and item is rest[0])
    return False


def _told(items: Sequence[Item]) -> list[Item]:
    """The items that have a target, with what the others say."""
    found: list[Item] = []
    waiting = Item()
    for place, item in enumerate(items):
        before = found[-1] if found else None
        if item.target is None and item.negated and item.bare and before:  # "lipstick? no!"
            found[-1] = replace(before, negated=True)
        elif before and item.joint is Role.EXCEPT and item.target is None and _placed(item):
            found[-1] = before.with_more(Item(against=item.about))
        elif before and _goes_only_there(item, before):
            found[-1] = before.with_more(item)
        elif before and _is_more_of(item, before):
            found.append(replace(item, target=before.target))
        elif item.target is not None or (owner := _owner(item, before)) or item.negated:
            named = item if item.target is not None else replace(item, target=owner)
            found.append(named.with_more(waiting, first=True))
            waiting = Item()
        elif winged := _shaped(item, before):
            found.append(replace(item, target=winged).with_more(waiting, first=True))
            waiting = Item()
        elif before and item.joint is Role.OR and before.against and not before.about:  # "not red or pink"
            found[-1] = before.with_more(Item(against=item.about))
        elif before and before.negated and item.about:  # "no red lipstick, I want pink"
            found.append(replace(item, target=before.target))
        elif before and not _is_of_the_next(item, before, items[place + 1 :]):
            found[-1] = before.with_more(item)
        else:
            waiting = waiting.with_more(item)
    if waiting.bare:
        return found
    shaped = next((SHAPED[term.words] for term in waiting.about if term.words in SHAPED), "")
    if found or not shaped:
        return [*found, waiting]
    return [replace(waiting, target=Term(shaped, frozenset({Role.PRODUCT})))]


def _is_of_the_next(item: Item, before: Item, rest: Sequence[Item]) -> bool:
    """Whether what is said of nothing is said of the next product: "smoky eyes, nude, glossy lips"."""
    following = next((one for one in rest if one.target is not None), None)
    full = not before.after and (not before.bare or before.target is None or before.target.can(Role.STYLE))
    return following is not None and not following.after and full and bool(item.about)


def _shaped(item: Item, before: Item | None) -> Term | None:
    """The product of a shape that what was named before cannot have: "silver lids, black wing"."""
    shaped = next((SHAPED[term.words] for term in item.about if term.words in SHAPED), "")
    other = tables.product_of().get(before.target.words) if before and before.target else None
    return Term(shaped, frozenset({Role.PRODUCT})) if shaped and other and other != shaped else None


def _owner(item: Item, before: Item | None) -> Term | None:
    """The product of a place: "red on the upper lip"; that of the item before if it goes there."""
    places = _placed(item)
    if not places:
        return None
    named = before.target if before else None
    if named and any(_goes(named, place) for place in places):
        return Term(tables.product_of()[named.words], frozenset({Role.PRODUCT}))
    return owned(places[0])


def _goes_only_there(item: Item, before: Item) -> bool:
    """Whether a place is that of what was named before and not one more: "eyeliner, only on the waterline"."""
    if item.joint in (Role.AND, Role.EXCEPT) or before.target is None or before.negated or item.negated:
        return False
    places = _placed(item)
    if item.target is not None and not (_is_half_of(item, before.target) and places):
        return False
    if before.target.can(Role.STYLE):
        return item.target is not None
    said = any(term.can(Role.COLOUR, Role.SHADE, Role.MORE) for term in item.about)
    placed = any(_goes(before.target, term) for term in before.about)
    return not said and not placed and any(_goes(before.target, place) for place in places)


def _is_more_of(item: Item, before: Item) -> bool:
    """Whether an item says more of what was put there: "eyeliner, but thinner on the right eye"."""
    if item.target is None or before.target is None or before.target.can(Role.STYLE) or item.negated:
        return False
    said = [term for term in item.about if not term.can(Role.PLACE)]
    return _is_half_of(item, before.target) and bool(said) and all(term.can(Role.MORE, Role.DEGREE) for term in said)


def _is_half_of(item: Item, target: Term) -> bool:
    """Whether an item is half of a part of the face on which a product, or a style, was put: "…, left eye only"."""
    assert item.target is not None
    if not item.target.can(Role.PART) or not any(place.words in tables.HALVES for place in _placed(item)):
        return False
    return target.can(Role.STYLE) or tables.product_of().get(target.words) in tables.lives(item.target.words)


def _placed(item: Item) -> list[Term]:
    return [term for term in item.about if term.can(Role.PLACE)]


def _goes(target: Term, place: Term) -> bool:
    product = tables.product_of().get(target.words)
    return product is not None and tables.products()[product].goes(place.words)


def owned(place: Term) -> Term:
    """The product of a place."""
    having = (one.name for one in tables.products().values() if one.goes(place.words))
    return Term(PLACED.get(place.words) or next(having), frozenset({Role.PRODUCT}))
