"""Synthetic portraits that wear what a scene says, as pictures to learn from."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import torch
import torch.nn.functional as F
from captions import Scene
from portraits import portraits
from safetensors.torch import load_file, save_file
from torch import Tensor

from kohl.align.crop import SIZE
from kohl.makeup.layers import Makeup, _Layer
from kohl.types import Faces, Images
from kohl.zoo import cards

HELD = 8  # every eighth portrait is kept for the held-out figures
SHIFT, TURN, SCALE = 5.0, 4.0, 0.05  # pixels, degrees, share: how far off an alignment may be
LIGHT, WHITE, CONTRAST = 0.10, 0.03, 0.08  # standard deviations, of logarithms
MIDDLE = 0.45  # the level that a change of contrast leaves alone
NOISE, BLUR = 0.015, 0.9  # at most; levels, pixels
STILL, TEXTURED, BLURRED, NOISY = 0.25, 0.35, 0.25, 0.25  # the share of pictures that are not moved, that are changed …
TEXTURES, CHANGE = 192, (0.004, 0.03)  # changes of a face model that hides a face: how many, how strong

Value, Result = TypeVar("Value"), TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Changes:
    """What may lie over a picture: changes of the face model, as a protected face wears them, and grain."""

    textures: Tensor  # (TEXTURES, 3, SIZE, SIZE), standard deviation 1
    grain: Tensor  # (3, 2 SIZE, 2 SIZE), the same


@dataclass(frozen=True, eq=False)
class Sitters:
    """Faces, and the layers of makeup that fit them."""

    crops: Tensor  # uint8 (n, 3, SIZE, SIZE)
    layers: Sequence[Sequence[_Layer]]
    changes: Changes

    def __len__(self) -> int:
        return len(self.crops)

    def wearing(self, number: int, dials: Tensor) -> Images:
        """One face (1, 3, SIZE, SIZE) with makeup on it; products of opacity 0 cost nothing."""
        makeup = Makeup(Faces(torch.zeros(0, 3, SIZE, SIZE), torch.zeros(0, 5, 2), torch.zeros(0, 68, 2)))
        makeup.layers = [[layer for layer in self.layers[number] if dials[layer.product, 0] > 0]]
        return makeup(self.crops[number : number + 1] / 255, dials[None])


def sitters(folder: Path, cache: Path) -> tuple[Sitters, Sitters]:
    """Those to learn from and the held-out ones; `cache` keeps the crops, which take minutes to find."""
    if not cache.exists():
        found = [faces for _, faces in portraits(folder)]
        crops = torch.cat([(faces.crops * 255).round().byte() for faces in found]).contiguous()
        save_file({"crops": crops, "landmarks": torch.cat([faces.landmarks for faces in found])}, cache)
    kept = load_file(cache)
    cv2.setNumThreads(1)  # `together` keeps the cores busy
    crops, landmarks = kept["crops"], kept["landmarks"]
    layers = together(lambda number: _layers(crops[number], landmarks[number]), range(len(crops)))
    changes = _changes()
    held = torch.arange(len(crops)) % HELD == 0
    parts = [chosen.nonzero()[:, 0].tolist() for chosen in (~held, held)]
    learned, kept_back = (Sitters(crops[part], [layers[number] for number in part], changes) for part in parts)
    return learned, kept_back


def _changes() -> Changes:
    model, rng = cards.load("face_model"), torch.Generator().manual_seed(0)
    latents = torch.randn(TEXTURES, *model.latent_shape, generator=rng) * model.deviations
    where = model.grids(model.landmarks[None, :68], SIZE).expand(TEXTURES, -1, -1, -1)
    textures = F.grid_sample(model.texture(latents), where, align_corners=True)
    return Changes(textures / textures.std((1, 2, 3), keepdim=True), torch.randn(3, 2 * SIZE, 2 * SIZE, generator=rng))


def _layers(crop: Tensor, landmarks: Tensor) -> Sequence[_Layer]:
    return Makeup(Faces(crop[None] / 255, torch.zeros(1, 5, 2), landmarks[None])).layers[0]


def together(function: Callable[[Value], Result], values: Iterable[Value]) -> list[Result]:
    """The function's results in order; every core works on one value at a time, without gradients."""

    def alone(value: Value) -> Result:
        with torch.no_grad():
            return function(value)

    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(alone, values))


@torch.no_grad()
def pictures(sitters: Sitters, scenes: Sequence[Scene], seed: str, *, plain: bool = False) -> Images:
    """One picture per scene, on faces drawn by the seed; `plain` ones are as sharp and straight as crops."""

    def one(number: int) -> Images:
        rng = random.Random(f"{seed} {number}")
        image = sitters.wearing(rng.randrange(len(sitters)), scenes[number].dials)
        return image if plain else varied(image, sitters.changes, rng)

    return torch.cat([one(number) for number in range(len(scenes))])


def varied(image: Images, changes: Changes, rng: random.Random) -> Images:
    """An image (1, 3, SIZE, SIZE) as another photo, another alignment or a protected photo might show it."""
    if rng.random() < TEXTURED:
        image = image + rng.uniform(*CHANGE) * rng.choice((-1, 1)) * changes.textures[rng.randrange(TEXTURES)]
    pixels = image[0].permute(1, 2, 0).contiguous().numpy()
    mirror, still, blurred = (rng.random() < share for share in (0.5, STILL, BLURRED))
    if mirror:
        pixels = cv2.flip(pixels, 1)
    if not still:
        matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), rng.uniform(-TURN, TURN), 1 + rng.uniform(-SCALE, SCALE))
        matrix[:, 2] += rng.uniform(-SHIFT, SHIFT), rng.uniform(-SHIFT, SHIFT)
        pixels = cv2.warpAffine(pixels, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    if blurred:
        pixels = cv2.GaussianBlur(pixels, (5, 5), rng.uniform(0.3, BLUR))
    image = torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    light, contrast = rng.gauss(0, LIGHT), math.exp(rng.gauss(0, CONTRAST))
    gains = torch.tensor([light + rng.gauss(0, WHITE) for _ in range(3)]).exp()[:, None, None] * contrast
    image = image * gains + MIDDLE * (1 - contrast)
    if rng.random() < NOISY:
        row, column = (rng.randrange(SIZE) for _ in range(2))
        image = image + rng.uniform(0, NOISE) * changes.grain[:, row : row + SIZE, column : column + SIZE]
    return image.clamp(0, 1)[None]
