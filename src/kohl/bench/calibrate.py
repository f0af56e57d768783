"""The similarity that a given share of strangers' photos reaches: what a judge's threshold is."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from kohl.bench import cells, data
from kohl.errors import BadSetting
from kohl.types import Verifier

RATES = (0.1, 0.01, 0.001)  # false-accept rates
CARD = "the judge's card"


@dataclass(frozen=True)
class Similarities:
    """What a judge says of every two photos of a set: of one person, and of two; and how often it finds no face."""

    genuine: Sequence[float]
    impostors: Sequence[float]
    unseen: int

    def thresholds(self, rates: Sequence[float] = RATES) -> dict[float, float]:
        """By false-accept rate, the similarity that no larger share of impostors reaches."""
        return {rate: threshold(self.impostors, rate) for rate in rates}


def of_pairs(judge: Verifier, pairs: Sequence[tuple[Path, Path]]) -> Similarities:
    """The same of pairs of two people alone."""
    found = [judge.compare(first, [second])[0] for first, second in pairs]
    known = [similarity for similarity in found if similarity is not None]
    return Similarities((), known, len(found) - len(known))


def similarities(judge: Verifier, photos: Sequence[tuple[str, Path]]) -> Similarities:
    """Every photo, with the name of its person, against every later one."""
    pairs: dict[bool, list[float]] = {True: [], False: []}  # same person or not → similarities
    unseen = 0
    for index, (name, probe) in enumerate(photos):
        later = photos[index + 1 :]
        found = judge.compare(probe, [path for _, path in later])
        unseen += found.count(None)
        for (other, _), similarity in zip(later, found, strict=True):
            if similarity is not None:
                pairs[name == other].append(similarity)
    return Similarities(pairs[True], pairs[False], unseen)


def threshold(impostors: Sequence[float], rate: float) -> float:
    """The lowest similarity, to four decimals, that at most this share of impostor pairs reaches."""
    allowed = int(rate * len(impostors) + 1e-9)
    return math.floor(sorted(impostors, reverse=True)[allowed] * 1e4 + 1) / 1e4


def share(similarities: Sequence[float], least: float) -> float:
    """How many of them are at least that; not a number without any."""
    return sum(similarity >= least for similarity in similarities) / len(similarities) if similarities else math.nan


def apart(folder: Path, people: Collection[str], contents: Collection[str]) -> list[tuple[str, Path]]:
    """The photos in a folder of people, with their names, but for those who are measured on.

    `people` are their names, `contents` the hashes of their files; raises `BadSetting` if nobody is left to compare.
    """
    named = {name: found for name, found in data.by_person(folder).items() if name not in people}
    left = [(name, path) for name, found in named.items() for path in found if cells.sha256(path) not in contents]
    if len({name for name, _ in left}) < 2:
        raise BadSetting(f"--calibrate: {folder}: has fewer than two people who are not measured on; name another one")
    return left


def pairs_apart(pairs: Sequence[tuple[Path, Path]], contents: AbstractSet[str]) -> list[tuple[Path, Path]]:
    """Those of the pairs of two people none of whose files is measured on; raises `BadSetting` if there is none."""
    left = [pair for pair in pairs if not contents & {cells.sha256(path) for path in pair}]
    if not left:
        raise BadSetting("--calibrate-pairs: DATA names no pair of two people whose photos are not measured on")
    return left


def measured(
    judge: Verifier,
    key: str,
    photos: Sequence[tuple[str, Path]],
    folder: Path,
    pairs: Sequence[tuple[Path, Path]] = (),
) -> tuple[Mapping[float, float], str]:
    """The judge's thresholds on these photos, or on these `pairs` alone, kept in `folder`, and what they rest on."""
    content = [[name, cells.sha256(path)] for name, path in photos]
    of_two = [[cells.sha256(path) for path in pair] for pair in pairs]
    cell_key = cells.key(kind="calibration", judge=key, photos=content, pairs=of_two)
    where = cells.path(folder, f"{judge.name}-calibration", cell_key)
    cell = cells.read(where, cell_key)
    if cell is None:
        found = of_pairs(judge, pairs) if pairs else similarities(judge, photos)
        if not found.impostors:
            raise BadSetting(f"--calibrate: {judge.name} finds no faces of two people to compare; name other photos")
        thresholds = {f"{rate:g}": value for rate, value in found.thresholds().items()}
        counts = {"genuine": len(found.genuine), "impostors": len(found.impostors), "unseen": found.unseen}
        accepted = {rate: share(found.genuine, value) for rate, value in thresholds.items()}
        cell = cells.write(
            where,
            cell_key,
            {
                "kind": "calibration",
                "judge": judge.name,
                "thresholds": thresholds,
                "accepted": accepted,
                **counts,
                **cells.made_by(),
            },
        )
    said = f"{cell['impostors']} pairs of people who are not measured on"
    return {float(rate): value for rate, value in cell["thresholds"].items()}, said
