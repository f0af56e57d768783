"""The formats that data sets are published in, each a function from its paths to a `DataSet`."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kohl import plain_file
from kohl.bench import data
from kohl.bench.data import DataSet, Probe
from kohl.errors import BadSetting

LARGEST = 2**26  # bytes of a list; CelebA's identities have 4 MB
GROUP = 83  # photos of LADN that share a target: 332 are four times as many
LADN = (
    "which target each photo of LADN was to resemble was never published: these are four groups of 83, by the names of "
    "the files"
)


def lfw(pairs: Path, images: Path) -> DataSet:
    """LFW's `pairs.txt`: a line of counts, then `NAME i j` of one person and `NAME i NAME j` of two.

    The second photo of a pair of one person is attacked and compared with the first; pairs of two people are the set's
    strangers.
    """
    rows, probes, strangers = _rows(pairs), [], []
    for number, row in rows[1:]:
        if len(row) == 3 and row[1].isdigit() and row[2].isdigit():
            probes.append(Probe(row[0], _of_lfw(images, row[0], row[2]), (_of_lfw(images, row[0], row[1]),)))
        elif len(row) == 4 and row[1].isdigit() and row[3].isdigit():
            strangers.append((_of_lfw(images, row[0], row[1]), _of_lfw(images, row[2], row[3])))
        else:
            raise _wrong(pairs, number, "NAME i j or NAME i NAME j, with tabs between them")
    return replace(data.paired(pairs.stem, probes), strangers=tuple(strangers))


def list_of(pairs: Path, images: Path) -> DataSet:
    """Lines `NAME id1 id2` with tabs between them, as TIP-IM's: the photo id2 is attacked and compared with id1.

    An id is a number, as in LFW's names, or the name of a file in images/NAME.
    """
    probes = []
    for number, row in _rows(pairs):
        if len(row) != 3:
            raise _wrong(pairs, number, "NAME, id1 and id2, with tabs between them")
        first, second = (_of_lfw(images, row[0], part) for part in row[1:])
        probes.append(Probe(row[0], second, (first,)))
    return data.paired(pairs.stem, probes)


def celeba_hq(images: Path, mapping: Path, identities: Path) -> DataSet:
    """CelebA-HQ's images by whom they show, as `CelebA-HQ-to-CelebA-mapping.txt` and `identity_CelebA.txt` say."""
    people = {row[0]: row[1] for _, row in _rows(identities, least=2)}
    named: dict[str, list[Path]] = {}
    there = {path.stem: path for path in data.photos(images)}
    unknown = 0
    for number, row in _rows(mapping, least=3):
        if number == 1 and not row[0].isdigit():  # idx, orig_idx, orig_file
            continue
        path = there.get(row[0]) or there.get(row[0].zfill(5))
        if path is not None and row[-1] in people:
            named.setdefault(people[row[-1]], []).append(path)
        unknown += path is not None and row[-1] not in people
    found = data.of_people(images.name, named)
    note = (f"{unknown} images show people whom {identities.name} does not name",) if unknown else ()
    return replace(found, notes=(*found.notes, *note))


def folders(attacked: Path, compared: Path) -> DataSet:
    """Two folders with equal names: each photo of the first is attacked, and compared with its namesake."""
    there = {path.stem: path for path in data.photos(compared)}
    probes = [Probe(path.stem, path, (there.get(path.stem, compared / path.name),)) for path in data.photos(attacked)]
    return data.paired(attacked.name, probes)


