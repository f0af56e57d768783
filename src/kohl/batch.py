"""Many photos, one after the other; whatever goes wrong with one of them becomes its row and never stops the rest."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from kohl import __version__, pipeline, recipe
from kohl.errors import BadPhoto, KohlError, NoFace
from kohl.types import Row, Watch, ignore

if TYPE_CHECKING:
    from kohl.pipeline import House

OUT_OF_MEMORY = ("can't allocate memory", "Failed to allocate")  # torch and OpenCV say so by errors of other kinds


def protect_all(
    paths: Sequence[Path],
    outputs: Sequence[Path],
    house: House,
    *,
    seed: int = 0,
    faces: tuple[int, ...] | None = None,
    references: Sequence[Path] = (),
    decoy: int | None = None,
    force: bool = False,
    kept: Mapping[Path, str] = MappingProxyType({}),
    watch: Watch = ignore,
) -> Iterator[Row]:
    """The row of each photo in turn, as soon as it is known; `outputs` are the files to write, in the same order.

    Nothing of one photo is kept for the next. An output that is also a photo or a reference, another's output, or one
    of the `kept` files (by what they are), is refused even with `force`: it would be lost.
    """
    lost = {
        **{real(path): f"would overwrite {path}, which is {what}" for path, what in kept.items()},
        **{real(path): f"would overwrite {path}, which is one of the references" for path in references},
        **{real(path): f"would overwrite {path}, which is one of the photos" for path in paths},
    }
    for path, output in zip(paths, outputs, strict=True):
        started = time.perf_counter()
        try:
            if clash := lost.get(real(output)):
                raise BadPhoto(f"{output}: {clash}; choose another name or folder with -o")
            row = pipeline.protect(
                path,
                output,
                house,
                seed=seed,
                faces=faces,
                references=references,
                decoy=decoy,
                force=force,
                watch=watch,
            )
            lost[real(output)] = f"is already the result of {path}"
        except Exception as error:  # whatever it is: the other photos have a right to their rows
            row = Row(
                photo=str(path),
                output=None,
                status="no_face" if isinstance(error, NoFace) else "failed",
                reason=sentence(error, path),
                seconds=time.perf_counter() - started,
                recipe=recipe.as_dict(house.recipe),
                seed=seed,
                version=__version__,
            )
        yield row


def sentence(error: BaseException, path: Path | None = None) -> str:
    """An error as one sentence for people; without the name of `path` before it, where that is said already."""
    text = " ".join(str(error).removeprefix(f"{path}: ").split())
    if isinstance(error, KohlError):
        return text
    if isinstance(error, MemoryError) or any(sign in text for sign in OUT_OF_MEMORY):
        return "there is not enough memory for this; try a smaller photo"
    if isinstance(error, OSError) and error.strerror:
        named = error.filename and error.filename != str(path)
        return f"{error.filename}: {error.strerror}" if named else error.strerror
    return f"kohl itself failed ({type(error).__name__}: {text}); please report this sentence, without the photo"


def real(path: Path) -> str:
    """The file that `path` leads to, whatever it is called; it need not exist."""
    return os.path.normcase(os.path.realpath(path))
