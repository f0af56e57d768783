"""The whole comparison: what is missing is made, judged and written, cell by cell; what is there is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from kohl.bench import adapt, cells
from kohl.bench.answers import Gallery, answers
from kohl.bench.cells import Cell
from kohl.bench.data import DataSet, Probe
from kohl.bench.entries import Entry
from kohl.bench.frechet import Space
from kohl.bench.likeness import Likeness
from kohl.bench.made import Made, Target, Workshop, weights
from kohl.bench.posting import SAVED, Posts
from kohl.bench.seen import Remembering
from kohl.errors import BadSetting
from kohl.house import House
from kohl.recipe import Recipe

Say: TypeAlias = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Asked:
    """A judge, and from which similarity on it says "same person"."""

    judge: Remembering
    thresholds: Mapping[float, float]
    calibration: str  # where they come from


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything that a run is to find out."""

    data: DataSet
    runs: Sequence[tuple[Entry, Sequence[Asked]]]  # each attack with those who judge it
    folder: Path
    load: Callable[[Recipe], House]
    seeds: Sequence[int] = (0,)
    postings: Mapping[str, Posts | None] = field(default_factory=lambda: {SAVED: None})
    strangers: Mapping[str, Sequence[Path]] = field(default_factory=dict)  # of the gallery
    targets: Sequence[Target] = ()
    aligned: bool = False
    strangers_seen: Sequence[Probe] = ()  # whose photos, before and after, teach an attacker who adapts
    pairs_seen: Sequence[int] = ()  # from how many of them
    far: float = 0.01  # at which rate that attacker's thresholds are set
    likeness: Likeness | None = None  # what is measured of each face
    spaces: Mapping[str, Space] = field(default_factory=dict)  # in which sets of faces are compared

    @property
    def photos(self) -> Path:
        """Where results are kept."""
        return self.folder / "photos"

    def workshop(self, entry: Entry) -> Workshop:
        """What makes the results of an entry."""
        return Workshop(entry, self.photos, self.load, self.aligned)

    def target(self, index: int, group: int | None, seed: int) -> Target | None:
        """Whom a photo is to resemble: that of its group, or each target in turn."""
        if not self.targets:
            return None
        return self.targets[(index + seed if group is None else group) % len(self.targets)]


def postings(names: Sequence[str], known: Mapping[str, Posts]) -> dict[str, Posts | None]:
    """The postings of those names, first the saved file as it is; `all` are all. Raises `BadSetting`."""
    chosen = list(known) if "all" in names else [name for name in names if name != SAVED]
    if missing := [name for name in chosen if name not in known]:
        raise BadSetting(f"--post: {missing[0]}: no such thing becomes of a photo; there are {', '.join(known)}")
    return {SAVED: None, **{name: known[name] for name in chosen}}


def run(plan: Plan, said: Say) -> list[Cell]:
    """Every cell of the plan, in order; those that are there already are only read."""
    gallery = Gallery.of(plan.data, plan.strangers) if plan.strangers or len(plan.data.people) > 1 else None
    found = []
    for entry, judges in plan.runs:
        for seed in plan.seeds:
            found += list(_of_seed(plan, entry, judges, seed, gallery, said))
    return list({cell["key"]: cell for cell in found}.values())


def _of_seed(
    plan: Plan, entry: Entry, judges: Sequence[Asked], seed: int, gallery: Gallery | None, said: Say
) -> Iterator[Cell]:
    workshop = plan.workshop(entry)
    aims = [plan.target(index, probe.group, seed) for index, probe in enumerate(plan.data.probes)]
    made = _Once(partial(_results, plan.data.probes, workshop, seed, aims, said))
    about = {
        "attack": entry.name,
        "way": entry.way,
        "source": entry.source,
        "settings": asdict(entry.recipe),
        "surrogates": list(entry.surrogates),
        "weights": weights(entry),
        "goal": "impersonate" if plan.targets else "dodge",
        "seed": seed,
    }
    depends = {
        "photos": [
            [probe.person, probe.photo.name, workshop.key(probe, seed, target), cells.sha256(probe.photo)]
            for probe, target in zip(plan.data.probes, aims, strict=True)
        ]
    }
    content = cells.key(photos=[[probe.person, cells.sha256(probe.photo)] for probe in plan.data.probes])[:16]
    counts = {"photos": len(plan.data.probes), "people": len(plan.data.people)}
    data = {"name": plan.data.name, "content": content, **counts}
    about |= {"data": data, **cells.made_by()}
    spaces = {name: space.key for name, space in plan.spaces.items()} if entry.way != "clean" else {}
    kind = {"kind": "quality", "spaces": spaces, "likeness": plan.likeness and plan.likeness.key}
    yield _cell(plan, f"{entry.name} quality {seed}", depends | kind, about, partial(_quality, plan, made))
    against = {
        "others": [[cells.sha256(other) for other in probe.others] for probe in plan.data.probes],
        "targets": [target and [target.person, *map(cells.sha256, target.others)] for target in aims],
        "gallery": {} if gallery is None else {name: cells.sha256(path) for name, path in gallery.people.items()},
    }
    if plan.strangers_seen and entry.way == "attack":
        yield from _adapted(plan, workshop, judges, seed, made, depends | against, about, said)
    for name, posting in plan.postings.items():
        with _posted(posting) as posted:
            for asked in judges:
                thresholds = {f"{rate:g}": value for rate, value in asked.thresholds.items()}
                judged = {"judge": asked.judge.name, "thresholds": thresholds, "calibration": asked.calibration}
                remade = cells.weights(list(posting.models)) if posting else {}
                key = {"kind": "scores", "posting": [name, remade], "asked": asked.judge.key, "thresholds": thresholds}
                more = about | judged | {"posting": name, "white box": _plain(asked.judge.name) in entry.surrogates}
                label = f"{entry.name} {asked.judge.name} {name} {seed}"
                score = partial(_scores, made, asked.judge, gallery, posted)
                yield _cell(plan, label, depends | against | key, more, score)


