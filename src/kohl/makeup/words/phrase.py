"""Tokens as phrases of the tables, the longest first, each with what it can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from kohl.makeup.words import tables, typed
from kohl.makeup.words.tables import Role

SIGNS = {",": Role.COMMA, ":": Role.COLON}
TARGETS = frozenset({Role.PRODUCT, Role.PART, Role.STYLE, Role.LOOK, Role.NONE, Role.EVERYTHING})
PRODUCTS = (Role.PRODUCT, Role.PART)
MODIFIERS = frozenset({
    Role.COLOUR, Role.SHADE, Role.STRENGTH, Role.FINISH, Role.SHAPE, Role.PLACE, Role.MORE, Role.LIMIT,
})  # fmt: skip


@dataclass(frozen=True)
class Term:
    """A phrase of a text; `implied` where it stands in an alias and not in the text itself."""

    words: str
    roles: frozenset[Role]
    implied: bool = False
    clause: int = 0  # which one it stands in …
    spot: int = 0  # … and where
    joint: Role = Role.COMMA  # what stands before the clause

    def can(self, *roles: Role) -> bool:
        """Whether it can be one of these."""
        return not self.roles.isdisjoint(roles)

    def now(self, *roles: Role) -> Term:
        """The same phrase as nothing but these."""
        return replace(self, roles=frozenset(roles))


def phrases(tokens: Sequence[str], *, implied: bool = False) -> list[Term]:
    """The tokens as terms; an alias is replaced by the words that it stands for."""
    tokens = _halved(tokens)
    found: list[Term] = []
    place = 0
    while place < len(tokens):
        size = next(filter(None, (_fits(tokens, place, size, implied) for size in range(_longest(), 0, -1))), 1)
        phrase = " ".join(tokens[place : place + size])
        if not implied and phrase in tables.aliases():
            found += phrases(typed.tokens(tables.aliases()[phrase]), implied=True)
        elif phrase.startswith("#"):
            found.append(Term(phrase, frozenset({Role.COLOUR}), implied))
        else:
            role = SIGNS.get(phrase, Role.UNKNOWN)
            found.append(Term(phrase, tables.lexicon().get(phrase, frozenset({role})), implied))
        place += size
    return found


def _halved(tokens: Sequence[str]) -> list[str]:
    """The tokens with "left eye" as "eye on the left half"."""
    found: list[str] = []
    place = 0
    while place < len(tokens):
        half = next((half for half, side in tables.HALVES.items() if tokens[place] == side), "")
        size = next(filter(None, (_fits(tokens, place + 1, size, False) for size in range(_longest(), 0, -1))), 0)
        following = tokens[place + 1 : place + 1 + size]
        if half and size and _is_somewhere(" ".join(following)):
            found += [*following, *half.split()]
            place += 1 + size
        else:
            found.append(tokens[place])
            place += 1
    return found


def _is_somewhere(phrase: str) -> bool:
    """Whether it is a part of a face, or something on one."""
    words = typed.tokens(tables.aliases()[phrase]) if phrase in tables.aliases() else [phrase]
    roles = tables.lexicon().get(" ".join(words), frozenset())
    return not roles.isdisjoint((Role.PRODUCT, Role.PART, Role.PLACE))


def _fits(tokens: Sequence[str], place: int, size: int, implied: bool) -> int:
    """The size, if so many tokens from here are a phrase."""
    phrase = " ".join(tokens[place : place + size])
    known = phrase in tables.lexicon() or (not implied and phrase in tables.aliases())
    return size if known and place + size <= len(tokens) else 0


@cache
def _longest() -> int:
    return max(phrase.count(" ") + 1 for phrase in (*tables.lexicon(), *tables.aliases()))
