"""What was asked for, in words: as the text model understands it, and the look that a face starts from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from kohl.makeup.layers import NAMES, Makeup, bare
from kohl.perturb import terms
from kohl.types import Candidate, Faces, TextImage

SHARE = 0.2  # of the products in a drawn look
TRIED = 64  # looks, for a model that cannot say itself which makeup the words stand for


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


def asked(
    model: TextImage, text: str, face: Callable[[], Faces], *, draws: bool
) -> tuple[terms.Words | None, Tensor | None, Sequence[str]]:
    """The words that count, if any, the look they stand for where it is to be drawn, and notes for the user.

    A model that names no looks is shown some on a `face`.
    """
    said, notes = model.understood(text)
    if not said:
        return None, None, notes
    words = terms.Words(model, said)
    if not draws:
        return words, None, notes
    named = model.look([said])
    if named is not None:
        return words, named[0], notes
    return words, most_alike(model, said, face(), drawn(TRIED, torch.Generator().manual_seed(0))), notes
