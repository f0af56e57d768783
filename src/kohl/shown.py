"""Text from outside as people may see it: what would steer a terminal, or reorder a line, is written out."""

from __future__ import annotations

import unicodedata

LONGEST = 4000  # characters of one text; a path has at most 4096 bytes
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, invisible marks, halves of pairs, line separators
JOINERS = "\u200c\u200d"  # belong to words of some languages, and to emoji
CUT = " … "


def shown(text: str) -> str:
    """`text` on one line, each control character as its escape (ESC is `\\x1b`), and the middle of a long one left out.

    A printed text cannot move the cursor, colour, erase or turn around what stands beside it.
    """
    if len(text) > LONGEST:
        text = text[: LONGEST // 2] + CUT + text[-LONGEST // 2 :]
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def _visible(letter: str) -> str:
    hidden = unicodedata.category(letter) in HIDDEN and letter not in JOINERS
    return letter.encode("unicode_escape").decode("ascii") if hidden else letter
