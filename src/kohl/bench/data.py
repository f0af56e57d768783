"""Photos of people to measure on, as values: which are attacked, and with which others each is compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kohl.align import imageio
from kohl.errors import BadPhoto, BadSetting

ONE_PHOTO = "compared with the very photo that was attacked, which is harder than with another one"


@dataclass(frozen=True)
class Probe:
    """A photo that is attacked, and other photos of the same person, which no attack sees."""

    person: str
    photo: Path
    others: tuple[Path, ...]
    group: int | None = None  # in sets whose photos are each to resemble a target of their group


@dataclass(frozen=True)
class Bad:
    """A file that was to be measured on and cannot be, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class DataSet:
    """What is measured on; the same files give the same set, in the same order."""

    name: str
    probes: tuple[Probe, ...]
    strangers: tuple[tuple[Path, Path], ...] = ()  # pairs of two people, where the set names some
    bad: tuple[Bad, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Their names, in the order of their photos."""
        return tuple(dict.fromkeys(probe.person for probe in self.probes))

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is named, once."""
        named = [path for probe in self.probes for path in (probe.photo, *probe.others)]
        return tuple(dict.fromkeys([*named, *(path for pair in self.strangers for path in pair)]))


def photos(folder: Path) -> list[Path]:
    """The files in `folder` whose names are those of photos, sorted."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in imageio.SUFFIXES and path.is_file())


def by_person(folder: Path) -> dict[str, list[Path]]:
    """The photos of each person: those of NAME/, or, where there are no such folders, each photo a person's own."""
    named = {inner.name: photos(inner) for inner in sorted(folder.iterdir()) if inner.is_dir()}
    named = {name: found for name, found in named.items() if found}
    return named or {path.stem: [path] for path in photos(folder)}


def people(folder: Path) -> DataSet:
    """Every photo in a folder of people, each compared with all others of the same person."""
    return of_people(folder.name, by_person(folder))


def of_people(name: str, named: Mapping[str, Sequence[Path]]) -> DataSet:
    """The same of people by name."""
    probes = [
        Probe(person, photo, tuple(other for other in found if other != photo))
        for person, found in named.items()
        for photo in found
    ]
    return paired(name, probes)


def paired(name: str, probes: Iterable[Probe], **others: tuple[str, ...]) -> DataSet:
    """The set of these probes; those of one photo that several lines name become one, and none is left alone."""
    found: dict[Path, Probe] = {}
    for probe in probes:
        known = found.get(probe.photo, replace(probe, others=()))
        found[probe.photo] = replace(known, others=tuple(dict.fromkeys([*known.others, *probe.others])))
    alone = sum(not probe.others for probe in found.values())
    notes = (f"{alone} photos are the only one of their person: {ONE_PHOTO}",) if alone else ()
    whole = tuple(replace(probe, others=probe.others or (probe.photo,)) for probe in found.values())
    return DataSet(name, whole, notes=(*others.get("notes", ()), *notes))


def fit(data: DataSet, read: Callable[[Path], object] = imageio.read) -> DataSet:
    """The set without the files that are missing or no photos, which it then lists; `BadSetting` if none is left.

    A photo that loses all that it was compared with goes too.
    """
    bad = {path: reason for path in data.files if (reason := _refused(path, read))}
    kept = [
        replace(probe, others=tuple(other for other in probe.others if other not in bad))
        for probe in data.probes
        if probe.photo not in bad
    ]
    whole = tuple(probe for probe in kept if probe.others)
    alone = [Bad(probe.photo, "nothing that it is compared with can be read") for probe in kept if not probe.others]
    if not whole:
        first = next(iter(bad.values()), "it names no photo")
        raise BadSetting(f"{data.name}: there is nothing to measure on; {first}")
    pairs = tuple(pair for pair in data.strangers if not bad.keys() & set(pair))
    listed = tuple(Bad(path, reason) for path, reason in bad.items())
    return replace(data, probes=whole, strangers=pairs, bad=(*data.bad, *listed, *alone))


def fewer(data: DataSet, *, people: Sequence[str] = (), every: int = 1, most: int | None = None) -> DataSet:
    """Only these people, every so manieth photo of each, and at most so many in all; what they are compared with stays.

    Raises `BadSetting` for a person who is not there.
    """
    if missing := [name for name in people if name not in data.people]:
        raise BadSetting(f"--people: {missing[0]}: is not in {data.name}, which has {', '.join(data.people[:10])}")
    chosen = [name for name in data.people if name in people or not people]
    of_each = [[probe for probe in data.probes if probe.person == name][::every] for name in chosen]
    return replace(data, probes=tuple(_in_turn(of_each)[:most]))


def _in_turn(of_each: Sequence[Sequence[Probe]]) -> list[Probe]:
    """Everybody's first photo, then everybody's second: so that few photos are of many people."""
    longest = max(map(len, of_each), default=0)
    return [probes[index] for index in range(longest) for probes in of_each if index < len(probes)]


def _refused(path: Path, read: Callable[[Path], object]) -> str | None:
    try:
        read(path)
    except BadPhoto as error:
        return str(error)
    return None
