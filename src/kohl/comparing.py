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

SMALL, ALIKE = 64, 8.0  # pixels of a side to which copies are shrunk, and how far apart these are, of 255, at the most


@dataclass(frozen=True)
class Said:
    """What one judge says of one face; of the largest of A and any of B if it has no number."""

    judge: str
    score: float | None  # None: no face to compare
    threshold: float
    face: int | None = None

    @property
    def matches(self) -> bool | None:
        """Whether it is the same person; None where there is no number."""
        return None if self.score is None or math.isnan(self.score) else self.score >= self.threshold


def compared(a: Path, b: Path, judges: Iterable[Verifier], detector: Callable[[], Detector]) -> list[Said]:
    """What each judge says; raises `BadPhoto` for what is no photo."""
    first, second = imageio.read(a), imageio.read(b)
    boxes: Sequence[Box] = [face.box for face in detector()(first)] if is_copy(first, second) else ()
    del first, second
    places: Mapping[int | None, Box | None] = dict(enumerate(boxes)) if len(boxes) > 1 else {None: None}
    far, found = recipe.load("default").models.far, []
    for judge in judges:
        limit = verify.threshold(judge, far)
        for face, box in places.items():
            at = boxes[0] if face is None and boxes else box
            (score,) = judge.compare(a, [b], box=at, at=at)
            found.append(Said(judge.name, score, limit, face))
    return found


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
        text = f"{said.score:.2f}, threshold {said.threshold:.2f}: {verdict}"
    yield f"{'' if said.face is None else f'face {said.face}  '}{said.judge}  {text}"


def record(a: Path, b: Path, found: Sequence[Said]) -> dict[str, Any]:
    """The same as JSON values: of the largest face, and of all if there are several."""
    far = recipe.load("default").models.far

    def told(said: Said) -> dict[str, Any]:
        return {"score": said.score, "threshold": said.threshold, "far": far, "matches": said.matches}

    whole: dict[str, Any] = {
        "a": str(a),
        "b": str(b),
        "judges": {said.judge: told(said) for said in found if not said.face},
    }
    several = sorted({said.face for said in found if said.face is not None})
    if several:
        whole["faces"] = [{said.judge: told(said) for said in found if said.face == face} for face in several]
    return whole
