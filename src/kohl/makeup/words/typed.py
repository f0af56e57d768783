"""A text as it was typed, as words in small letters, with commas and colons where they are divided."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from kohl.errors import BadSetting

LONGEST, MOST = 300, 64  # characters; words and commas
SIGNS = {"&": "and", "/": "and", "+": "plus", "=": ":", "→": ":"}
TOKEN = re.compile(
    r"#[0-9a-f]{6}(?![^\W_])|#[0-9a-f]{3}(?![^\W_])|w/o\b|[^\W_]+(?:'[^\W_]+)*|[,:;/|.!?()\[\]{}\n&+=→—–]"
)


def visible(text: str) -> str:
    """The text in the common forms of its letters, without characters that cannot be seen."""
    kinds = ((sign, unicodedata.category(sign)) for sign in unicodedata.normalize("NFKC", text).replace("’", "'"))
    signs = (sign if kind[0] != "C" or sign == "\n" else "" if kind == "Cf" else " " for sign, kind in kinds)
    return "".join(signs).strip()


def bare(text: str) -> str:
    """The text in small letters without accents."""
    signs = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


def tokens(text: str) -> list[str]:
    """Words without accents, with one comma or colon between those that signs divide; raises `BadSetting` for many."""
    found = [","]
    for sign in TOKEN.findall(bare(text)):
        word = SIGNS.get(sign, sign)
        if is_word(word):
            found.append(word)
        elif is_word(found[-1]):
            found.append(":" if word == ":" else ",")
    if len(found) - 1 > MOST:
        raise BadSetting(f"text: must be at most {MOST} words and commas long, not {len(found) - 1}")
    return found[1:] if is_word(found[-1]) else found[1:-1]


def is_word(token: str) -> bool:
    """Whether it is no comma and no colon."""
    return token[0].isalnum() or token[0] == "#"


def joined(words: Sequence[str], known: Collection[str]) -> list[str]:
    """The words with "lip", "stick" as one, where only together they are known."""
    found: list[str] = []
    for word in words:
        if found and found[-1] + word in known and not (found[-1] in known and word in known):
            found[-1] += word
        else:
            found.append(word)
    return found
