"""Makeup drawn on a face's own pixels: each product has a colour, an opacity and a shape, all with gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from kohl.colour import LUMA
from kohl.makeup.face_map import FaceMap
from kohl.makeup.fields import PLACES, lip_shine
from kohl.types import Faces, Generator, Images, Latents

DIALS = ("opacity", "red", "green", "blue", "softness", "width", "length", "gloss")
Range = tuple[float, float, float]  # at dial 0, usually, at dial 1


@dataclass(frozen=True)
class Product:
    """One product: what it usually looks like, and between which values its dials turn, in the units of its field."""

    name: str
    colour: tuple[int, int, int]  # usually, sRGB
    opacity: float  # at dial 1
    light: float  # how much of its own brightness it brings along; 0 takes the skin's
    width: Range
    length: Range
    softness: tuple[float, float] = (0.15, 1.0)  # of an edge, as a share of the width and of the length
    relief: float = 0.9  # how much of the skin's own light and shade shows through
    shine: float = 0.0  # most light that gloss adds


PRODUCTS = (  # in the order in which they are put on
    Product("foundation", (190, 138, 108), 0.75, 0.45, (0.6, 2.0, 2.4), (0.7, 1.7, 2.0)),
    Product("face paint", (245, 245, 245), 0.92, 0.92, (0.3, 2.0, 2.4), (0.4, 1.7, 2.0), relief=0.7),
    Product("contour", (120, 78, 56), 0.55, 0.55, (0.05, 0.13, 0.24), (0.4, 0.75, 1.0), (0.4, 1.6)),
    Product("highlighter", (255, 236, 214), 0.5, 0.8, (0.03, 0.07, 0.14), (0.4, 1.2, 1.6), (0.8, 2.4)),
    Product("blush", (226, 104, 110), 0.8, 0.35, (0.5, 0.85, 1.5), (0.45, 0.95, 1.2), (0.5, 1.6)),
    Product("freckles", (134, 84, 54), 0.75, 0.6, (0.5, 0.9, 1.4), (0.4, 1.0, 1.3)),
    Product("stubble", (58, 48, 44), 0.62, 0.6, (0.3, 1.2, 1.5), (0.3, 1.3, 1.6), relief=0.6),
    Product("brows", (78, 56, 42), 0.75, 0.7, (0.03, 0.06, 0.10), (0.6, 1.2, 1.4), relief=0.7),
    Product("eyeshadow", (150, 108, 88), 0.88, 0.85, (0.2, 0.5, 0.95), (0.4, 1.2, 1.4), (0.3, 1.2)),
    Product("eyeliner", (22, 18, 18), 0.95, 0.95, (0.012, 0.028, 0.06), (0.01, 0.04, 0.34), (0.1, 0.8), relief=0.4),
    Product("mascara", (20, 16, 16), 0.95, 0.95, (0.35, 0.8, 1.2), (0.4, 1.2, 1.4), relief=0.4),
    Product("lipstick", (190, 40, 62), 0.88, 0.82, (0.55, 1.2, 1.3), (0.5, 1.25, 1.4), (0.1, 0.8), shine=0.38),
    Product("lip liner", (140, 44, 60), 0.85, 0.8, (0.014, 0.024, 0.05), (0.5, 1.25, 1.4), (0.1, 0.8)),
)
NAMES = tuple(product.name for product in PRODUCTS)
DEVIATIONS = (0.05, 0.04, 0.04, 0.04, 0.10, 0.06, 0.06, 0.10)  # of the dials, at latents of 1: another hand's work
FURTHEST = 3.0  # deviations from the look


def bare() -> Tensor:
    """The dials (products, 8), each in [0, 1], of a face without makeup: everything as usual, opacity 0."""

    def dial(low: float, usual: float, high: float) -> float:
        return (usual - low) / (high - low)

    return torch.tensor([
        [0, *(level / 255 for level in product.colour), 0.4, dial(*product.width), dial(*product.length), 0.35]
        for product in PRODUCTS
    ])  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Layer:
    """One product on one face."""

    product: int  # its number in PRODUCTS
    part: tuple[slice, slice]  # the rows and columns that it can reach
    cover: Tensor  # (h, w)
    across: Tensor
    along: Tensor
    shine: Tensor


class Makeup(nn.Module):
    """The products named `worn`, ready to be put on these faces at the resolution of their crops."""

    def __init__(self, faces: Faces, worn: Sequence[str] = NAMES) -> None:
        super().__init__()
        maps = (
            FaceMap(crop.permute(1, 2, 0).numpy(), points.double().numpy())
            for crop, points in zip(faces.crops.cpu(), faces.landmarks.cpu(), strict=True)
        )
        self.layers = [list(_layers(face, worn, faces.crops.device)) for face in maps]

    def forward(self, images: Images, dials: Tensor) -> Images:
        """`images` of these faces wearing makeup; `dials` (n, products, 8) are in [0, 1], see `DIALS` and `bare`."""
        return torch.stack([
            _painted(image, layers, face) for image, layers, face in zip(images, self.layers, dials, strict=True)
        ])  # fmt: skip


class MadeUp(Generator):
    """A face's own generator wearing makeup: its latents, then one for each dial of each product in the `look`.

    At zero latents it is the face with that look, dials (products, 8); a look of opacity 0 everywhere adds none.
    """

    def __init__(self, own: Generator, faces: Faces, look: Tensor) -> None:
        super().__init__()
        self.own, self.size, self.look = own, own.size, look.to(faces.crops.device)
        self.worn = (self.look[:, 0] > 0).nonzero()[:, 0]
        self.makeup = Makeup(faces, [NAMES[index] for index in self.worn.tolist()])
        self.latent_shape = (own.latent_shape[0] + len(DIALS) * len(self.worn),)

    def forward(self, latents: Latents) -> Images:
        """The faces at `latents` (n, the own generator's + 8 · products worn)."""
        split = self.own.latent_shape[0]
        images: Images = self.makeup(self.own(latents[:, :split]), self.dials(latents[:, split:]))
        return images

    def dials(self, latents: Latents) -> Tensor:
        """What the latents of the makeup (n, 8 · products worn) turn the look into, (n, products, 8)."""
        turns = FURTHEST * torch.tanh(latents.view(len(latents), -1, len(DIALS)) / FURTHEST)
        turned = self.look[self.worn] + turns * latents.new_tensor(DEVIATIONS)
        return self.look.expand(len(latents), -1, -1).index_copy(1, self.worn, turned.clamp(0, 1))


def _layers(face: FaceMap, worn: Sequence[str], device: torch.device) -> Iterator[_Layer]:
    for number, product in enumerate(PRODUCTS):
        if product.name not in worn:
            continue
        field = PLACES[product.name](face)
        (top, left), (height, width) = field.corner, field.cover.shape
        part = (slice(top, top + height), slice(left, left + width))
        shine = lip_shine(face)[part] if product.shine else np.zeros(1)
        numbers = (field.cover, field.across, field.along, shine)
        maps = (torch.tensor(x, dtype=torch.float32, device=device) for x in numbers)
        yield _Layer(number, part, *maps)


def _painted(image: Tensor, layers: Sequence[_Layer], dials: Tensor) -> Tensor:
    """One image (3, h, w) with the layers on it, in order."""
    for layer in layers:
        image = image.clone()
        image[:, *layer.part] = _worn(image[:, *layer.part], layer, dials[layer.product])
    return image


def _worn(skin: Tensor, layer: _Layer, dials: Tensor) -> Tensor:
    """The part of an image (3, h, w) under one product.

    The colour meets the skin's mean brightness on the way, so that a pale pink is no chalk on dark skin, and the skin's
    own light and shade goes on top. Brightness is changed without leaving [0, 1]: towards white or towards black.
    """
    product = PRODUCTS[layer.product]
    opacity, colour, gloss = dials[0] * product.opacity, dials[1:4], dials[7]
    low, high = product.softness
    softness = low + (high - low) * dials[4]
    mask = layer.cover * opacity
    for place, dial, (low, _, high) in (
        (layer.across, dials[5], product.width),
        (layer.along, dials[6], product.length),
    ):
        reach = low + (high - low) * dial
        mask = mask * torch.sigmoid(6 * (reach - place) / (softness * reach))
    weights = skin.new_tensor(LUMA)
    brightness = torch.einsum("c,chw->hw", weights, skin)
    mean = ((brightness * layer.cover).sum() / layer.cover.sum().clamp_min(1e-3)).clamp(0.02, 0.98)
    own = (weights @ colour).clamp(0.01, 0.99)
    wanted = mean ** (1 - product.light) * own**product.light
    darker, lighter = colour * (wanted / own), colour + (1 - colour) * ((wanted - own) / (1 - own))
    met = torch.where(wanted < own, darker, lighter)
    relief = (brightness / mean).clamp(0.08, 3) ** (product.relief * (0.8 + 0.6 * gloss))
    lit = (relief - 1.1).clamp_min(0) * (0.15 + 0.5 * gloss) + product.shine * gloss**2 * layer.shine
    paint = (met[:, None, None] * relief + lit).clamp(0, 1)
    return skin + mask * (paint - skin)
