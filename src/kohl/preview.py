"""Before you post: one sheet per photo, each face as it is and as it would be at three strengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from kohl import choice, pipeline, tiles
from kohl.align import crop, imageio
from kohl.house import House, load
from kohl.invert.inversions import Inversions
from kohl.job import Job
from kohl.recipe import Recipe
from kohl.score.verify import in_a_hundred
from kohl.types import Face, Photo, Step, Watch, ignore
from kohl.zoo.shelf import Shelf

AROUND = 0.3  # of the strength dial, to either side of what was asked for
TILE = 512  # pixels: a face with its hair, twice what the search sees


def dial(recipe: Recipe) -> Mapping[float, House]:
    """A house for the recipe's strength and for one to either side; what is loaded is shared, and so are inversions."""
    shelf, inversions = Shelf(), Inversions()
    strengths = sorted({round(min(1, max(0, recipe.strength + turn)), 2) for turn in (-AROUND, 0, AROUND)})
    return {strength: load(replace(recipe, strength=strength), shelf, inversions) for strength in strengths}


def write(job: Job, houses: Mapping[float, House], *, watch: Watch = ignore) -> None:
    """Writes the `sheet` to the job's output, as a PNG; raises what that raises, and `BadPhoto` for another suffix."""
    tiles.check(job)
    tiles.save(sheet(job, houses, watch=watch), job)


def sheet(job: Job, houses: Mapping[float, House], *, watch: Watch = ignore) -> Image.Image:
    """A picture with a row for each face: the original, then the result of each house with its strength and chance.

    Nothing is judged here: it shows what `pipeline.protect` would paste at its first try, before the file is encoded.
    `watch` hears of all searches as of one. Raises `NoFace` and `BadPhoto`.
    """
    first = next(iter(houses.values()))
    others = pipeline.references(job.references, first)
    photo = imageio.read(job.photo, spare=first.room)
    found, content = first.detect(photo), imageio.digest(photo)
    chosen = choice.chosen_faces(found, job.faces, choice.left_out(job, first, found))
    rows = []
    for done, index in enumerate(chosen):
        row = [_tile(photo, found[index], "as it is")]
        for turn, (strength, house) in enumerate(houses.items(), done * len(houses)):
            part = partial(_of_all, watch, turn, len(chosen) * len(houses))
            rng = pipeline.random_numbers(content, job.seed, index)
            change = pipeline.changed(photo, found[index], house, others, job.decoy, rng=rng, watch=part)
            result = pipeline.pasted(photo, [change])
            chance = pipeline.chance(change.goal, crop.crops(result, [found[index]]).crops, house)
            said = "" if chance is None else f": {in_a_hundred(chance)} still match"
            row.append(_tile(result, found[index], f"strength {strength:g}{said}"))
        rows.append(np.concatenate(row, 1))
    return Image.fromarray(np.concatenate(rows))


def default_output(photo: Path, output: Path | None) -> Path:
    """NAME_preview.png beside the photo or in the folder `output`; or `output` itself where it names a picture."""
    return tiles.default_output(photo, output, "preview")


def _of_all(watch: Watch, done: int, searches: int, step: Step) -> None:
    """Tells `watch` of a step of one search, so many being done, as of one of them all."""
    watch(replace(step, index=done * step.total + step.index, total=searches * step.total))


def _tile(photo: Photo, face: Face, text: str) -> np.ndarray:
    """The face, upright, over its text on white."""
    return tiles.tile(crop.cut_out(photo.pixels, crop.at_size(face.to_crop, TILE), TILE), text)
