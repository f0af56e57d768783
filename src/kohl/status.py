"""What can become of a face, of a photo and of a run."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Status(StrEnum):
    """Of a photo or a face."""

    PROTECTED = "protected"
    NOT_PROTECTED = "not_protected"
    NO_FACE = "no_face"  # a photo without a face that could be protected
    FAILED = "failed"  # a photo that could not be read, changed or written
    SKIPPED = "skipped"  # a face that is unfit; it was judged
    LEFT_OUT = "left_out"  # a face that nobody asked for


class Exit(IntEnum):
    """Of a process."""

    PROTECTED = 0
    FAILED = 1
    USAGE = 2
    UNPROTECTED = 3
    INTERRUPTED = 130
    BROKEN_PIPE = 141

    @classmethod
    def of(cls, photos: Iterable[Status]) -> Exit:
        """The worst of all photos'."""
        statuses = set(photos)
        if Status.FAILED in statuses:
            return cls.FAILED
        return cls.PROTECTED if statuses == {Status.PROTECTED} else cls.UNPROTECTED
