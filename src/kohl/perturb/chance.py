"""The chance that a recogniser which nobody asked still matches a face, estimated from those that were asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import torch

from kohl import device
from kohl.geometry import compose, warp
from kohl.perturb.terms import Surrogate, known
from kohl.perturb.views import Views
from kohl.types import Embeddings, Goal, Images, Matrices, Scores

VIEWS = 12


@dataclass(frozen=True)
class Curve:
    """A logistic curve over distances in thresholds, fitted by `training/chance.py`; docs/cards/chance.md: how well.

    The distance is `strangeness`, in thresholds: at 1 a recogniser changes its mind.
    """

    middle: float = 0.848  # where a stranger's recogniser matches in half of all comparisons
    slope: float = 14.76

    def __call__(self, distance: float) -> float:
        """The chance at that distance, between 0 and 1."""
        return 1 / (1 + math.exp(self.slope * (distance - self.middle)))

    def distance(self, chance: float) -> float:
        """Where the chance is that."""
        return self.middle + math.log(1 / chance - 1) / self.slope


CURVE = Curve()


def strangeness(
    surrogates: Sequence[Surrogate], goal: Goal, views: Views, rng: torch.Generator, count: int = VIEWS
) -> Callable[[Images], Scores]:
    """How far images (n, 3, h, w) of the goal's source are from it for the recogniser that sees it best.

    The mean over `count` views, in thresholds (see `Surrogate.distance`); from the nearest, where the source has
    `others`. The views are drawn once, so that what is found for two images differs by the images alone. On a CPU
    each core has a recogniser at a time.
    """
    distinct = list({id(surrogate.encoder): surrogate for surrogate in surrogates}.values())
    seeds = torch.randint(2**62, (len(distinct),), generator=rng).tolist()
    with torch.no_grad():
        sources = [(each, each.encoder.to_input(goal.source), known(each, goal)) for each in distinct]

    @torch.no_grad()
    def seen_by(images: Images, seed: int, source: tuple[Surrogate, Matrices, list[Embeddings]]) -> Scores:
        (surrogate, to_input, embeddings), drawn = source, torch.Generator().manual_seed(seed)
        size, total = surrogate.encoder.size, images.new_zeros(len(images))
        for _ in range(count):
            restyled = views.restyle(images, drawn)
            aligned = compose(to_input, views.realign(len(images), size, drawn).to(images))
            embedding = surrogate.encoder(views.reflect(warp(restyled, aligned, (size, size)), drawn))
            total += torch.stack([surrogate.distance(embedding, one) for one in embeddings]).amin(0)
        return total / count

    def found(images: Images) -> Scores:
        seen = partial(seen_by, images)
        if images.device.type != "cpu":
            return torch.stack(list(map(seen, seeds, sources))).amin(0)
        with ThreadPoolExecutor(min(len(sources), device.cores())) as pool:
            return torch.stack(list(pool.map(seen, seeds, sources))).amin(0)

    return found
