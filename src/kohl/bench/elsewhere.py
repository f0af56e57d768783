"""Services that judge a benchmark: how much they would be sent, what is agreed to once, and their thresholds."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from math import comb
from pathlib import Path

from kohl import sending
from kohl.bench import cells
from kohl.bench.answers import Gallery
from kohl.bench.data import DataSet
from kohl.bench.made import Target
from kohl.errors import BadSetting
from kohl.zoo.services.judge import ServiceJudge

Thresholds = tuple[Mapping[float, float], str]  # by false-accept rate, and where they come from


def key(judge: ServiceJudge) -> str:
    """The hash of which service it is, where, and what it is asked; not of its threshold."""
    return cells.key(kind="service", **judge.identity)


def comparisons(
    data: DataSet, gallery: Gallery | None, targets: Sequence[Target], *, results: int, postings: int
) -> int:
    """How many pairs of pictures one judge is asked about at the most: each photo as `results` files, posted so often.

    Fewer where a result is what another one is, or has no face; the same pair is never asked about twice.
    """
    people: dict[str, int] = {}
    for probe in data.probes:
        people[probe.person] = people.get(probe.person, 0) + 1
    most = max((len(target.others) for target in targets), default=0)
    against = sum(len(probe.others) + most for probe in data.probes) + sum(comb(count, 2) for count in people.values())
    ranked = 0
    if gallery is not None:  # whose own places are among the photos that are compared with anyway
        ranked = sum(len(gallery.people) - (probe.person in gallery.people) for probe in data.probes)
    return results * ((1 + postings) * against + ranked)


def admit(judge: ServiceJudge, arguments: Namespace, data: DataSet, *, sent: int, calibrating: int, keep: Path) -> None:
    """Asks once whether a whole run may be sent: so many comparisons, and those that its thresholds take.

    Raises `BadSetting` for what cannot be measured with this service, before anybody is asked.
    """
    rates = () if calibrating or judge.limit is not None else judge.terms.rates
    if arguments.adapt:
        raise BadSetting(f"--adapt: {judge.name} gives no embeddings, which such an attacker learns from; leave it out")
    if rates and arguments.far not in rates:
        known = ", ".join(f"{rate:g}" for rate in sorted(rates))
        raise BadSetting(
            f"--far: {judge.name} has no threshold at {arguments.far:g}; pass one of {known}, or --calibrate FOLDER, "
            f"or name a similarity, as in {judge.terms.name}:{0.6 * judge.terms.top:g}"
        )
    asking = len(data.probes) if rates and not judge.terms.thresholds else 0
    sending.allow(judge, sent + calibrating + asking, yes=arguments.yes_send, kept=keep)


def thresholds(judge: ServiceJudge, far: float, data: DataSet) -> Thresholds:
    """The service's thresholds, or the one that its maker calls enough; photos of `data` are compared until it says."""
    if judge.limit is not None:
        return {far: judge.limit}, f"{judge.name}'s name"
    for probe in data.probes if judge.terms.rates else ():
        if judge.thresholds:
            break
        judge.compare(probe.photo, probe.others[:1])
    if far in judge.thresholds:
        return judge.thresholds, judge.terms.maker
    if judge.terms.usual is None:
        raise BadSetting(f"{judge.name}: finds no face in these photos, and so gives no thresholds; name other photos")
    return {far: judge.terms.usual}, f"{judge.terms.maker}, of a rate that it does not publish"
