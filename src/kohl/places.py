"""The photos of an album, here or in a store, and where the result of each goes."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from kohl import batch, stores
from kohl.align import imageio
from kohl.errors import BadSetting
from kohl.stores import Url, Where

READ = (*imageio.SUFFIXES, ".gif")  # suffixes of what is taken for a photo in a folder
POLL_S, SETTLED_S = 1.0, 2.0  # of a folder that is watched: between looks, and for how long a new file must not change


@dataclass(frozen=True)
class Found:
    """The photos in some folders, each with the place for its result; and what else lies there, by suffix."""

    places: Sequence[tuple[Where, Where]]
    others: Mapping[str, int] = field(default_factory=dict)


def identity(place: Where) -> str:
    """The same for all names of a file."""
    return stores.identity(place) if isinstance(place, Url) else batch.real(place)


def result(photo: Where, folder: Where) -> Where:
    """NAME_kohl.EXT in the folder."""
    return folder / imageio.default_output(Path(photo.name)).name


def found(given: Sequence[Where], output: Where, *, named: Callable[[Any, Any], Where] = result) -> Found:
    """The photos that are `given` and those in folders that are, and where each goes below `output`.

    Of one folder the inside is mirrored; of several, and of photos beside them, everything from the deepest folder on
    that holds them all. A photo that is reached twice is taken once. Hidden files and folders, links to folders, and
    what lies in `output` are left out. Raises `BadSetting` for places that no folder holds together.
    """
    if len({place.store if isinstance(place, Url) else "" for place in given}) > 1:
        raise BadSetting(f"{given[0]}, {given[1]}: are in different stores; protect them one after the other")
    folders = {place for place in given if is_folder(place)}
    tops = [_path(place) if place in folders else _path(place).parent for place in given]
    top = tops[0] if len(given) == 1 else PurePath(os.path.commonpath(tops))
    places, others, seen = list[tuple[Where, Where]](), Counter[str](), set[str]()
    for start in given:
        for photo in _walked(start, output) if start in folders else [start]:
            if start in folders and photo.suffix.lower() not in READ:
                others[photo.suffix.lower() or "without a suffix"] += 1
            elif (known := identity(photo)) not in seen:
                seen.add(known)
                inside = PurePath(os.path.normpath(os.path.relpath(_path(photo).parent, top)))
                places.append((photo, named(photo, output / inside.as_posix())))
    return Found(places, dict(others.most_common()))


def is_folder(place: Where) -> bool:
    """Whether it is one."""
    return stores.is_folder(place) if isinstance(place, Url) else place.is_dir()


def arriving(
    folder: Path, output: Where, *, sleep: Callable[[float], None] = time.sleep
) -> Iterator[tuple[Where, Where] | None]:
    """Each photo that is in `folder` or comes to be there, once it has not changed for a while; None between looks."""
    seen, taken = dict[Path, tuple[int, int, float]](), dict[Path, tuple[int, int]]()
    while True:
        for photo in sorted(path for path in _files(folder, output) if path.suffix.lower() in READ):
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
                yield photo, result(photo, output / photo.relative_to(folder).parent.as_posix())
        yield None
        sleep(POLL_S)


def _path(place: Where) -> PurePath:
    return PurePosixPath(place.path) if isinstance(place, Url) else place.absolute()


def _walked(folder: Where, output: Where) -> Iterable[Where]:
    """The files in a folder, in the order of their names, and those in its folders; nothing in `output`."""
    if isinstance(folder, Path):
        return _files(folder, output)
    out = f"{identity(output)}/" if isinstance(output, Url) and identity(output) != identity(folder) else None
    return (file for file in stores.walked(folder) if out is None or not identity(file).startswith(out))


def _files(folder: Path, output: Where) -> Iterator[Path]:
    """The same of a folder here."""
    out = identity(output)
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and batch.real(Path(place, name)) != out)
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))
