"""One photo through one attack, kept by the hash of all that it depends on: the file, and what it cost the face."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from kohl import pipeline, recipe
from kohl.align import crop, imageio
from kohl.bench import cells
from kohl.bench.data import Probe
from kohl.bench.entries import Entry
from kohl.errors import BadPhoto, BadSetting, NoFace
from kohl.geometry import similarity
from kohl.house import House
from kohl.job import Job
from kohl.perturb import attacks
from kohl.perturb.latent import LatentSearch
from kohl.types import Detector, Face, Faces, Goal, Images, Inverter, Photo, Watch, ignore

# Of a search's settings, those that every attack's results depend on: `kohl.house` and `kohl.pipeline` read them for
# the decoys, the further tries, and the chance that is told.
SHARED = ("decoy", "distance", "keep", "tries", "views")


@dataclass(frozen=True)
class Target:
    """A person whom photos are to resemble: by one photo in the search, by others before the judges."""

    person: str
    photo: Path
    others: tuple[Path, ...]


@dataclass(frozen=True)
class Made:
    """What became of one photo: the file that is judged, and figures by name, None where there is none."""

    probe: Probe
    file: Path
    figures: Mapping[str, float | None]
    reason: str = ""  # why it is the photo as it was
    target: Target | None = None


@dataclass(frozen=True, eq=False)
class Workshop:
    """Makes the files of one entry; its house is loaded once it is needed."""

    entry: Entry
    folder: Path
    load: Callable[[recipe.Recipe], House]
    aligned: bool = False  # whether the photos are faces that are cut already

    def key(self, probe: Probe, seed: int, target: Target | None = None) -> str:
        """The hash of all that the result depends on."""
        return cells.key(
            kind="photo",
            way=self.entry.way,
            recipe=settings(self.entry),
            weights=weights(self.entry),
            photo=cells.sha256(probe.photo),
            target=target and cells.sha256(target.photo),
            seed=seed,
            aligned=self.aligned,
            lossless=self.entry.lossless,
        )

    def has(self, probe: Probe, seed: int, target: Target | None = None) -> bool:
        """Whether there is nothing left to make."""
        return self.entry.way == "clean" or self._record(self.key(probe, seed, target)).exists()

    def __call__(self, probe: Probe, seed: int, target: Target | None = None) -> Made:
        """The result, made if it is not there yet; a photo without a fit face is judged as it is."""
        if self.entry.way == "clean":
            return Made(probe, probe.photo, {}, target=target)
        key = self.key(probe, seed, target)
        where = self._record(key)
        known = cells.read(where, key) or cells.write(where, key, self._made(probe, seed, target, key))
        file = self.folder / known["file"] if known["file"] else probe.photo
        return Made(probe, file, known["figures"], known["reason"], target)

    def _record(self, key: str) -> Path:
        return self.folder / f"{key[:32]}.json"

    def _made(self, probe: Probe, seed: int, target: Target | None, key: str) -> dict[str, Any]:
        started = time.perf_counter()
        house = self._house(target)
        empty = {"kind": "photo", "photo": probe.photo.name, "file": "", "figures": {}}
        try:
            suffix = ".png" if self.entry.lossless else imageio.result_suffix(probe.photo)
            output = self.folder / f"{key[:32]}{suffix}"
            job = Job(probe.photo, output, seed, (0,), decoy=None if target is None else 0, force=True)
            row = pipeline.protect(job, house)
        except (NoFace, BadPhoto) as refusal:  # what is not protected counts against the attack
            return {**empty, "reason": str(refusal)}
        (face,) = (face for face in row.faces if face.index == 0)
        figures = {name: getattr(face, name) for name in ("psnr", "ssim", "nlpd", "chance", "tries")}
        seconds = time.perf_counter() - started
        return {**empty, "file": output.name, "figures": {**figures, "seconds": seconds}, "reason": ""}

    def _house(self, target: Target | None) -> House:
        return house_of(self.entry, self.load, target, aligned=self.aligned)


def house_of(
    entry: Entry, load: Callable[[recipe.Recipe], House], target: Target | None = None, *, aligned: bool = False
) -> House:
    """The house that runs the entry, turned towards the target if there is one."""
    house = load(entry.recipe)
    if aligned:
        house = replace(house, detect=partial(_as_cut, house.detect))
    if entry.way == "inverted":
        if not isinstance(house.attack, LatentSearch):
            raise BadSetting(f"--attack: {entry.name}: {entry.recipe.attack} inverts nothing")
        house = replace(house, attack=Inverted(house.attack.invert), harder=())
    if not house.harder:  # nobody decides on another try: the files are judged later
        house = replace(house, judges=())
    return house if target is None else replace(house, decoys=[_face(target, house)])


def settings(entry: Entry) -> dict[str, Any]:
    """What an entry's results depend on, of its recipe: what is another attack's, or nobody's, is left out."""
    if entry.way == "clean":
        return {}
    whole = asdict(entry.recipe)
    read = ("tuning",) if entry.way == "inverted" else attacks.find(entry.recipe.attack).parts
    apart = {part for known in attacks.ATTACKS.values() for part in known.parts}.difference(read)
    found = {name: value for name, value in whole.items() if name not in apart}
    return {"search": {name: whole["search"][name] for name in SHARED}, **found}


def weights(entry: Entry) -> dict[str, str]:
    """The hashes of all files of models that the entry's recipe names; none where nothing is made."""
    if entry.way == "clean":
        return {}
    names = recipe.names(entry.recipe, words=bool(entry.recipe.text.strip()))
    return {**cells.weights([*names, "decoys", "yunet", "landmarks68"]), **_files(settings(entry))}


def _files(settings: Mapping[str, Any]) -> dict[str, str]:
    """Of settings that are paths of files, or end in one behind a colon, the hashes of those files."""
    found: dict[str, str] = {}
    for value in settings.values():
        if isinstance(value, Mapping):
            found |= _files(value)
        for text in value if isinstance(value, list | tuple) else [value]:
            path = Path(text.partition(":")[2] or text) if isinstance(text, str) and "\0" not in text else None
            if path is not None and path.suffix and path.is_file():
                found[str(text)] = cells.sha256(path)
    return found


@dataclass(frozen=True, eq=False)
class Inverted:
    """The attack that only inverts."""

    invert: Inverter

    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Images:  # noqa: ARG002
        """The faces as their generator gives them back."""
        inversion = self.invert(faces, watch=watch)
        with torch.no_grad():
            found: Images = inversion.generator(inversion.latents)
        return found


def _face(target: Target, house: House) -> Faces:
    photo = imageio.read(target.photo)
    found = [face for face in house.detect(photo) if face.reason is None]
    if not found:
        raise BadSetting(f"{target.photo}: shows no face that a photo could come to resemble; name another target")
    return crop.crops(photo, found[:1])


def _as_cut(detect: Detector, photo: Photo) -> list[Face]:
    """The largest face, its crop being the whole photo: it was aligned before."""
    return [replace(face, to_crop=_whole(photo.size)) for face in detect(photo)[:1]]


def _whole(size: Sequence[int]) -> Any:
    """The matrix that takes the corners of a photo of that size to those of a crop, and keeps its proportions."""
    height, width = size
    side, middle = max(height, width), ((width - 1) / 2, (height - 1) / 2)
    ends = torch.tensor([[middle, (middle[0] + side / 2, middle[1])]], dtype=torch.float64)
    half = (crop.SIZE - 1) / 2
    return similarity(ends, ends.new_tensor([[(half, half), (half + crop.SIZE / 2, half)]]))[0].numpy()
