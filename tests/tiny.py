"""Toy models that answer in milliseconds, and whose answers can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.align import imageio
from kohl.align.crop import to_crop
from kohl.errors import BadSetting
from kohl.perturb.latent import Search
from kohl.perturb.terms import Surrogate
from kohl.perturb.views import Views
from kohl.pipeline import House
from kohl.recipe import Models, Recipe
from kohl.templates import CROP
from kohl.types import (
    Box,
    Candidate,
    Face,
    FaceEncoder,
    Faces,
    Generator,
    Goal,
    Images,
    Inversion,
    Photo,
    Step,
    TextImage,
    Watch,
    ignore,
)

SIZE = 16  # pixels of a side of a toy crop, and of a toy encoder's input
REACH = slice(4, 12)  # rows and columns of a toy crop that `Paint` can change
STILL = Views(**{setting.name: 0.0 for setting in fields(Views)})  # every view is the picture itself

SEARCH = Search(
    steps=14,
    turns=1,
    scouts=3,
    tries=1,
    rate=0.1,
    recognition=1.0,
    margin=1.6,
    bend=0.0,
    closeness=0.3,
    decoy=1.0,
    change=1.0,
    plain=1.0,
    contours=0.0,
    features=0.0,  # these faces have none
    lines=0.0,
    chance=0.0,
    colour=3.0,
    masking=0.03,
    patience=50,
    views=replace(STILL, shift=0.01, rotation=0.01, scale=0.01, blur=0.5, blurred=0.2, grey=0.2, light=0.02),
)


def numbers(seed: int = 0) -> torch.Generator:
    """Random numbers that are the same for the same seed."""
    return torch.Generator().manual_seed(seed)


def faces(count: int = 1, seed: int = 0, size: int = SIZE) -> Faces:
    """Noise on mid-grey, far from black and white, as aligned faces."""
    crops = 0.4 + 0.2 * torch.rand(count, 3, size, size, generator=numbers(seed))
    points = torch.tensor(CROP).expand(count, -1, -1) * size / 256
    return Faces(crops, points, torch.full((count, 68, 2), size / 2))


class LinearEncoder(FaceEncoder):
    """The unit vector along a matrix times the pixels, of which mid-grey is zero; it takes a toy crop as it is."""

    def __init__(self, name: str = "linear", seed: int = 0) -> None:
        super().__init__()
        self.name, self.size, self.calls = name, SIZE, 0
        self.register_buffer("weight", torch.randn(3 * SIZE * SIZE, 8, generator=numbers(seed)))

    weight: Tensor

    def to_input(self, faces: Faces) -> Tensor:
        return torch.eye(2, 3).expand(len(faces.crops), -1, -1)

    def forward(self, inputs: Images) -> Tensor:
        self.calls += 1
        return F.normalize((inputs - 0.5).flatten(1) @ self.weight)


class Paint(Generator):
    """Faces with patterns painted onto their middles, as much of each as the latents say."""

    def __init__(self, faces: Faces, patterns: int = 8) -> None:
        super().__init__()
        self.crops, self.size, self.latent_shape = faces.crops, faces.crops.shape[-1], (patterns,)
        painted = torch.zeros(patterns, 3, SIZE, SIZE)
        painted[:, :, REACH, REACH] = 0.05 * torch.randn(patterns, 3, 8, 8, generator=numbers())
        self.patterns = F.interpolate(painted, (self.size, self.size))

    def forward(self, latents: Tensor) -> Images:
        return (self.crops + torch.einsum("nk,kchw->nchw", latents, self.patterns)).clamp(0, 1)


class LinearText(TextImage):
    """A picture is the unit vector along its mean colour, mid-grey being zero; a sentence is one drawn by its letters.

    `known` sentences have the vectors (3,) that are given for them.
    """

    name, neutral = "linear text", "a face"

    def __init__(self, known: Mapping[str, Sequence[float]] | None = None, frames: Sequence[str] = ()) -> None:
        super().__init__()
        self.known, self.frames = known or {}, frames
        self.pictures, self.sentences = 0, []  # how often it was shown pictures, and all that was said to it
        self.register_buffer("weight", torch.eye(3))

    weight: Tensor

    def embed_images(self, images: Images) -> Tensor:
        self.pictures += 1
        return F.normalize((images.to(self.weight).mean((2, 3)) - 0.5) @ self.weight)

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        self.sentences += texts
        drawn = (torch.randn(3, generator=numbers(crc32(text.encode()))) for text in texts)
        vectors = (self.known.get(text, vector) for text, vector in zip(texts, drawn, strict=True))
        return F.normalize(torch.stack([torch.as_tensor(vector).to(self.weight) for vector in vectors]))


def invert(faces: Faces, *, watch: Watch = ignore) -> Inversion:
    """Zero latents and a `Paint`, which reproduces the faces there."""
    generator = Paint(faces)
    return Inversion(torch.zeros(len(faces.crops), *generator.latent_shape), generator)


def surrogates(count: int = 2, threshold: float = 0.5) -> list[Surrogate]:
    """So many different encoders, with the similarity from which they say "same person"."""
    return [Surrogate(LinearEncoder(f"linear{index}", seed=index), threshold) for index in range(count)]


class Decoys:
    """So many people of one shade each, from dark to bright."""

    def __init__(self, count: int = 4) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Faces:
        if not 0 <= index < self.count:
            raise BadSetting(f"decoy:{index}: no such decoy; there are 0 to {self.count - 1}")
        return faces().with_crops(torch.full((1, 3, SIZE, SIZE), (index + 0.5) / self.count))


@dataclass(frozen=True)
class Tint:
    """An attack that moves the middle of each face towards its target's mean colour, with some noise."""

    amount: float = 0.3  # of the way
    noise: float = 0.0
    goals: list[Goal] = field(default_factory=list)  # what it was asked for

    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Images:
        self.goals.append(goal)
        quarter = faces.crops.shape[-1] // 4
        middle = (..., slice(quarter, -quarter), slice(quarter, -quarter))
        crops, aim = faces.crops.clone(), goal.target.crops.mean((2, 3), keepdim=True)
        crops[middle] = crops[middle].lerp(aim, self.amount)
        crops[middle] += self.noise * torch.randn(crops[middle].shape, generator=rng)
        watch(Step(0, 1, {}, Candidate(crops, crops.mean((2, 3)))))
        return crops.clamp(0, 1)


