"""Several workers, one run: each has a photo at a time and models of its own; one that dies over a photo is replaced.

Where they work is a `Site`: processes of this machine, or a Ray cluster. The run alone keeps the journal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from kohl import batch, private
from kohl.errors import Broken, KohlError
from kohl.job import Job, Task
from kohl.journal import Sealed
from kohl.types import Row
from kohl.work import GO, Bench, Ended, Said, Setup, Told, ready, sooner

TRIES = 2  # of a photo that kills its worker
STARTS = 3  # of a worker that dies before its first photo
LATE_S = 60.0  # until it is said that no worker has started yet
GRACE_S = 10.0  # for a worker that is asked to end
IDLE_S = 0.3  # between looks at whether there is more to do
ENDED = Task(Job(Path(), Path()), Path(), Path())  # there are no more


class Hand(Protocol):
    """A worker, as its run has it: somebody at the other end of a line."""

    def send(self, said: Task | str) -> None:
        """Tells it what to do; raises an `OSError` where it is known to be gone."""

    def said(self) -> Said:
        """What it said; raises `EOFError` or an `OSError` of one that is no more."""

    def fate(self) -> str:
        """How it ended, in a few words."""

    def dismiss(self, *, quickly: bool) -> None:
        """Asks it to end: now, or when its photo is done."""

    def gone(self, wait_s: float) -> None:
        """It is, after that time at the latest."""


class Site(Protocol):
    """Where workers work."""

    has_disk: bool  # whether they have the disks of this machine; otherwise photos are sent to them

    def cores(self, count: int) -> int:
        """How many of its processor's cores each of so many workers has."""

    def hire(self, setup: Setup) -> Hand:
        """A new worker, which begins to load its models."""

    def talking(self, hands: Sequence[Hand], timeout_s: float) -> Sequence[Hand]:
        """Those that have something to say, or are no more."""


class Ledger(Protocol):
    """What the run keeps of its tasks."""

    def packed(self, task: Task) -> Task:
        """With the photo, for a worker without this disk; raises `BadPhoto` or an `OSError` where it cannot be read."""

    def seal(self, task: Task, sealed: Sealed) -> None:
        """Notes what is about to be a result; it is on the disk when this returns. Raises `Broken`."""

    def over(self, task: Task, ended: Ended) -> Row:
        """Writes the result, if that is left to the run, and notes a row without one. Raises `Broken`."""

    def ended(self, task: Task) -> Row | None:
        """The row of a task whose worker died when the result had its name."""


class Outcome(NamedTuple):
    """What became of a photo, in this run or `before`."""

    row: Row
    before: bool = False


@dataclass(eq=False)
class _Worker:
    """A worker, what it is at, and how far it is."""

    hand: Hand
    task: Task | None = None
    ready: bool = False
    part: float = 0.0


