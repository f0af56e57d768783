"""The run: which door is tried when, workers that are started, watched and ended, the table and the finds."""

from __future__ import annotations

import multiprocessing
import os
import shlex
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from random import Random

from fuzz.door import Door
from fuzz.worker import LONGEST_S, Find, Watched, as_bytes, work

FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "fuzz"
TURN_S, MOST_IN_TURN = 1.0, 1000  # of a door
GRACE_S = 5  # beyond an input's time, for its worker to say so itself
KINDS = ("traceback", "hang", "crash", "changed", "sentence", "contract")
SHOWN, KEPT = 40, 3  # different finds that are printed; inputs of each that are written


@dataclass
class Tally:
    """What became of the inputs of one door."""

    next: int = 0  # index of the first input that nobody has begun
    left: list[tuple[int, int]] = field(default_factory=list)  # first and count, where a worker died before
    tried: int = 0
    accepted: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)

    def open(self, most: int | None) -> bool:
        """Whether there are inputs to try, of at most so many."""
        return bool(self.left) or most is None or self.next < most

    def turn(self, most: int | None) -> tuple[int, int]:
        """The first input of a turn, and how many there are, by how long they took so far."""
        if self.left:
            return self.left.pop()
        usual = 10 if not self.tried else int(TURN_S * self.tried / max(self.seconds, 1e-3))
        count = max(1, min(usual, MOST_IN_TURN, usual if most is None else most - self.next))
        self.next += count
        return self.next - count, count


class Worker:
    """A process, and the turn that it is at."""

    def __init__(self, run: Run, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.number, self.watched, self.log = number, Watched(context), run.folder / f"worker-{number}.log"
        self.pipe, theirs = context.Pipe()
        given = theirs, self.watched, run.table, run.seed, run.longest_s, str(self.log)
        self.process = context.Process(target=work, args=given, daemon=True)
        self.process.start()
        theirs.close()
        self.door: Door | None = None
        self.started, self.before, self.after = 0.0, (0, 0), 0  # after: index of the first input of the next turn

    def give(self, door: Door, first: int, count: int) -> None:
        """Let it try these inputs of a door."""
        self.door, self.started, self.after = door, time.monotonic(), first + count
        self.before = self.watched.tried.value, self.watched.accepted.value
        self.pipe.send((door.name, first, count))

    def account(self, tally: Tally) -> None:
        """Add to the tally what it did in its turn, which is over."""
        tally.tried += self.watched.tried.value - self.before[0]
        tally.accepted += self.watched.accepted.value - self.before[1]
        tally.seconds += time.monotonic() - self.started
        self.door = None

    def stuck(self, longest_s: float) -> bool:
        """Whether it does not come back from an input."""
        return self.watched.index.value >= 0 and time.monotonic() - self.watched.since.value > longest_s + GRACE_S

    def end(self) -> str:
        """Kill it; where it was."""
        with self.log.open("rb") as log:
            if self.process.is_alive() and self.process.pid:
                log.seek(0, os.SEEK_END)
                os.kill(self.process.pid, signal.SIGUSR1)  # it writes where it is
                time.sleep(0.5)
            else:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 4000))
            where = log.read().decode(errors="replace")
        self.process.kill()
        self.process.join()
        return where[-4000:]


