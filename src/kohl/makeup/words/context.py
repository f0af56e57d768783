"""Terms in their places: what stands between two joints, and which of the things that it can be each term is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from kohl.makeup.words import tables
from kohl.makeup.words.phrase import MODIFIERS, PRODUCTS, TARGETS, Term
from kohl.makeup.words.tables import Role

JOINTS = (Role.COMMA, Role.AND, Role.OR, Role.WITH, Role.EXCEPT)
TURNS = ("to", "into")  # between two colours, one beside the other
THAN = "than"
NAMED = (Role.THING, Role.PATTERN)
BARED = ("bare", "naked", "clean")  # lips, face: a no only before such
EYES, SMOKY, STYLE_OF_EYES = ("eyes", "eye"), ("smoky", "smokey"), "smoky eyes"


@dataclass
class Segment:
    """What stands between two joints."""

    joint: Role
    terms: list[Term] = field(default_factory=list)


def segments(terms: Sequence[Term]) -> list[Segment]:
    """What the joints divide, with each term as what it is there, and without those that say nothing."""
    named = any(term.can(*PRODUCTS) for term in terms)
    settled = (_settled(segment, named) for segment in _divided(terms))
    return [
        Segment(
            one.joint, [replace(term, clause=clause, spot=spot, joint=one.joint) for spot, term in enumerate(one.terms)]
        )
        for clause, one in enumerate(settled)
    ]


def _divided(terms: Sequence[Term]) -> list[Segment]:
    found = [Segment(Role.COMMA)]
    for place, term in enumerate(terms):
        if term.can(Role.COLON):
            if any(one.can(*PRODUCTS) for one in found[-1].terms):
                found[-1].terms.append(term.now(Role.IN))
            else:
                found.append(Segment(Role.COMMA))
        elif _goes_over(terms, place):
            found.append(Segment(Role.AND))
        elif term.can(*JOINTS) and not term.can(*MODIFIERS, *TARGETS):
            joint = next(role for role in JOINTS if role in term.roles)
            before = found[-1]
            if not before.terms and place:  # ", and": the word says more than the comma
                before.joint = joint
            else:
                found.append(Segment(joint))
        else:
            found[-1].terms.append(term)
    return [segment for segment in found if segment.terms]


def _goes_over(terms: Sequence[Term], place: int) -> bool:
    """Whether a term stands between two colours or two places: "green to blue", "darker here than there"."""
    words = terms[place].words
    return (words in TURNS and _colours_around(terms, place)) or (words == THAN and _is_of_a_place(terms[place + 1 :]))


def _is_of_a_place(rest: Sequence[Term]) -> bool:
    """Whether a place is next: "darker on the left than on the right"."""
    following = next((one for one in rest if not one.can(Role.ON, Role.FILLER, Role.MINE)), None)
    return following is not None and following.can(Role.PLACE)


def _colours_around(terms: Sequence[Term], place: int) -> bool:
    """Whether there is a colour on both sides of a term."""
    return all(one.can(Role.COLOUR) for one in (*terms[max(0, place - 1) : place], *terms[place + 1 : place + 2]))


def _settled(segment: Segment, named: bool) -> Segment:
    """The segment in which each term is only what it is there; `named`: some product stands in the text."""
    found: list[Term] = []
    for place, term in enumerate(segment.terms):
        before, rest = segment.terms[:place], segment.terms[place + 1 :]
        roles = _word_or_style(term, before, rest, named)
        roles = _says_or_is(roles, before, rest)
        roles = _before_others(term, roles, found, rest)
        if Role.FILLER in roles and not roles & MODIFIERS:
            continue
        degree, _, shade = term.words.partition(" ")
        if degree in tables.degrees() and shade in tables.shades() and rest and rest[0].can(Role.COLOUR):
            found += [Term(degree, frozenset({Role.DEGREE})), Term(shade, frozenset({Role.SHADE}))]  # "very light red"
            continue
        settled = term.now(*roles)
        shade = _shade_of(settled) if found and found[-1].roles == {Role.DEGREE} else ""
        if shade:  # "very deep red" is a deeper one than "deep red"
            found.append(Term(shade, frozenset({Role.SHADE})))
            settled = replace(settled, words=settled.words.removeprefix(f"{shade} "))
        found.append(settled)
    return Segment(segment.joint, _smoky_eyes([*_eyes_of_ones_own([*_not_where_it_is(found)])]))


def _word_or_style(term: Term, before: Sequence[Term], rest: Sequence[Term], named: bool) -> frozenset[Role]:
    """A style that is also a colour or a finish is one before "makeup", or where no product is named."""
    if Role.STYLE not in term.roles or not term.roles & MODIFIERS:
        return term.roles
    following = next((one for one in rest if one.can(*TARGETS)), None)
    if _is_of_a_product(before, rest) or (following is not None and following.can(Role.STYLE)):
        return term.roles & MODIFIERS
    alone = not before and not rest and term.words in tables.styles()[tables.style_of()[term.words]].phrases
    stands = alone or not named or (following is not None and following.can(Role.LOOK))
    return frozenset({Role.STYLE}) if stands else term.roles & MODIFIERS


def _says_or_is(roles: frozenset[Role], before: Sequence[Term], rest: Sequence[Term]) -> frozenset[Role]:
    """A colour or a finish that is also a thing is said about a product where there is one."""
    for role, others in ((Role.COLOUR, {*PRODUCTS, *NAMED, Role.FILLER}), (Role.FINISH, TARGETS)):
        if role in roles and roles & others:
            roles = frozenset({role}) if _is_of_a_product(before, rest) else roles - {role}
    return roles


def _before_others(term: Term, roles: frozenset[Role], found: Sequence[Term], rest: Sequence[Term]) -> frozenset[Role]:
    """What words are that say something only before certain others."""
    follower = rest[0] if rest else None
    if Role.NO in roles and term.words in BARED and not (follower and follower.can(*PRODUCTS)):
        return frozenset({Role.FILLER})
    if {Role.FLAW, Role.PATTERN} <= roles:  # "cover my spots"
        return roles - {Role.PATTERN} if any(one.can(Role.NO) for one in found[-2:]) else frozenset({Role.PATTERN})
    if {Role.NOT, Role.NONE} <= roles:
        return frozenset({Role.NOT} if rest else {Role.NONE})
    if Role.TOO in roles and found and found[-1].can(Role.NOT, Role.NO):
        return frozenset({Role.TOO})
    if Role.DEGREE in roles and follower and (follower.can(Role.SHADE, Role.MORE) or _shade_of(follower)):
        return frozenset({Role.DEGREE})
    if roles <= {Role.DEGREE, Role.TOO, Role.FILLER}:
        return frozenset({Role.FILLER})
    return roles - {Role.DEGREE, Role.FILLER} if roles & {Role.MORE, Role.LIMIT} else roles


def _is_of_a_product(before: Sequence[Term], rest: Sequence[Term]) -> bool:
    """Whether something said between these is said about a product."""
    following = next((one for one in rest if one.can(*TARGETS)), None)
    return any(one.can(*PRODUCTS) for one in before) or (following is not None and following.can(*PRODUCTS))


def _shade_of(term: Term) -> str:
    """The shade that a colour's name begins with, if it does."""
    first, _, rest = term.words.partition(" ")
    return first if term.roles == {Role.COLOUR} and first in tables.shades() and rest in tables.colour_names() else ""


