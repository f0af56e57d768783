"""What users type, as a look: the one door for words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from kohl.errors import BadSetting
from kohl.makeup.words import clauses, grammar, insults, spelling, tables, typed
from kohl.makeup.words.item import Item
from kohl.makeup.words.look import Look, listed
from kohl.makeup.words.phrase import Term, phrases
from kohl.makeup.words.tables import Role

HINT = 0.72  # difflib's ratio to a product or a style that is asked about
CLIP = "clip-vit-b32"
NOTHING = "nothing will be drawn"


def read(text: str, *, free: bool = False) -> Look:
    """The look that a text asks for, empty for no makeup, with notes on what was made of the words.

    Raises `BadSetting` for a text that could be an insult; also for one that is too long or says nothing about makeup,
    unless it is `free`, for a model that reads any words: then it is an empty look with all of the words left over.
    """
    visible = typed.visible(text)
    if not visible:
        return Look()
    insults.check(visible)
    if not free:
        return _read(text, visible)
    try:
        return _read(text, visible)
    except insults.Insult:
        raise
    except BadSetting:
        return Look(left_over=True)


def _read(text: str, visible: str) -> Look:
    if len(text) > typed.LONGEST:
        raise BadSetting(f"text: must be at most {typed.LONGEST} characters long, not {len(text)}")
    tokens, notes = _corrected(
        typed.joined(typed.tokens(insults.without_wearers(typed.bare(visible))), spelling.known())
    )
    insults.check(" ".join(tokens))
    terms = phrases(tokens)
    found, how = grammar.look(terms)
    insults.check_drawn(found)
    notes += _unread(how)
    painted = found.wears.get("face paint")
    named = any(item.target and not item.target.can(Role.LOOK) for item in how.items)
    if how.patterns and (not named or not found.wears or (painted is not None and painted.colour is None)):
        raise BadSetting(
            f"text: {_quoted(visible)} is not understood: paint has no shapes here, so {listed(how.patterns)} cannot "
            "be drawn; ask for plain paint, such as “orange face paint”"
        )
    if not found.wears:
        if not any(_rules_out(item) for item in how.items):
            raise BadSetting(_refusal(visible, terms, how))
        notes.append(NOTHING)
    unread = bool(how.unknown or how.things or how.patterns)
    return replace(found, notes=(*notes, *found.notes), left_over=unread)


def style(name: str) -> str:
    """The words that stand for a style's name, as a user may spell it; raises `BadSetting` for an unknown one."""
    words = " ".join(name.lower().replace("-", " ").replace("_", " ").split())
    if words == grammar.NONE:
        return ""
    if words not in tables.styles():
        near = get_close_matches(words, tables.styles(), 1, HINT)
        ask = f"did you mean {dashed(near[0])}? " if near else ""
        names = ", ".join([grammar.NONE, *map(dashed, tables.styles())])
        raise BadSetting(f"{name}: no such style; {ask}there are {names}, or say it in your own words with --text")
    return words


def dashed(name: str) -> str:
    """A style's name as it is typed on a command line."""
    return name.replace(" ", "-")


def _rules_out(item: Item) -> bool:
    """Whether it says that something is not worn."""
    nothing = item.target is not None and item.target.can(Role.NONE)
    return item.negated or nothing or any(term.can(Role.PLACE) for term in item.against)


def _corrected(tokens: Sequence[str]) -> tuple[list[str], list[str]]:
    """The tokens with words of makeup for slips, and a note for each."""
    read = {token: spelling.corrected(token) for token in tokens}
    notes = [f"read “{token}” as “{word}”" for token, word in read.items() if word != token]
    return [word for token in tokens for word in read[token].split()], notes


def _unread(how: clauses.Reading) -> list[str]:
    """Notes on the words that no product wears."""
    notes = []
    if unknown := [word for word in dict.fromkeys(how.unknown) if len(word) > 2]:
        notes.append(f"kohl does not know {listed(unknown)}, and leaves it out")
    if things := dict.fromkeys(how.things):
        notes.append(f"kohl makes up faces; it leaves out {listed([*things])}")
    if patterns := dict.fromkeys(how.patterns):
        notes.append(f"paint has no shapes here: {listed([*patterns])} is left out")
    notes += [f"“my {words}” is taken for how you look, not for makeup" for words in how.own]
    return notes


def _refusal(typed_text: str, terms: Sequence[Term], how: clauses.Reading) -> str:
    quoted = _quoted(typed_text)
    if any(not word.isascii() for word in how.unknown):
        return f"text: {quoted} is not English, all that kohl reads without CLIP; say “red lipstick”"
    if how.own:
        return f"text: {quoted} says how you look; say what you want to wear, for example “gold eyeshadow”"
    if how.things:
        return f"text: kohl makes up faces, and leaves out {listed(how.things)}; say for example “red lipstick”"
    colours = [term.words for term in terms if term.can(Role.COLOUR)]
    parts = [term.words for term in terms if term.can(Role.PART)]
    if colours:
        said = f"say for example “{max(colours, key=len)} lipstick”"
        return f"text: {quoted} has a colour but no makeup to put it on; {said}"
    if parts:
        product = tables.product_of()[parts[0]]
        said = f"say for example “{product}”, or a colour of it"
        return f"text: {quoted} does not say what to wear on the {parts[0]}; {said}"
    names = [*tables.products(), *tables.styles()]
    near = [one for word in how.unknown for one in get_close_matches(word, names, 1, HINT)]
    ask = f"perhaps you mean “{near[0]}”; " if near else ""
    return (
        f"text: {quoted} names no makeup that kohl knows; {ask}say it in English, such as “red lipstick” or "
        f"“soft glam”, with any of {', '.join(tables.products())}; or use CLIP, which reads free text: "
        f"`kohl models pull {CLIP}`, then `--set models.text={CLIP}`"
    )


def _quoted(text: str) -> str:
    return f"“{textwrap.shorten(text, 60, placeholder=' …')}”"
