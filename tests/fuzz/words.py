"""What people type about makeup: any words in any order, and what only looks like words."""

from __future__ import annotations

from pathlib import Path
from random import Random

from fuzz.door import ACCEPTED, Door, check
from kohl.makeup.words import tables
from kohl.makeup.words.reader import read
from kohl.shown import shown

WORDS = (*tables.lexicon(), *tables.aliases())
SIGNS = (
    "",
    "",
    "",
    ",",
    ":",
    ";",
    ".",
    "&",
    "\n",
    "-",
    "#aa2233",
    "#",
    "'",
    "\u200b",
    "\u202e",
    "\x00",
    "ｒ",
    "é",
    "💄",
    "口",
)


def sentence(rng: Random) -> bytes:
    """Words of the tables, slips of them, and signs."""
    found = []
    for _ in range(rng.choice((0, 1, 2, 3, 5, 8, 40))):
        word = rng.choice(WORDS)
        if rng.random() < 0.1:
            place = rng.randrange(len(word))
            word = word[:place] + rng.choice(("", word[place] * 2, chr(rng.randrange(32, 0x3000)))) + word[place + 1 :]
        found.append(word + rng.choice(SIGNS))
    return rng.choice((" ", " ", "", "\t")).join(found).encode("utf-8", "surrogatepass")


def understand(data: bytes, folder: Path) -> str:
    """Try a sentence; whatever is understood is drawn within the dials' ranges, and said in printable words."""
    look = read(data.decode("utf-8", "replace"))
    for product, dials in look.dials.items():
        check(all(0 <= level <= 1 for level in dials.values()), "contract", f"{product}: {dials}")
    for said in (*look.said.values(), look.caption):
        check(said == shown(said), "contract", f"it is said as {said!r}")
    return ACCEPTED


WORDS_TYPED = Door("words", sentence, understand)
