"""Whole albums: folders in, the same folders out; what is done stays done, whatever happens to the run."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from kohl import batch, files, journal, workers
from kohl.align import imageio
from kohl.errors import BadPhoto, Broken, Remedy
from kohl.job import Job
from kohl.journal import Journal
from kohl.types import Row
from kohl.workers import Crew, Outcome, Setup, Task, Told

READ = (*imageio.SUFFIXES, ".gif")  # suffixes of what is taken for a photo in a folder
ROOM = 2**24  # bytes that a disk must have left beside a result
POLL_S, SETTLED_S = 1.0, 2.0  # of a folder that is watched: between looks, and for how long a new file must not change


@dataclass(frozen=True)
class Found:
    """The photos in some folders, each with the place for its result; and what else lies there, by suffix."""

    places: Sequence[tuple[Path, Path]]
    others: Mapping[str, int] = field(default_factory=dict)


def found(given: Sequence[Path], output: Path, *, named: Callable[..., Path] = imageio.default_output) -> Found:
    """The photos that are `given` and those in folders that are, and where each goes below `output`.

    Of one folder the inside is mirrored; of several, and of photos beside them, everything from the deepest folder on
    that holds them all. A photo that is reached twice is taken once. Hidden files and folders, links to folders, and
    what lies in `output` are left out.
    """
    folders = [path for path in given if path.is_dir()]
    tops = [path if path.is_dir() else path.parent for path in given]
    top = Path(os.path.commonpath([path.absolute() for path in tops]))
    inside = given[0].absolute() if folders == [*given] and len(given) == 1 else top
    places, others, seen = list[tuple[Path, Path]](), Counter[str](), set[str]()
    for start in given:
        for photo in _walked(start, output) if start.is_dir() else [start]:
            if start.is_dir() and photo.suffix.lower() not in READ:
                others[photo.suffix.lower() or "without a suffix"] += 1
            elif (real := batch.real(photo)) not in seen:
                seen.add(real)
                folder = output / os.path.relpath(photo.absolute().parent, inside)
                places.append((photo, named(photo, Path(os.path.normpath(folder)))))
    return Found(places, dict(others.most_common()))


def arriving(
    folder: Path, output: Path, *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[tuple[Path, Path] | None]:
    """Each photo that is in `folder` or comes to be there, once it has not changed for a while; None between looks."""
    seen, taken = dict[Path, tuple[int, int, float]](), dict[Path, tuple[int, int]]()
    while True:
        for photo in sorted(path for path in _walked(folder, output) if path.suffix.lower() in READ):
            try:
                status = photo.stat()
            except OSError:  # gone again
                continue
            now = (status.st_size, status.st_mtime_ns)
            if taken.get(photo) == now:
                continue
            size, when, since = seen.get(photo, (-1, -1, 0.0))
            if (size, when) != now:
                seen[photo] = (*now, time.monotonic())
            elif time.monotonic() - since >= SETTLED_S:
                taken[photo] = now
                del seen[photo]
                place = output / photo.relative_to(folder).parent
                yield photo, imageio.default_output(photo, place)
        yield None
        sleep(POLL_S)


def _walked(folder: Path, output: Path) -> Iterator[Path]:
    """The files in a folder, in the order of their names, and those in its folders; nothing in `output`."""
    out = batch.real(output)
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and batch.real(Path(place, name)) != out)
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


@dataclass(frozen=True)
class Run:
    """How an album is worked off: by how many, with what, and what is known of it."""

    setup: Setup
    count: int = 1
    book: Journal | None = None
    lost: Mapping[str, str] = field(default_factory=dict)  # by its real path, what no result may overwrite
    told: Callable[[Told], None] = lambda _: None
    watch: Callable[[float], None] = lambda _: None  # hears how much of the photos at work is done

    def __call__(self, jobs: Iterable[Job | None]) -> Iterator[Outcome]:
        """The outcome of each job, as soon as it is known; a job of None says that there is none for now."""
        items = self._items(jobs)
        if self.count == 1:
            yield from workers.alone(items, self.setup, self.told, self.watch)
        else:
            with Crew(self.count, self.setup) as crew:
                yield from crew.work(items, self.told, self.watch, self._ended)

    def _ended(self, task: Task) -> Row | None:
        """What became of a photo whose worker did not live to tell."""
        row = None if self.book is None else self.book.ended(task.key, task.job.output)
        return None if row is None else _as_asked(row, task.job)

    def _items(self, jobs: Iterable[Job | None]) -> Iterator[Task | Outcome | None]:
        """What is to be worked on, and what is known without that."""
        lost, weights, cleaned = dict(self.lost), journal.weights(self.setup.recipe), set[Path]()
        for job in jobs:
            if job is None:
                yield None
                continue
            folder, place = job.output.absolute().parent, batch.real(job.output)
            if folder not in cleaned:
                cleaned.add(folder)
                files.clean(folder)
            if clash := lost.get(place):
                error = BadPhoto(f"{job.output}: {clash}", Remedy.OTHER_NAME)
                yield Outcome(batch.refused(job, self.setup.recipe, error))
                continue
            lost[place] = f"is already the result of {job.photo}"
            yield self._item(job, weights)

    def _item(self, job: Job, weights: str) -> Task | Outcome:
        """The job with its key, or what became of it before."""
        key = ""
        if self.book is not None:
            with suppress(OSError):  # it cannot be read, which is said better by who tries
                key = journal.key(job, self.setup.recipe, weights)
            if key and not job.force:
                if (row := self.book.done(key, job.output)) is not None:
                    return Outcome(_as_asked(row, job), before=True)
                job = replace(job, force=self.book.owns(job.output))
        _check_room(job)
        return Task(job, key)


def _as_asked(row: Row, job: Job) -> Row:
    """The row with the names that were given, and not as the journal has them."""
    return replace(row, photo=str(job.photo), output=None if row.output is None else str(job.output))


def _check_room(job: Job) -> None:
    """Raises `Broken` where the disk is so full that one photo after the other would fail."""
    place = next(path for path in (job.output.absolute(), *job.output.absolute().parents) if path.is_dir())
    with suppress(OSError):
        if shutil.disk_usage(place).free < ROOM + 2 * job.photo.stat().st_size:
            raise Broken(
                f"{place}: the disk is full; make room, and run the same command again, which goes on from here"
            )
