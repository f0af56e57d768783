"""Slips of the finger, corrected to words of makeup: never a word that is one already."""

from __future__ import annotations

from collections.abc import Collection
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

from kohl.makeup.words import tables
from kohl.makeup.words.tables import Role

ALIKE, CLOSELY_ALIKE = 0.8, 0.86  # difflib's ratio of a slip to a word; of a short word
COSMETIC = frozenset({
    Role.PRODUCT, Role.PART, Role.STYLE, Role.LOOK, Role.COLOUR, Role.SHADE, Role.STRENGTH, Role.FINISH, Role.SHAPE,
    Role.NO,
})  # fmt: skip


@cache
def cosmetic() -> frozenset[str]:
    """Words that a slip may stand for."""
    said = (phrase for phrase, roles in tables.lexicon().items() if roles & COSMETIC and Role.THING not in roles)
    return frozenset(word for phrase in said for word in phrase.split() if len(word) > 3 and word.isalpha())


@cache
def known() -> frozenset[str]:
    """Every word of the tables."""
    return frozenset(word for phrase in (*tables.lexicon(), *tables.aliases()) for word in phrase.split())


@cache
def real() -> frozenset[str]:
    """English words that look like slips, and are none; written by training/real_words.py."""
    return frozenset((Path(__file__).parent / "real_words.txt").read_text(encoding="utf-8").split())


def corrected(word: str) -> str:
    """The word, or the words, that were meant; the word itself if it is one, or like none."""
    if word in known() or word in real() or len(word) < 4 or not (word.isascii() and word.isalpha()):
        return word
    return meant(word, cosmetic())


def meant(word: str, words: Collection[str]) -> str:
    """The nearest of the words, two of them typed as one, or the word itself."""
    swaps = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1))
    if swapped := next((swap for swap in swaps if swap in words), ""):
        return swapped
    parts = ((word[:end], word[end:]) for end in range(3, len(word) - 2))
    if split := next((f"{first} {second}" for first, second in parts if first in known() and second in words), ""):
        return split
    long = len(word) > 6  # few people mistype the first letter of a short word
    near = [other for other in words if abs(len(other) - len(word)) <= 1 + long and (long or other[0] == word[0])]
    rated = ((SequenceMatcher(None, word, other).ratio(), other) for other in near)
    ratio, other = max(rated, default=(0.0, word))
    return other if ratio >= (ALIKE if len(word) > 5 else CLOSELY_ALIKE) else word
