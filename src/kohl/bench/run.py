"""The whole comparison: what is missing is made, judged and written, cell by cell; what is there is read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from kohl.bench import adapt, cells
from kohl.bench.answers import Gallery, answers, gallery
from kohl.bench.cells import Cell
from kohl.bench.data import Probe
from kohl.bench.entries import Entry
from kohl.bench.made import Made, Target, Workshop, weights
from kohl.bench.plan import Asked, Plan, plain
from kohl.bench.posting import SAVED, Posts
from kohl.bench.seen import Remembering

Say: TypeAlias = Callable[[str], None]


def run(plan: Plan, said: Say) -> list[Cell]:
    """Every cell of the plan, in order; those that are there already are only read."""
    others = gallery(plan.data, plan.strangers)
    found = []
    for entry, judges in plan.runs:
        for seed in plan.seeds:
            found += list(_of_seed(plan, entry, judges, seed, others, said))
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
    }
    if plan.strangers_seen and entry.way == "attack":
        yield from _adapted(plan, workshop, judges, seed, made, depends | against, about, said)
    for name, posting in plan.postings.items():
        ranked = gallery if name == SAVED else None  # nobody asks for ranks after posting, which take long
        people = {} if ranked is None else {who: cells.sha256(path) for who, path in ranked.people.items()}
        with _posted(posting) as posted:
            for asked in judges:
                thresholds = {f"{rate:g}": value for rate, value in asked.thresholds.items()}
                judged = {"judge": asked.judge.name, "thresholds": thresholds, "calibration": asked.calibration}
                remade = cells.weights(list(posting.models)) if posting else {}
                key = {
                    "kind": "scores",
                    "gallery": people,
                    "posting": [name, remade],
                    "asked": asked.judge.key,
                    "thresholds": thresholds,
                }
                more = about | judged | {"posting": name, "white box": plain(asked.judge.name) in entry.surrogates}
                label = f"{entry.name} {asked.judge.name} {name} {seed}"
                score = partial(_scores, made, asked.judge, ranked, posted)
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
            "unseen": [cells.sha256(path) for path in plan.unseen],
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
    return adapt.answers(judge, made(), strangers, plan.unseen, plan.pairs_seen, plan.far)


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
        if not workshop.has(probe, seed, target):
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
