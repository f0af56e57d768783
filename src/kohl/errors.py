"""What kohl refuses, by kind, and what helps; loads nothing."""

from __future__ import annotations

from enum import Enum


class Remedy(Enum):
    """What helps, where that is said otherwise on a command line than in Python; each front end has its own words."""

    OVERWRITE = "overwrite it, or choose another name"
    OTHER_NAME = "choose another name"
    OTHER_PLACE = "choose another place"
    PHOTOS_IN_IT = "name the photos in it"
    FILE_IN_IT = "name a file in it"
    PNG = "ask for a .png"
    COMMON_FORMAT = "ask for .png, .jpg or .webp"


class KohlError(Exception):
    """Anything kohl refuses: one sentence that says what was wrong, where, and what to do."""

    def __init__(self, said: str = "", remedy: Remedy | None = None) -> None:
        super().__init__(said)
        self.said, self.remedy = said, remedy

    def __str__(self) -> str:
        """The sentence in words of no front end."""
        return f"{self.said}; {self.remedy.value}" if self.remedy else self.said


class NoFace(KohlError):
    """The photo has no face that could be protected."""


class BadPhoto(KohlError):
    """The file is no photo that kohl can read, or a result that cannot be written."""


class BadSetting(KohlError):
    """A recipe, an override or an argument names something that does not exist or is out of range."""


class BadModel(KohlError):
    """A model's file is missing, has the wrong hash, or is not what its card says."""


class Unavailable(KohlError):
    """A service elsewhere is out of reach, refuses to answer, or answers what cannot be understood."""


class Broken(KohlError):
    """Nothing more can be done in this run, whichever photo comes next: the disk is full, for one."""


class Cancelled(KohlError):
    """Whoever asked does not want the result any more."""
