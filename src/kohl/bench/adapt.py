"""The cell of an attacker who adapts: how many matches come back as the pairs that it has seen become more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kohl.bench.linker import attacked, learned, unit
from kohl.bench.made import Made
from kohl.bench.seen import Remembering

FEWEST = 10  # people, of whom maps are learned or thresholds set


def answers(
    judge: Remembering,
    results: Sequence[Made],
    seen: Callable[[], Sequence[Made]],
    unseen: Sequence[Path],
    counts: Sequence[int],
    far: float,
) -> dict[str, Any]:
    """For each count of pairs, what a judge says that learned from so many of those `seen`, who were attacked alike.

    Thresholds are of the photos of people that are `unseen`. A photo in which the judge finds no face is left out.
    Nothing is found where the judge gives no embeddings, or too few people are seen.
    """
    pairs = [row for one in seen() if (row := _both(judge, one.probe.photo, one.file)) is not None]
    known = [(one, face) for one in results if (face := judge.embedding(one.file)) is not None]
    others = [_known(judge, one.probe.others) for one, _ in known]
    kept = [index for index, photos in enumerate(others) if len(photos)]
    strangers = _known(judge, unseen)
    if min(len(pairs), len(strangers)) < FEWEST or not kept:
        return {"adapted": []}
    before, after = (unit(np.stack([row[part] for row in pairs])) for part in (0, 1))
    faces, people = unit(np.stack([known[at][1] for at in kept])), [known[at][0].probe.person for at in kept]
    found = []
    for count in sorted({min(count, len(pairs)) for count in counts}):
        left = after[count:] if count < len(pairs) or len(set(people)) > 1 else after  # somebody must set the threshold
        linker = learned(after[:count], before[:count])
        of_each = [others[at] for at in kept]
        said = attacked(linker, faces, of_each, people, strangers=strangers, attacked_strangers=left, far=far)
        probes = [{"person": name, "genuine": scores} for name, scores in zip(people, said.genuine, strict=True)]
        thresholds = {"threshold": said.threshold, "link threshold": said.link_threshold}
        found.append(
            {"pairs seen": count, **thresholds, "probes": probes, "pairs": [list(pair) for pair in said.pairs]}
        )
    return {"adapted": found, "strangers": len(strangers)}


def _both(judge: Remembering, before: Path, after: Path) -> tuple[np.ndarray, np.ndarray] | None:
    first, second = judge.embedding(before), judge.embedding(after)
    return None if first is None or second is None else (first, second)


def _known(judge: Remembering, photos: Sequence[Path]) -> np.ndarray:
    rows = [row for path in photos if (row := judge.embedding(path)) is not None]
    return np.stack(rows) if rows else np.zeros((0, 1))
