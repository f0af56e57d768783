"""Pivotal tuning: a new generator that reproduces a face at its latents (Roich et al., TOG 2022)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from kohl.geometry import resized
from kohl.types import BadSetting, Faces, Images, Inversion, Latents, Scores
from kohl.zoo.face_model import FaceModel, OwnFace
from kohl.zoo.lpips import LPIPS
from kohl.zoo.makeup import MadeUp, bare
from kohl.zoo.own_styles import OwnStyles
from kohl.zoo.stylegan2 import StyleGAN2

SMALLEST = 16  # pixels of a side that LPIPS can look at


def in_closed_form(model: FaceModel, faces: Faces, look: Tensor | None = None) -> Inversion:
    """What tuning approaches by gradient steps: the linear model plus the residual; zero latents are the face.

    With a `look`, dials as `kohl.zoo.makeup` has them, zero latents are the face that wears it.
    """
    generator = MadeUp(OwnFace(model, faces), faces, bare() if look is None else look)
    return Inversion(faces.crops.new_zeros(len(faces.crops), *generator.latent_shape), generator)


@dataclass(frozen=True)
class Tuning:
    """How a StyleGAN2 is made to give a face back."""

    refine: int = 0  # steps on the latents before the generator is touched
    refine_rate: float = 0.01
    steps: int = 450  # on the generator, as in CLIP2Protect
    rate: float = 5e-4
    pixels: float = 0.1  # weight of the mean squared error beside LPIPS
    enough: float = 0.0  # a loss at which to stop early
    held: int = 8  # rows of w+ that the search may not move: they carry pose and the shape of the head
    noise: bool = False  # whether the search may also move the noise
    size: int = 256  # pixels of a side at which faces are compared

    def __post_init__(self) -> None:
        for name in ("refine", "steps", "refine_rate", "rate", "pixels", "enough", "held"):
            if getattr(self, name) < 0:
                raise BadSetting(f"tuning.{name}: must not be negative, not {getattr(self, name)}")
        if self.size < SMALLEST or self.size & (self.size - 1):
            raise BadSetting(f"tuning.size: must be {SMALLEST}, {2 * SMALLEST} and so on, doubling, not {self.size}")


def pivotal(
    generator: StyleGAN2, encode: Callable[[Images], Latents], perceptual: LPIPS, faces: Faces, settings: Tuning
) -> Inversion:
    """The encoder's latents, and a copy of the generator tuned until it gives the faces back there."""
    wanted = resized(faces, min(settings.size, generator.size)).crops
    with torch.no_grad():
        codes = encode(faces.crops)
    distance = perceptual.to_reference(wanted)

    def loss(images: Images) -> Scores:
        return distance(images) + settings.pixels * (images - wanted).square().flatten(1).mean(1)

    own = deepcopy(generator).requires_grad_(False)
    size = wanted.shape[-1]
    if settings.refine:
        codes = codes.clone().requires_grad_()
        _descend([codes], lambda: loss(own.synthesis(codes, size=size)), settings.refine, settings.refine_rate, 0.0)
        codes = codes.detach()
    if settings.steps:
        weights = [weight.requires_grad_() for weight in own.parameters()]
        _descend(weights, lambda: loss(own.synthesis(codes, size=size)), settings.steps, settings.rate, settings.enough)
    personal = OwnStyles(own.requires_grad_(False), codes, faces, held=settings.held, noise=settings.noise)
    return Inversion(personal.start, personal)


def _descend(variables: list[Tensor], loss: Callable[[], Scores], steps: int, rate: float, enough: float) -> None:
    """Moves the variables, in place, so many steps down the loss, or until it is `enough`."""
    adam = torch.optim.Adam(variables, rate)
    for _ in range(steps):
        total = loss().sum()
        if not total.isfinite():
            raise BadSetting("tuning: these settings make the tuning diverge; try a smaller rate")
        if float(total.detach()) <= enough:
            return
        torch.autograd.backward(total)
        adam.step()
        adam.zero_grad()  # the last gradients are as large as the generator
