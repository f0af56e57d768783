"""One sheet with a face in many looks, to choose by looking: drawn at once, without a search or recognisers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, sqrt

import numpy as np
import torch
from PIL import Image

from kohl import choice, tiles
from kohl.align import crop, imageio
from kohl.align.detect import Detect
from kohl.job import Job
from kohl.makeup.layers import Makeup
from kohl.makeup.words import reader, tables
from kohl.makeup.words.look import Look
from kohl.perturb.looks import dressed
from kohl.types import Detector, Face, Photo
from kohl.zoo import cards

SIDE = 256  # pixels of a tile: a face with its hair
ROOM = 300_000_000  # bytes that finding and drawing one face takes, with the models loaded
AS_IT_IS = "as it is"
ALL = "all"


def detector() -> Detector:
    """What finds the faces: all that is loaded for a sheet."""
    return Detect(cards.load("yunet"), cards.load("landmarks68"), crop.ALIGNMENTS["points"])


def chosen(styles: Sequence[str], texts: Sequence[str]) -> dict[str, Look]:
    """The looks by what stands under them: texts first, then styles; all styles if nothing is named.

    Raises `BadSetting` for an unknown style, and for a text that says nothing about makeup.
    """
    named = styles if styles or texts else [ALL]
    words = {text: text for text in texts}
    for name in named:
        every = tables.styles() if name.strip().lower() == ALL else [reader.style(name)]
        words |= {reader.dashed(style): style for style in every if style}
    return {name: reader.read(text) for name, text in words.items()}


def write(job: Job, looks: Mapping[str, Look], detect: Detector) -> list[int]:
    """Writes the `sheet` to the job's output as a PNG, and says which faces are on it; raises what those raise."""
    tiles.check(job)
    picture, faces = sheet(job, looks, detect)
    tiles.save(picture, job)
    return faces


def sheet(job: Job, looks: Mapping[str, Look], detect: Detector) -> tuple[Image.Image, list[int]]:
    """A picture of the face as it is and in each look, with the names below, and the numbers of the faces on it.

    Without a choice of faces it is the largest; of several, one block stands below the other. The looks are drawn as
    `kohl protect` starts from them: the change that protects comes on top. Raises `NoFace` and `BadPhoto`.
    """
    photo = imageio.read(job.photo, spare=ROOM)
    found = detect(photo)
    indices = choice.chosen_faces(found, job.faces)
    if job.faces is None:
        indices = indices[:1]
    blocks = [_grid([*_tiles(photo, found[index], looks)]) for index in indices]
    return Image.fromarray(np.concatenate(blocks)), indices


@torch.no_grad()
def _tiles(photo: Photo, face: Face, looks: Mapping[str, Look]) -> Iterator[np.ndarray]:
    """The face as it is, then in each look."""
    faces = crop.crops(photo, [face], SIDE)
    makeup = Makeup(faces, [*{layer: None for look in looks.values() for layer in look.dials}])
    yield tiles.tile(tiles.pixels(faces.crops), AS_IT_IS)
    for name, look in looks.items():
        yield tiles.tile(tiles.pixels(makeup(faces.crops, dressed(look)[None])), name)


def _grid(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """The pictures, all of one size, in rows that are as many as columns, nearly; white where there is none."""
    columns = ceil(sqrt(len(pictures)))
    blank = np.full_like(pictures[0], 255)
    filled = [*pictures, *[blank] * (-len(pictures) % columns)]
    rows = (filled[start : start + columns] for start in range(0, len(filled), columns))
    return np.concatenate([np.concatenate(row, 1) for row in rows])
