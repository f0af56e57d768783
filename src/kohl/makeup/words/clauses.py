"""Terms as items: what is said about which product or style, and what is ruled out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kohl.makeup.words import lists, tables
from kohl.makeup.words.context import Segment, segments
from kohl.makeup.words.item import Item
from kohl.makeup.words.phrase import MODIFIERS, PRODUCTS, TARGETS, Term
from kohl.makeup.words.tables import Role

SAYS = (Role.SHADE, Role.STRENGTH, Role.FINISH, Role.SHAPE, Role.LIMIT)  # what "not too" goes before
WHOLE = ("face", "skin")  # a face that is a style wears all of it
ANY_OTHER = ("any colour but", "any color but", "anything but")
OTHERS = (Role.THING, Role.UNKNOWN, Role.PATTERN, Role.MINE)


@dataclass(frozen=True)
class Reading:
    """The items of a text, and the words that no item is made of."""

    items: tuple[Item, ...]
    unknown: tuple[str, ...] = ()
    things: tuple[str, ...] = ()  # that kohl does not make up
    patterns: tuple[str, ...] = ()  # that paint would need shapes for
    own: tuple[str, ...] = ()  # "my blue eyes"


def reading(terms: Sequence[Term]) -> Reading:
    """The items, each with all that is said about it, in the order of the text."""
    parts = segments(terms)
    items = lists.together([item for part in parts for item in _items(part)])
    spare = [term for part in parts for term in part.terms]
    unknown, things, patterns, own = (
        tuple(term.words for term in spare if term.roles == {role})
        for role in (Role.UNKNOWN, Role.THING, Role.PATTERN, Role.MINE)
    )
    return Reading(tuple(items), unknown, things, patterns, own)


def _items(segment: Segment) -> list[Item]:
    """What one segment says."""
    walk = _Walk(segment.joint, _stands_after(segment.terms))
    for place, term in enumerate(segment.terms):
        walk.take(term, segment.terms[place + 1 :])
    return walk.all


@dataclass
class _Walk:
    """A segment on the way from its first term to its last."""

    joint: Role  # before the next item
    after: bool  # whether what is said about a product stands after it
    found: list[Item] = field(default_factory=list)
    item: Item | None = None  # what was named last
    waiting: Item = field(default_factory=Item)  # what is said about what has not been named yet
    negated: bool = False  # by a "no" before what is named next
    ruled: bool = False  # by a "not" before what is said next …
    too: bool = False  # … and a "too"

    @property
    def all(self) -> list[Item]:
        """All items; the last may have no target."""
        if self.item is not None:
            return [*self.found, self.item]
        if self.waiting.bare and not self.negated:
            return self.found
        return [*self.found, replace(self.waiting, negated=self.negated and self.waiting.bare, joint=self.joint)]

    def take(self, term: Term, rest: Sequence[Term]) -> None:
        """Goes on by one term, before the rest."""
        if term.can(Role.NO, Role.NOT):
            self._rule_out(term, rest)
        elif term.can(*MODIFIERS, Role.DEGREE) and not term.can(*TARGETS):
            self._say(term, rest)
        elif term.can(Role.STYLE) and _is_manner(term, rest):
            self.waiting = replace(self.waiting, manner=term)
        elif term.can(Role.STYLE) and self._is_manner_of_item(term, rest):
            assert self.item is not None
            self.item = replace(self.item, manner=term)
        elif term.can(Role.NONE) and self.item:  # "lipstick: none"
            self.item = replace(self.item, negated=True)
        elif term.can(*TARGETS):
            if not self._is_said_already(term):
                self._name(term)
        elif term.can(*OTHERS):
            self._lose(term, rest)

    def _rule_out(self, term: Term, rest: Sequence[Term]) -> None:
        if rest and rest[0].can(Role.FLAW):  # "hide my dark circles", "no dark circles": with what hides them
            return
        if _is_of_finish(rest) or (term.words in ANY_OTHER and rest and rest[0].can(*SAYS, Role.COLOUR)):
            self.ruled = True
        elif self.item and not rest:  # "lips: no"
            self.item = replace(self.item, negated=True)
        elif term.can(Role.NO) or _is_no(rest):
            if self.item and not self.waiting.bare:  # "in pink, without …"
                self.item, self.waiting = self.item.with_more(self.waiting), Item()
            if not self.after:
                self._close()
            self.negated, self.ruled = True, not any(one.can(*TARGETS) for one in rest)
        else:
            self.ruled = True
        self.too = any(one.can(Role.TOO) for one in rest[:1])

    def _say(self, term: Term, rest: Sequence[Term]) -> None:
        if self._is_elsewhere(term) and not self.waiting.bare:
            self._name(lists.owned(term))
        backwards = self.after or term.can(Role.PLACE) or not any(self._is_next(one) for one in rest)
        about = self.item if self.item and backwards else self.waiting
        if term.can(Role.DEGREE) or not self.ruled:
            said = replace(about, about=(*about.about, term))
        else:
            said = about.with_more(Item(barred=(term,)) if self.too else Item(against=(term,)))
            self.ruled = self.too = False
        if about is self.item:
            self.item = said
        else:
            self.waiting = said

    def _is_next(self, term: Term) -> bool:
        """Whether it names a product that has not been named yet."""
        return term.can(*TARGETS) or self._is_elsewhere(term)

    def _is_elsewhere(self, term: Term) -> bool:
        """Whether it is a place where what was named last does not go: "red lips, white waterline"."""
        if not term.can(Role.PLACE) or term.can(*TARGETS) or self.item is None or self.item.target is None:
            return False
        product = tables.product_of().get(self.item.target.words)
        layered = any(term.words in one.layers for one in tables.products().values())
        return layered and product is not None and not tables.products()[product].goes(term.words)

    def _name(self, term: Term) -> None:
        self._close()
        self.item = replace(self.waiting, target=term, negated=self.negated, joint=self.joint, after=self.after)
        self.waiting, self.joint, self.negated, self.ruled = Item(), Role.COMMA, False, False

    def _close(self) -> None:
        if self.item is not None:
            self.found.append(self.item)
            self.item, self.joint = None, Role.COMMA

    def _is_manner_of_item(self, term: Term, rest: Sequence[Term]) -> bool:
        """Whether a style says how what was named before it is worn: "keep my lips natural"."""
        item = self.item
        if item is None or item.target is None or not item.bare or any(one.can(*TARGETS) for one in rest):
            return False
        alone = term.words in tables.styles()[tables.style_of()[term.words]].phrases
        return item.target.can(*PRODUCTS) and item.target.words not in WHOLE and not alone

    def _is_said_already(self, term: Term) -> bool:
        """Whether it is the makeup of "goth makeup"."""
        if self.item is None or self.item.target is None or not self.waiting.bare:
            return False
        return term.can(Role.LOOK) and self.item.target.can(Role.STYLE)

    def _lose(self, term: Term, rest: Sequence[Term]) -> None:
        """A colour before something that kohl does not make up is no colour of the next product: "blue hair"."""
        ends = term.can(Role.THING) or not rest or rest[0].can(Role.COLOUR, Role.NO)
        coloured = any(one.can(Role.COLOUR, Role.FINISH) for one in self.waiting.about)
        if ends and coloured and not (self.after and self.item):
            self.waiting = Item()


def _stands_after(terms: Sequence[Term]) -> bool:
    """Whether what is said about a product stands after it: "lips red, eyes blue"."""
    products = [place for place, term in enumerate(terms) if term.can(*PRODUCTS) and not term.can(*MODIFIERS)]
    says = [place for place, term in enumerate(terms) if term.can(*MODIFIERS) and not term.can(Role.PLACE, *TARGETS)]
    return bool(products and says) and products[0] < says[0] and products[-1] < says[-1]


def _is_no(rest: Sequence[Term]) -> bool:
    """Whether a "not" before these is about a product: "not the lipstick", "not red lipstick"."""
    if len(rest) > 1 and rest[0].can(Role.TOO) and rest[1].can(Role.COLOUR):  # "not so pink lips"
        return False
    said = [term for term in rest if not term.can(Role.TOO)]
    if not said or said[0].can(*SAYS, Role.DEGREE, Role.MORE):
        return False
    return any(term.can(*TARGETS) and not term.can(*MODIFIERS) for term in said)


def _is_of_finish(rest: Sequence[Term]) -> bool:
    """Whether a "no" before these is about how a product looks: "no shimmer in the eyes"."""
    return len(rest) > 1 and rest[0].can(Role.FINISH) and rest[1].can(Role.IN, Role.ON)


def _is_manner(term: Term, rest: Sequence[Term]) -> bool:
    """Whether a style says only how a product of the same segment is worn: "office lipstick"."""
    if term.words in tables.styles()[tables.style_of()[term.words]].phrases:
        return False
    following = next((one for one in rest if not one.can(*MODIFIERS, Role.DEGREE) or one.can(*TARGETS)), None)
    return following is not None and following.can(*PRODUCTS) and following.words not in WHOLE
