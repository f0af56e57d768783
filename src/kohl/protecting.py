"""`kohl protect` for albums: folders, stores, journals, workers, a folder that is watched; and `kohl report`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from kohl import album, batch, cluster, files, journal, pipeline, places, plain_file, pull, recipe, sheets
from kohl.align import imageio
from kohl.errors import BadSetting, KohlError
from kohl.job import Job, Task
from kohl.journal import Journal
from kohl.parts import Parts
from kohl.processes import Processes
from kohl.progress import AlbumBar
from kohl.reader import LARGEST
from kohl.recipe import Recipe
from kohl.score import report
from kohl.score.record import plain, record
from kohl.status import Exit
from kohl.stores import Url, Where
from kohl.types import Row
from kohl.work import Setup, Told

MOST, MOST_DISTANT = 64, 10_000  # workers here, and on a cluster
GOES_ON = "the same command goes on from here"


def is_album(arguments: Namespace) -> bool:
    """Whether a command line asks for more than a few photos, one after the other."""
    asked = (arguments.recursive, arguments.watch, arguments.journal, arguments.ray, arguments.workers not in (None, 1))
    return any(asked) or in_store(arguments)


def protect(arguments: Namespace, chosen: Recipe, parts: Parts, licences: Mapping[str, str]) -> int:
    """Protect an album, and say how far it is; what was done before is skipped."""
    _check(arguments)
    output, book = arguments.output, arguments.journal
    if book is None and (arguments.recursive or arguments.watch):
        book = Path(f"{os.path.normpath(output.absolute())}.journal.jsonl")
    found = _found(arguments)
    known = () if found is None else found.places
    if arguments.report:
        if arguments.watch and Path(batch.real(arguments.report)).is_relative_to(batch.real(arguments.watch)):
            raise BadSetting(f"{arguments.report}: is in the folder that is watched; choose another one for the report")
        used = [place for pair in known for place in pair if isinstance(place, Path)]
        check_report(arguments.report, [*used, *inputs(arguments, book)], force=arguments.force)
    people = [*arguments.reference, *arguments.only, *arguments.spared]
    pipeline.readable(people)
    pull.check(chosen, arguments.recipe, parts.table)
    lost = {places.identity(photo): f"would overwrite {photo}, which is one of the photos" for photo, _ in known}
    for path, what in kept(arguments, book).items():
        lost[batch.real(path)] = f"would overwrite {path}, which is {what}"
    to_do: Iterable[tuple[Where, Where] | None] = places.arriving(arguments.watch, output) if found is None else known
    asked = asking(arguments, [photo for photo, _ in known if isinstance(photo, Path)])
    with contextlib.ExitStack() as stack:
        opened = None if book is None else stack.enter_context(Journal(book))
        bar = stack.enter_context(AlbumBar(None if found is None else len(known)))
        if opened is not None:
            bar.note(f"the journal is {book}")
        if found is not None and found.others:
            kinds = ", ".join(f"{suffix} ({count})" for suffix, count in list(found.others.items())[:8])
            bar.note(f"left out what is no photo that kohl reads: {kinds}")
        site = stack.enter_context(cluster.opened(arguments.ray)) if arguments.ray else Processes()
        count = arguments.workers or (site.room() if isinstance(site, cluster.Cluster) else 1)
        setup = Setup(
            chosen,
            parts.load,
            parts.protect,
            arguments.target,
            (*arguments.only, *arguments.spared),
            away=not site.has_disk or in_store(arguments),
            lent={} if site.has_disk else {path: plain_file.content(path, LARGEST) for path in people},
        )
        tell = _teller(arguments, chosen, bar)
        run = album.Run(setup, count, opened, lost, told=tell, watch=bar.watch, note=bar.note, site=site)
        rows = list[Row]()
        stack.enter_context(_told_to_end())
        outcomes = run(None if pair is None else _task(pair, asked) for pair in to_do)
        stack.enter_context(contextlib.closing(outcomes))
        try:
            for outcome in outcomes:
                text = json.dumps(plain(record(outcome.row) | {"before": outcome.before}), allow_nan=False)
                bar.finished(outcome.row, text if arguments.json else None, before=outcome.before)
                if arguments.report and book is None:
                    rows.append(outcome.row)
        except KeyboardInterrupt:
            bar.note(f"interrupted; {bar.said()}{f'; {GOES_ON}' if book else ''}")
            if not arguments.watch:
                raise
        except KohlError:
            bar.note(bar.said())
            raise
    if arguments.report:
        write_report(latest(book) if book else rows, arguments.report, licences, force=arguments.force)
    if not arguments.json:
        tally = bar.tally
        before = f"; {tally.before} of them done before" if tally.before else ""
        print(f"{tally.headline() if tally.total else 'There was no photo to protect'}{before}.")
    return Exit.of(bar.tally.statuses()) if bar.tally.total else Exit.PROTECTED


def in_store(arguments: Namespace) -> bool:
    """Whether photos or results are in a store."""
    return any(isinstance(place, Url) for place in (*arguments.photos, arguments.output))


def _task(pair: tuple[Where, Where], asked: Callable[[Path, Path], Job]) -> Task:
    """What is asked of a photo; of what is in a store, the job has the name."""
    photo, output = (Path(place.name) if isinstance(place, Url) else place for place in pair)
    return Task(asked(photo, output), *pair)


def told_report(arguments: Namespace, licences: Mapping[str, str]) -> int:
    """Write the page about everything in a journal."""
    book: Path = arguments.journal
    output: Path = arguments.output or Path(f"{str(book).removesuffix('.jsonl').removesuffix('.journal')}.html")
    if not book.is_file():
        raise BadSetting(f"{book}: there is no such journal; kohl protect -r says where it is")
    rows = latest(book)
    if not rows:
        raise BadSetting(f"{book}: nothing in it is a line of a journal; name the one that kohl protect -r wrote")
    check_report(output, [book], force=arguments.force)
    files.clean(output.absolute().parent)
    write_report(rows, output, licences, force=arguments.force)
    print(f"{book} → {output}")
    return Exit.PROTECTED


def latest(book: Path) -> list[Row]:
    """The last row of each place in a journal."""
    return list(dict(journal.rows(book)).values())


def write_report(rows: Iterable[Row], path: Path, licences: Mapping[str, str], *, force: bool) -> None:
    """The page about `rows`."""
    try:
        report.write([*rows], path, licences=licences, read=imageio.read, force=force)
    except FileExistsError:
        raise BadSetting(f"{path}: has come to be during the run and was left as it is; name another report") from None


def check_report(path: Path, used: Iterable[Path], *, force: bool) -> None:
    """Find out before the work whether the report may be written."""
    if path.is_dir():
        raise BadSetting(f"{path}: is a folder; name a file for the report")
    if batch.real(path) in map(batch.real, used):
        raise BadSetting(f"{path}: is a photo, a result or a recipe of this run; choose another name for the report")
    if path.exists() and not path.is_file():
        raise BadSetting(f"{path}: is no ordinary file; name another one for the report")
    if os.path.lexists(path) and not force:
        raise BadSetting(f"{path}: already exists; pass --force to overwrite it, or choose another name for the report")
    path.parent.mkdir(parents=True, exist_ok=True)


def _check(arguments: Namespace) -> None:
    """What belongs together, and what does not."""
    output, watched, stored = arguments.output, arguments.watch, in_store(arguments)
    if arguments.preview:
        raise BadSetting("--preview: shows single photos of this machine; name them, without -r, --watch, --workers …")
    if watched and arguments.photos:
        raise BadSetting(f"--watch: protects what comes into {watched}; name no other photos")
    if (arguments.recursive or watched or stored) and output is None:
        raise BadSetting("-o: name the folder for the results of -r, of --watch, or of photos in a store")
    if isinstance(output, Path) and output.exists() and not output.is_dir():
        raise BadSetting(f"{output}: is not a folder; name another one with -o")
    if isinstance(output, Url) and arguments.journal is None:
        raise BadSetting(f"--journal: name a file of this machine that keeps what is done in {output}")
    if isinstance(watched, Url) or (watched and not watched.is_dir()):
        raise BadSetting(f"{watched}: is no folder that could be watched; make it first, on this machine")
    if arguments.same_person and (watched or stored or arguments.ray):
        raise BadSetting("--same-person: wants all photos at once, here; it goes with no --watch, --ray or store")
    if arguments.report and stored:
        raise BadSetting("--report: shows photos of this machine; there is none for a store")
    most = MOST_DISTANT if arguments.ray else MOST
    if arguments.workers is not None and arguments.workers > most:
        raise BadSetting(f"--workers: must be at most {most}, not {arguments.workers}")


def _found(arguments: Namespace) -> places.Found | None:
    """Each photo, and the place for its result; None where they are yet to come."""
    if arguments.watch:
        return None
    if arguments.recursive:
        return places.found(arguments.photos, arguments.output)
    if in_store(arguments):
        if folder := next(filter(places.is_folder, arguments.photos), None):
            raise BadSetting(f"{folder}: is a folder; name the photos in it, or pass -r for all of them")
        return places.found(arguments.photos, arguments.output)
    return places.Found(list(zip(arguments.photos, outputs(arguments.photos, arguments.output), strict=True)))


def outputs(
    photos: list[Path], output: Path | None, *, named: Callable[..., Path] = imageio.default_output
) -> list[Path]:
    """The file to write for each photo; where two would have one name, each goes into a folder like its own."""
    if output and imageio.is_photo_name(output) and len(photos) > 1:
        raise BadSetting(f"{output}: is one file for {len(photos)} photos; name a folder with -o")
    if output and output.exists() and not output.is_dir() and not imageio.is_photo_name(output):
        raise BadSetting(f"{output}: is not a folder; name another one with -o")
    flat = [named(photo, output) for photo in photos]
    apart = {batch.real(photo): photo.name for photo in photos}
    if output is None or len({*apart.values()}) == len(apart):
        return flat
    mirrored = dict(places.found(photos, output, named=named).places)
    return [Path(str(mirrored.get(photo, place))) for photo, place in zip(photos, flat, strict=True)]


def asking(arguments: Namespace, photos: Sequence[Path]) -> Callable[[Path, Path], Job]:
    """What is asked of a photo; where all show one person, the others that can be read are its references."""
    same = [photo for photo in photos if imageio.is_read(photo)] if arguments.same_person else []

    def job(photo: Path, output: Path) -> Job:
        return Job(
            photo,
            output,
            seed=arguments.seed,
            faces=arguments.faces,
            references=(*arguments.reference, *(other for other in same if other != photo)),
            decoy=arguments.target,
            force=arguments.force,
            keep=arguments.keep_metadata,
            only=tuple(arguments.only),
            spared=tuple(arguments.spared),
        )

    return job


def kept(arguments: Namespace, book: Path | None = None) -> dict[Path, str]:
    """The files that no result may overwrite, beside the photos, and what they are."""
    found = inputs(arguments, book)
    return {**found, arguments.report: "the report"} if arguments.report else found


def inputs(arguments: Namespace, book: Path | None = None) -> dict[Path, str]:
    """Those that no report may overwrite either."""
    found = {Path(arguments.recipe): "the recipe", **dict.fromkeys(arguments.reference, "one of the references")}
    found |= dict.fromkeys([*arguments.only, *arguments.spared], "the photo of a face")
    return found | ({} if book is None else {book: "the journal"})


def _teller(arguments: Namespace, chosen: Recipe, bar: AlbumBar) -> Callable[[Told], None]:
    """Says, once, what the words were taken for."""
    said = list[Told]()

    def tell(told: Told) -> None:
        if not said:
            own = recipe.own_words(chosen, arguments.text, arguments.style)
            for text in (*own, *sheets.told(told.look, told.notes)):
                bar.note(text)
            said.append(told)

    return tell


@contextlib.contextmanager
def _told_to_end() -> Iterator[None]:
    """Inside, SIGTERM and a closed terminal end the run as Ctrl-C does."""

    def end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
    before = {number: signal.signal(number, end) for number in {*numbers}}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
