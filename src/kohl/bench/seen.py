"""Judges whose answers are kept on disk by the content of the files, so that no file is looked at twice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from kohl import files, plain_file
from kohl.bench import cells
from kohl.reader import read
from kohl.types import Box, Verifier
from kohl.zoo.judges.judge import Judge, Seen, chosen, nearest, placed
from kohl.zoo.services.judge import ServiceJudge

LARGEST = 2**26  # bytes of what is kept of one photo


class Remembering:
    """A `Verifier` that asks another one once about each photo, or, where only pairs can be asked about, each pair.

    `key` says which judge it is, with the hash of its weights; what is kept lies in `folder`.
    """

    def __init__(self, judge: Verifier, key: str, folder: Path) -> None:
        self.judge, self.key, self.folder = judge, key, folder / key[:16]
        kind, colon, path = judge.name.partition(":")
        self.name = (
            f"onnx:{Path(path).stem}" if kind + colon == "onnx:" else judge.name
        )  # folders are nobody's business
        self.thresholds = judge.thresholds
        self._seen: dict[str, Sequence[Seen]] = {}
        self.looks = 0  # how often the judge itself was asked
        if not isinstance(judge, ServiceJudge):
            self.folder.mkdir(parents=True, exist_ok=True)

    def compare(
        self, probe: Path, gallery: Sequence[Path], *, box: Box | None = None, at: Box | None = None
    ) -> list[float | None]:
        """As in `Verifier`."""
        if isinstance(self.judge, ServiceJudge):  # which keeps its answers itself, by the pictures that were sent
            return self.judge.compare(probe, gallery, box=box, at=at)
        if not isinstance(self.judge, Judge):
            return [self._pair(probe, other, box, at) for other in gallery]
        face = chosen(self.faces(probe), box)
        if face is None:
            return [None] * len(gallery)
        return [nearest(face, placed(self.faces(path), at), self.judge.similarity) for path in gallery]

    def faces(self, path: Path) -> Sequence[Seen]:
        """Every face that the judge finds in the photo at `path`."""
        assert isinstance(self.judge, Judge)
        content = cells.sha256(path)
        if content not in self._seen:
            where = self.folder / f"{content[:40]}.npy"
            kept = _kept(where)
            self._seen[content] = self._look(path, where) if kept is None else kept
        return self._seen[content]

    def _look(self, path: Path, where: Path) -> Sequence[Seen]:
        assert isinstance(self.judge, Judge)
        found = self.judge.look(read(path).pixels)
        self.looks += 1
        _keep(where, found)
        return found

    def embedding(self, path: Path) -> np.ndarray | None:
        """That of the photo's largest face; None without one, or where the judge only compares."""
        if not isinstance(self.judge, Judge):
            return None
        face = chosen(self.faces(path), None)
        return None if face is None else face.embedding

    def _pair(self, probe: Path, other: Path, box: Box | None, at: Box | None) -> float | None:
        where = self.folder / f"{cells.key(pair=[cells.sha256(probe), cells.sha256(other), box, at])[:40]}.json"
        try:
            known: Mapping[str, float | None] = json.loads(plain_file.content(where, LARGEST))
        except (FileNotFoundError, ValueError):
            (score,) = self.judge.compare(probe, [other], box=box, at=at)
            self.looks += 1
            known = {"score": score}
            files.write(where, json.dumps(known).encode(), force=True)
        return known["score"]


def _kept(where: Path) -> list[Seen] | None:
    """Boxes and embeddings as they were kept; None for what is not there or is no such file."""
    try:
        rows = np.load(BytesIO(plain_file.content(where, LARGEST)), allow_pickle=False)
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return [Seen((row[0], row[1], row[2], row[3]), row[4:]) for row in rows] if rows.ndim == 2 else None


def _keep(where: Path, found: Sequence[Seen]) -> None:
    rows = [np.concatenate([np.asarray(face.box, np.float64), face.embedding]) for face in found]
    buffer = BytesIO()
    np.save(buffer, np.stack(rows) if rows else np.zeros((0, 4)), allow_pickle=False)
    files.write(where, buffer.getvalue(), force=True)