@dataclass
class Run:
    """A run over doors, until the time is over or each has had so many inputs."""

    doors: Sequence[Door]
    seed: int
    seconds: float
    inputs: int | None
    workers: int
    table: str = "fuzz.doors"  # the module that has them
    folder: Path = FOLDER
    longest_s: int = LONGEST_S  # of one input
    tallies: dict[str, Tally] = field(default_factory=dict)
    finds: dict[tuple[str, str, str], list[Find]] = field(default_factory=dict)

    def __call__(self) -> None:
        """Try, watch and collect."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tallies = {door.name: Tally() for door in self.doors}
        ends = time.monotonic() + self.seconds
        workers = [Worker(self, number) for number in range(self.workers)]
        try:
            while time.monotonic() < ends + self.longest_s + GRACE_S:
                for worker in workers:
                    if worker.door is None and time.monotonic() < ends and (door := self._next()):
                        worker.give(door, *self.tallies[door.name].turn(self.inputs))
                if not any(worker.door for worker in workers):
                    break
                wait([worker.pipe for worker in workers] + [worker.process.sentinel for worker in workers], 0.5)
                workers = [self._heard(worker) for worker in workers]
        finally:
            for worker in workers:
                worker.process.kill()
                if worker.door:
                    worker.account(self.tallies[worker.door.name])

    def _next(self) -> Door | None:
        """The door that had the least of its share of the time."""
        open_ = [door for door in self.doors if self.tallies[door.name].open(self.inputs)]
        begun = {name: tally.seconds + TURN_S * (tally.next > tally.tried) for name, tally in self.tallies.items()}
        return min(open_, key=lambda door: begun[door.name] / door.share, default=None)

    def _heard(self, worker: Worker) -> Worker:
        """Take what a worker says; another one in its place if it is dead or stuck."""
        try:
            while worker.pipe.poll():
                said = worker.pipe.recv()
                if said is None and worker.door:
                    worker.account(self.tallies[worker.door.name])
                elif said is not None:
                    self._keep(said)
        except (EOFError, OSError):
            pass  # it is dead
        if worker.process.is_alive() and not worker.stuck(self.longest_s):
            return worker
        self._lost(worker)
        return Worker(self, worker.number)

    def _lost(self, worker: Worker) -> None:
        """The input that a worker died of, or does not come back from, is a find."""
        kind = "hang" if worker.process.is_alive() else "crash"
        index, where = worker.watched.index.value, worker.end()
        if worker.door is None or index < 0:
            raise RuntimeError(f"a worker ended by itself: {where}")
        worker.watched.tried.value += 1
        given = worker.door.make(Random(f"{self.seed}/{worker.door.name}/{index}"))
        self._keep(Find(worker.door.name, index, kind, where or f"exit {worker.process.exitcode}", as_bytes(given)))
        tally = self.tallies[worker.door.name]
        if index + 1 < worker.after:
            tally.left.append((index + 1, worker.after - index - 1))
        worker.account(tally)

    def _keep(self, find: Find) -> None:
        """Count a find, and write the first few of its sort."""
        self.tallies[find.door].kinds[find.kind] += 1
        alike = self.finds.setdefault(find.sign, [])
        alike.append(find)
        if len(alike) <= KEPT:
            name = f"{find.door}-{self.seed}-{find.index}"
            (self.folder / f"{name}.input").write_bytes(find.given)
            (self.folder / f"{name}.txt").write_text(
                f"{again(find, self.seed)}\n\n{find.kind}\n{find.text}\n", "utf-8", "replace"
            )

    def lines(self) -> Iterator[str]:
        """The finds, and the table."""
        for alike in list(self.finds.values())[:SHOWN]:
            find = alike[0]
            yield f"--- {find.kind} at {find.door}, {len(alike)} times: {again(find, self.seed)}"
            yield find.text.encode("utf-8", "backslashreplace").decode()
        yield f"{'door':12}{'inputs':>9}{'refused':>9}{'accepted':>9}{'seconds':>9}" + "".join(
            f"{kind:>10}" for kind in KINDS
        )
        total = Tally()
        for name, tally in self.tallies.items():
            yield _line(name, tally)
            total.tried, total.accepted = total.tried + tally.tried, total.accepted + tally.accepted
            total.seconds, total.kinds = total.seconds + tally.seconds, total.kinds + tally.kinds
        yield _line("all", total)


def again(find: Find, seed: int) -> str:
    """The command that tries this input alone."""
    return shlex.join(["scripts/fuzz", "--door", find.door, "--seed", str(seed), "--only", str(find.index)])


def _line(name: str, tally: Tally) -> str:
    refused = tally.tried - tally.accepted - tally.kinds.total()
    kinds = "".join(f"{tally.kinds[kind]:10,}" for kind in KINDS)
    return f"{name:12}{tally.tried:9,}{refused:9,}{tally.accepted:9,}{tally.seconds:9.0f}{kinds}"
