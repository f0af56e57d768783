"""CLIP's words as numbers: byte-pair encoding (Sennrich et al., ACL 2016) by OpenAI's list of merges."""

from __future__ import annotations

import gzip
import html
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from kohl.errors import BadModel, BadSetting

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MERGES = 49152 - 256 - 2  # the file lists more: CLIP has 49152 tokens, of which 256 are bytes and 2 are start and end
END_OF_WORD = "</w>"
# An English ending, a word, a single digit, or a run of anything else but space.
PIECES = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
STRAIGHT = str.maketrans({**dict.fromkeys("‘’‚‛", "'"), **dict.fromkeys("“”„‟", '"')})
HOW_TO_INSTALL = "install it with: pip install 'kohl[clip]'"


@dataclass(frozen=True)
class Tokens:
    """Sentences to rows of numbers: the start, the pieces of the words, the end, and zeros up to the length."""

    tokenizer: Tokenizer
    start: int
    end: int

    def __call__(self, texts: Sequence[str], length: int) -> Tensor:
        """Numbers (n, length) of the sentences; raises `BadSetting` for one with more pieces than fit."""
        rows = torch.zeros(len(texts), length, dtype=torch.long)
        for row, text in zip(rows, texts, strict=True):
            pieces = self.tokenizer.encode(_plain(text)).ids
            if len(pieces) > length - 2:
                raise BadSetting(f"{text[:40]}…: is {len(pieces)} pieces of words long; use at most {length - 2}")
            row[: len(pieces) + 2] = torch.tensor([self.start, *pieces, self.end])
        return rows


def _plain(text: str) -> str:
    """Small letters, straight quotes and no HTML: the form that the sentences had from which CLIP learned."""
    return unicodedata.normalize("NFC", html.unescape(html.unescape(text))).translate(STRAIGHT).lower()


def load(path: Path) -> Tokens:
    """The tokens in OpenAI's `bpe_simple_vocab_16e6.txt.gz`."""
    try:
        text = gzip.decompress(path.read_bytes()).decode()
    except (OSError, EOFError, ValueError, zlib.error) as error:  # ValueError: no UTF-8
        raise BadModel(f"{path}: not a list of merges ({error}).") from error
    pairs = [line.split() for line in text.split("\n")[1 : 1 + MERGES] if line]  # the first line is a heading
    if any(len(pair) != 2 for pair in pairs):
        raise BadModel(f"{path}: not a list of merges (a line is no pair).")
    merges = [(left, right) for left, right in pairs]
    letters = list(_letters())
    pieces = [*letters, *(f"{letter}{END_OF_WORD}" for letter in letters), *(left + right for left, right in merges)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    return Tokens(_tokenizer(vocabulary, merges), start=len(pieces), end=len(pieces) + 1)


def _letters() -> str:
    """One visible letter per byte, in the order of CLIP's numbers: those that are visible anyway come first."""
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return "".join(map(chr, [*visible, *range(256, 256 + 256 - len(visible))]))


def _tokenizer(vocabulary: dict[str, int], merges: list[tuple[str, str]]) -> Tokenizer:
    """The merges at work, word by word."""
    try:
        from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    except ImportError as error:
        raise BadModel(f"CLIP needs the package {error.name}; {HOW_TO_INSTALL}.") from error
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=END_OF_WORD))
    steps: list[Any] = [
        pre_tokenizers.Split(Regex(PIECES), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    return tokenizer
