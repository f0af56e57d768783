"""The photos and results that are there for now: each in a folder of its own, and gone after a while."""

from __future__ import annotations

import secrets
import shutil
import time
import unicodedata
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from kohl.align import imageio
from kohl.types import Row
from kohl.ui.desk import Work
from kohl.ui.pictures import Seen
from kohl.ui.refusals import Refused

MOST, MOST_BYTES = 400, 2**31  # photos and results that are kept at once
KEEP_S = 1800.0  # since anybody asked for it
LONGEST_NAME = 100  # letters


@dataclass(frozen=True, eq=False)
class Protected:
    """A result, and what became of it."""

    row: Row
    path: Path
    faces: list[bytes]  # JPEGs


@dataclass(eq=False)
class Kept:
    """A photo; with `work`, one that is being protected, or was."""

    id: str
    name: str  # as its owner calls it
    folder: Path
    path: Path
    size: int = 0  # bytes, on the disk and in memory
    seen: Seen | None = None
    work: Work | None = None
    used: float = field(default_factory=time.monotonic)

    @property
    def result_name(self) -> str:
        """What its owner will call the result."""
        return f"{Path(self.name).stem}_kohl{self.result.path.suffix}"

    @property
    def result(self) -> Protected:
        """The result; raises `Refused` where there is none."""
        if self.work and self.work.refused:
            raise self.work.refused
        if self.work is None or not isinstance(self.work.result, Protected):
            raise Refused(HTTPStatus.CONFLICT, "this photo is not done")
        return self.work.result


class Tray:
    """What is kept, by names that nobody can guess."""

    def __init__(self, folder: Path, *, most: int = MOST, most_bytes: int = MOST_BYTES, keep_s: float = KEEP_S) -> None:
        self.folder, self.most, self.most_bytes, self.keep_s = folder, most, most_bytes, keep_s
        self._kept: dict[str, Kept] = {}

    def place(self, name: str | None) -> Kept:
        """A place for a photo, which is not there yet; raises `Refused` where there is no room."""
        if len(self._kept) >= self.most or sum(kept.size for kept in self._kept.values()) >= self.most_bytes:
            said = "too many photos are kept already; take some away, or try again in a while"
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, said)
        number = secrets.token_urlsafe(16)
        folder = self.folder / number
        folder.mkdir(mode=0o700)
        told = plain_name(name)
        kept = Kept(number, told, folder, folder / f"photo{_suffix(told)}")
        self._kept[number] = kept
        return kept

    def find(self, number: str) -> Kept:
        """What has that name; raises `Refused` where nothing has, or no more."""
        kept = self._kept.get(number)
        if kept is None:
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such photo, or it is gone by now; choose it again")
        kept.used = time.monotonic()
        return kept

    def forget(self, kept: Kept) -> None:
        """Nobody finds it any more; its files are still there."""
        self._kept.pop(kept.id, None)

    def all(self) -> list[Kept]:
        """Everything that is here."""
        return [*self._kept.values()]

    def old(self) -> list[Kept]:
        """What nobody has asked for in a while, and is not being worked on."""
        before = time.monotonic() - self.keep_s
        return [kept for kept in self._kept.values() if kept.used < before and (kept.work is None or kept.work.over)]


def fill(kept: Kept, file: BinaryIO) -> None:
    """Writes the photo to its place."""
    with kept.path.open("xb") as output:
        shutil.copyfileobj(file, output, 2**20)
        kept.size = output.tell()


def remove(kept: Kept) -> None:
    """Its files are gone."""
    shutil.rmtree(kept.folder, ignore_errors=True)


def plain_name(name: str | None) -> str:
    """A file's name as somebody sent it: no folders, nothing that is not seen, not too long."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    seen = "".join(letter for letter in last if unicodedata.category(letter)[0] not in "CZ" or letter == " ").strip(
        " ."
    )
    stem, dot, suffix = seen.rpartition(".")
    cut = f"{stem[:LONGEST_NAME]}{dot}{suffix[:8]}" if stem else suffix[:LONGEST_NAME]
    return cut or "photo"


def _suffix(name: str) -> str:
    """The suffix that says in which format the result is written; none where the photo's own is to say it."""
    named = Path(name).suffix.lower()
    return named if named in (*imageio.SUFFIXES, *imageio.NEVER_WRITTEN) else ""
