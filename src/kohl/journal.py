"""What has been done of an album: one JSON object a line, added to and never changed, on the disk before the result is.

A line stands for a file only as long as that file is at its place and has the line's hash; in a store, its size, since
to hash it would be to fetch it. So whatever ends a run, at any moment, what the journal says is done is done and whole,
and all else is done again. Paths are relative to the journal. One process writes it: the run, whoever does the work.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from kohl import recipe as recipes
from kohl import stores
from kohl.errors import BadPhoto, BadSetting, Broken
from kohl.job import Job
from kohl.reader import LARGEST
from kohl.recipe import Recipe
from kohl.score.record import record, row_of
from kohl.status import Status
from kohl.stores import Url, Where
from kohl.types import Row
from kohl.zoo import cards

try:
    import fcntl
except ImportError:  # no POSIX system: nobody is kept from writing at the same time
    fcntl = None  # type: ignore[assignment]

VERSION = 1
BEGINNING = b'{"journal": '  # of every line
LONGEST = 2**22  # bytes of a line; a photo of a hundred faces has a tenth of that
CHUNK = 2**20
KEPT = (Status.PROTECTED, Status.NOT_PROTECTED, Status.NO_FACE)  # what the same work would only give again
ALWAYS = ("yunet", "landmarks68", "decoys")  # models that every run uses
ODD = (ValueError, TypeError, KeyError, AttributeError, OverflowError)  # what lines raise that say something else
PATIENCE_S, PAUSE_S = 10.0, 0.2  # for a run that is just ending


class Proof(NamedTuple):
    """What a result is known by."""

    sha256: str
    size: int


class Sealed(NamedTuple):
    """What is about to be a result."""

    row: Row
    proof: Proof


class Entry(NamedTuple):
    """The last that was said of a place for a result, without its row, which begins at `start` in the file."""

    key: str
    proof: Proof | None
    status: str
    start: int


class Journal:
    """A journal that is open for one run; `BadSetting` if another run has it, or it is none."""

    def __init__(self, path: Path, patience_s: float = PATIENCE_S) -> None:
        self.path, self._known, self._made, self._end = path, dict[str, Entry](), dict[str, frozenset[str]](), 0
        self._sizes = dict[Url, dict[str, int]]()  # of the results in one folder of a store
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise BadSetting(f"{path}: this journal cannot be written ({error.strerror}); name another one") from None
        if not _locked(self._number, patience_s):
            os.close(self._number)
            raise BadSetting(f"{path}: another run is writing this journal; wait for its end, or name another one")
        if not _is_journal(path):
            os.close(self._number)
            raise BadSetting(f"{path}: is another file than a journal, and was left as it is; name another one")
        self._read_on()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._number)

    def done(self, key: str, output: Where, *, fresh: bool = False) -> Row | None:
        """The row of a result that was made of the same by the same means, and is still there as it was made.

        What a store's folder holds is asked once for all results in it that follow; with `fresh`, again.
        """
        if fresh:
            self._sizes.clear()
        entry = self._known.get(_relative(output, self.path))
        if entry is None or entry.key != key or entry.status not in KEPT:
            return None
        if entry.proof is not None and not self._stands(output, entry.proof):
            return None
        return next((row for _, row in rows(self.path, entry.start, most=1)), None)

    def owns(self, output: Where) -> bool:
        """Whether the file at `output` was once made here and nobody has changed it since: it may be replaced."""
        made = self._made.get(_relative(output, self.path), frozenset())
        try:
            return bool(made) and sha256(output) in made
        except (OSError, BadPhoto):
            return False

    def add(self, key: str, output: Where, row: Row, made: Proof | None) -> None:
        """A line about `row`, whose result is what is about to be at `output`; `Broken` if it cannot be written.

        It is on the disk when this returns.
        """
        said = {
            "journal": VERSION,
            "key": key,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "output": _relative(output, self.path),
            **({"sha256": None} if made is None else made._asdict()),
            "row": record(
                replace(
                    row,
                    photo=_relative(row.photo, self.path),
                    output=None if row.output is None else _relative(output, self.path),
                )
            ),
        }
        try:
            _append(self._number, json.dumps(said, allow_nan=False).encode() + b"\n")
        except OSError as error:
            said_ = f"{self.path}: the journal cannot be written ({error.strerror})"
            raise Broken(f"{said_}; make room, and run the same command again") from None
        self._read_on()

    def _stands(self, output: Where, made: Proof) -> bool:
        """Whether what was written there is there."""
        try:
            if isinstance(output, Path):
                return sha256(output) == made.sha256
            if output.parent not in self._sizes:
                self._sizes = {output.parent: stores.sizes(output.parent)}  # as long as results of one folder follow
            return self._sizes[output.parent].get(output.name) == made.size
        except (OSError, BadPhoto):
            return False

    def _read_on(self) -> None:
        """Takes in the lines that are new."""
        for start, entry in entries(self.path, self._end):
            with suppress(*ODD):
                output, hash_ = text(entry, "output"), maybe(entry, "sha256")
                made = None if hash_ is None else Proof(hash_, int(entry.get("size", -1)))
                self._known[output] = Entry(text(entry, "key"), made, str(Status(entry["row"]["status"])), start)
                if made is not None:
                    self._made[output] = self._made.get(output, frozenset()) | {made.sha256}
            self._end = start


def _is_journal(path: Path) -> bool:
    """Whether the file is empty, has a part of a first line, or a line of a journal anywhere."""
    with path.open("rb") as file:
        begun = file.readline(len(BEGINNING)).rstrip(b"\n")
    return BEGINNING.startswith(begun) or any(True for _ in entries(path, 0))


def key(job: Job, recipe: Recipe, weights: str, photo: Where | None = None) -> str:
    """What decides what the result will be: the photo's content, recipe, weights, seed and all else that is asked.

    Of a `photo` in a store its content is what the store marks it with: to fetch it is the worker's work.
    """
    asked = {
        "photo": _content(job.photo if photo is None else photo),
        "recipe": asdict(recipe),
        "weights": weights,
        "seed": job.seed,
        "faces": job.faces,
        "references": [sha256(path) for path in job.references],
        "only": [sha256(path) for path in job.only],
        "spared": [sha256(path) for path in job.spared],
        "decoy": job.decoy,
        "keep": sorted(job.keep),
        "format": job.output.suffix.lower(),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def weights(recipe: Recipe) -> str:
    """The hashes of all models that the recipe uses, as one."""
    named = (*ALWAYS, *recipes.names(recipe, words=bool(recipe.text.strip())))
    found = {name: cards.sha256(cards.find(name)) for name in named}
    for name in (recipe.models.generator, recipe.models.encoder, *recipe.models.judging):
        kind, _, path = name.partition(":")
        if path and kind != "aligned" and Path(path).is_file():
            found[name] = sha256(Path(path))
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def sealed(row: Row, file: Path) -> Sealed:
    """That the file is about to be the result that the row is about."""
    return Sealed(row, Proof(sha256(file), file.stat().st_size))


def _content(photo: Where) -> str:
    if isinstance(photo, Url) and (mark := stores.marked(photo).mark):
        return mark
    return sha256(photo)


def sha256(path: Where) -> str:
    """Of what is in the file."""
    if isinstance(path, Url):
        return stores.sha256(path, LARGEST)
    state = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(CHUNK):
            state.update(part)
    return state.hexdigest()


def entries(path: Path, start: int = 0) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each whole line that says anything, with where it begins; a line that a kill has torn is passed over."""
    with path.open("rb") as file:
        file.seek(start)
        while line := file.readline(LONGEST):
            begun, start = start, start + len(line)
            with suppress(ValueError, RecursionError):
                said = json.loads(line)
                if isinstance(said, dict) and said.get("journal") == VERSION and isinstance(said.get("row"), dict):
                    yield begun, said