def ladn(folder: Path) -> DataSet:
    """LADN's folder of 332 photos, each of a person's own, in four groups of 83."""
    found = data.people(folder)
    grouped = tuple(replace(probe, group=index // GROUP) for index, probe in enumerate(found.probes))
    return replace(found, probes=grouped, notes=(LADN, *found.notes))


def table(path: Path) -> DataSet:
    """A CSV with the columns `photo`, `other` and, if it likes, `person` and `same`: 0 for a pair of two people.

    Paths are from where the CSV is. A photo without a person is of one who is called like it.
    """
    probes, strangers = [], []
    try:
        lines = plain_file.content(path, LARGEST).decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    reader = csv.DictReader(lines)
    if not {"photo", "other"} <= set(reader.fieldnames or ()):
        raise BadSetting(f"{path}: its first line must name the columns photo and other")
    for row in reader:
        first, second = row["photo"], row["other"]
        if not first or not second:
            raise _wrong(path, reader.line_num, "a photo and another one")
        pair = path.parent / first, path.parent / second
        if row.get("same") in ("0", "false", "no"):
            strangers.append(pair)
        else:
            probes.append(Probe(row.get("person") or pair[0].stem, pair[0], (pair[1],)))
    return replace(data.paired(path.stem, probes), strangers=tuple(strangers))


@dataclass(frozen=True)
class Kind:
    """A format: how many paths it takes, and which."""

    read: Callable[..., DataSet]
    paths: int
    wanted: str


KINDS: Mapping[str, Kind] = {
    "people": Kind(data.people, 1, "FOLDER, with NAME/*.jpg or with photos of people who are all different"),
    "lfw": Kind(lfw, 2, "PAIRS.txt IMAGES"),
    "list": Kind(list_of, 2, "LIST.txt IMAGES"),
    "celeba-hq": Kind(celeba_hq, 3, "IMAGES CelebA-HQ-to-CelebA-mapping.txt identity_CelebA.txt"),
    "folders": Kind(folders, 2, "ATTACKED COMPARED"),
    "ladn": Kind(ladn, 1, "FOLDER"),
    "csv": Kind(table, 1, "PAIRS.csv"),
}


def data_set(paths: Sequence[Path], kind: str | None = None) -> DataSet:
    """The set at these paths, of the kind that is named, or else of the one that they look like.

    Raises `BadSetting` where they are not what that kind takes.
    """
    name = kind or _looks_like(paths)
    if name not in KINDS:
        raise BadSetting(f"--as: {name}: no such kind of data; there are {', '.join(KINDS)}")
    chosen = KINDS[name]
    if len(paths) != chosen.paths:
        raise BadSetting(f"--as {name}: takes {chosen.wanted}, not {len(paths)} paths")
    try:
        return chosen.read(*paths)
    except OSError as error:
        raise BadSetting(f"{error.filename or paths[0]}: cannot be read ({error.strerror})") from None


def _looks_like(paths: Sequence[Path]) -> str:
    first = paths[0]
    if len(paths) == 1:
        return "csv" if first.suffix.lower() == ".csv" else "people"
    if len(paths) == 2 and first.is_file():
        rows = _rows(first)
        return "lfw" if rows and all(part.isdigit() for part in rows[0][1]) else "list"
    return "folders" if len(paths) == 2 else "celeba-hq"


def _of_lfw(images: Path, name: str, which: str) -> Path:
    """images/NAME/NAME_0001.jpg, or the file that is named outright; never one outside of `images`."""
    if any(part in ("", ".", "..") or {"/", "\\", "\0"} & set(part) for part in (name, which)):
        raise BadSetting(f"{name} {which}: a list names people and their photos, not paths")
    return images / name / (f"{name}_{int(which):04d}.jpg" if which.isdigit() else which)


def _rows(path: Path, least: int = 1) -> list[tuple[int, list[str]]]:
    """The lines that are not empty, by number, split at tabs or at spaces."""
    try:
        text = plain_file.content(path, LARGEST).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    split = [line.split("\t") if "\t" in line else line.split() for line in text.splitlines()]
    rows = [(number, [part.strip() for part in row]) for number, row in enumerate(split, 1) if any(row)]
    if short := next((number for number, row in rows if len(row) < least), None):
        raise _wrong(path, short, f"{least} columns")
    return rows


def _wrong(path: Path, number: int, wanted: str) -> BadSetting:
    return BadSetting(f"{path}: line {number} must be {wanted}")


def _unreadable(path: Path, error: Exception) -> BadSetting:
    reason = (isinstance(error, OSError) and error.strerror) or "it is no text in UTF-8"
    return BadSetting(f"{path}: this list cannot be read ({reason})")
