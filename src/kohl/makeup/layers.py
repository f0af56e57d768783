"""Makeup drawn on a face's own pixels: each product has a colour, an opacity and a shape, all with gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from kohl.colour import BLACK, lab, srgb
from kohl.filters import blur
from kohl.makeup import coats
from kohl.makeup.eyes import lid_depth
from kohl.makeup.face_map import DAYLIGHT, FaceMap
from kohl.makeup.fields import PLACES, SHINES
from kohl.makeup.pigments import pigment
from kohl.makeup.products import LAYERED, LAYERS, NAMES, ORDER, PRODUCTS, Product
from kohl.types import Faces, Generator, Images, Latents

DIALS = ("opacity", "red", "green", "blue", "softness", "width", "length", "gloss")
DEVIATIONS = (0.035, 0.025, 0.025, 0.025, 0.10, 0.06, 0.06, 0.10)  # of the dials, at latents of 1: another hand's work
EVERYWHERE = {**PLACES, **coats.PLACES}
FURTHEST = 3.0  # deviations from the look
TINTED = 0.25  # share of a change of colour that is none of light: a search would turn soot green
SHINES_FROM = 1.12  # times the mean light (as L* + 16) that is shine and not shape
USUAL = 18.0  # differences in L* from the mean that are still of the skin
WEARERS = ("concealer", "lipstick", "lip liner")  # their colours are the wearer's, not the covered place's
DEEP = ("eyeshadow", "outer eyeshadow")  # shadows that are darkest in the outer corner and the crease
MIRRORS = 0.82  # how much of the way up to its own lightness a metal lightens what is below it
MIRRORED = 0.45  # of it is lost on black skin, on which a pale metal would be chalk
HAIRY = 0.75  # times the mean light that is darker than skin in the shade
FINEST = 0.007  # eye distances over which the edge of a line that tapers fades at least
AS_SOFT = 2.0  # the same for each pixel of the photo's own blur
EVENED = 0.035  # eye distances: within so much, foundation evens out the skin
FEATURE = 14.0  # CIELAB by which what differs is no blemish but a feature
SEES_LIGHT = 0.75  # power of the light on a face in that on pigments: who has dark skin has fewer white places
DEEPER = 0.3  # share of the light that is missing where an eyeshadow is deepest


def bare(products: Sequence[Product] = PRODUCTS) -> Tensor:
    """The dials (products, 8), each in [0, 1], of a face without makeup: everything as usual, opacity 0."""

    def dial(low: float, usual: float, high: float) -> float:
        return (usual - low) / (high - low)

    return torch.tensor([
        [0, *(level / 255 for level in product.colour), 0.4, dial(*product.width), dial(*product.length), 0.35]
        for product in products
    ])  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Layer:
    """One product on one face."""

    product: int  # its number in LAYERS
    part: tuple[slice, slice]  # the rows and columns that it can reach
    sigma: float  # pixels within which it evens out skin
    cover: Tensor  # (h, w)
    across: Tensor
    along: Tensor
    shine: Tensor  # where gloss and metals catch the light, (h, w), or zero
    depth: Tensor  # where the colour is deeper, (h, w), or zero
    tone: Tensor  # CIELAB (3,) of the wearer's skin
    light: Tensor  # the share of daylight that is on the face, as a factor of L* + 16
    finest: Tensor  # eye distances over which an edge fades at least: the photo has none that is sharper


class Makeup(nn.Module):
    """The products and coats named `worn`, ready to be put on these faces at the resolution of their crops."""

    def __init__(self, faces: Faces, worn: Sequence[str] = NAMES) -> None:
        super().__init__()
        maps = (
            FaceMap(crop.permute(1, 2, 0).numpy(), points.double().numpy())
            for crop, points in zip(faces.crops.cpu(), faces.landmarks.cpu(), strict=True)
        )
        self.layers = [list(_layers(face, worn, faces.crops.device)) for face in maps]

    def forward(self, images: Images, dials: Tensor) -> Images:
        """`images` of these faces wearing makeup; `dials` (n, layers, 8) are in [0, 1], see `DIALS` and `bare`."""
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
        self.makeup = Makeup(faces, [LAYERED[index] for index in self.worn.tolist()])
        self.latent_shape = (own.latent_shape[0] + len(DIALS) * len(self.worn),)

    def forward(self, latents: Latents) -> Images:
        """The faces at `latents` (n, the own generator's + 8 · products worn)."""
        split = self.own.latent_shape[0]
        images: Images = self.makeup(self.own(latents[:, :split]), self.dials(latents[:, split:]))
        return images

    def dials(self, latents: Latents) -> Tensor:
        """What the latents of the makeup (n, 8 · products worn) turn the look into, (n, products, 8)."""
        turns = FURTHEST * torch.tanh(latents.view(len(latents), -1, len(DIALS)) / FURTHEST)
        turns = turns * latents.new_tensor(DEVIATIONS)
        lighter = turns[..., 1:4].mean(-1, keepdim=True)
        colours = lighter + TINTED * (turns[..., 1:4] - lighter)
        turned = self.look[self.worn] + torch.cat([turns[..., :1], colours, turns[..., 4:]], -1)
        return self.look.expand(len(latents), -1, -1).index_copy(1, self.worn, turned.clamp(0, 1))


def _layers(face: FaceMap, worn: Sequence[str], device: torch.device) -> Iterator[_Layer]:
    @cache
    def whole(place: str) -> _Layer:
        return _layer(face, LAYERED.index(place), device)

    @cache
    def half(way: int) -> Tensor:
        return torch.tensor(coats.half_of(face, way), dtype=torch.float32, device=device)

    for number, product in ((number, LAYERS[number]) for number in ORDER):
        if product.name in worn:
            layer = whole(product.place)
            if product.half:
                layer = replace(layer, product=number, cover=layer.cover * half(product.half)[layer.part])
            yield layer


def _layer(face: FaceMap, number: int, device: torch.device) -> _Layer:
    """A layer on both halves of a face."""
    product = LAYERS[number]
    field = EVERYWHERE[product.name](face)
    (top, left), (height, width) = field.corner, field.cover.shape
    part = (slice(top, top + height), slice(left, left + width))
    shine = SHINES[product.pigments](face)[part] if product.pigments in SHINES else np.zeros(1)
    depth = lid_depth(field) if product.name in DEEP else np.zeros(1)
    finest = max(FINEST, AS_SOFT * face.blur / face.unit)
    light = min(1.0, (face.white + BLACK) / (DAYLIGHT + BLACK)) ** SEES_LIGHT
    numbers = (field.cover, field.across, field.along, shine, depth, face.tone, np.array(light), np.array(finest))
    maps = (torch.tensor(x, dtype=torch.float32, device=device) for x in numbers)
    return _Layer(number, part, EVENED * face.unit, *maps)


def _painted(image: Tensor, layers: Sequence[_Layer], dials: Tensor) -> Tensor:
    """One image (3, h, w) with the layers on it, in order; what nothing covers stays the same bit for bit."""
    if not torch.is_grad_enabled():  # what is not put on takes only time
        layers = [layer for layer in layers if dials[layer.product, 0] > 0]
    if not layers:
        return image
    rows, columns = (
        slice(min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*(layer.part for layer in layers), strict=True)
    )
    skin, wishes = image[:, rows, columns], lab(dials[:, 1:4].T)
    bare = made_up = lab(skin)
    for layer in layers:
        (top, bottom), (left, right) = (
            (part.start - whole.start, part.stop - whole.start)
            for part, whole in zip(layer.part, (rows, columns), strict=True)
        )
        below, made_up, number = made_up[:, top:bottom, left:right], made_up.clone(), layer.product
        paint = _paint(below, layer, wishes[:, number], dials[number, 7])
        made_up[:, top:bottom, left:right] = _mixed(below, paint, _mask(layer, dials[number]), LAYERS[number].swallows)
    image = image.clone()
    image[:, rows, columns] = torch.where((made_up == bare).all(0), skin, srgb(made_up).clamp(0, 1))
    return image


def _paint(below: Tensor, layer: _Layer, wish: Tensor, gloss: Tensor) -> Tensor:
    """One product as it would hide what is `below` it, both (3, h, w) in CIELAB, in the colour of a `wish` (3,).

    Light and shade of the skin scale L* + 16, a* and b* of the pigment as they do the skin's. What the photo has of
    shine above that stays white, more of it under gloss, and on a metal takes the metal's colour.
    """
    product = LAYERS[layer.product]
    here = _usual(below, layer.cover)
    if product.evens:
        below = below + product.evens * _unevenness(below, layer)
    skin = layer.tone.to(here) if product.pigments in WEARERS else here
    colour, metal = pigment(product.pigments, wish, skin, layer.light.to(here))
    step = colour[0] - here[0]
    met = here[0] + torch.where(step < 0, product.darkens * step, _lift(product, metal, here[0]) * step) + BLACK
    tint = colour[1:] * (met / (colour[0] + BLACK)) ** 0.3
    shape = (below[0] + BLACK) / (here[0] + BLACK)
    light = shape if product.relief == 1 else shape.clamp_min(0.2) ** (product.relief + 0.15 * gloss + 0.5 * metal)
    body = light.clamp_max(SHINES_FROM) * (1 - DEEPER * layer.depth)
    capped = (0.25 + 0.75 * (met / 80).clamp(0, 1)) * (here[0] + BLACK)  # what lies on dark lips is no chrome
    lit = (light - SHINES_FROM).clamp_min(0) * ((0.35 + 0.65 * gloss) * capped)
    if product.shine:
        lit = lit + layer.shine * (product.shine * (gloss**2 + 1.2 * metal) * capped / 76)
    through = product.relief == 1 or product.dyes  # otherwise lashes and gaps stay dry
    dry = below.new_ones(()) if through else (body / HAIRY).clamp_max(1).square()
    share = body * dry + lit * ((1.3 * metal - 0.6) / met)
    own = below[1:] - here[1:, None, None] * shape.clamp_max(SHINES_FROM)
    tinted = tint[:, None, None] * share + product.own * own + (1 - dry) * below[1:]  # they keep their colour
    return torch.cat([(met * body + lit - BLACK)[None], tinted])


def _mixed(below: Tensor, paint: Tensor, share: Tensor, swallows: float) -> Tensor:
    """What is seen of both, (3, h, w) in CIELAB: where a film is thin, each may swallow some of the other's light."""
    step = paint - below
    seen = below + share * step
    if not swallows:
        return seen
    apart = (step[1:].square().sum(0) + 1e-6).sqrt()
    return torch.cat([seen[:1] - swallows * share * (1 - share) * apart, seen[1:]])


def _unevenness(below: Tensor, layer: _Layer) -> Tensor:
    """What small blemishes, lines and shine differ by from the covered skin around them, turned round, (3, h, w)."""
    weight = (layer.cover + 1e-3)[None]
    weighted = blur(torch.cat([below * weight, weight])[None], layer.sigma)[0]
    apart = weighted[:3] / weighted[3:] - below
    return apart * torch.exp(-(apart.square().sum(0) / FEATURE**2))


def _usual(below: Tensor, cover: Tensor) -> Tensor:
    """The CIELAB colour (3,) that most of the covered skin has: neither shine nor a gap counts for much."""
    mean = (below[0] * cover).sum() / cover.sum().clamp_min(1e-3)
    weight = cover**2 * torch.exp(-((below[0] - mean) / USUAL).square()) + 1e-6
    return (below * weight).sum((1, 2)) / weight.sum()


def _lift(product: Product, metal: Tensor, light: Tensor) -> Tensor:
    """How much a product lightens skin of such a `light`; metals mirror what pigments swallow, less on dark skin."""
    mirrors = MIRRORS - MIRRORED * ((70 - light) / 70).clamp(0, 1)
    return product.lightens + metal * (mirrors - product.lightens).clamp_min(0)


def _mask(layer: _Layer, dials: Tensor) -> Tensor:
    """How much of the skin is covered, (h, w)."""
    product = LAYERS[layer.product]
    softness = product.softness[0] + (product.softness[1] - product.softness[0]) * dials[4]
    width, length = (
        low + (high - low) * dial for dial, (low, _, high) in ((dials[5], product.width), (dials[6], product.length))
    )
    reach = width * (1 - (layer.along / length).clamp(0, 0.98)) ** 0.95 if product.tapers else width
    mask = layer.cover * product.opacity * (1 - (1 - dials[0]) ** product.body)
    for place, far in ((layer.across, reach), (layer.along, length)):
        edge = torch.hypot(softness * far, layer.finest) if product.tapers else softness * far
        mask = mask * torch.sigmoid(6 * (far - place) / edge)
    return mask
