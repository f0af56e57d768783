"""Photos that a worker does not have on a disk of its own: brought to it, and their results taken back.

While they are worked on they lie in a private folder of the worker's, in memory where the machine has room for that,
and they are gone before the next one comes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from kohl import stores
from kohl.errors import KohlError
from kohl.job import Job, Task
from kohl.reader import LARGEST
from kohl.stores import Url
from kohl.types import Row


@contextmanager
def brought(task: Task, folder: Path, lent: Mapping[Path, Path]) -> Iterator[tuple[Job, Mapping[str, str]]]:
    """The task's job with files that are here, and the names that were given, by the names that they have here.

    Raises `BadPhoto` or an `OSError` where the photo cannot be brought.
    """
    with tempfile.TemporaryDirectory(dir=folder) as made:
        photo, output = Path(made, "in", task.photo.name), Path(made, "out", task.output.name)
        if task.content is not None or isinstance(task.photo, Url):
            photo.parent.mkdir()
            photo.write_bytes(_content(task))
        else:
            photo = task.photo
        job = replace(
            task.job,
            photo=photo,
            output=output,
            references=tuple(lent.get(path, path) for path in task.job.references),
            only=tuple(lent.get(path, path) for path in task.job.only),
            spared=tuple(lent.get(path, path) for path in task.job.spared),
        )
        own = {str(photo): str(task.photo), str(output): str(task.output)}
        yield job, own | {str(here): str(given) for given, here in lent.items()}


def given_back(task: Task, result: Path) -> bytes | None:
    """What the run is to write; None where it is a store's, and there now. Raises `BadPhoto` where it cannot be."""
    if not isinstance(task.output, Url):
        return result.read_bytes()
    stores.put(task.output, result.read_bytes(), force=task.job.force)
    return None


def as_asked(row: Row, task: Task, names: Mapping[str, str] = MappingProxyType({})) -> Row:
    """The row with the names that were given."""
    output = None if row.output is None else str(task.output)
    reason = None if row.reason is None else _told(row.reason, names).removeprefix(f"{task.photo}: ")
    faces = [
        replace(face, references={names.get(path, path): said for path, said in face.references.items()})
        for face in row.faces
    ]
    return replace(row, photo=str(task.photo), output=output, reason=reason, faces=faces)


def unpacked(lent: Mapping[Path, bytes], folder: Path) -> dict[Path, Path]:
    """Where in the folder each file is that was lent, under its own name."""
    here = {}
    for number, (path, content) in enumerate(lent.items()):
        here[path] = folder / f"lent-{number}" / path.name
        here[path].parent.mkdir()
        here[path].write_bytes(content)
    return here


@contextmanager
def named(lent: Mapping[Path, Path]) -> Iterator[None]:
    """Within it, what kohl refuses is said with the names that were given."""
    try:
        yield
    except KohlError as error:
        names = {str(here): str(given) for given, here in lent.items()}
        raise type(error)(_told(error.said, names), error.remedy) from None


def _told(text: str, names: Mapping[str, str]) -> str:
    for here, given in names.items():
        text = text.replace(here, given)
    return text


def _content(task: Task) -> bytes:
    if task.content is None:
        assert isinstance(task.photo, Url)
        return stores.read(task.photo, LARGEST)
    return task.content