def rows(path: Path, start: int = 0, most: int | None = None) -> Iterator[tuple[str, Row]]:
    """Each row, with the place of its result as the journal has it, and with paths as they are from here."""
    count = 0
    for _, said in entries(path, start):
        with suppress(*ODD):
            row = row_of(said["row"])
            output = None if row.output is None else _absolute(row.output, path)
            yield text(said, "output"), replace(row, photo=_absolute(row.photo, path), output=output)
            count += 1
        if most is not None and count >= most:
            return


def text(said: Mapping[str, Any], name: str) -> str:
    """A text of a line; raises `ValueError` where there is none."""
    if not isinstance(said.get(name), str):
        raise ValueError(f"{name}: must be a text")
    return str(said[name])


def maybe(said: Mapping[str, Any], name: str) -> str | None:
    """A text of a line, or None."""
    return None if said.get(name) is None else text(said, name)


def _append(number: int, line: bytes) -> None:
    """The line, whole, behind a whole line; processes that add at the same time do so one after the other."""
    end = os.lseek(number, 0, os.SEEK_END)
    if end and os.pread(number, 1, end - 1) != b"\n":  # torn by a kill or a full disk
        line = b"\n" + line
    while line:
        line = line[os.write(number, line) :]
    os.fsync(number)


def _locked(number: int, patience_s: float) -> bool:
    """Whether the journal is this run's now; it is until its process ends, however that ends."""
    if fcntl is None:
        return True
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(PAUSE_S)
        except OSError:  # a folder that knows no locks
            return True
        else:
            return True


def _relative(path: Where | str, journal: Path) -> str:
    text = str(path)  # of a path here, it never has the two slashes of a store
    return text if stores.is_url(text) else os.path.relpath(os.path.abspath(text), journal.absolute().parent)  # noqa: PTH100


def _absolute(path: str, journal: Path) -> str:
    return path if stores.is_url(path) else os.path.normpath(journal.parent / path)