class Crew:
    """So many workers; inside its block it works off tasks, and at its end all of them are gone."""

    def __init__(self, count: int, setup: Setup, site: Site, ledger: Ledger) -> None:
        self._count, self._site, self._ledger = count, site, ledger
        self._setup = replace(setup, others=count - 1, cores=site.cores(count))
        self._workers, self._waiting, self._tried = list[_Worker](), list[Task](), dict[Task, int]()
        self._failures = 0

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.hand.dismiss(quickly=error[0] is not None)
        until = time.monotonic() + GRACE_S
        for worker in self._workers:
            worker.hand.gone(max(0.0, until - time.monotonic()))

    def work(
        self,
        tasks: Iterator[Task | Outcome | None],
        told: Callable[[Told], None],
        watch: Callable[[float], None],
        note: Callable[[str], None],
    ) -> Iterator[Outcome]:
        """Each task's outcome, in the order in which they are done, and those that are known already.

        A task of None says that there is none for now. `watch` hears how much of the photos at work is done, and `note`
        what people should know. Raises what a worker cannot work with.
        """
        more, late = True, time.monotonic() + LATE_S
        while True:
            idle = False
            while more and not idle and self._has_room():
                found = next(tasks, ENDED)
                if found is ENDED:
                    more = False
                elif found is None:
                    idle = True
                elif isinstance(found, Outcome):
                    yield found
                else:
                    self._waiting.append(found)
            yield from self._hand_out()
            if not self._waiting and not self._busy() and not more:
                return
            if more and not idle and self._has_room():  # what was handed out came to nothing
                continue
            for worker in self._talking(IDLE_S if idle else LATE_S):
                said = self._said(worker)
                if isinstance(said, Told):
                    told(said)
                elif isinstance(said, float):
                    watch(sum(each.part for each in self._workers))
                elif isinstance(said, Outcome):
                    yield said
            if any(worker.ready for worker in self._workers) or not self._workers:
                late = time.monotonic() + LATE_S
            elif time.monotonic() >= late:
                late = float("inf")
                note("no worker has started yet: the models are still loading, or there is no room for one")

    def _has_room(self) -> bool:
        """Whether one more task can be taken on."""
        return len(self._waiting) < self._count - len(self._busy())

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.task is not None]

    def _hand_out(self) -> Iterator[Outcome]:
        """Gives what waits to workers that are ready, one each, and hires as many as are missing for the rest."""
        while len(self._workers) < min(self._count, len(self._waiting) + len(self._busy())):
            self._workers.append(_Worker(self._site.hire(self._setup)))
        for worker in self._workers:
            while worker.ready and worker.task is None and self._waiting:
                task = self._waiting.pop(0)
                try:
                    packed = self._ledger.packed(task)
                except (KohlError, OSError) as error:
                    yield Outcome(self._ledger.over(task, self._refused(task, error)))
                    continue
                worker.task, worker.part = task, 0.0
                with suppress(OSError):  # it died: that is heard soon
                    worker.hand.send(packed)

    def _talking(self, timeout_s: float) -> list[_Worker]:
        """The workers that have something to say."""
        if not (by_hand := {id(worker.hand): worker for worker in self._workers}):
            time.sleep(IDLE_S)
            return []
        hands = [worker.hand for worker in self._workers]
        return [by_hand[id(hand)] for hand in self._site.talking(hands, timeout_s)]

    def _said(self, worker: _Worker) -> Told | float | Outcome | None:
        """What a worker says, and what follows; None where that is for nobody else."""
        try:
            said = worker.hand.said()
        except (EOFError, OSError):
            return self._lost(worker)
        if isinstance(said, KohlError):
            raise said
        if isinstance(said, Told):
            worker.ready, self._failures = True, 0
            return said
        if isinstance(said, float):
            worker.part = said
            return said
        assert worker.task is not None
        if isinstance(said, Sealed):
            self._ledger.seal(worker.task, said)
            with suppress(OSError):  # it died: that is heard soon
                worker.hand.send(GO)
            return None
        task, worker.task, worker.part = worker.task, None, 0.0
        return Outcome(self._ledger.over(task, said))

    def _lost(self, worker: _Worker) -> Outcome | None:
        """The outcome of the task of a worker that is no more, unless it is tried again."""
        self._workers.remove(worker)
        worker.hand.gone(GRACE_S)
        if not worker.ready:
            self._failures += 1
            if self._failures >= STARTS:
                raise Broken(f"workers do not start ({worker.hand.fate()}); try fewer of them with --workers")
        task = worker.task
        if task is None:
            return None
        if (row := self._ledger.ended(task)) is not None:  # it died too late to lose anything
            return Outcome(row)
        self._tried[task] = self._tried.get(task, 0) + 1
        if self._tried[task] < TRIES:
            self._waiting.insert(0, task)
            return None
        how = f"{TRIES} workers died over it ({worker.hand.fate()}), perhaps for want of memory; try --workers 1"
        return Outcome(self._ledger.over(task, self._refused(task, KohlError(how))))

    def _refused(self, task: Task, error: Exception) -> Ended:
        return Ended(batch.refused(task.job, self._setup.recipe, error))


def alone(
    tasks: Iterator[Task | Outcome | None],
    setup: Setup,
    ledger: Ledger,
    told: Callable[[Told], None],
    watch: Callable[[float], None],
) -> Iterator[Outcome]:
    """The same in this process, whose models are loaded when there is something to do."""
    bench: Bench | None = None
    with private.folder(private.in_memory()) if setup.away else nullcontext() as folder:
        for task in tasks:
            if isinstance(task, Outcome):
                yield task
            elif task is not None:
                bench = bench or ready(setup, folder, told)
                yield Outcome(ledger.over(task, bench.done(task, partial(ledger.seal, task), sooner(watch))))
