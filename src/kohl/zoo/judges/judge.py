"""A black-box judge: opens photos by itself, finds their faces and says how similar they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from kohl.errors import BadPhoto
from kohl.reader import read
from kohl.types import Box

REMEMBERED = 1024  # photos whose faces (not pixels) are kept: each is looked at once, however often it is compared
LEAST_OVERLAP = 0.3  # intersection over union with a box: of the same face, YuNet's and dlib's had 0.53 or more
ABOUT = 0.8  # of the largest area: dlib's boxes come in steps of a fifth


class Seen(NamedTuple):
    """One face as a judge sees it: its box in photo pixels, and its embedding."""

    box: Box
    embedding: np.ndarray


class Boxed(Protocol):
    """A face of which at least the place is known."""

    @property
    def box(self) -> Box:
        """In photo pixels."""
        ...


Face = TypeVar("Face", bound=Boxed)


class Judge:
    """A `Verifier` from a function that lists the faces in a photo and one that compares two embeddings."""

    def __init__(
        self,
        name: str,
        thresholds: Mapping[float, float],
        look: Callable[[np.ndarray], Sequence[Seen]],
        similarity: Callable[[np.ndarray, np.ndarray], float],
    ) -> None:
        self.name, self.thresholds, self.look, self.similarity = name, thresholds, look, similarity
        self._seen = lru_cache(REMEMBERED)(lambda path, _time, _size: tuple(look(read(path).pixels)))

    def compare(
        self, probe: Path, gallery: Sequence[Path], *, box: Box | None = None, at: Box | None = None
    ) -> list[float | None]:
        """As in `Verifier`; raises `BadPhoto` for a file that is no photo."""
        face = chosen(self.faces(probe), box)
        if face is None:
            return [None] * len(gallery)
        return [nearest(face, placed(self.faces(path), at), self.similarity) for path in gallery]

    def faces(self, path: Path) -> Sequence[Seen]:
        """Every face that this judge finds in the photo at `path`."""
        return self._seen(*state(path))


def state(path: Path) -> tuple[Path, int, int]:
    """Path, time and size of a file, which is another file once one of them has changed; raises `BadPhoto`."""
    try:
        status = path.stat()
    except OSError as error:
        raise BadPhoto(f"{path}: cannot be read ({error.strerror}).") from error
    return path.absolute(), status.st_mtime_ns, status.st_size


def placed(faces: Sequence[Seen], at: Box | None) -> Sequence[Seen]:
    """The faces of a photo to compare with: the one at that place, or all."""
    if at is None:
        return faces
    face = chosen(faces, at)
    return [] if face is None else [face]


def nearest(face: Seen, others: Sequence[Seen], similarity: Callable[[np.ndarray, np.ndarray], float]) -> float | None:
    """The highest similarity of `face` to any of the others; None if there is none."""
    return max((similarity(face.embedding, other.embedding) for other in others), default=None)


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """The cosine of two embeddings of any length."""
    first, second = (embedding.astype(np.float64) for embedding in (first, second))  # whose squares are finite
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def chosen(faces: Sequence[Face], box: Box | None) -> Face | None:
    """The face at `box`, or the largest without one; of several about as large, the first, which dlib is surest of."""
    if box is None:
        areas = [face.box[2] * face.box[3] for face in faces]
        return next((face for face, area in zip(faces, areas, strict=True) if area >= ABOUT * max(areas)), None)
    near = [face for face in faces if overlap(face.box, box) >= LEAST_OVERLAP]
    return max(near, key=lambda face: overlap(face.box, box), default=None)


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (first[2] * first[3] + second[2] * second[3] - shared) if shared else 0.0
