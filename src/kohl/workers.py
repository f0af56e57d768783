"""Photos in several processes, each with models of its own; who dies over a photo is replaced, and it is tried again.

Nothing is shared but the journal, to which each adds its own lines. A worker whose run has died ends after its photo.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kohl import batch, choice
from kohl.errors import Broken, KohlError
from kohl.job import Job
from kohl.journal import Pen
from kohl.recipe import Recipe
from kohl.types import Row, Step

if TYPE_CHECKING:
    from kohl.pipeline import House

TRIES = 2  # of a photo that kills its worker
STARTS = 3  # of a worker that dies before its first photo
SAID_EVERY_S = 0.5  # how often a worker says how far it is
GRACE_S = 10.0  # for a worker that is asked to end
IDLE_S = 0.3  # between looks at whether there is more to do


class Task(NamedTuple):
    """A photo to protect; the key is what its line in the journal is found by."""

    job: Job
    key: str


ENDED = Task(Job(Path(), Path()), "")  # there are no more


@dataclass(frozen=True)
class Setup:
    """What a worker starts with; it is sent to a new process, so functions in it are those of modules."""

    recipe: Recipe
    load: Callable[[Recipe], House]
    protect: batch.Protect
    decoy: int | None
    pen: Pen | None
    known: tuple[Path, ...]  # photos of the faces that are asked for, or left as they are
    others: int  # workers beside this one, whose memory is not to be taken


@dataclass(eq=False)
class _Worker:
    """A process, what it is at, and how far it is."""

    process: BaseProcess
    line: Connection
    task: Task | None = None
    ready: bool = False
    part: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of a photo, in this run or `before`."""

    row: Row
    before: bool = False


class Told(NamedTuple):
    """What the words of the recipe were taken for, by the first worker that has loaded its models."""

    look: Mapping[str, str]
    notes: Sequence[str]


