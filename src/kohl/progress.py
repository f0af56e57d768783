"""How far an album is: a bar with the time left and what has become of the photos, and a line for each of them."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from kohl.console import line
from kohl.score.headline import Tally
from kohl.shown import shown
from kohl.status import Status
from kohl.types import Row

EVERY_S = 60.0  # where there is no terminal: between lines that say how far it is
COUNTED = {  # in this order
    **{Status.PROTECTED: "protected", Status.NOT_PROTECTED: "not protected"},
    **{Status.NO_FACE: "without a face to protect", Status.FAILED: "failed"},
}


class AlbumBar:
    """How far an album of `total` photos is, or one that never ends if None."""

    def __init__(self, total: int | None) -> None:
        self.tally, self._total, self._part = Tally(), total, 0.0
        self._started, self._told = time.monotonic(), time.monotonic()
        self._terminal = bool(sys.stderr) and sys.stderr.isatty()
        self._progress = Progress(
            *(BarColumn(bar_width=24), TextColumn("{task.description}", markup=False)),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("loading the models", total=total)

    def __enter__(self) -> AlbumBar:
        self._show()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hide()

    def finished(self, row: Row, text: str | None = None, *, before: bool = False) -> None:
        """A photo is done: its line, or `text` in its place, goes to stdout, or to stderr if it failed."""
        self._hide()
        self.tally.add(row, before=before)
        said = line(row, before=before) if text is None else text
        print(said, file=sys.stderr if text is None and row.status == Status.FAILED else None, flush=True)
        self._part = 0.0
        self._update()
        self._show()
        if not self._terminal and time.monotonic() - self._told >= EVERY_S:
            self._told = time.monotonic()
            print(f"kohl: {self.said()}", file=sys.stderr, flush=True)

    def watch(self, part: float) -> None:
        """So much of the photos at work is done."""
        self._part = part
        self._update()

    def note(self, text: str) -> None:
        """Something to know that is no result: `text` goes to stderr, above the bar."""
        self._hide()
        print(f"kohl: {shown(text)}", file=sys.stderr, flush=True)
        self._show()

    def said(self) -> str:
        """How far it is, what became of the photos, how long each takes and all the others will."""
        tally = self.tally
        of = "" if self._total is None else f" of {self._total}"
        parts = [f"{tally.total}{of} photos"]
        parts += [f"{tally.photos[status]} {word}" for status, word in COUNTED.items() if tally.photos[status]]
        parts += [f"{tally.before} done before"] if tally.before else []
        worked = tally.total - tally.before + self._part
        if worked > 0:
            each = (time.monotonic() - self._started) / worked
            parts.append(f"{each:.1f} s each")
            if self._total is not None and tally.total < self._total:
                parts.append(f"{duration(each * (self._total - tally.total - self._part))} left")
        return ", ".join(parts)

    def _show(self) -> None:
        if self._terminal:
            self._progress.start()

    def _hide(self) -> None:
        if self._terminal:
            self._progress.stop()

    def _update(self) -> None:
        self._progress.update(self._task, description=self.said(), completed=self.tally.total + self._part)


def duration(seconds: float) -> str:
    """A time as people say it."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 100:
        return f"about {minutes} minute{'s' * (minutes > 1)}"
    return f"about {round(minutes / 60)} hours"
