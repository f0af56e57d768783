"""A folder of faces, bare and wearing drawn makeup, with their landmarks: what makeup is learned from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from kohl import files
from kohl.errors import BadModel, BadSetting
from kohl.geometry import resized
from kohl.makeup.layers import DIALS, Makeup, bare
from kohl.makeup.products import NAMES
from kohl.train.faces import HELD, Find, finder, people
from kohl.types import Faces, Images
from kohl.zoo.files import store

DRAWN_AT = 256  # pixels of a side of the crops that makeup is drawn on
# How strong and how often a look has a product; those of `COLOURED` are of any colour.
WORN = {
    "foundation": (0.35, 0.3),
    "blush": (0.7, 0.6),
    "eyeshadow": (0.95, 1.0),
    "eyeliner": (0.8, 0.5),
    "mascara": (0.8, 0.5),
    "brows": (0.5, 0.3),
    "lipstick": (0.95, 1.0),
}
COLOURED = ("eyeshadow", "lipstick")
GROUPS = 12  # those of a group wear the same looks
PARTS = ("bare", "worn", "points", "landmarks", "groups")


@dataclass(frozen=True, eq=False)
class Sittings:
    """So many faces: bare (n, 3, side, side) and made up (n, looks, 3, side, side), both uint8, with their landmarks.

    The first `held` of them are only looked at, never learned from.
    """

    bare: Tensor
    worn: Tensor
    points: Tensor  # (n, 5, 2)
    landmarks: Tensor  # (n, 68, 2)
    groups: Tensor  # (n,) whole numbers: those of one group wear the same looks
    held: int

    def drawn(self, count: int, rng: torch.Generator) -> tuple[Faces, Faces]:
        """So many bare faces, and as many other people who are made up, all of them drawn."""
        first, second = torch.randint(self.held, len(self.bare), (2, count), generator=rng)
        look = torch.randint(self.worn.shape[1], (count,), generator=rng)
        return self.bared(first), self._of(self.worn[second, look], second)

    def alike(self, rng: torch.Generator) -> tuple[Tensor, Tensor, int]:
        """Two people (1,) each, who wear the same look, and its number."""
        first = torch.randint(self.held, len(self.bare), (1,), generator=rng)
        same = (self.groups == self.groups[first]).nonzero()[:, 0]
        same = same[same >= self.held]
        second = same[torch.randint(len(same), (1,), generator=rng)]
        return first, second, int(torch.randint(self.worn.shape[1], (), generator=rng))

    def bared(self, which: Tensor) -> Faces:
        """These faces as they are."""
        return self._of(self.bare[which], which)

    def made_up(self, which: Tensor, look: int = 0) -> Faces:
        """These faces in one of their looks."""
        return self._of(self.worn[which, look], which)

    def _of(self, pixels: Tensor, which: Tensor) -> Faces:
        return Faces(pixels.float() / 255, self.points[which], self.landmarks[which])


def references(count: int, rng: torch.Generator) -> Tensor:
    """Random looks (count, products, 8) that can be seen: lips and lids in any colour, and more of the rest or less."""
    looks = bare().expand(count, -1, -1).clone()
    for name, (strength, often) in WORN.items():
        there = torch.rand(count, generator=rng) < often
        looks[:, NAMES.index(name), 0] = strength * there
    for name in COLOURED:
        start = DIALS.index("red")
        looks[:, NAMES.index(name), start : start + 3] = torch.rand(count, 3, generator=rng)
    return looks


def sittings(
    folders: Sequence[Path],
    size: int,
    cache: Path,
    *,
    looks: int,
    most: int,
    find: Find | None = None,
    said: Callable[[str], None],
    seed: int = 0,
) -> Sittings:
    """The faces in the photos of up to `most` people in the folders; `cache` keeps what takes minutes.

    Raises `BadSetting` where there are too few people to hold any out, and `BadModel` for a cache of another size.
    """
    found = people(folders)[:most]
    if len(found) < HELD:
        raise BadSetting(f"{folders[0]}: holds photos of {len(found)} people; at least {HELD} are needed")
    if cache.exists():
        said(f"{cache}: holds the faces that were found before; remove it to have the photos read again")
        return _kept(cache, size)
    if cache.parent.exists() and not cache.parent.is_dir():
        raise BadSetting(f"{cache.parent}: is a file; name a folder")
    cache.parent.mkdir(parents=True, exist_ok=True)  # found out now, not after the work
    made = _found(found, size, find or finder(), looks, seed, said)
    with files.placed(cache, force=False) as part:
        save_file({name: getattr(made, name) for name in PARTS} | {"held": torch.tensor(made.held)}, part)
    return made


def _kept(cache: Path, size: int) -> Sittings:
    """What a file holds that was written for faces of this size."""
    kept = store.tensors(cache)
    wrong = BadModel(f"{cache}: holds no faces of {size} pixels with makeup; remove it to have the photos read again.")
    if kept.keys() != {*PARTS, "held"}:
        raise wrong
    held, looks = kept.pop("held"), kept["worn"].shape[1] if kept["worn"].dim() > 1 else 0
    picture, count = (3, size, size), len(kept["bare"]) if kept["bare"].dim() else 0
    shapes = {
        "bare": (count, *picture),
        "worn": (count, looks, *picture),
        "points": (count, 5, 2),
        "landmarks": (count, 68, 2),
        "groups": (count,),
    }
    whole = {"bare": torch.uint8, "worn": torch.uint8, "groups": torch.int64}
    right = [
        kept[name].shape == shape and kept[name].dtype == whole.get(name, torch.float32)
        for name, shape in shapes.items()
    ]
    if not all(right) or not looks or held.shape != () or held.dtype != torch.int64 or not 0 < int(held) < count:
        raise wrong
    return Sittings(held=int(held), **kept)


def _found(
    photos: Sequence[Sequence[Path]],
    size: int,
    find: Find,
    looks: int,
    seed: int,
    said: Callable[[str], None],
) -> Sittings:
    """The largest face in the first photo of each person that has any; every HELDth is held out."""
    held: list[dict[str, Tensor]] = []
    learned: list[dict[str, Tensor]] = []
    for number, paths in enumerate(photos):
        face = next(filter(None, (find(path, DRAWN_AT) for path in paths)), None)
        if face is not None:
            group, makeup = number // HELD % GROUPS, Makeup(face)
            wanted = references(looks, torch.Generator().manual_seed(seed * GROUPS + group))
            dressed = torch.cat([makeup(face.crops, look[None]) for look in wanted])
            small = resized(face, size)
            worn = resized(Faces(dressed, face.points, face.landmarks), size).crops
            (learned if number % HELD else held).append({
                "bare": _bytes(small.crops),
                "worn": _bytes(worn[None]),
                "points": small.points,
                "landmarks": small.landmarks,
                "groups": torch.tensor([group]),
            })  # fmt: skip
        if (number + 1) % 100 == 0:
            said(f"{number + 1} of {len(photos)} people read")
    if not (held and learned):
        raise BadSetting(f"{photos[0][0].parent}: too few faces were found in these photos")
    found = [*held, *learned]
    return Sittings(held=len(held), **{name: torch.cat([each[name] for each in found]) for name in PARTS})


def _bytes(images: Images) -> Tensor:
    return (images * 255).round().byte().contiguous()
