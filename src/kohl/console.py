"""What kohl says to people: a bar while it works, and a few lines about each photo."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from kohl.score.verify import in_a_hundred, own_reason, own_reason_of, says
from kohl.shown import shown
from kohl.status import Status
from kohl.types import FaceRow, Judgement, Row, Step


class Bar:
    """How far the work on `photos` is, with the time left, on stderr; nothing at all where that is no terminal."""

    def __init__(self, photos: Sequence[Path]) -> None:
        self._photos, self._done, self._part = photos, 0, 0.0
        self._terminal = bool(sys.stderr) and sys.stderr.isatty()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("loading the models", total=None)

    def __enter__(self) -> Bar:
        self._show()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hide()

    def loaded(self) -> None:
        """The models are there; the first photo begins."""
        self._update()

    def step(self, step: Step) -> None:
        """A step of the search is done: the `watch` of a pipeline. A photo's later faces do not move the bar back."""
        self._part = max(self._part, (step.index + 1) / max(step.total, 1))
        self._update()

    def finished(self, text: str, stream: TextIO | None = None) -> None:
        """A photo is done: `text`, made of what is `shown`, goes to stdout, or to `stream`, above the bar."""
        self._hide()
        print(text, file=stream, flush=True)
        self._done, self._part = self._done + 1, 0.0
        self._update()
        self._show()

    def note(self, text: str) -> None:
        """Something to know that is no result: `text` goes to stderr, above the bar."""
        self._hide()
        print(f"kohl: {shown(text)}", file=sys.stderr, flush=True)
        self._show()

    def _show(self) -> None:
        if self._terminal:
            self._progress.start()

    def _hide(self) -> None:
        if self._terminal:
            self._progress.stop()

    def _update(self) -> None:
        if self._done < len(self._photos):
            name = f"{self._done + 1}/{len(self._photos)} {shown(self._photos[self._done].name)}"
            self._progress.update(
                self._task, description=name, total=len(self._photos), completed=self._done + self._part
            )


@contextmanager
def downloading(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr for one file, moved by the bytes that are here and those in all; nothing where is no terminal."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    terminal = bool(sys.stderr) and sys.stderr.isatty()
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not terminal) as progress:
        task = progress.add_task(shown(name), total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total or None)


def summary(row: Row) -> str:
    """A line about the photo and some about each of its faces; what comes from outside is shown, not obeyed."""
    name = row.photo if row.output is None else f"{row.photo} → {row.output}"
    own = own_reason_of(row)
    reason = "" if own is None else f": {own}"
    lines = [f"{name}  {_words(row.status)} ({row.seconds:.1f} s){reason}"]
    return "\n".join(map(shown, [*lines, *(line for face in row.faces for line in _face(face))]))


def line(row: Row, *, before: bool = False) -> str:
    """One line about the photo."""
    name = row.photo if row.output is None else f"{row.photo} → {row.output}"
    how = f"done before, {_words(row.status)}" if before else f"{_words(row.status)} ({row.seconds:.1f} s)"
    if row.status == Status.FAILED:
        return shown(f"kohl: {row.photo}: {row.reason}")
    return shown(f"{name}  {how}{f': {row.reason}' if row.reason else ''}")


def _face(face: FaceRow) -> Iterator[str]:
    facts = list(_judgements(face.judges, ""))
    for photo, judges in face.references.items():
        facts += _judgements(judges, f" against {Path(photo).name}:")
    if face.chance is not None:
        facts.append(f"{in_a_hundred(face.chance)} recognisers like those asked would still match (estimated)")
    if face.psnr is not None and face.ssim is not None:
        nlpd = "" if face.nlpd is None else f", NLPD {face.nlpd:.3f}"
        facts.append(f"{face.psnr:.1f} dB, SSIM {face.ssim:.3f}{nlpd}")
    if face.tries is not None and face.tries > 1:
        facts.append(f"at try {face.tries}")
    own = own_reason(face)
    reason = [] if own is None else [own]
    yield f"  face {face.index}  {_words(face.status)}"
    yield from (f"    {fact}" for fact in [*reason, *facts])


def _judgements(judges: Mapping[str, Judgement], photo: str) -> Iterator[str]:
    for name, judgement in judges.items():
        scores = ""
        if judgement.before is not None and judgement.after is not None:
            scores = f" ({judgement.before:.2f} → {judgement.after:.2f}, threshold {judgement.threshold:.2f})"
        yield f"{name}{photo} {says(judgement)}{scores}"


def _words(status: str) -> str:
    return status.replace("_", " ")
