"""What one judge says of all results of one attack, as plain numbers: what a cell holds, before anything is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from kohl.bench.data import DataSet
from kohl.bench.made import Made
from kohl.types import Verifier

DIGITS = 6  # of a similarity that is kept: what is beyond differs from machine to machine


@dataclass(frozen=True)
class Gallery:
    """Whom a photo may be taken for: one photo each of people by name."""

    people: Mapping[str, Path]

    @classmethod
    def of(cls, data: DataSet, strangers: Mapping[str, Sequence[Path]]) -> Gallery:
        """Everybody in the set, by the first photo that another one of theirs is compared with, and the strangers."""
        own = {probe.person: probe.others[0] for probe in reversed(data.probes)}
        return cls({**{f"stranger {name}": found[0] for name, found in strangers.items()}, **own})


def gallery(data: DataSet, strangers: Mapping[str, Sequence[Path]]) -> Gallery | None:
    """The gallery of the set and the strangers; None where there is nobody to be taken for."""
    return Gallery.of(data, strangers) if strangers or len(data.people) > 1 else None


def answers(
    judge: Verifier, results: Sequence[Made], gallery: Gallery | None, posted: Callable[[Path], Path]
) -> dict[str, Any]:
    """Similarities of every result, as `posted`, to the person's other photos, to the gallery and to their own others.

    A similarity has DIGITS decimals, and is None where the judge finds no face. In the gallery, the person's own place
    holds the first photo that the result is compared with. `pairs` are of results of one person, by index.
    """
    files = [posted(made.file) for made in results]
    probes = [_probe(judge, made, file, gallery) for made, file in zip(results, files, strict=True)]
    pairs = [
        [first, second, *_kept(judge.compare(files[first], [files[second]]))]
        for first, second in combinations(range(len(results)), 2)
        if results[first].probe.person == results[second].probe.person
    ]
    return {"probes": probes, "pairs": pairs}


def _probe(judge: Verifier, made: Made, file: Path, gallery: Gallery | None) -> dict[str, Any]:
    probe, target = made.probe, made.target
    found: dict[str, Any] = {
        "person": probe.person,
        "photo": probe.photo.name,
        "genuine": _kept(judge.compare(file, probe.others)),
        "reason": made.reason,
    }
    if target is not None:
        found |= {"target": target.person, "targeted": _kept(judge.compare(file, target.others))}
    if gallery is not None:
        others = {name: path for name, path in gallery.people.items() if name != probe.person}
        if target is not None:
            others[f"target {target.person}"] = target.others[0]
        scores = judge.compare(file, [*others.values(), probe.others[0]])
        by_name = dict(zip([*others, probe.person], scores, strict=True))
        found |= {"rank": _rank(by_name, probe.person), "known": sum(score is not None for score in scores)}
        if target is not None:
            found |= {"target rank": _rank(by_name, f"target {target.person}")}
    return found


def _kept(scores: Sequence[float | None]) -> list[float | None]:
    return [score if score is None else round(score, DIGITS) for score in scores]


def _rank(scores: Mapping[str, float | None], name: str) -> int | None:
    """How many are at least as similar as that person, who counts too; None where that one was not seen."""
    own = scores[name]
    if own is None:
        return None
    return sum(score is not None and score >= own for score in scores.values())
