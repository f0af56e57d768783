"""What was asked for, in words: the look that a face starts from, and what the text model is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from kohl.makeup.layers import DIALS, Makeup, bare
from kohl.makeup.products import LAYERED, LAYERS, NAMES
from kohl.makeup.words import reader
from kohl.makeup.words.look import Look
from kohl.perturb import terms
from kohl.types import Candidate, Faces, TextImage

SHARE = 0.2  # of the products in a drawn look
TRIED = 64  # looks, where the words are none of those that kohl reads itself
GUESSED = f"kohl cannot read these words itself: the look is the most alike of {TRIED}, as the text model sees them"
STEERED = "nothing will be drawn with this generator: the words only steer the search"


@dataclass(frozen=True, eq=False)
class Asked:
    """What becomes of a text."""

    words: terms.Words | None = None  # what the search sees to; none where nothing is asked for
    dials: Tensor | None = None  # (layers, 8): the look that is drawn, if any
    look: Mapping[str, str] = field(default_factory=dict)  # as it was understood: by product, how it is worn
    notes: Sequence[str] = ()  # for the user


def dressed(look: Look) -> Tensor:
    """The look as dials (layers, 8): what its words leave open is as usual, what nobody named stays off."""
    dials = bare(LAYERS)
    for layer, fixed in look.dials.items():
        for dial, level in fixed.items():
            dials[LAYERED.index(layer), DIALS.index(dial)] = level
    return dials


def drawn(count: int, rng: torch.Generator) -> Tensor:
    """Random looks (count, products, 8): some of the products, strong, in any colour, the rest as usual."""
    looks = bare().expand(count, -1, -1).clone()
    worn = torch.rand(count, len(NAMES), generator=rng) < SHARE
    looks[..., 0] = worn * 0.8
    coloured = torch.rand(count, len(NAMES), 1, generator=rng) < 0.5
    looks[..., 1:4] = torch.where(coloured, torch.rand(count, len(NAMES), 3, generator=rng), looks[..., 1:4])
    return looks


@torch.no_grad()
def most_alike(model: TextImage, text: str, face: Faces, looks: Tensor) -> Tensor:
    """Of the `looks` (count, products, 8), the one that makes one `face` most like the words, by `directional`."""
    makeup, looks = Makeup(face), looks.to(face.crops.device)
    term = terms.directional(terms.Words(model, text), face.crops, view=lambda images: images)
    losses = [term(Candidate(makeup(face.crops, look[None]), look[None])) for look in looks]
    return looks[int(torch.cat(losses).argmin())]


def asked(model: TextImage, text: str, face: Callable[[], Faces], *, draws: bool) -> Asked:
    """What the text asks for; `draws`: whether a look is drawn with this generator.

    The reader's look is drawn, and the model is told it in plain words: no slip, no negation, nothing unknown. A text
    that only a model of `free` words can read goes to it as it is, and the model is shown some looks on a `face`.
    """
    look = reader.read(text, free=model.free)
    if not look.wears and not look.left_over:
        return Asked(notes=look.notes)
    said = text if model.free and look.left_over else look.caption
    words = terms.Words(model, said)
    if not draws:
        return Asked(words, None, look.said, (*look.notes, STEERED))
    if look.wears:
        return Asked(words, dressed(look), look.said, look.notes)
    guessed = most_alike(model, said, face(), drawn(TRIED, torch.Generator().manual_seed(0)))
    return Asked(words, guessed, notes=(GUESSED,))
