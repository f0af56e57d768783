"""What `kohl bench` does, once its arguments are known to be well formed."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import comb
from pathlib import Path

from kohl import baselines, files, pull, sending
from kohl.bench import adapt, calibrate, cells, data, elsewhere, entries, equal, groups, lists, report, run
from kohl.bench import plan as plans
from kohl.bench.answers import gallery
from kohl.bench.data import DataSet, Probe
from kohl.bench.entries import Entry
from kohl.bench.frechet import Space
from kohl.bench.likeness import Likeness
from kohl.bench.made import Target
from kohl.bench.plan import Asked, Plan
from kohl.bench.posting import POSTINGS
from kohl.bench.purify import PURIFICATIONS, purifications
from kohl.bench.results import Results
from kohl.bench.seen import Remembering
from kohl.errors import BadSetting
from kohl.parts import Parts
from kohl.score import verify
from kohl.shown import shown
from kohl.types import Detector, Embeddings, Images, Scores
from kohl.zoo import cards
from kohl.zoo.distances import inception
from kohl.zoo.services.judge import ServiceJudge
from kohl.zoo.services.terms import TERMS
from kohl.zoo.shelf import Shelf

OUTPUT = Path("kohl-bench")
TUNED_ON = 6  # photos on which the strength for a PSNR is found
FID = "Inception (FID)"
LPIPS = "lpips"
SPACE = "makeup_clip"  # whose space sets of faces are compared in
UNSEEN = 300  # people, by whom an attacker's thresholds are set
TOLD = 10  # files that cannot be used, that are named
TARGETS = "whom the photos were to resemble are the files that were named; kohl ships none, and knows nobody"


def bench(arguments: Namespace, parts: Parts) -> None:
    """Measure what is missing, then write and print the tables."""
    if arguments.list:
        _print(_list())
        return
    output = arguments.output or OUTPUT
    labels = groups.labels(arguments.groups) if arguments.groups else {}
    if arguments.cells:
        found = [cell for folder in arguments.cells for cell in cells.every(folder)]
        if not found:
            raise BadSetting(f"--cells: {arguments.cells[0]}: holds no cells")
        report.check_one(found, arguments.cells[0])
        _print(report.write(Results(found, arguments.far, labels), output, notes=()))
        return
    if not arguments.data:
        raise BadSetting(
            "DATA: name a folder with photos of people; `kohl bench --help` says which other forms there are"
        )
    measured_on = data.fit(
        data.fewer(
            lists.data_set(arguments.data, arguments.kind),
            people=arguments.people,
            every=arguments.every,
            most=arguments.photos,
        )
    )
    for folder in (output, output / "cells", output / "photos"):
        folder.mkdir(parents=True, exist_ok=True)
        files.clean(folder)
    plan = _plan(arguments, measured_on, output, parts)
    for note in _notes(plan):
        pull.tell(f"kohl: {note}")
    found = run.run(plan, _tell)
    _print(report.write(Results(found, arguments.far, labels), output, notes=_notes(plan)))


def _plan(arguments: Namespace, measured_on: DataSet, output: Path, parts: Parts) -> Plan:
    named = arguments.attack or ["clean", *([] if arguments.ablate else ["default"])]
    asked = [entries.entry(name, arguments.set) for name in named]
    asked += [one for name in arguments.ablate for one in entries.without_parts(name, arguments.set)]
    if arguments.lossless:
        asked += [entry.without_loss() for entry in asked if entry.way == "attack"]
    for entry in asked:
        pull.check(entry.recipe, entry.start, parts.table)
        baselines.check(entry.recipe)  # found out now, not after hours of other attacks
    shelf, detect = Shelf(), parts.detector()
    postings = plans.postings(arguments.post, {**POSTINGS, **purifications(shelf, detect)})
    strangers = data.by_person(_folder(arguments.gallery, "--gallery")) if arguments.gallery else {}
    targets = _targets(_folder(arguments.target, "--target")) if arguments.target else ()
    repeated = [entry for entry in asked if arguments.psnr and entry.way == "attack"]
    sent = elsewhere.comparisons(
        measured_on,
        gallery(measured_on, strangers),
        targets,
        results=(len(asked) + len(repeated)) * arguments.seeds,
        postings=len(postings) - 1,
    )
    judges = _judges(arguments, asked, measured_on, output, parts, sent)
    load = cache(lambda recipe: parts.load_with(recipe, shelf))
    seen, unseen = _strangers(arguments, measured_on) if arguments.adapt else ((), ())
    plan = Plan(
        measured_on,
        plans.left_out(asked, judges)
        if arguments.leave_one_out
        else [(entry, list(judges.values())) for entry in asked],
        output,
        load,
        range(arguments.seeds),
        postings,
        strangers,
        targets,
        arguments.aligned,
        seen,
        arguments.pairs,
        unseen,
        arguments.far,
        _likeness(shelf, detect),
        _spaces(shelf, detect, arguments.fid),
    )
    if not arguments.white_box:
        plans.check_apart(plan.runs)
    return replace(plan, runs=[*plan.runs, *_at_psnr(plan, arguments.psnr)]) if arguments.psnr else plan


def _likeness(shelf: Shelf, detect: Detector) -> Likeness:
    """Figures of a face, with LPIPS if that has been pulled."""
    here = all(cards.present(card) for card in cards.to_pull([LPIPS]))
    weights = cells.weights(["yunet", "landmarks68", *([LPIPS] if here else [])])

    def lpips(first: Images, second: Images) -> Scores:
        distance: Scores = shelf(cards.load, LPIPS, "perceptual")(first, second)
        return distance

    return Likeness(cells.key(weights=weights), detect, lpips if here else None)


def _spaces(shelf: Shelf, detect: Detector, fid: Path | None) -> dict[str, Space]:
    """Where sets of faces are compared: in the bundled model of text and pictures, and in Inception if it is given."""

    def embedded(images: Images) -> Embeddings:
        found: Embeddings = shelf(cards.load, SPACE, "text").embed_images(images)
        return found

    found = {SPACE: Space(cells.key(weights=cells.weights([SPACE])), detect, embedded)}
    if fid is None:
        return found
    if not fid.is_file():
        raise BadSetting(f"--fid: {fid}: there is no such file; name pytorch-fid's weights of Inception")
    network = inception.load(fid)
    return {**found, FID: Space(cells.key(weights=cells.sha256(fid)), detect, network)}


def _judges(
    arguments: Namespace, asked: Sequence[Entry], measured_on: DataSet, output: Path, parts: Parts, sent: int
) -> Mapping[str, Asked]:
    """By name, those who judge; a service is `sent` so many comparisons at the most, once somebody has agreed."""
    seen = list(dict.fromkeys(name for entry in asked for name in entry.recognisers))
    names = seen if arguments.leave_one_out else arguments.judge
    if not names:
        raise BadSetting(
            "--judge: name one that no attack looks into, such as onnx:MODEL.onnx, or pass --leave-one-out"
        )
    if arguments.leave_one_out and arguments.judge:
        raise BadSetting("--judge: with --leave-one-out the recognisers of each attack judge it; leave the judges out")
    photos = _apart(arguments.calibrate, measured_on) if arguments.calibrate else []
    pairs = calibrate.pairs_apart(measured_on.strangers, _measured(measured_on)) if arguments.calibrate_pairs else []
    found = {}
    for name in names:
        judge = sending.judge(name, parts, output / "seen")
        if isinstance(judge, ServiceJudge):
            more = len(pairs) or comb(len(photos), 2)
            elsewhere.admit(judge, arguments, measured_on, sent=sent, calibrating=more, keep=output / "seen")
            key = elsewhere.key(judge)
        else:
            key = cells.key(kind="judge", weights=cells.weights([name, "yunet"]))
        remembering = Remembering(judge, key, output / "seen")
        if photos or pairs:
            _tell(f"thresholds of {remembering.name}")
            found[name] = Asked(remembering, *calibrate.measured(remembering, key, photos, output / "cells", pairs))
        elif isinstance(judge, ServiceJudge):
            found[name] = Asked(remembering, *elsewhere.thresholds(judge, arguments.far, measured_on))
        else:
            verify.threshold(judge, arguments.far)
            found[name] = Asked(remembering, judge.thresholds, calibrate.CARD)
    return found


def _apart(folder: Path, measured_on: DataSet) -> list[tuple[str, Path]]:
    return calibrate.apart(_folder(folder, "--calibrate"), set(measured_on.people), _measured(measured_on))


def _measured(data: DataSet) -> set[str]:
    """The hashes of the files that are measured on."""
    return {cells.sha256(path) for probe in data.probes for path in (probe.photo, *probe.others)}


def _strangers(arguments: Namespace, measured_on: DataSet) -> tuple[Sequence[Probe], Sequence[Path]]:
    """One photo each of people who are not measured on: as many as an attacker is to see, and others for thresholds."""
    contents = _measured(measured_on)
    named = data.by_person(_folder(arguments.adapt, "--adapt"))
    found = [
        Probe(name, photos[0], tuple(photos[:1]))
        for name, photos in named.items()
        if name not in measured_on.people and not any(cells.sha256(path) in contents for path in photos)
    ]
    seen, unseen = found[: max(arguments.pairs)], found[max(arguments.pairs) :][:UNSEEN]
    if min(len(seen), len(unseen)) < adapt.FEWEST:
        need = f"{adapt.FEWEST} to learn from and {adapt.FEWEST} more for thresholds are needed at least"
        raise BadSetting(f"--adapt: {arguments.adapt}: has {len(found)} other people; {need} (--pairs)")
    return seen, [probe.photo for probe in unseen]


def _targets(folder: Path) -> list[Target]:
    """The people in a folder, or of it, by their first photo; the others are what is compared with."""
    people = {folder.name: data.photos(folder)} if data.photos(folder) else data.by_person(folder)
    few = [name for name, photos in people.items() if len(photos) < 2]
    if few or not people:
        raise BadSetting(
            f"--target: {few[0] if few else folder}: needs two photos, one to search with and one to score on"
        )
    return [Target(name, photos[0], tuple(photos[1:])) for name, photos in people.items()]


def _at_psnr(plan: Plan, psnr: float) -> list[tuple[Entry, Sequence[Asked]]]:
    """Each attack of the plan again, at the strength that comes closest to that PSNR on some of the photos."""
    found: list[tuple[Entry, Sequence[Asked]]] = []
    probes = plan.data.probes[:TUNED_ON]
    for entry, judges in plan.runs:
        if entry.way != "attack":
            continue
        target = plan.target(0, None, plan.seeds[0])
        at = equal.mean_psnr(entry, probes, plan.seeds[0], plan.workshop, target)
        _tell(f"{entry.name}: which strength gives {psnr:g} dB")
        strength, reached = equal.strength_at(psnr, at)
        name = f"{entry.name} at {psnr:g} dB"
        if abs(reached - psnr) > 1:
            pull.tell(f"kohl: {name}: the nearest that its strength reaches is {reached:.1f} dB")
        source = f"{entry.source}; strength {strength:.3f}, which gives {reached:.1f} dB on the first photos"
        found.append((replace(entry.at(strength), name=name, source=source), judges))
    return found


def _notes(plan: Plan) -> list[str]:
    """What there is to know about the data."""
    bad = [f"{one.path}: left out: {one.reason}" for one in plan.data.bad[:TOLD]]
    more = [f"{len(plan.data.bad) - TOLD} more files were left out"] if len(plan.data.bad) > TOLD else []
    return [*plan.data.notes, *bad, *more, *([TARGETS] if plan.targets else [])]


def _list() -> str:
    names = entries.names()
    width = max(map(len, names))
    attacks = [f"{name.ljust(width)}  {source}" for name, source in names.items()]
    kinds = [f"{name.ljust(width)}  {kind.wanted}" for name, kind in lists.KINDS.items()]
    return "\n".join(
        [
            "attacks (--attack)",
            *attacks,
            "",
            "data (--as)",
            *kinds,
            "",
            "services elsewhere (--judge)",
            *(f"{name.ljust(width)}  {terms.maker}; needs {' and '.join(terms.keys)}" for name, terms in TERMS.items()),
            "",
            "after posting (--post)",
            *POSTINGS,
            *PURIFICATIONS,
        ]
    )


def _folder(path: Path, option: str) -> Path:
    if not path.is_dir():
        raise BadSetting(f"{option}: {path}: is no folder")
    return path


def _tell(text: str) -> None:
    pull.tell(f"kohl: {text}")


def _print(text: str) -> None:
    for line in text.splitlines():
        print(shown(line), flush=True)
