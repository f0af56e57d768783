"""The sentences that CLIP's words are put into, from a published list in Python, which is read and not run."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

from kohl import plain_file
from kohl.errors import BadModel

NAME = "imagenet_templates"  # what the list is called there
LARGEST, MOST, LONGEST = 2**16, 256, 200  # bytes of the file, sentences in it, letters of one


def load(path: Path) -> tuple[str, ...]:
    """The sentences, in each of which `{}` stands for the words; raises `BadModel` for a file without them."""
    try:
        with warnings.catch_warnings(action="ignore"):  # which would show lines of the file
            tree = ast.parse(plain_file.content(path, LARGEST))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:  # so ast says
        raise _no_list(path, error) from error
    assigned = [part.value for part in tree.body if isinstance(part, ast.Assign) and _named(part)]
    try:
        sentences = ast.literal_eval(assigned[0]) if assigned else None
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:  # so does it of this
        raise _no_list(path, error) from error
    if not isinstance(sentences, list) or not 0 < len(sentences) <= MOST or not all(map(_is_sentence, sentences)):
        raise BadModel(f"{path}: holds no {NAME}, sentences with one {{}} each; fetch the published file.")
    return tuple(sentences)


def _no_list(path: Path, error: Exception) -> BadModel:
    return BadModel(f"{path}: no list of sentences ({type(error).__name__}); fetch the published file.")


def _named(part: ast.Assign) -> bool:
    return [target.id for target in part.targets if isinstance(target, ast.Name)] == [NAME]


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST and re.fullmatch(r"[^{}]*\{\}[^{}]*", value) is not None
