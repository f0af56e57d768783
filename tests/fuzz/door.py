"""What a door is, and what may come out of one: a result, or one sentence."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

from kohl import cli
from kohl.batch import sentence
from kohl.errors import KohlError
from kohl.status import Exit

ACCEPTED, REFUSED = "accepted", "refused"


class Wrong(Exception):
    """What must not be; its `kind` is a column of the table."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True)
class Door:
    """One way in: how its inputs are made from random numbers alone, and what tries one in an empty folder."""

    name: str
    make: Callable[[Random], Any]
    attempt: Callable[[Any, Path], str]  # ACCEPTED or REFUSED; raises `Wrong`, and KohlError where that is a refusal
    share: float = 1.0  # of the time
    missing: Callable[[], str] = lambda: ""  # why it cannot be tried here, if so


def check(right: bool, kind: str, text: str) -> None:
    """Raise `Wrong` unless it is right."""
    if not right:
        raise Wrong(kind, text)


def check_refusal(error: KohlError) -> None:
    """Raise `Wrong` unless the front end says this error in one sentence without anything that a terminal obeys."""
    said = StringIO()
    with redirect_stderr(said):
        cli._complain(sentence(error), Exit.FAILED)
    check_said(said.getvalue())


def check_said(printed: str, *, lines: int = 1) -> None:
    """Raise `Wrong` unless this is at most so many whole lines, each a sentence and nothing to obey."""
    found = printed.split("\n")
    check(found.pop() == "", "sentence", f"the last line is not ended: {printed[-200:]!r}")
    check(len(found) <= lines, "sentence", f"{len(found)} lines instead of {lines}: {printed[:400]!r}")
    for line in found:
        check(not obeyed(line), "sentence", f"has {obeyed(line)} in it: {line[:400]!r}")
        check(bool(line), "sentence", "says nothing")
        check_foreseen(printed)


def check_foreseen(printed: str) -> None:
    """Raise `Wrong` for an error that nobody foresaw, also where it was made a sentence of."""
    for sign in ("Traceback (most recent", "kohl itself failed"):
        check(sign not in printed, "traceback", printed[max(0, printed.find(sign) - 200) :][:2000])


def obeyed(text: str) -> list[str]:
    """The characters in a line that a terminal does not show."""
    return sorted({f"U+{ord(letter):04X}" for letter in text if unicodedata.category(letter) in ("Cc", "Zl", "Zp")})


def tree(folder: Path) -> Mapping[str, str]:
    """By name, what each file below a folder is and holds; nothing is followed, and no pipe is opened."""
    found = {}
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(place) / name
            mode = path.lstat().st_mode
            what = str(path.readlink()) if stat.S_ISLNK(mode) else ""
            if stat.S_ISREG(mode):
                what = _content(path)
            found[str(path.relative_to(folder))] = f"{stat.S_IFMT(mode):o} {what}"
    return found


def _content(path: Path) -> str:
    """The hash of a file; of a giant, its length: it has holes only."""
    if path.stat().st_size > 2**28:
        return str(path.stat().st_size)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_unchanged(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Raise `Wrong` if a file that was there is gone or another."""
    changed = sorted(name for name, what in before.items() if after.get(name) != what)
    check(not changed, "changed", f"changed or gone: {changed[:5]!r}")


def ended(run: Callable[[], int]) -> int:
    """The exit code of a front end, also where it leaves by itself."""
    try:
        return run()
    except SystemExit as left:
        code = left.code
        check(isinstance(code, int), "traceback", f"leaves with {code!r}")
        assert isinstance(code, int)
        return code
