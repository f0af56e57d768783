"""One photo to protect, and how: a value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kohl import exif
from kohl.errors import BadSetting
from kohl.stores import Where


@dataclass(frozen=True)
class Job:
    """The photo, the file to write, and what is asked of them; the models and their settings are the house's."""

    photo: Path
    output: Path
    seed: int = 0
    faces: tuple[int, ...] | None = None  # which of those that are found, the largest first; None: all
    references: tuple[Path, ...] = ()  # other photos of the person, which the result must not match either
    decoy: int | None = None  # the synthetic person that it shall be matched as; None: nobody
    force: bool = False  # whether an output that exists is overwritten
    keep: tuple[str, ...] = ()  # which of the photo's metadata the result has, by the names of `exif.KEPT`
    only: tuple[Path, ...] = ()  # photos of a face each: of those that are found, only theirs ...
    spared: tuple[Path, ...] = ()  # ... and all but theirs

    def __post_init__(self) -> None:
        if self.faces is not None and not self.faces:
            raise BadSetting("faces: name at least one, or leave it out for all of them")
        if any(index < 0 for index in self.faces or ()):
            raise BadSetting(f"faces: are numbered from 0, the largest first; there is none of {min(self.faces or ())}")
        exif.check(self.keep)


class Task(NamedTuple):
    """A photo to protect, and where it and its result are; the key is what its line in the journal is found by.

    In the job stand the same places, or of what is in a store its name alone.
    """

    job: Job
    photo: Where
    output: Where
    key: str = ""
    content: bytes | None = None  # the photo, for a worker without this disk; it gives back the result, too

    def is_here(self) -> bool:
        """Whether photo and result are on a disk that the worker has."""
        return self.content is None and isinstance(self.photo, Path) and isinstance(self.output, Path)
