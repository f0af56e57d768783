"""What could mock people for who they are: refused in a sentence, whatever its wording."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from kohl.errors import BadSetting
from kohl.makeup.words import colours, typed
from kohl.makeup.words.colours import Triple
from kohl.makeup.words.look import Look

LEET = str.maketrans("4301578@$!", "aeoistbasi")
WHOSE = (
    "skin", "skinned", "complexion", "complexions", "tone", "tones", "people", "person", "man", "woman", "men", "women",
    "girl", "girls", "guy", "guys", "boy", "boys", "lady", "ladies",
)  # fmt: skip
REPEATED = re.compile(r"(.)\1+")
REFUSED = (
    "text: kohl draws nothing that could mock people for who they are; makeup such as “red lipstick” is welcome, and "
    "so is face paint in a colour that nobody's skin has, such as “green face paint”"
)
SKIN = (
    "text: kohl makes no skin into another people's, darker or lighter; “foundation”, “sun tan” and “glowing skin” go "
    "with the skin that is there"
)
LIGHTEST = 62.0  # lightness in CIELAB of skin that paint may not be taken for


class Insult(BadSetting):
    """A text that kohl draws nothing of."""


def check(text: str) -> None:
    """Raises `Insult` for a text that asks for what could be an insult."""
    plain = typed.bare(text)
    for said in (plain, plain.translate(LEET)):
        for part in re.split(r"[,;:!?\n]|\.\s", without_wearers(said)):
            _check(re.findall(r"[^\W_]+", part))


def without_wearers(plain: str) -> str:
    """The text without "for dark skin" and the like, which says who wears it and asks for nothing."""
    return _wearers().sub(" ", plain)


def check_drawn(look: Look) -> None:
    """Raises `Insult` for a face, or half of one, painted in a colour of skins, or black."""
    paint, foundation = look.wears.get("face paint"), look.wears.get("foundation")
    painted = [coat.colour.rgb for coat in paint.coats if coat.colour] if paint else []
    if any(_is_black(rgb, 25) or _is_skin(rgb) for rgb in painted):
        raise Insult(REFUSED)
    if foundation and foundation.colour and _is_black(foundation.colour.rgb, 18):
        raise Insult(REFUSED)


def _is_black(rgb: Triple, most: float) -> bool:
    return colours.lab(rgb)[0] < most and colours.chroma(rgb) < 25


def _is_skin(rgb: Triple) -> bool:
    """Whether people have such skin; reddish browns are paint where they are strong, yellowish ones are not."""
    hue, chroma = colours.hue(rgb), colours.chroma(rgb)
    return colours.lab(rgb)[0] < LIGHTEST and 15 < hue < 95 and 10 < chroma < (66 if hue > 55 else 48)


def _check(words: Sequence[str]) -> None:
    said, squashed = f" {' '.join(words)} ", REPEATED.sub(r"\1", "".join(words))
    table = _table()
    if any(f" {phrase} " in said for phrase in table["skin"]):
        raise Insult(SKIN)
    if any(REPEATED.sub(r"\1", word) in squashed for word in table["squashed"]) or any(
        f" {word} " in said for word in table["never"]
    ):
        raise Insult(REFUSED)
    if _costumes().search(said):
        raise Insult(REFUSED)


@cache
def _costumes() -> re.Pattern[str]:
    """A people as a costume: "like a … person", "look …", "… face"."""
    table = _table()
    peoples, after, before = (_any(table[name]) for name in ("peoples", "after", "before"))
    return re.compile(
        rf" {peoples} {after} | {before} (?:a |an |more )?{peoples} (?:{after} |$)"
        rf"|^ look {peoples} $| {_any(table['coloured'])} (?!paint)"
    )


@cache
def _wearers() -> re.Pattern[str]:
    table = _table()
    tones = _any(
        [*table["peoples"], "dark", "fair", "pale", "light", "deep", "olive", "tanned", "medium", "white", "my"]
    )
    whose = _any(WHOSE)
    return re.compile(
        rf"\b(?:for|on|suits?|suiting|flatters?|with my|on my) (?:a |an |my |her |his )?(?:very |really )?"
        rf"{tones}(?: {tones})? {whose}(?: {whose})?\b"
    )


def _any(words: Sequence[str]) -> str:
    return f"(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})"


@cache
def _table() -> Mapping[str, Sequence[str]]:
    return tomllib.loads((Path(__file__).parent / "insults.toml").read_text(encoding="utf-8"))
