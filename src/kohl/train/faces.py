"""A folder of faces as a generator learns from it: aligned, some of them made up, never twice quite the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from kohl import files
from kohl.align import crop, imageio
from kohl.align.detect import Detect
from kohl.errors import BadModel, BadPhoto, BadSetting
from kohl.makeup.layers import Makeup
from kohl.perturb import looks
from kohl.types import Detector, Faces, Images
from kohl.zoo import cards
from kohl.zoo.files import store

FINER = 1.25  # how much finer the kept crops are than the pictures cut from them
HELD = 16  # one person in so many is only measured, never learned from
LOOKS = 3  # made-up pictures of each face, beside the bare one
MIDDLE = 0.45  # the level that a change of contrast leaves alone

Find: TypeAlias = Callable[[Path, int], Faces | None]  # the face of a photo, so many pixels wide, if it has one


@dataclass(frozen=True)
class Variety:
    """How much a picture of a face differs from the next: standard deviations."""

    turn: float = 0.04  # radians
    scale: float = 0.04  # a share
    shift: float = 0.02  # a share of the side
    light: float = 0.10  # of logarithms, as the next two
    white: float = 0.04  # of each colour by itself
    contrast: float = 0.08


@dataclass(frozen=True, eq=False)
class Gallery:
    """Crops to learn from and crops of other people to measure on, uint8 (n, 3, side, side)."""

    learned: Tensor
    held: Tensor
    variety: Variety = Variety()

    def views(self, count: int, size: int, rng: torch.Generator) -> Images:
        """Pictures (count, 3, size, size) of faces that were drawn: mirrored, moved and lit a little differently."""
        chosen = torch.randint(len(self.learned), (count,), generator=rng)
        crops = self.learned[chosen].float() / 255
        return _lit(_moved(crops, size, self.variety, rng), self.variety, rng)

    def plain(self, size: int) -> Images:
        """The held-out faces, cut as kohl cuts a face."""
        return F.interpolate(self.held.float() / 255, (size, size), mode="bilinear", antialias=True)


def gallery(
    folders: Sequence[Path],
    size: int,
    cache: Path,
    *,
    looks: int = LOOKS,
    find: Find | None = None,
    said: Callable[[str], None],
    seed: int = 0,
) -> Gallery:
    """The faces in all photos of the folders, by `find` or else kohl's detectors; `cache` keeps what takes minutes.

    A photo directly in a folder is a person of its own; those in a folder inside it are all of one. Raises `BadSetting`
    where there are too few people to hold any out, and `BadModel` for a cache that is none of this size.
    """
    found, side = people(folders), round(size * FINER)
    if len(found) < HELD:
        raise BadSetting(f"{folders[0]}: holds photos of {len(found)} people; at least {HELD} are needed")
    if cache.exists():
        said(f"{cache}: holds the faces that were found before; remove it to have the photos read again")
        return _kept(cache, side)
    if cache.parent.exists() and not cache.parent.is_dir():
        raise BadSetting(f"{cache.parent}: is a file; name a folder")
    cache.parent.mkdir(parents=True, exist_ok=True)  # found out now, not after the work
    learned, held = _found(found, side, find or finder(), looks, torch.Generator().manual_seed(seed), said)
    with files.placed(cache, force=False) as part:
        save_file({"learned": learned, "held": held}, part)
    return Gallery(learned, held)


def _kept(cache: Path, side: int) -> Gallery:
    """What a file holds that was written for crops of this side."""
    kept = store.tensors(cache)
    if kept.keys() != {"learned", "held"} or not all(_are_crops(crops, side) for crops in kept.values()):
        raise BadModel(f"{cache}: holds no faces of {side} pixels; remove it to have the photos read again.")
    return Gallery(kept["learned"], kept["held"])


def _are_crops(crops: Tensor, side: int) -> bool:
    return crops.dtype == torch.uint8 and len(crops) > 0 and crops.shape[1:] == (3, side, side)


def _found(
    people: Sequence[Sequence[Path]],
    side: int,
    find: Find,
    looks: int,
    rng: torch.Generator,
    said: Callable[[str], None],
) -> tuple[Tensor, Tensor]:
    """The crops to learn from, some of them made up, and those of other people."""
    learned: list[Tensor] = []
    held: list[Tensor] = []
    skipped = 0
    for number, photos in enumerate(people):
        for path in photos:
            face = find(path, side)
            if face is None:
                skipped += 1
            elif number % HELD == 0:
                held.append(_bytes(face.crops))
            else:
                learned += map(_bytes, [face.crops, *_made_up(face, looks, rng)])
        if (number + 1) % 100 == 0:
            said(f"{number + 1} of {len(people)} people read")
    if not (learned and held):
        raise BadSetting(f"{people[0][0].parent}: too few faces were found in these photos")
    if skipped:
        said(f"{skipped} photos without a face that can be used were left out")
    return torch.cat(learned), torch.cat(held)


def _bytes(images: Images) -> Tensor:
    return (images * 255).round().byte().contiguous()


def people(folders: Sequence[Path]) -> list[list[Path]]:
    """The photos of each person, in a fixed order, none of them twice."""
    for folder in folders:
        if not folder.is_dir():
            raise BadSetting(f"{folder}: no such folder")
    found: dict[Path, list[Path]] = {}
    known: set[Path] = set()
    for folder in folders:
        photos = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in imageio.SUFFIXES]
        for path in photos:
            if path.resolve() not in known:
                found.setdefault(path if path.parent == folder else path.parent, []).append(path)
                known.add(path.resolve())
    return list(found.values())


def finder(detect: Detector | None = None) -> Find:
    """Finds the largest face of a photo that kohl could protect."""
    known = detect or Detect(cards.load("yunet"), cards.load("landmarks68"))

    def find(path: Path, side: int) -> Faces | None:
        try:
            photo = imageio.read(path)
        except BadPhoto:
            return None
        faces = [face for face in known(photo) if face.reason is None]
        return crop.crops(photo, faces[:1], side) if faces else None

    return find


def _made_up(face: Faces, count: int, rng: torch.Generator) -> list[Images]:
    """The face in so many random looks: a generator that has never seen lipstick could not put any on."""
    if not count:
        return []
    makeup = Makeup(face)
    return [makeup(face.crops, look[None]) for look in looks.drawn(count, rng)]


def _moved(crops: Tensor, size: int, variety: Variety, rng: torch.Generator) -> Images:
    """The crops turned, scaled, shifted and half of them mirrored."""
    draws = torch.randn(4, len(crops), generator=rng)
    angle, factor, shift = variety.turn * draws[0], 1 + variety.scale * draws[1], 2 * variety.shift * draws[2:].T
    mirror = 1 - 2.0 * (torch.rand(len(crops), generator=rng) < 0.5)
    cosine, sine = factor * angle.cos(), factor * angle.sin()
    linear = torch.stack([cosine * mirror, -sine, sine * mirror, cosine], -1).view(-1, 2, 2)
    return _cut(crops, linear, shift, size)


def _cut(crops: Tensor, linear: Tensor, shift: Tensor, size: int) -> Images:
    """Pictures cut from finer crops; `shift` is in halves of a side of the picture."""
    axis = torch.linspace(-1, 1, size) * (1 - 1 / size)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack([x, y], -1).view(1, -1, 2) @ linear.transpose(1, 2) + shift[:, None]
    where = points.view(len(linear), size, size, 2)
    return F.grid_sample(crops, where, padding_mode="reflection", align_corners=False)


def _lit(images: Images, variety: Variety, rng: torch.Generator) -> Images:
    """The images in another light, of another colour, at another contrast."""
    light, contrast = torch.randn(2, len(images), 1, 1, 1, generator=rng)
    white = torch.randn(len(images), 3, 1, 1, generator=rng)
    contrast = variety.contrast * contrast
    gain = (variety.light * light + variety.white * white + contrast).exp()
    pivot = MIDDLE * (1 - contrast.exp())
    return torch.addcmul(pivot, images, gain).clamp(0, 1)
