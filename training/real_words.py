"""The English words that look like slips of makeup's and are none: `python training/real_words.py WORDS`.

WORDS is a list of English words, commonest first, one on each line. What is printed goes into
`src/kohl/makeup/words/real_words.txt`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kohl.makeup.words import spelling

COMMON = 60_000  # words of the list that count


def looks_like_a_slip(word: str) -> bool:
    """Whether it would be read as another word if nobody said that it is one."""
    plain = len(word) > 3 and word.isascii() and word.isalpha() and word not in spelling.known()
    return plain and spelling.meant(word, spelling.cosmetic()) != word


def main() -> None:
    """Prints the words, in their order in a dictionary."""
    words = Path(sys.argv[1]).read_text(encoding="utf-8").lower().split()[:COMMON]
    print("\n".join(sorted(filter(looks_like_a_slip, dict.fromkeys(words)))))


if __name__ == "__main__":
    main()
