"""What became of all photos, in one sentence for people."""

from __future__ import annotations

from collections.abc import Sequence

from kohl.status import Status
from kohl.types import Row


class Tally:
    """Counts rows as they come, and keeps none of them."""

    def __init__(self) -> None:
        self.photos, self.before = dict.fromkeys(Status, 0), 0  # of which so many were done before
        self._skipped, self._left_out, self._last = 0, 0, list[int]()

    def add(self, row: Row, *, before: bool = False) -> None:
        """One photo more."""
        self.photos[row.status] += 1
        self.before += before
        self._skipped += sum(face.status == Status.SKIPPED and face.recognised for face in row.faces)
        self._last = [face.index for face in row.faces if face.status == Status.LEFT_OUT]
        self._left_out += len(self._last)

    @property
    def total(self) -> int:
        """How many photos there were."""
        return sum(self.photos.values())

    def statuses(self) -> list[Status]:
        """What there was of."""
        return [status for status, count in self.photos.items() if count]

    def headline(self) -> str:
        """How many of the photos are protected; a face that was skipped and can be recognised is told with it."""
        count, total = self.photos[Status.PROTECTED], self.total
        if total == 1:
            said = "This photo is protected" if count else "This photo is not protected"
        elif count == total:
            said = f"All {count} photos are protected"
        else:
            said = f"{count or 'None'} of {total} photos {'is' if count == 1 else 'are'} protected"
        if self._skipped:  # faces that kohl could not change and a judge still matches
            said += f": {_faces(self._skipped)} skipped and can still be recognised"
        if self._left_out:
            named = f" ({', '.join(map(str, self._last))})" if total == 1 else ""
            said += f"; {_faces(self._left_out)} left out{named}, as you asked"
        return said


def headline(rows: Sequence[Row]) -> str:
    """What a tally of these rows says."""
    tally = Tally()
    for row in rows:
        tally.add(row)
    return tally.headline()


def _faces(count: int) -> str:
    return "1 face was" if count == 1 else f"{count} faces were"
