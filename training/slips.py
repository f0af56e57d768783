"""The slips of hurried users, as captions have them now and then."""

from __future__ import annotations

import random

CAPITALS, STOPS = 0.13, 0.06  # how often


def typed(rng: random.Random, text: str, typos: float) -> str:
    """The text with the slips, capitals and full stops of a hurried user, now and then."""
    if rng.random() < typos:
        words = text.split(" ")
        number = rng.randrange(len(words))
        if len(words[number]) >= 5 and words[number].isalpha():
            words[number] = _slip(rng, words[number])
            text = " ".join(words)
    if rng.random() < CAPITALS:
        text = rng.choice((str.capitalize, str.capitalize, str.capitalize, str.title, str.upper))(text)
    return f"{text}{rng.choice('..!')}" if rng.random() < STOPS else text


def _slip(rng: random.Random, word: str) -> str:
    """The word with two letters swapped, or one missing, or one twice."""
    place = rng.randrange(1, len(word) - 1)
    before, letter, after = word[:place], word[place], word[place + 1 :]
    return rng.choice((f"{before}{after[0]}{letter}{after[1:]}", before + after, f"{before}{letter}{letter}{after}"))
