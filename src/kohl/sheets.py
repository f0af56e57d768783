"""The commands that only show: `kohl protect --preview` and `kohl looks`."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from kohl import batch, contact_sheet, files, preview, pull, tiles
from kohl.errors import BadSetting, KohlError, NoFace
from kohl.house import House
from kohl.job import Job
from kohl.makeup.words.look import sentence
from kohl.parts import Parts
from kohl.recipe import Recipe
from kohl.score.record import plain
from kohl.shown import shown
from kohl.status import Exit, Status


def previews(jobs: Sequence[Job], chosen: Recipe, *, as_json: bool) -> int:
    """Write a sheet for each photo, and nothing else; say what the words were taken for."""
    houses = preview.dial(chosen)
    first = next(iter(houses.values()))
    for note in told(first.look, first.notes):
        pull.tell(f"kohl: {note}")
    codes = [_shown(job, partial(_previewed, job, houses), "preview", as_json=as_json) for job in jobs]
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

    return Exit.of([_shown(job, write, "looks", as_json=arguments.json)])


def told(look: Mapping[str, str], notes: Sequence[str]) -> list[str]:
    """What the user should know about the words: the look as it was understood, and the notes."""
    return [*([f"the look: {sentence(look)}"] if look else []), *notes]


def _previewed(job: Job, houses: Mapping[float, House]) -> Mapping[str, object]:
    preview.write(job, houses)
    return {}


def _shown(job: Job, write: Callable[[], Mapping[str, object]], kind: str, *, as_json: bool) -> Status:
    """Writes one sheet, and says where it is or why there is none."""
    try:
        more = write()
    except (KohlError, OSError, MemoryError) as error:
        print(f"kohl: {shown(f'{job.photo}: {batch.sentence(error, job.photo)}')}", file=sys.stderr, flush=True)
        return Status.NO_FACE if isinstance(error, NoFace) else Status.FAILED
    said = {"photo": str(job.photo), kind: str(job.output), **more}
    print(json.dumps(plain(said), allow_nan=False) if as_json else shown(f"{job.photo} → {job.output}"), flush=True)
    return Status.PROTECTED
