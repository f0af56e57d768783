"""Answers on disk, one small JSON file each, so that nothing is paid for twice; no key is ever in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

from kohl import files, plain_file
from kohl.errors import Unavailable
from kohl.zoo.services.service import REASON, Answer, inside, similarity
from kohl.zoo.services.terms import Terms

LARGEST = 2**16  # bytes of an answer


class Answers(Protocol):
    """Answers by the hash of what was asked: a dict, or `Kept`."""

    def get(self, key: str, /) -> Answer | None:
        """The answer to that, if it is known."""
        ...

    def __setitem__(self, key: str, answer: Answer, /) -> None: ...


class Kept:
    """Answers of one service in a folder of their own."""

    def __init__(self, folder: Path, terms: Terms) -> None:
        self.folder, self.terms = folder, terms
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> Answer | None:
        """The answer that was kept; None where there is none, or where the file is none."""
        try:
            return self._answer(json.loads(plain_file.content(self._path(key), LARGEST)))
        except (FileNotFoundError, ValueError, RecursionError, Unavailable):
            return None

    def __setitem__(self, key: str, answer: Answer) -> None:
        thresholds = {f"{rate:g}": value for rate, value in answer.thresholds.items()}
        content = {"similarity": answer.similarity, "model": answer.model, "thresholds": thresholds}
        files.write(self._path(key), json.dumps(content, allow_nan=False).encode(), force=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key[:40]}.json"

    def _answer(self, found: object) -> Answer:
        """The answer in a file's content; raises `ValueError` or `Unavailable` for what is none."""
        model, thresholds = inside(found, "model"), inside(found, "thresholds")
        if not (isinstance(found, dict) and "similarity" in found and isinstance(thresholds, dict)):
            raise ValueError("no answer")
        if not isinstance(model, str) or len(model) > 2 * REASON:
            raise ValueError("no answer")
        value = found["similarity"]
        return Answer(
            None if value is None else similarity(value, self.terms),
            model,
            {float(rate): similarity(limit, self.terms) for rate, limit in thresholds.items()},
        )
