"""One face at every strength after a single search: what a slider shows while it is moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from kohl import choice, pipeline
from kohl.align import crop, imageio
from kohl.errors import BadSetting
from kohl.house import House
from kohl.perturb.chance import CURVE, strangeness
from kohl.perturb.latent import LatentSearch, Search, Way
from kohl.perturb.needed import ITSELF, SHARES
from kohl.restore.paste import paste
from kohl.types import Face, Faces, Photo, Watch, ignore

SIDE = 640  # pixels of the picture: a face with its hair
PLACES = 6  # on the way, at which the recognisers are asked
STEPS = 24  # of the search at most, and none to scout: half the wait, for a picture to choose by


@dataclass(frozen=True, eq=False)
class Dial:
    """The way of one face, and how far its places are from the face, in thresholds.

    It shows a short search, walked as far as each strength asks for. What `pipeline.protect` writes is searched for
    longer, and weighs the visible change by the strength: it is alike, not the same.
    """

    tile: np.ndarray  # the face as it is, uint8 (SIDE, SIDE, 3)
    before: Faces
    way: Way
    shares: np.ndarray  # (PLACES,) of the way
    far: np.ndarray  # (PLACES,) in thresholds, never falling
    search: Search

    def __call__(self, strength: float) -> tuple[np.ndarray, float]:
        """The face at a strength from 0 to 1, as `tile`, and the chance that a recogniser nobody asked matches it."""
        chance = self.search.at(strength).chance
        share = SHARES[1]
        if chance:
            share = float(np.clip(np.interp(CURVE.distance(chance), self.far, self.shares), *SHARES))
        with torch.no_grad():
            after = self.way.shown(self.way.at(self.way.end.new_tensor([share]))).cpu()
        scale = after.shape[-1] / SIDE
        to_crop = np.c_[np.eye(2) * scale, np.full(2, (scale - 1) / 2)]  # pixel centres are at integers
        pixels = paste(Photo(self.tile), [to_crop], self.before, after).pixels
        return pixels, CURVE(float(np.interp(share, self.shares, self.far)))


def dial(photo: Path, index: int, house: House, *, seed: int = 0, watch: Watch = ignore) -> Dial:
    """The dial of one face of the photo, numbered as `House.detect` finds them.

    Raises `NoFace`, `BadPhoto`, and `BadSetting` where the attack has no way to walk.
    """
    if not isinstance(house.attack, LatentSearch):
        raise BadSetting("attack: only the latent search can be shown at every strength; protect the photo to see it")
    whole = imageio.read(photo, spare=house.room)
    found = house.detect(whole)
    choice.chosen_faces(found, (index,))
    face, content = found[index], imageio.digest(whole)
    before = crop.crops(whole, [face], size(face, draws=house.draws))
    shown = tile(whole, face)
    del whole  # hundreds of megabytes, perhaps
    moved, rng = before.to(house.shelf.device), pipeline.random_numbers(content, seed, index)
    settings = house.attack.settings
    short = replace(house.attack, settings=replace(settings, steps=min(STEPS, settings.steps), scouts=0))
    way = short.way(moved, pipeline.aim(moved, house, rng=rng), rng=rng, watch=watch)
    shares = np.linspace(0, SHARES[1], PLACES)
    return Dial(shown, before, way, shares, np.maximum.accumulate(_far(way, shares, house)), house.recipe.search)


def tile(photo: Photo, face: Face, side: int = SIDE) -> np.ndarray:
    """The face upright with its hair, uint8 (side, side, 3)."""
    return crop.cut_out(photo.pixels, crop.at_size(face.to_crop, side), side)


def size(face: Face, *, draws: bool) -> int:
    """Of the crop that is changed: a makeup's detail is seen in the picture, and no finer one is."""
    return min(crop.own_size(face), SIDE) if draws else crop.SIZE


def _far(way: Way, shares: np.ndarray, house: House) -> np.ndarray:
    """How far the face is from itself at these shares of its way, from 0, in the views that `pipeline.chance` draws."""
    far = strangeness(house.surrogates, way.goal, house.recipe.search.views, torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = [float(far(way.seen.generator(way.at(way.end.new_tensor([share]))))) for share in shares[1:]]
    return np.array([ITSELF, *found])  # the first is the face itself