def _adapted(
    plan: Plan,
    workshop: Workshop,
    judges: Sequence[Asked],
    seed: int,
    made: Callable[[], list[Made]],
    depends: Mapping[str, Any],
    about: Mapping[str, Any],
    said: Say,
) -> Iterator[Cell]:
    """What judges say that have seen photos before and after the same attack."""
    probes = plan.strangers_seen
    aims = [plan.target(index, probe.group, seed) for index, probe in enumerate(probes)]
    strangers = _Once(partial(_results, probes, workshop, seed, aims, partial(_of_strangers, said)))
    keys = [workshop.key(probe, seed, target) for probe, target in zip(probes, aims, strict=True)]
    for asked in judges:
        key: dict[str, Any] = {
            "kind": "adapted",
            "far": plan.far,
            "asked": asked.judge.key,
            "strangers": keys,
            "counts": list(plan.pairs_seen),
        }
        more = {**about, "judge": asked.judge.name, "far": plan.far}
        answer = partial(_adapt, plan, asked.judge, made, strangers)
        yield _cell(
            plan,
            f"{about['attack']} {asked.judge.name} adapted {seed}",
            {**depends, **key},
            more,
            answer,
        )


def _adapt(
    plan: Plan, judge: Remembering, made: Callable[[], list[Made]], strangers: Callable[[], list[Made]]
) -> dict[str, Any]:
    return adapt.answers(judge, made(), strangers, plan.pairs_seen, plan.far)


def _of_strangers(said: Say, text: str) -> None:
    said(f"for an attacker who adapts: {text}")


def _cell(
    plan: Plan, label: str, depends: Mapping[str, Any], about: Mapping[str, Any], make: Callable[[], Mapping[str, Any]]
) -> Cell:
    """The cell that depends on all that, read or made."""
    key = cells.key(**depends, attack=about["attack"], data=about["data"]["name"])
    where = cells.path(plan.folder / "cells", label, key)
    known = cells.read(where, key)
    if known is not None:
        return known
    started = time.perf_counter()
    content = make()
    when = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": time.perf_counter() - started}
    return cells.write(where, key, {"kind": depends["kind"], **about, **when, **content})


class _Once:
    """Results that are made when they are first asked for."""

    def __init__(self, make: Callable[[], list[Made]]) -> None:
        self._make, self._made = make, list[Made]()

    def __call__(self) -> list[Made]:
        self._made = self._made or self._make()
        return self._made


def _results(
    probes: Sequence[Probe], workshop: Workshop, seed: int, aims: Sequence[Target | None], said: Say
) -> list[Made]:
    results = []
    for index, (probe, target) in enumerate(zip(probes, aims, strict=True)):
        if workshop.entry.way != "clean":  # of which nothing is made
            said(f"{workshop.entry.name}, seed {seed}: photo {index + 1} of {len(probes)}")
        results.append(workshop(probe, seed, target))
    return results


def _quality(plan: Plan, made: Callable[[], list[Made]]) -> dict[str, Any]:
    changed = [(one.probe.photo, one.file) for one in made() if one.file != one.probe.photo]
    probes = [
        {
            "person": one.probe.person,
            "photo": one.probe.photo.name,
            "figures": {**one.figures, **_likeness(plan, one)},
            "reason": one.reason,
        }
        for one in made()
    ]
    return {"probes": probes, "distances": {name: space(changed) for name, space in plan.spaces.items()}}


def _likeness(plan: Plan, one: Made) -> dict[str, float | None]:
    if plan.likeness is None or one.file == one.probe.photo:
        return {}
    return plan.likeness(one.probe.photo, one.file)


def _scores(
    made: Callable[[], list[Made]], judge: Remembering, gallery: Gallery | None, posted: Callable[[Path], Path]
) -> dict[str, Any]:
    return answers(judge, made(), gallery, posted)


@contextmanager
def _posted(posting: Posts | None) -> Iterator[Callable[[Path], Path]]:
    """What gives the file that a file becomes; made once, and gone in the end."""
    if posting is None:
        yield lambda path: path
        return
    with TemporaryDirectory(prefix="kohl-bench-") as temporary:

        def posted(path: Path) -> Path:
            copy = Path(temporary) / f"{cells.sha256(path)[:32]}{posting.suffix}"
            if not copy.exists():
                posting(path, copy)
            return copy

        yield posted


def _plain(judge: str) -> str:
    """The card that a judge's name is about."""
    return judge.removeprefix("aligned:").removeprefix("encoder:")


def check_apart(runs: Sequence[tuple[Entry, Sequence[Asked]]]) -> None:
    """Raises `BadSetting` for a judge that an attack looks into: such a figure says little of strangers."""
    for entry, judges in runs:
        for asked in judges:
            if _plain(asked.judge.name) in entry.surrogates:
                raise BadSetting(
                    f"--judge: {asked.judge.name}: {entry.name} looks into it; name another judge, or pass "
                    "--leave-one-out, or --white-box, and the tables say so"
                )


def left_out(entries: Sequence[Entry], judges: Mapping[str, Asked]) -> list[tuple[Entry, Sequence[Asked]]]:
    """Each attack without each of its surrogates in turn, which then judges it; what has none is judged by all."""
    runs: list[tuple[Entry, Sequence[Asked]]] = []
    for entry in entries:
        if entry.surrogates:
            runs += [(entry.without(name), [judges[name]]) for name in entry.surrogates]
        else:
            runs.append((entry, list(judges.values())))
    return runs
