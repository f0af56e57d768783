"""What black-box judges say of a saved file: does its face still match the original, or another photo of the person?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kohl.errors import BadSetting
from kohl.status import Status
from kohl.types import Box, FaceRow, Judgement, Row, Verifier


def threshold(judge: Verifier, far: float) -> float:
    """The similarity at or above which `judge` says "same person", wrongly so for a share `far` of strangers."""
    if far not in judge.thresholds:
        known = ", ".join(f"{rate:g}" for rate in sorted(judge.thresholds))
        has = known or "none; measure some with benchmarks/thresholds.py"
        raise BadSetting(f"models.far: the {judge.name} judge has no threshold at {far:g}; it has {has}")
    return judge.thresholds[far]


def judge_face(
    judges: Sequence[Verifier], original: Path, protected: Path, references: Sequence[Path], box: Box | None, far: float
) -> tuple[dict[str, Judgement], dict[str, dict[str, Judgement]]]:
    """What each judge says of one face, against the original photo and against each reference, as in `FaceRow`.

    Only the files are judged: each judge opens, detects and aligns by itself. `before` is the original's face and
    `after` the protected file's. In the original they are compared with the face at the same place, whoever else is in
    the picture; in a reference with every face.
    """
    found = {
        judge.name: [
            Judgement(before, after, threshold(judge, far), far)
            for before, after in zip(
                *(
                    [
                        *judge.compare(file, [original], box=box, at=box),
                        *judge.compare(file, references, box=box),
                    ]
                    for file in (original, protected)
                ),
                strict=True,
            )
        ]
        for judge in judges
    }
    against = [{name: judgements[index] for name, judgements in found.items()} for index in range(1 + len(references))]
    return against[0], {str(path): judgements for path, judgements in zip(references, against[1:], strict=True)}


def verdict(
    judges: Mapping[str, Judgement], references: Mapping[str, Mapping[str, Judgement]]
) -> tuple[Status, str | None]:
    """`protected` or `not_protected`, and why: one sentence, or None where there is nothing to add.

    Protected means that somebody looked and nobody matched:

    - No judge matches the saved file to the original or to any reference.
    - Every judge that found the face in the original still finds it in the saved file. A judge that loses it could not
      compare: makeup that only blinds one detector proves nothing about the next.
    - At least one judge could compare with the original, and at least one with each reference.

    A judge that never found the face in the original has no say, but if it matches the saved file it is believed. A
    reference in which one judge finds no face is left to the others. What was left out is told even when protected.
    """
    against = _against(judges, references)
    problems = [
        *(problem for photo, judgements in against for problem in _matches(photo, judgements)),
        *(f"the {name} judge {says(judgement)}" for name, judgement in judges.items() if _lost(judgement)),
        *(
            f"no judge finds a face to compare in {photo}"
            for photo, judgements in against
            if all(judgement.before is None for judgement in judgements.values())
        ),
    ]
    if problems:
        return Status.NOT_PROTECTED, "; ".join(problems)
    silent = [name for name, judgement in judges.items() if judgement.before is None]
    note = f"not judged by {' and '.join(silent)}, which found no face in the original" if silent else None
    return Status.PROTECTED, note


def still_matching(judges: Mapping[str, Judgement], references: Mapping[str, Mapping[str, Judgement]]) -> str | None:
    """Which judges match a face that was left as it was, in one sentence; None where none does."""
    against = _against(judges, references)
    return "; ".join(match for photo, judgements in against for match in _matches(photo, judgements)) or None


def of_faces(faces: Sequence[FaceRow]) -> str | None:
    """Why a photo with these faces is not protected; None if it is. First those that kohl could not change."""
    skipped = [face for face in faces if face.status == Status.SKIPPED and face.recognised]
    failed = [face for face in faces if face.status == Status.NOT_PROTECTED]
    said = [f"face {face.index} was skipped: {face.reason}" for face in skipped]
    return "; ".join([*said, *(f"face {face.index}: {face.reason}" for face in failed)]) or None


def own_reason_of(row: Row) -> str | None:
    """Of a photo's reason what its faces do not say themselves."""
    return None if row.reason == of_faces(row.faces) else row.reason


def own_reason(face: FaceRow) -> str | None:
    """Of a face's reason what its judgements do not say themselves."""
    if not face.reason:
        return None
    told = verdict(face.judges, face.references)[1] if face.judges else None
    matches = still_matching(face.judges, face.references)
    rest = face.reason
    for said in filter(None, (told, matches)):
        rest = "" if rest == said else rest.removesuffix(f"; {said}")
    return rest or None


def says(judgement: Judgement) -> str:
    """A judgement in a few words that follow the judge's name."""
    if _lost(judgement):
        return "finds no face in the result, so it could not compare"
    if judgement.matches is None:
        return "found no face to compare"
    if judgement.matches:
        return "still matches"
    matched = judgement.before is not None and judgement.before >= judgement.threshold
    return "no longer matches" if matched else "does not match, and did not before"


def in_a_hundred(chance: float) -> str:
    """A chance in words that people count with."""
    return "fewer than 1 in 100" if chance < 0.01 else f"about {round(100 * chance)} in 100"


def _against(
    judges: Mapping[str, Judgement], references: Mapping[str, Mapping[str, Judgement]]
) -> list[tuple[str, Mapping[str, Judgement]]]:
    """What was compared with, in words, and what the judges say of it."""
    return [("the original", judges), *((Path(path).name, judgements) for path, judgements in references.items())]


def _lost(judgement: Judgement) -> bool:
    return judgement.before is not None and judgement.after is None


def _matches(photo: str, judgements: Mapping[str, Judgement]) -> Iterator[str]:
    for name, judgement in judgements.items():
        if judgement.after is not None and judgement.after >= judgement.threshold:
            yield f"the {name} judge still matches {photo} ({judgement.after:.2f}, threshold {judgement.threshold:.2f})"
