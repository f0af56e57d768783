"""Synthetic portraits that wear what a scene says, as pictures to learn from."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import torch
import torch.nn.functional as F
from captions import Scene, scene
from portraits import portraits
from safetensors import safe_open
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
CHUNK = 512  # pictures that are kept in one file
TEXTURES, CHANGE = 192, (0.004, 0.03)  # changes of a face model that hides a face: how many, how strong

Value, Result = TypeVar("Value"), TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Changes:
    """What may lie over a picture: changes of the face model, as a protected face wears them, and grain."""

    textures: Tensor  # (TEXTURES, 3, SIZE, SIZE), standard deviation 1
    grain: Tensor  # (3, 2 SIZE, 2 SIZE), the same


@dataclass(frozen=True, eq=False)
class Sitters:
    """Faces; the layers of makeup that fit one are found when it is first asked for, which takes half a second."""

    crops: Tensor  # uint8 (n, 3, SIZE, SIZE)
    landmarks: Tensor  # (n, 68, 2)
    found: dict[int, Sequence[_Layer]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.crops)

    def wearing(self, number: int, dials: Tensor) -> Images:
        """One face (1, 3, SIZE, SIZE) with makeup on it; products of opacity 0 cost nothing."""
        crop = self.crops[number : number + 1] / 255
        if number not in self.found:
            face = Faces(crop, torch.zeros(1, 5, 2), self.landmarks[number : number + 1])
            self.found[number] = Makeup(face).layers[0]
        makeup = Makeup(Faces(torch.zeros(0, 3, SIZE, SIZE), torch.zeros(0, 5, 2), torch.zeros(0, 68, 2)))
        makeup.layers = [[layer for layer in self.found[number] if dials[layer.product, 0] > 0]]
        return makeup(crop, dials[None])


@dataclass(frozen=True, eq=False)
class Album:
    """Pictures of `sitters` wearing scenes, by number; drawn once, `CHUNK` at a time, and kept in a folder."""

    sitters: Sitters
    folder: Path
    seed: int

    def scene(self, number: int) -> Scene:
        """What a picture shows."""
        return scene(random.Random(f"{self.seed} picture {number}"), free=True)

    def picture(self, number: int) -> Images:
        """One picture (1, 3, SIZE, SIZE), as sharp and straight as a crop."""
        chunk, place = divmod(number, CHUNK)
        path = self.folder / f"pictures-{self.seed}-{chunk:03}.safetensors"
        if not path.exists():
            raise LookupError(f"{path} is not drawn")
        with safe_open(path, "pt") as file:
            return file.get_slice("pictures")[place : place + 1] / 255

    def draw(self, count: int) -> None:
        """Draws what is missing of the first `count` pictures, a multiple of `CHUNK`."""
        for chunk in range(count // CHUNK):
            path = self.folder / f"pictures-{self.seed}-{chunk:03}.safetensors"
            if not path.exists():
                scenes = [self.scene(number) for number in range(chunk * CHUNK, (chunk + 1) * CHUNK)]
                drawn = pictures(self.sitters, scenes, f"{self.seed} {chunk}")
                save_file({"pictures": (drawn * 255).round().byte()}, path.with_suffix(".new"))
                path.with_suffix(".new").replace(path)


def sitters(folder: Path, cache: Path) -> tuple[Sitters, Sitters]:
    """Those to learn from and the held-out ones; `cache` keeps the crops, which take minutes to find."""
    if not cache.exists():
        found = [faces for _, faces in portraits(folder)]
        crops = torch.cat([(faces.crops * 255).round().byte() for faces in found]).contiguous()
        save_file({"crops": crops, "landmarks": torch.cat([faces.landmarks for faces in found])}, cache)
    kept = load_file(cache)
    cv2.setNumThreads(1)  # `together` keeps the cores busy
    held = torch.arange(len(kept["crops"])) % HELD == 0
    learned, kept_back = (Sitters(kept["crops"][part], kept["landmarks"][part]) for part in (~held, held))
    return learned, kept_back


def changes() -> Changes:
    """The changes of the bundled face model, and grain."""
    model, rng = cards.load("face_model"), torch.Generator().manual_seed(0)
    latents = torch.randn(TEXTURES, *model.latent_shape, generator=rng) * model.deviations
    where = model.grids(model.landmarks[None, :68], SIZE).expand(TEXTURES, -1, -1, -1)
    textures = F.grid_sample(model.texture(latents), where, align_corners=True)
    return Changes(textures / textures.std((1, 2, 3), keepdim=True), torch.randn(3, 2 * SIZE, 2 * SIZE, generator=rng))


def together(function: Callable[[Value], Result], values: Iterable[Value]) -> list[Result]:
    """The function's results in order; every core works on one value at a time, without gradients."""

    def alone(value: Value) -> Result:
        with torch.no_grad():
            return function(value)

    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(alone, values))


def pictures(sitters: Sitters, scenes: Sequence[Scene], seed: str) -> Images:
    """One picture per scene, on faces drawn by the seed, as sharp and straight as crops."""

    def one(number: int) -> Images:
        rng = random.Random(f"{seed} {number}")
        return sitters.wearing(rng.randrange(len(sitters)), scenes[number].dials)

    return torch.cat(together(one, range(len(scenes))))


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
