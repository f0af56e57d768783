"""Whole albums: what is done stays done, whatever happens to the run, and wherever the work is done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from kohl import batch, elsewhere, files, journal, plain_file, stores, workers
from kohl.align import imageio
from kohl.errors import BadPhoto, Broken, Remedy
from kohl.job import Task
from kohl.journal import Journal, Sealed
from kohl.places import identity
from kohl.processes import Processes
from kohl.reader import LARGEST
from kohl.stores import Url
from kohl.types import Row
from kohl.work import Ended, Setup, Told
from kohl.workers import Crew, Outcome, Site

ROOM = 2**24  # bytes that a disk must have left beside a result


@dataclass(frozen=True)
class Run:
    """How an album is worked off: by how many and where, with what, and what is known of it. It is a `Ledger`."""

    setup: Setup
    count: int = 1
    book: Journal | None = None
    lost: Mapping[str, str] = field(default_factory=dict)  # by its identity, what no result may overwrite
    told: Callable[[Told], None] = lambda _: None
    watch: Callable[[float], None] = lambda _: None  # hears how much of the photos at work is done
    note: Callable[[str], None] = lambda _: None
    site: Site = field(default_factory=Processes)

    def __call__(self, tasks: Iterable[Task | None]) -> Generator[Outcome, None, None]:
        """The outcome of each task, as soon as it is known; one of None says that there is none for now."""
        items = self._items(tasks)
        if self.count == 1 and self.site.has_disk:
            yield from workers.alone(items, self.setup, self, self.told, self.watch)
        else:
            with Crew(self.count, self.setup, self.site, self) as crew:
                yield from crew.work(items, self.told, self.watch, self.note)

    def packed(self, task: Task) -> Task:
        """With the photo, for a worker without this disk."""
        if self.site.has_disk or isinstance(task.photo, Url):
            return task
        return task._replace(content=plain_file.content(task.photo, LARGEST))

    def seal(self, task: Task, sealed: Sealed) -> None:
        """Notes what is about to be a result."""
        if self.book is not None:
            self.book.add(task.key, task.output, elsewhere.as_asked(sealed.row, task), sealed.proof)

    def over(self, task: Task, ended: Ended) -> Row:
        """Writes the result, if that is left to the run, and notes a row without one."""
        row = ended.row
        if ended.content is not None and isinstance(task.output, Path):
            try:
                with imageio.placed(ended.content, task.output, force=task.job.force):
                    pass
            except BadPhoto as error:
                row = self._refused(task, error, row.seconds).row
        row = elsewhere.as_asked(row, task)
        if row.output is None and self.book is not None:
            self.book.add(task.key, task.output, row, None)
        return row

    def ended(self, task: Task) -> Row | None:
        """What became of a photo whose worker did not live to tell."""
        row = None if self.book is None else self.book.done(task.key, task.output, fresh=True)
        return None if row is None else elsewhere.as_asked(row, task)

    def _items(self, tasks: Iterable[Task | None]) -> Iterator[Task | Outcome | None]:
        """What is to be worked on, and what is known without that."""
        lost, weights, cleaned = dict(self.lost), journal.weights(self.setup.recipe), set[Path]()
        for task in tasks:
            if task is None:
                yield None
                continue
            if isinstance(task.output, Path) and (folder := task.output.absolute().parent) not in cleaned:
                cleaned.add(folder)
                files.clean(folder)
            place = identity(task.output)
            if clash := lost.get(place):
                yield Outcome(self._refused(task, BadPhoto(f"{task.output}: {clash}", Remedy.OTHER_NAME)).row)
                continue
            lost[place] = f"is already the result of {task.photo}"
            yield self._item(task, weights)

    def _item(self, task: Task, weights: str) -> Task | Outcome:
        """The task with its key, or what became of it before."""
        key, force = "", task.job.force
        if self.book is not None:
            with suppress(OSError, BadPhoto):  # it cannot be read, which is said better by who tries
                key = journal.key(task.job, self.setup.recipe, weights, task.photo)
            if key and not force:
                if (row := self.book.done(key, task.output)) is not None:
                    return Outcome(elsewhere.as_asked(row, task), before=True)
                force = self.book.owns(task.output)
        _check_room(task)
        task = task._replace(job=replace(task.job, force=force), key=key)
        try:
            _check_output(task)
        except BadPhoto as error:
            return Outcome(self.over(task, self._refused(task, error)))
        return task

    def _refused(self, task: Task, error: Exception, seconds: float = 0.0) -> Ended:
        return Ended(elsewhere.as_asked(batch.refused(task.job, self.setup.recipe, error, seconds), task))


def _check_output(task: Task) -> None:
    """Raises `BadPhoto` where it is known before the work that there could be no result."""
    if isinstance(task.output, Path):
        original = task.photo if isinstance(task.photo, Path) else None
        imageio.check_output(task.output, original, force=task.job.force)
    elif not task.job.force and stores.size(task.output) is not None:
        raise BadPhoto(f"{task.output}: already exists", Remedy.OVERWRITE)


def _check_room(task: Task) -> None:
    """Raises `Broken` where the disk is so full that one photo after the other would fail."""
    if isinstance(task.output, Url):
        return
    place = next(path for path in (task.output.absolute(), *task.output.absolute().parents) if path.is_dir())
    with suppress(OSError):
        taken = task.photo.stat().st_size if isinstance(task.photo, Path) else 0
        if shutil.disk_usage(place).free < ROOM + 2 * taken:
            raise Broken(
                f"{place}: the disk is full; make room, and run the same command again, which goes on from here"
            )