def _not_where_it_is(terms: Sequence[Term]) -> Iterator[Term]:
    """The terms without the cheeks of "blush on the cheeks": they ask for nothing more."""
    for place, term in enumerate(terms):
        before = [one for one in terms[:place] if not one.can(Role.MINE)]
        on = bool(before) and before[-1].can(Role.ON, Role.PLACE)
        if not (on and term.can(Role.PART) and any(one.can(*PRODUCTS) for one in before)):
            yield term


def _eyes_of_ones_own(terms: Sequence[Term]) -> Iterator[Term]:
    """The terms with "my blue eyes" as one that asks for nothing."""
    place = 0
    while place < len(terms):
        three = terms[place : place + 3]
        if (
            len(three) == 3
            and three[0].can(Role.MINE)
            and three[1].can(Role.COLOUR)
            and three[2].words in EYES
            and not any(one.can(*MODIFIERS) for one in terms[place + 3 :])
        ):
            yield Term(f"{three[1].words} {three[2].words}", frozenset({Role.MINE}))
            place += 3
        else:
            if not terms[place].can(Role.MINE):
                yield terms[place]
            place += 1


def _smoky_eyes(terms: Sequence[Term]) -> list[Term]:
    """The terms with "smoky plum eyes" as plum "smoky eyes"."""
    smoky = next((place for place, term in enumerate(terms) if term.words in SMOKY), len(terms))
    eyes = next((place for place, term in enumerate(terms) if place > smoky and term.can(*TARGETS)), 0)
    if not eyes or terms[eyes].words not in EYES:
        return list(terms)
    style = Term(STYLE_OF_EYES, frozenset({Role.STYLE}))
    return [*terms[:smoky], *terms[smoky + 1 : eyes], style, *terms[eyes + 1 :]]
