"""The table of inverters: how each kind of generator is made to give a face back; a generator names its own."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from kohl.errors import BadSetting
from kohl.invert.closed_form import in_closed_form
from kohl.invert.pivotal import Tuning, pivotal
from kohl.types import Generator, Inverter
from kohl.zoo import cards
from kohl.zoo.generators.stylegan2_ops import fast_dtype
from kohl.zoo.shelf import Shelf


@dataclass(frozen=True)
class Aids:
    """What an inverter may need beside its generator: names of models, settings, and the look to start from."""

    generator: str = "face_model"
    encoder: str = "e4e"
    perceptual: str = "lpips"
    tuning: Tuning = field(default_factory=Tuning)
    look: Tensor | None = None
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def key(self) -> Hashable:
        """The same for the same aids."""
        look = None if self.look is None else self.look.cpu().numpy().tobytes()
        return self.generator, self.encoder, self.perceptual, self.tuning, look, self.shelf.device


@dataclass(frozen=True)
class Way:
    """How a kind of generator is inverted."""

    inverter: Callable[[Any, Aids], Inverter]
    draws: bool = False  # whether a look is drawn on the face before the search
    bytes_per_pixel: Callable[[Tuning], int] = lambda _: 0  # of its image, that inverting takes at the least


def _closed_form(generator: Any, aids: Aids) -> Inverter:
    return partial(in_closed_form, generator, look=aids.look)


def _pivotal(generator: Any, aids: Aids) -> Inverter:
    encode = aids.shelf(cards.inverter, aids.encoder)
    perceptual = copy(aids.shelf(cards.load, aids.perceptual, "perceptual"))  # others may want another precision
    perceptual.dtype = torch.float32 if aids.tuning.exact else fast_dtype(aids.shelf.device)
    if encode.latent_shape != generator.latent_shape:
        found, wanted = (" × ".join(map(str, part.latent_shape)) for part in (encode, generator))
        raise BadSetting(
            f"models.encoder: {aids.encoder} finds latents of {found}, but {aids.generator} takes {wanted}; "
            "name an encoder that was trained with this generator"
        )
    return partial(pivotal, generator, encode, perceptual, settings=aids.tuning)


WAYS: Mapping[str, Way] = {
    "itself": Way(lambda generator, _: generator.invert),
    "closed form": Way(_closed_form, draws=True),
    "pivotal tuning": Way(_pivotal, bytes_per_pixel=lambda tuning: 4500 if tuning.exact else 2000),
}


def way(generator: Generator) -> Way:
    """How this generator is inverted."""
    return WAYS[generator.inverted_by]
