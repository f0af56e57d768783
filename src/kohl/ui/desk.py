"""Work that takes seconds, one at a time: who waits, how far it is, and how it is called off."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeAlias

from kohl.errors import Cancelled
from kohl.types import Step, Watch
from kohl.ui.refusals import Refused, refusal

MOST_WAITING = 100
LONGEST_S = 900.0  # of one piece of work
Task: TypeAlias = Callable[[Watch], Any]  # runs in the thread of the models


class State(StrEnum):
    """Of a piece of work."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(eq=False)
class Work:
    """One piece; all but `cancel` is read and written in the event loop alone."""

    task: Task
    urgent: bool = True  # whether it comes before what is only to be looked at
    state: State = State.WAITING
    progress: float = 0.0  # 0 to 1
    result: Any = None
    refused: Refused | None = None
    cancel: threading.Event = field(default_factory=threading.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state not in (State.WAITING, State.RUNNING)

    def become(self, state: State, progress: float | None = None) -> None:
        """Another state, of which everybody who waits is told."""
        self.state, self.progress = state, self.progress if progress is None else progress
        self.changed.set()
        self.changed = asyncio.Event()

    async def change(self, at_most_s: float) -> None:
        """Returns once something has changed, or after so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), at_most_s)


class Desk:
    """One thread for whatever needs the models; what is asked meanwhile waits in order."""

    def __init__(self, most: int = MOST_WAITING, longest_s: float = LONGEST_S) -> None:
        self.most, self.longest_s = most, longest_s
        self.running: Work | None = None
        self._waiting: list[Work] = []
        self._come = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kohl-models")
        self._taking: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begins to take work; the event loop must run."""
        self._taking = asyncio.get_running_loop().create_task(self._take())

    async def close(self) -> None:
        """Calls off what is left, and waits until the thread has ended."""
        for work in [*self._waiting, *([self.running] if self.running else [])]:
            self.call_off(work)
        if self._taking:
            while self.running:
                await asyncio.sleep(0.05)
            self._taking.cancel()
            with suppress(asyncio.CancelledError):
                await self._taking
        self._thread.shutdown(wait=True, cancel_futures=True)

    def submit(self, task: Task, *, urgent: bool = True) -> Work:
        """The work that this task now is; raises `Refused` where too many wait."""
        if len(self._waiting) >= self.most:
            said = f"{self.most} photos are waiting already; try again in a while"
            raise Refused(HTTPStatus.TOO_MANY_REQUESTS, said)
        work = Work(task, urgent)
        self._waiting.append(work)
        self._waiting.sort(key=lambda one: not one.urgent)  # stable: first come, first served
        self._come.set()
        return work

    def call_off(self, work: Work) -> None:
        """Ends it at its next step, or before its first."""
        work.cancel.set()
        if work in self._waiting:
            self._waiting.remove(work)
            work.become(State.CANCELLED)

    @property
    def waiting(self) -> int:
        """How many pieces have not begun."""
        return len(self._waiting)

    def before(self, work: Work) -> int:
        """How many pieces are done before this one."""
        return self._waiting.index(work) + bool(self.running) if work in self._waiting else 0

    async def _take(self) -> None:
        while True:
            while not self._waiting:
                self._come.clear()
                await self._come.wait()
            self.running = work = self._waiting.pop(0)
            work.become(State.RUNNING)
            for other in self._waiting:  # each has one less before it
                other.become(State.WAITING)
            try:
                watch = self._watch(work, asyncio.get_running_loop())
                work.result = await asyncio.get_running_loop().run_in_executor(self._thread, work.task, watch)
                state = State.DONE
            except Cancelled:
                state = State.CANCELLED
            except Exception as error:  # whatever it is: the others have a right to their turn
                work.refused, state = refusal(error), State.FAILED
            self.running = None
            work.become(state, 1.0 if state == State.DONE else None)
            del work

    def _watch(self, work: Work, loop: asyncio.AbstractEventLoop) -> Watch:
        """Tells the work's progress, and ends it where it was called off or takes too long."""
        until = time.monotonic() + self.longest_s

        def watch(step: Step) -> None:
            if work.cancel.is_set():
                raise Cancelled("cancelled")
            if time.monotonic() > until:
                said = f"took longer than {self.longest_s:.0f} s, and was given up; try a smaller photo"
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, said)
            share = (step.index + 1) / max(step.total, 1)
            # A later face, or another try, does not move it back; the last tenth is for saving and judging.
            loop.call_soon_threadsafe(lambda: work.become(State.RUNNING, max(work.progress, 0.9 * share)))

        return watch
