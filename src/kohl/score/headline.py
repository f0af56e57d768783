"""What became of all photos, in one sentence for people."""

from __future__ import annotations

from collections.abc import Sequence

from kohl.status import Status
from kohl.types import Row


def headline(rows: Sequence[Row]) -> str:
    """How many of the photos are protected; a face that was skipped and can still be recognised is told with it."""
    count = sum(row.status == Status.PROTECTED for row in rows)
    if len(rows) == 1:
        said = "This photo is protected" if count else "This photo is not protected"
    elif count == len(rows):
        said = f"All {count} photos are protected"
    else:
        said = f"{count or 'None'} of {len(rows)} photos {'is' if count == 1 else 'are'} protected"
    return "".join([said, *_skipped(rows), *_left_out(rows)])


def _skipped(rows: Sequence[Row]) -> list[str]:
    """The faces that kohl could not change and a judge still matches."""
    skipped = sum(face.status == Status.SKIPPED and face.recognised for row in rows for face in row.faces)
    if not skipped:
        return []
    return [f": {_faces(skipped)} skipped and can still be recognised"]


def _left_out(rows: Sequence[Row]) -> list[str]:
    """The faces that nobody asked for."""
    left_out = [face.index for row in rows for face in row.faces if face.status == Status.LEFT_OUT]
    if not left_out:
        return []
    named = f" ({', '.join(map(str, left_out))})" if len(rows) == 1 else ""
    return [f"; {_faces(len(left_out))} left out{named}, as you asked"]


def _faces(count: int) -> str:
    return "1 face was" if count == 1 else f"{count} faces were"
