"""What a worker does: it loads models of its own, and then protects one photo after the other.

It hears what to do over a line and says over the same line what became of it, whether it is a process of this machine
or of another one. Before a result gets its name the worker says so, and waits until its run has noted it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

import cv2
import torch

from kohl import batch, choice, elsewhere, journal
from kohl.errors import BadPhoto, KohlError
from kohl.job import Task
from kohl.journal import Sealed
from kohl.recipe import Recipe
from kohl.types import Row, Step
from kohl.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kohl.pipeline import House

SAID_EVERY_S = 0.5  # how often a worker says how far it is
GO = "go"  # what a worker hears when its result may have its name


class Told(NamedTuple):
    """What the words of the recipe were taken for, by the first worker that has loaded its models."""

    look: Mapping[str, str]
    notes: Sequence[str]


class Ended(NamedTuple):
    """What became of a task: its row; and the result, if the run is to write it."""

    row: Row
    content: bytes | None = None


Said: TypeAlias = Told | float | Sealed | Ended | KohlError  # a number is how much of the photo is done


@dataclass(frozen=True)
class Setup:
    """What a worker starts with; it is sent to a new process, so functions in it are those of modules."""

    recipe: Recipe
    load: Callable[[Recipe], House]
    protect: batch.Protect
    decoy: int | None = None
    known: tuple[Path, ...] = ()  # photos of the faces that are asked for, or left as they are
    others: int = 0  # workers beside this one, whose memory is not to be taken
    cores: int | None = None  # of the processor, that are a worker's; None: all
    away: bool = False  # whether photos or results are anywhere but on a disk of the worker's
    lent: Mapping[Path, bytes] = field(default_factory=dict)  # files that it does not have
    version: str = __version__


class Line(Protocol):
    """The worker's end of its line to the run."""

    def send(self, said: Said, /) -> None:
        """Tells the run."""

    def recv(self) -> Any:
        """What the run says next, a task or `GO`; raises `EOFError` when there is no run any more."""


@dataclass(frozen=True)
class Bench:
    """A worker's models, and what it has at hand."""

    setup: Setup
    house: House
    folder: Path | None  # for what is not here: private, and gone with the worker
    lent: Mapping[Path, Path]  # where it has what was lent to it

    def done(self, task: Task, seal: Callable[[Sealed], None], watch: Callable[[Step], None]) -> Ended:
        """What becomes of a task; `seal` is told before there is a result."""
        protect = self.setup.protect
        if task.is_here():

            def noted(row: Row, file: Path) -> None:
                seal(journal.sealed(row, file))

            return Ended(batch.attempt(task.job, self.house, watch=watch, protect=protect, seal=noted))
        assert self.folder is not None  # `away` says so
        try:
            with elsewhere.brought(task, self.folder, self.lent) as (job, names):
                row = elsewhere.as_asked(batch.attempt(job, self.house, watch=watch, protect=protect), task, names)
                if row.output is None:
                    return Ended(row)
                seal(journal.sealed(row, job.output))
                return Ended(row, elsewhere.given_back(task, job.output))
        except (BadPhoto, OSError) as error:  # it could not be brought, or not be taken back
            return Ended(elsewhere.as_asked(batch.refused(task.job, self.setup.recipe, error), task))


def ready(setup: Setup, folder: Path | None, told: Callable[[Told], None]) -> Bench:
    """A bench with everything loaded; what is not here comes into the folder."""
    lent = elsewhere.unpacked(setup.lent, folder) if folder else {}
    house = setup.load(setup.recipe)
    if setup.decoy is not None:
        house.decoys[setup.decoy]  # one that does not exist is found out now, not photo by photo
    with elsewhere.named(lent):
        choice.known_faces([lent.get(path, path) for path in setup.known], house)
    told(Told(house.look, house.notes))
    return Bench(setup, replace(house, room=house.room * (1 + setup.others)), folder, lent)


def work(line: Line, setup: Setup, folder: Path | None) -> None:
    """What a worker does, until nobody is there any more who would give it work."""

    def seal(sealed: Sealed) -> None:
        line.send(sealed)
        line.recv()  # `GO`

    if setup.cores is not None:
        _take(setup.cores)
    try:
        try:
            bench = ready(setup, folder, line.send)
            while True:
                line.send(bench.done(line.recv(), seal, _teller(line)))
        except KohlError as error:
            line.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _take(cores: int) -> None:
    """From now on this process takes so many cores, and leaves the others to other workers."""
    cv2.setNumThreads(cores)
    torch.set_num_threads(min(torch.get_num_threads(), cores))
    with suppress(RuntimeError):  # torch has begun: then it is as it was
        torch.set_num_interop_threads(cores)


def sooner(watch: Callable[[float], None]) -> Callable[[Step], None]:
    """A watch that hears how much of a photo is done; its later faces do not go back."""
    far = 0.0

    def tell(step: Step) -> None:
        nonlocal far
        far = max(far, (step.index + 1) / max(step.total, 1))
        watch(far)

    return tell


def _teller(line: Line) -> Callable[[Step], None]:
    """The same, which says it to the run, now and then."""
    said = time.monotonic()

    def tell(part: float) -> None:
        nonlocal said
        if time.monotonic() - said >= SAID_EVERY_S:
            said = time.monotonic()
            line.send(part)

    return sooner(tell)