class Crew:
    """So many workers; inside its block it works off tasks, and at its end all of them are gone."""

    def __init__(self, count: int, setup: Setup) -> None:
        self._count, self._setup, self._workers = count, replace(setup, others=count - 1), list[_Worker]()
        self._failures = 0
        self._context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        self._end(quickly=error[0] is not None)

    def work(
        self,
        tasks: Iterator[Task | Outcome | None],
        told: Callable[[Told], None],
        watch: Callable[[float], None],
        ended: Callable[[Task], Row | None] = lambda _: None,
    ) -> Iterator[Outcome]:
        """Each task's outcome, in the order in which they are done, and those that are known already.

        A task of None says that there is none for now. `watch` hears how much of the photos at work is done; `ended`
        knows whether a worker that died had ended its task. Raises what a worker cannot work with.
        """
        again, tried, more = list[Task](), dict[Task, int](), True
        while True:
            idle = False
            while (more or again) and self._has_room() and not idle:
                found = again.pop(0) if again else next(tasks, ENDED)
                if found is ENDED:
                    more = False
                elif found is None:
                    idle = True
                elif isinstance(found, Outcome):
                    yield found
                else:
                    self._hand_out(found)
            busy = any(worker.task for worker in self._workers)
            if not more and not again and not busy:
                return
            for worker in self._heard(IDLE_S if idle else None):
                task = worker.task
                said = self._said(worker)
                if isinstance(said, Told):
                    told(said)
                elif isinstance(said, float):
                    watch(sum(each.part for each in self._workers))
                elif isinstance(said, Row) and task is not None:
                    yield Outcome(said)
                elif task is not None and (row := ended(task)) is not None:  # it died, too late to lose anything
                    yield Outcome(row)
                elif task is not None:
                    tried[task] = tried.get(task, 0) + 1
                    if tried[task] < TRIES:
                        again.append(task)
                    else:
                        yield Outcome(_killed(task, self._setup.recipe, worker.process.exitcode))

    def _has_room(self) -> bool:
        """Whether one more task can be taken on."""
        return len(self._workers) < self._count or not all(worker.task for worker in self._workers)

    def _hand_out(self, task: Task) -> None:
        """Gives the task to a worker without one, which may be a new one, and may still be loading."""
        worker = next((worker for worker in self._workers if worker.task is None), None)
        if worker is None:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(target=work, args=(theirs, self._setup), daemon=True)
            process.start()
            theirs.close()
            worker = _Worker(process, ours)
            self._workers.append(worker)
        worker.task, worker.part = task, 0.0
        with suppress(OSError):  # it died: that is heard soon
            worker.line.send(task)

    def _heard(self, timeout_s: float | None) -> list[_Worker]:
        """The workers that have something to say."""
        if not (by_line := {worker.line: worker for worker in self._workers}):
            time.sleep(IDLE_S)
            return []
        return [by_line[line] for line in wait(list(by_line), timeout_s) if isinstance(line, Connection)]

    def _said(self, worker: _Worker) -> Told | float | Row | None:
        """What a worker says, or None of one that is no more."""
        try:
            kind, said = worker.line.recv()
        except (EOFError, OSError):
            self._workers.remove(worker)
            worker.process.join()
            if not worker.ready:
                self._failures += 1
                if self._failures >= STARTS:
                    how = f"exit code {worker.process.exitcode}"
                    raise Broken(f"workers do not start ({how}); try fewer of them with --workers") from None
            return None
        if kind == "error":
            raise said
        if kind == "told":
            worker.ready, self._failures = True, 0
        elif kind == "step":
            worker.part = said
        elif kind == "row":
            worker.task, worker.part = None, 0.0
        return said  # type: ignore[no-any-return]

    def _end(self, *, quickly: bool) -> None:
        for worker in self._workers:
            worker.line.close()  # one that waits for work ends
            if quickly:
                worker.process.terminate()
        until = time.monotonic() + GRACE_S
        for worker in self._workers:
            worker.process.join(max(0.0, until - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()


def alone(
    tasks: Iterator[Task | Outcome | None],
    setup: Setup,
    told: Callable[[Told], None],
    watch: Callable[[float], None],
) -> Iterator[Outcome]:
    """The same in this process, whose models are loaded when there is something to do."""
    house: House | None = None
    for task in tasks:
        if isinstance(task, Outcome):
            yield task
        elif task is not None:
            house = house or _loaded(setup, told)
            yield Outcome(done(task, house, setup, _sooner(watch)))


def _loaded(setup: Setup, told: Callable[[Told], None]) -> House:
    house = setup.load(setup.recipe)
    if setup.decoy is not None:
        house.decoys[setup.decoy]  # one that does not exist is found out now, not photo by photo
    choice.known_faces(setup.known, house)
    told(Told(house.look, house.notes))
    return house


def work(line: Connection, setup: Setup) -> None:
    """What a worker does, until nobody is there any more who would give it work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all processes; the run decides
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # noqa: ARG005  leftovers go
    try:
        try:
            house = _loaded(setup, lambda told: line.send(("told", told)))
        except KohlError as error:
            line.send(("error", error))
            return
        house = replace(house, room=house.room * (1 + setup.others))
        while True:
            task: Task = line.recv()
            try:
                row = done(task, house, setup, _teller(line))
            except Broken as error:
                line.send(("error", error))
                return
            line.send(("row", row))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def done(task: Task, house: House, setup: Setup, watch: Callable[[Step], None]) -> Row:
    """The row of a task, which is in the journal before the result is at its place."""
    pen, key, output = setup.pen, task.key, task.job.output
    if pen is None:
        return batch.attempt(task.job, house, watch=watch, protect=setup.protect)

    def seal(row: Row, file: Path) -> None:
        pen.add(key, output, row, file)

    row = batch.attempt(task.job, house, watch=watch, protect=setup.protect, seal=seal)
    if row.output is None:
        pen.add(key, output, row, None)
    return row


def _sooner(watch: Callable[[float], None]) -> Callable[[Step], None]:
    """A watch that hears how much of a photo is done; its later faces do not go back."""
    far = 0.0

    def tell(step: Step) -> None:
        nonlocal far
        far = max(far, (step.index + 1) / max(step.total, 1))
        watch(far)

    return tell


def _teller(line: Connection) -> Callable[[Step], None]:
    """The same, which says it to the run, now and then."""
    said = time.monotonic()

    def tell(part: float) -> None:
        nonlocal said
        if time.monotonic() - said >= SAID_EVERY_S:
            said = time.monotonic()
            line.send(("step", part))

    return _sooner(tell)


def _killed(task: Task, recipe: Recipe, code: int | None) -> Row:
    """The row of a photo over which one worker after the other died."""
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    why = f"{TRIES} workers died over it ({how}), perhaps for want of memory; try --workers 1"
    return batch.refused(task.job, recipe, KohlError(why))
