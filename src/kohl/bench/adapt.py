"""The cell of an attacker who adapts: how many matches come back as the pairs that it has seen become more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from kohl.bench.linker import People, attacked, learned, unit
from kohl.bench.made import Made
from kohl.bench.seen import Remembering

FEWEST = 10  # strangers, of whom thresholds and maps are learned


def answers(
    judge: Remembering,
    results: Sequence[Made],
    strangers: Callable[[], Sequence[Made]],
    counts: Sequence[int],
    far: float,
) -> dict[str, Any]:
    """For each count of pairs, what a judge says that learned from so many `strangers`, attacked in the same way.

    A photo in which the judge finds no face is left out. Empty where the judge gives no embeddings, or finds too few
    strangers.
    """
    trained = [(one, row) for one in strangers() if (row := _both(judge, one.probe.photo, one.file)) is not None]
    seen = [(one, face) for one in results if (face := judge.embedding(one.file)) is not None]
    if len(trained) < FEWEST or not seen:
        return {"adapted": []}
    people = People(*(np.stack([row[part] for _, row in trained]) for part in (0, 1)))
    others = [_known(judge, one.probe.others) for one, _ in seen]
    kept = [index for index, known in enumerate(others) if len(known)]
    faces = unit(np.stack([seen[index][1] for index in kept]))
    names = [seen[index][0].probe.person for index in kept]
    pairs = [(first, second) for first, second in combinations(range(len(kept)), 2) if names[first] == names[second]]
    found = []
    for count in sorted({min(count, len(trained)) for count in counts}):
        linker = learned(unit(people.after[:count]), unit(people.before[:count]))
        said = attacked(linker, faces, [others[index] for index in kept], pairs, people, far)
        found.append(
            {
                "pairs seen": count,
                "threshold": said.threshold,
                "link threshold": said.link_threshold,
                "probes": [
                    {"person": name, "genuine": scores} for name, scores in zip(names, said.genuine, strict=True)
                ],
                "pairs": [[*pair, score] for pair, score in zip(pairs, said.pairs, strict=True)],
            }
        )
    return {"adapted": found, "strangers": len(trained)}


def _both(judge: Remembering, before: Path, after: Path) -> tuple[np.ndarray, np.ndarray] | None:
    first, second = judge.embedding(before), judge.embedding(after)
    return None if first is None or second is None else (first, second)


def _known(judge: Remembering, photos: Sequence[Path]) -> np.ndarray:
    rows = [row for path in photos if (row := judge.embedding(path)) is not None]
    return np.stack(rows) if rows else np.zeros((0, 1))
