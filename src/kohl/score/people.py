"""Whose face it is, by recognition: which faces of a photo are those of people of whom there are other photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kohl.score.verify import threshold
from kohl.types import Box, Verifier

SURE = 0.001  # false-accept rate at which a face is left as it is, because it is surely that of somebody


def perhaps(judges: Sequence[Verifier], photo: Path, box: Box, people: Sequence[Path], far: float) -> Path | None:
    """The photo, of `people`, whose face some judge takes for the one at `box`; None where none does."""
    limits = [threshold(judge, far) for judge in judges]
    for person, scores in zip(people, _scores(judges, photo, box, people), strict=True):
        if any(score is not None and score >= limit for score, limit in zip(scores, limits, strict=True)):
            return person
    return None


def surely(judges: Sequence[Verifier], photo: Path, box: Box, people: Sequence[Path], far: float) -> Path | None:
    """The one whose face every judge that sees both takes for the one at `box`, more strictly than at `far`.

    None where there is no such, or no judge sees it.
    """
    limits = [threshold(judge, min([far, *(rate for rate in judge.thresholds if rate == SURE)])) for judge in judges]
    for person, scores in zip(people, _scores(judges, photo, box, people), strict=True):
        seen = [score >= limit for score, limit in zip(scores, limits, strict=True) if score is not None]
        if seen and all(seen):
            return person
    return None


def _scores(
    judges: Sequence[Verifier], photo: Path, box: Box, people: Sequence[Path]
) -> list[tuple[float | None, ...]]:
    """For each of `people`, what each judge says."""
    return list(zip(*(judge.compare(photo, people, box=box) for judge in judges), strict=True))