@dataclass(frozen=True)
class MeanColour:
    """A judge that reads the files and compares the mean colours at the same place; black has no face."""

    name: str = "colour"
    thresholds: Mapping[float, float] = field(default_factory=lambda: {0.01: 0.99})

    def compare(
        self, probe: Path, gallery: Sequence[Path], *, box: Box | None = None, at: Box | None = None
    ) -> list[float | None]:
        mine, others = _colour(probe, box), [_colour(path, box) for path in gallery]
        return [1 - float(np.abs(mine - other).max()) if mine.any() and other.any() else None for other in others]


def _colour(path: Path, box: Box | None) -> np.ndarray:
    pixels = _pixels(path, path.read_bytes() if path.is_file() else b"")
    left, top, width, height = map(round, box or (0, 0, *pixels.shape[1::-1]))
    return pixels[top : top + height, left : left + width].mean((0, 1)) / 255


@lru_cache(maxsize=4)
def _pixels(path: Path, content: bytes) -> np.ndarray:
    """The photo at the path, read anew whenever its content is another."""
    return imageio.read(path).pixels


def face(left: float, top: float, side: float, reason: str | None = None) -> Face:
    """A face whose crop is the square of `side` photo pixels with its corner there."""
    points = (np.array(CROP) + 0.5) * side / 256 - 0.5 + (left, top)
    box = (left + side / 4, top + side / 4, side / 2, side / 2)
    return Face(box, 0.9, points, np.tile(points.mean(0), (68, 1)), to_crop(points), reason)


def detector(*found: Face) -> Callable[[Photo], list[Face]]:
    """Finds these faces in every photo."""
    return lambda photo: list(found)


def house(**others: Any) -> House:
    """A house of toys that finds one face of 64 pixels in the photo's corner; `others` replace its parts."""
    toys = House(
        recipe=Recipe(models=Models(far=0.01), search=Search(decoy=0.5)),
        detect=detector(face(0, 0, 64)),
        attack=Tint(),
        decoys=Decoys(),
        judges=[MeanColour()],
        room=0,
    )
    return replace(toys, **others)


def picture(path: Path, *, height: int = 64, width: int = 96, seed: int = 0) -> Path:
    """The path of a new photo of smooth noise on mid-grey."""
    noise = torch.rand(1, 3, 5, 5, generator=numbers(seed))
    smooth = F.interpolate(noise, size=(height, width), mode="bilinear", align_corners=True)
    pixels = (100 + 56 * smooth[0]).permute(1, 2, 0).round().byte().numpy()
    imageio.write(Photo(pixels), path)
    return path
