"""Workers as processes of this machine, each at the end of a pipe."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from kohl import private
from kohl.job import Task
from kohl.work import Said, Setup, work
from kohl.workers import Hand


@dataclass(eq=False)
class Process:
    """A worker that is a process here: a `Hand`."""

    process: BaseProcess
    line: Connection

    def send(self, said: Task | str) -> None:
        """Tells it what to do."""
        self.line.send(said)

    def said(self) -> Said:
        """What it said."""
        return self.line.recv()  # type: ignore[no-any-return]

    def fate(self) -> str:
        """How it ended."""
        code = self.process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def dismiss(self, *, quickly: bool) -> None:
        """Asks it to end."""
        self.line.close()  # one that waits for work ends
        if quickly:
            self.process.terminate()

    def gone(self, wait_s: float) -> None:
        """It is, after that time at the latest."""
        self.process.join(wait_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Processes:
    """A `Site`: this machine."""

    has_disk = True

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork

    def cores(self, count: int) -> int:
        """An equal share, and one at least."""
        return max(1, (os.cpu_count() or 1) // count)

    def hire(self, setup: Setup) -> Hand:
        """A new process."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_begin, args=(theirs, setup), daemon=True)
        process.start()
        theirs.close()
        return Process(process, ours)

    def talking(self, hands: Sequence[Hand], timeout_s: float) -> Sequence[Hand]:
        """Those that have something to say, or are no more."""
        by_line = {hand.line: hand for hand in hands if isinstance(hand, Process)}
        return [by_line[line] for line in wait(list(by_line), timeout_s) if isinstance(line, Connection)]


def _begin(line: Connection, setup: Setup) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells all processes; the run decides
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # noqa: ARG005  leftovers go
    with private.folder(private.in_memory()) if setup.away else nullcontext() as folder:
        work(line, setup, folder)
