"""What judges say of two photos: of their largest faces, or, where one is a copy of the other, of each face."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kohl import recipe
from kohl.align import imageio
from kohl.score import verify
from kohl.types import Box, Detector, Photo, Verifier
from kohl.zoo.services.judge import ServiceJudge

SMALL, ALIKE = 64, 8.0  # pixels of a side to which copies are shrunk, and how far apart these are, of 255, at the most


@dataclass(frozen=True)
class Limit:
    """From which similarity on two faces are one person's, to a judge."""

    similarity: float  # not a number: the judge did not say
    far: float | None  # the false-accept rate of that, if it is known
    remark: str = ""  # what is told of it, where it is not the rate that was asked for


@dataclass(frozen=True)
class Said:
    """What one judge says of one face; of the largest of A and any of B if it has no number."""

    judge: str
    score: float | None  # None: no face to compare
    limit: Limit
    face: int | None = None

    @property
    def threshold(self) -> float:
        """From which similarity on it is the same person."""
        return self.limit.similarity

    @property
    def matches(self) -> bool | None:
        """Whether it is the same person; None where there is no number."""
        return None if self.score is None or math.isnan(self.score) else self.score >= self.threshold


def silent(judge: ServiceJudge, comparisons: int) -> None:
    """The `allow` that asks nobody, so that nothing is sent."""


def compared(
    a: Path,
    b: Path,
    judges: Iterable[Verifier],
    detector: Callable[[], Detector],
    allow: Callable[[ServiceJudge, int], None] = silent,
) -> list[Said]:
    """What each judge says, once `allow` has let a service be sent so many comparisons; raises `BadPhoto`."""
    first, second = imageio.read(a), imageio.read(b)
    boxes: Sequence[Box] = [face.box for face in detector()(first)] if is_copy(first, second) else ()
    del first, second
    places: Mapping[int | None, Box | None] = dict(enumerate(boxes)) if len(boxes) > 1 else {None: None}
    far, found = recipe.load("default").models.far, []
    for judge in judges:
        if isinstance(judge, ServiceJudge):
            allow(judge, len(places))
        else:
            verify.threshold(judge, far)  # found out now, not after the work
        scores = []
        for face, box in places.items():
            at = boxes[0] if face is None and boxes else box
            scores += judge.compare(a, [b], box=at, at=at)
        limit = _limit(judge, far)
        found += [Said(judge.name, score, limit, face) for face, score in zip(places, scores, strict=True)]
    return found


def _limit(judge: Verifier, far: float) -> Limit:
    """The judge's threshold at that rate; of a service that has none, the nearest that it has, or its own."""
    if not isinstance(judge, ServiceJudge):
        return Limit(verify.threshold(judge, far), far)
    if judge.limit is not None:
        return Limit(judge.limit, None)
    if judge.thresholds:
        rate = far if far in judge.thresholds else max(judge.thresholds)
        return Limit(judge.thresholds[rate], rate, f" (the service's, of a false-accept rate of {rate:g})")
    if judge.terms.usual is None:
        return Limit(math.nan, None)
    return Limit(judge.terms.usual, None, " (the service's own, of a false-accept rate that it does not publish)")


def is_copy(first: Photo, second: Photo) -> bool:
    """Whether they are one picture, but for faces, perhaps."""
    if first.size != second.size:
        return False
    small = (cv2.resize(photo.pixels, (SMALL, SMALL), interpolation=cv2.INTER_AREA) for photo in (first, second))
    return float(np.abs(np.subtract(*(pixels.astype(np.int16) for pixels in small))).mean()) <= ALIKE


def lines(said: Said) -> Iterator[str]:
    """The same in words."""
    if said.score is None:
        text = "finds no face in one of them"
    elif said.matches is None:
        text = "gives no number"
    else:
        verdict = "same person" if said.matches else "not the same person"
        text = f"{said.score:.2f}, threshold {said.threshold:.2f}{said.limit.remark}: {verdict}"
    yield f"{'' if said.face is None else f'face {said.face}  '}{said.judge}  {text}"


def record(a: Path, b: Path, found: Sequence[Said]) -> dict[str, Any]:
    """The same as JSON values: of the largest face, and of all if there are several."""

    def told(said: Said) -> dict[str, Any]:
        return {"score": said.score, "threshold": said.threshold, "far": said.limit.far, "matches": said.matches}

    whole: dict[str, Any] = {
        "a": str(a),
        "b": str(b),
        "judges": {said.judge: told(said) for said in found if not said.face},
    }
    several = sorted({said.face for said in found if said.face is not None})
    if several:
        whole["faces"] = [{said.judge: told(said) for said in found if said.face == face} for face in several]
    return whole
