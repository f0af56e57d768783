"""The commands that only show: `kohl protect --preview` and `kohl looks`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TextIO

from kohl import batch, contact_sheet, files, preview, pull, tiles
from kohl.console import Bar
from kohl.errors import BadPhoto, BadSetting, KohlError, NoFace, Remedy
from kohl.job import Job
from kohl.makeup.words.look import sentence
from kohl.parts import Parts
from kohl.recipe import Recipe
from kohl.score.record import plain
from kohl.shown import shown
from kohl.status import Exit, Status


def previews(jobs: Sequence[Job], chosen: Recipe, *, as_json: bool) -> int:
    """Write a sheet for each photo, and nothing else; say what the words were taken for."""
    lost = {batch.real(job.photo): f"would overwrite {job.photo}, which is one of the photos" for job in jobs}
    codes = []
    with Bar([job.photo for job in jobs]) as bar:
        houses = preview.dial(chosen)
        first = next(iter(houses.values()))
        for note in told(first.look, first.notes):
            bar.note(note)
        bar.loaded()

        def write(job: Job) -> Mapping[str, object]:
            if clash := lost.get(batch.real(job.output)):
                raise BadPhoto(f"{job.output}: {clash}", Remedy.OTHER_NAME)
            preview.write(job, houses, watch=bar.step)
            lost[batch.real(job.output)] = f"is already the sheet of {job.photo}"
            return {}

        for job in jobs:
            codes.append(_shown(job, partial(write, job), "preview", bar.finished, as_json=as_json))
    return Exit.of(codes)


def looks(arguments: Namespace, parts: Parts) -> int:
    """Write one sheet with the face in every look that is asked for."""
    asked = contact_sheet.chosen(arguments.style or [], arguments.text or [])
    output = tiles.default_output(arguments.photo, arguments.output, "looks")
    if arguments.output and arguments.output.exists() and not (arguments.output.is_dir() or output == arguments.output):
        raise BadSetting(f"{arguments.output}: is not a folder; name another one with -o")
    job = Job(arguments.photo, output, faces=arguments.faces, force=arguments.force)
    files.clean(output.absolute().parent)
    for text in arguments.text or []:
        for note in told(asked[text].said, asked[text].notes):
            pull.tell(f"kohl: {note}")

    def write() -> Mapping[str, object]:
        faces = contact_sheet.write(job, asked, parts.detector())
        return {"faces": faces, "styles": {name: look.said for name, look in asked.items()}}

    return Exit.of([_shown(job, write, "looks", _print, as_json=arguments.json)])


def told(look: Mapping[str, str], notes: Sequence[str]) -> list[str]:
    """What the user should know about the words: the look as it was understood, and the notes."""
    return [*([f"the look: {sentence(look)}"] if look else []), *notes]


def _shown(
    job: Job,
    write: Callable[[], Mapping[str, object]],
    kind: str,
    say: Callable[[str, TextIO], None],
    *,
    as_json: bool,
) -> Status:
    """Writes one sheet, and says where it is or why there is none."""
    try:
        more = write()
    except (KohlError, OSError, MemoryError) as error:
        say(f"kohl: {shown(f'{job.photo}: {batch.sentence(error, job.photo)}')}", sys.stderr)
        return Status.NO_FACE if isinstance(error, NoFace) else Status.FAILED
    said = {"photo": str(job.photo), kind: str(job.output), **more}
    say(json.dumps(plain(said), allow_nan=False) if as_json else shown(f"{job.photo} → {job.output}"), sys.stdout)
    return Status.PROTECTED


def _print(text: str, stream: TextIO) -> None:
    print(text, file=stream, flush=True)
