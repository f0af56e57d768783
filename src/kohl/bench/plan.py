"""What a run is to find out: which attacks, before which judges, on which photos, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kohl.bench.data import DataSet, Probe
from kohl.bench.entries import Entry
from kohl.bench.frechet import Space
from kohl.bench.likeness import Likeness
from kohl.bench.made import Target, Workshop
from kohl.bench.posting import SAVED, Posts
from kohl.bench.seen import Remembering
from kohl.errors import BadSetting
from kohl.house import House
from kohl.recipe import Recipe


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
    unseen: Sequence[Path] = ()  # photos of still others, by whom that attacker's thresholds are set
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


def plain(judge: str) -> str:
    """The card that a judge's name is about."""
    return judge.removeprefix("aligned:").removeprefix("encoder:")


def check_apart(runs: Sequence[tuple[Entry, Sequence[Asked]]]) -> None:
    """Raises `BadSetting` for a judge that an attack looks into: such a figure says little of strangers."""
    for entry, judges in runs:
        for asked in judges:
            if plain(asked.judge.name) in entry.surrogates:
                raise BadSetting(
                    f"--judge: {asked.judge.name}: {entry.name} looks into it; name another judge, or pass "
                    "--leave-one-out, or --white-box, and the tables say so"
                )


def left_out(entries: Sequence[Entry], judges: Mapping[str, Asked]) -> list[tuple[Entry, Sequence[Asked]]]:
    """Each attack without each of its recognisers in turn, which then judges it; what has none is judged by all."""
    runs: list[tuple[Entry, Sequence[Asked]]] = []
    for entry in entries:
        if entry.recognisers:
            runs += [(entry.without(name), [judges[name]]) for name in entry.recognisers]
        else:
            runs.append((entry, list(judges.values())))
    return runs
