"""What users type, made into a text that the bundled text model knows, and notes of what was changed for it."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from itertools import pairwise
from typing import TypeAlias

from kohl.errors import BadSetting
from kohl.makeup.layers import NAMES

Vocabulary: TypeAlias = Mapping[str, Sequence[str]]  # words and phrases in small letters, by kind

LONGEST, MOST = 300, 48  # characters, words: as many as the text model reads
SUBJECTS = ("products", "styles", "looks")  # the kinds that makeup can be drawn from
ALIKE, CLOSELY_ALIKE = 0.8, 0.85  # difflib's ratio of a slip to a word; of short words and of words such as "with"
HINT = 0.7  # the same, to be asked about
SIGNS = {"&": "and", "+": "plus"}
TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[,:;/|.!?()\[\]{}\n&+]")
CLIP = "clip-vit-b32"


@dataclass(frozen=True)
class Prompt:
    """A text of known words where possible, empty for no makeup, and what the user should know about it."""

    text: str
    notes: tuple[str, ...] = ()


def understood(text: str, vocabulary: Vocabulary) -> Prompt:
    """The prompt of `text`, its slips corrected.

    What is neither known nor a slip stays, because the model may know parts of it; but not before a colour, which it
    would only confuse: kelly green is a green. Raises `BadSetting` for a text that is too long or says nothing about
    makeup.
    """
    if len(text) > LONGEST:
        raise BadSetting(f"text: must be at most {LONGEST} characters long, not {len(text)}")
    typed = _visible(text)
    if not typed:
        return Prompt("")
    known = _known(vocabulary)
    tokens, notes = _corrected(_joined(_tokens(typed.casefold()), known), known)
    if len(tokens) > MOST:
        raise BadSetting(f"text: must be at most {MOST} words and commas long, not {len(tokens)}")
    unknown = [token for token in tokens if _is_word(token) and token not in known]
    _check(typed, tokens, unknown, vocabulary)
    colours = {word for phrase in vocabulary.get("colours", ()) for word in phrase.split()}
    tokens = [one for one, then in pairwise([*tokens, ""]) if one not in unknown or then not in colours]
    if odd := [f"“{word}”" for word in dict.fromkeys(unknown) if len(word) > 2]:
        notes.append(f"kohl does not know {', '.join(odd)}")
    return Prompt(" ".join(tokens).replace(" ,", ",").replace(" :", ":"), tuple(notes))


def _visible(text: str) -> str:
    """The text in the common forms of its letters, without characters that cannot be seen."""
    kinds = ((sign, unicodedata.category(sign)) for sign in unicodedata.normalize("NFKC", text).replace("’", "'"))
    signs = (sign if kind[0] != "C" or sign == "\n" else "" if kind == "Cf" else " " for sign, kind in kinds)
    return "".join(signs).strip()


def _tokens(typed: str) -> list[str]:
    """The words, and a comma or a colon where they are divided."""
    found = [","]
    for sign in TOKEN.findall(typed):
        word = SIGNS.get(sign, sign)
        if _is_word(word):
            found.append(word)
        elif _is_word(found[-1]):
            found.append(":" if sign == ":" else ",")
    return found[1:] if _is_word(found[-1]) else found[1:-1]


def _is_word(token: str) -> bool:
    return token[0].isalnum()


def _bare(word: str) -> str:
    """The word without accents and apostrophes."""
    signs = unicodedata.normalize("NFKD", word)
    return "".join(sign for sign in signs if sign != "'" and not unicodedata.combining(sign))


def _known(vocabulary: Vocabulary) -> dict[str, bool]:
    """All single words of the vocabulary, and whether they say more than "and" does."""
    words: dict[str, bool] = {}
    for kind, phrases in vocabulary.items():
        for word in " ".join(phrases).split():
            words[word] = words.get(word, False) or kind != "connecting"
    return words


def _joined(tokens: Sequence[str], known: Mapping[str, bool]) -> list[str]:
    """The tokens with "lip", "stick" as one, where only together they are known."""
    found: list[str] = []
    for token in tokens:
        if found and found[-1] + token in known and not (found[-1] in known and token in known):
            found[-1] += token
        else:
            found.append(token)
    return found


def _corrected(tokens: Sequence[str], known: Mapping[str, bool]) -> tuple[list[str], list[str]]:
    """The tokens with known words for slips, and a note for each."""
    read = {token: _parted(token, known) or _nearest(token, known) or token for token in tokens}
    notes = [f"read “{token}” as “{word}”" for token, word in read.items() if word != token]
    return [word for token in tokens for word in read[token].split()], notes


def _parted(token: str, known: Mapping[str, bool]) -> str:
    """Two known words that were typed as one, or nothing."""
    if token in known:
        return ""
    parts = ((token[:end], token[end:]) for end in range(3, len(token) - 2))
    return next((f"{first} {second}" for first, second in parts if first in known and second in known), "")


def _nearest(token: str, known: Mapping[str, bool]) -> str:
    """The known word of which the token is a slip, or nothing; short words are too much like one another."""
    if token in known or len(token) < 3:
        return ""
    word = _bare(token)
    if word in known:
        return word
    if len(word) < 4 or not (word.isascii() and word.isalpha()):
        return ""
    swaps = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1))
    if swapped := next((swap for swap in swaps if swap in known), ""):
        return swapped
    long = len(word) > 6  # few people mistype the first letter of a short word
    near = [
        other
        for other in known
        if len(other) > 3 and abs(len(other) - len(word)) <= 1 + long and (long or other[0] == word[0])
    ]
    ratio, other = max(((SequenceMatcher(None, word, other).ratio(), other) for other in near), default=(0.0, ""))
    return other if ratio >= (ALIKE if len(word) > 4 and known.get(other) else CLOSELY_ALIKE) else ""


def _check(typed: str, tokens: Sequence[str], unknown: Sequence[str], vocabulary: Vocabulary) -> None:
    """Raises `BadSetting` if the tokens name no makeup, or are mostly of another language."""
    said = f" {' '.join(tokens)} "
    subjects = [phrase for kind in SUBJECTS for phrase in vocabulary.get(kind, ())]
    named = any(f" {phrase} " in said for phrase in subjects)
    mostly_unknown = 2 * len(unknown) > sum(map(_is_word, tokens))
    quoted = f"“{textwrap.shorten(typed, 60, placeholder=' …')}”"
    if not all(word.isascii() for word in unknown) and (mostly_unknown or not named):
        raise BadSetting(f"text: {quoted} is not English, all that the bundled text model reads; say “red lipstick”")
    if named:
        return
    colours = [colour for colour in vocabulary.get("colours", ()) if f" {colour} " in said]
    if colours:
        colour = max(colours, key=len)
        raise BadSetting(f"text: {quoted} has a colour but no makeup to put it on; say for example “{colour} lipstick”")
    hints = [near for word in unknown for near in get_close_matches(word, subjects, 1, HINT)]
    ask = f"perhaps you mean “{hints[0]}”; " if hints else ""
    styles = "".join(f" or “{style}”" for style in vocabulary.get("styles", ())[:1])
    raise BadSetting(
        f"text: {quoted} names no makeup that the bundled text model knows; {ask}say it in English, such as "
        f"“red lipstick”{styles}, with any of {', '.join(NAMES)}; or use CLIP, which reads free text: "
        f"`kohl models pull {CLIP}`, then `--set models.text={CLIP}`"
    )
