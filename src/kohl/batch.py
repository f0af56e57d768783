"""Many photos, one after the other; whatever goes wrong with one of them becomes its row and never stops the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from kohl import pipeline
from kohl.errors import BadPhoto, Broken, Cancelled, KohlError, NoFace, Remedy
from kohl.job import Job
from kohl.status import Status
from kohl.types import Row, Watch, ignore
from kohl.version import __version__

if TYPE_CHECKING:
    from kohl.pipeline import House, Seal
    from kohl.recipe import Recipe

REMEDIES = {
    Remedy.OVERWRITE: "pass --force to overwrite it, or choose another name with -o",
    Remedy.OTHER_NAME: "choose another name with -o",
    Remedy.OTHER_PLACE: "choose another place with -o",
    Remedy.PHOTOS_IN_IT: "name the photos in it, or pass -r for all of them",
    Remedy.FILE_IN_IT: "name a file in it with -o",
    Remedy.PNG: "ask for a .png with -o",
    Remedy.COMMON_FORMAT: "ask for .png, .jpg or .webp with -o",
}
Protect: TypeAlias = "Callable[..., Row]"  # as `pipeline.protect`
OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "Failed to allocate")  # torch and OpenCV have other errors


def protect_all(
    jobs: Sequence[Job],
    house: House,
    *,
    kept: Mapping[Path, str] = MappingProxyType({}),
    watch: Watch = ignore,
    protect: Protect = pipeline.protect,
) -> Iterator[Row]:
    """The row that `protect` gives of each job in turn, as soon as it is known.

    Nothing of one photo is kept for the next. An output that is also a photo or a reference, another's output, or one
    of the `kept` files (by what they are), is refused even with `force`: it would be lost.
    """
    lost = {
        **{real(path): f"would overwrite {path}, which is {what}" for path, what in kept.items()},
        **{
            real(path): f"would overwrite {path}, which is one of the references"
            for job in jobs
            for path in job.references
        },
        **{real(job.photo): f"would overwrite {job.photo}, which is one of the photos" for job in jobs},
    }
    for job in jobs:
        if clash := lost.get(real(job.output)):
            yield refused(job, house.recipe, BadPhoto(f"{job.output}: {clash}", Remedy.OTHER_NAME))
            continue
        row = attempt(job, house, watch=watch, protect=protect)
        if row.output is not None:
            lost[real(job.output)] = f"is already the result of {job.photo}"
        yield row


def attempt(
    job: Job, house: House, *, watch: Watch = ignore, protect: Protect = pipeline.protect, seal: Seal | None = None
) -> Row:
    """The row that `protect` gives of the job; whatever goes wrong is one too, but that nobody wants it any more."""
    started = time.perf_counter()
    try:
        return protect(job, house, watch=watch, **({} if seal is None else {"seal": seal}))
    except (Cancelled, Broken):
        raise
    except Exception as error:  # whatever it is: the other photos have a right to their rows
        return refused(job, house.recipe, error, time.perf_counter() - started)


def refused(job: Job, recipe: Recipe, error: Exception, seconds: float = 0.0) -> Row:
    """The row of a photo that came to nothing."""
    return Row(
        photo=str(job.photo),
        output=None,
        status=Status.NO_FACE if isinstance(error, NoFace) else Status.FAILED,
        reason=sentence(error, job.photo),
        seconds=seconds,
        recipe=asdict(recipe),
        seed=job.seed,
        version=__version__,
    )


def sentence(error: BaseException, path: Path | None = None) -> str:
    """An error as one sentence for people at a command line; without the name of `path`, where that is said already."""
    said = error.said if isinstance(error, KohlError) else str(error)
    text = " ".join(said.removeprefix(f"{path}: ").split())
    if isinstance(error, KohlError):
        return f"{text}; {REMEDIES[error.remedy]}" if error.remedy else text
    if isinstance(error, MemoryError) or any(sign in text for sign in OUT_OF_MEMORY):
        return "there is not enough memory for this; try a smaller photo"
    if isinstance(error, OSError) and error.strerror:
        named = error.filename and error.filename != str(path)
        return f"{error.filename}: {error.strerror}" if named else error.strerror
    return f"kohl itself failed ({type(error).__name__}: {text}); please report this sentence, without the photo"


def real(path: Path) -> str:
    """The file that `path` leads to, whatever it is called; it need not exist."""
    return os.path.normcase(os.path.realpath(path))
