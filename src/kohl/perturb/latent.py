"""The adversarial latent search: Adam on the latents of a face's own generator (CLIP2Protect, CVPR 2023)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from functools import cache, partial

import torch

from kohl.perturb import terms
from kohl.perturb.views import Views
from kohl.types import (
    BadSetting,
    Candidate,
    Embeddings,
    Faces,
    Goal,
    Images,
    Inversion,
    Inverter,
    Latents,
    Step,
    Term,
    Watch,
    ignore,
)


@dataclass(frozen=True)
class Search:
    """How long and how hard to search."""

    steps: int = 30
    rate: float = 0.22  # Adam's, in latents
    margin: float = 1.6  # distance to the source to reach, in thresholds: 1 is where a recogniser changes its mind
    closeness: float = 0.7  # distance to the decoy to reach, in thresholds
    decoy: float = 1.0  # weight of approaching the decoy against leaving the source
    change: float = 1150.0  # weight of the visible change of the crop
    latent: float = 0.01  # weight of the mean squared distance from the starting latents, as in CLIP2Protect
    colour: float = 2.0  # weight of a change of colour against one of brightness
    masking: float = 0.05  # detail of the face that hides half of a change
    scouts: int = 3  # steps that find out where this face drifts when it only leaves; the search then avoids that too
    scout_rate: float = 0.5  # Adam's in those steps
    patience: int = 5  # stop after so many steps in a row in which every surrogate is where it should be
    views: Views = field(default_factory=Views)

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, int | float) and value < 0:
                raise BadSetting(f"search.{setting.name}: must not be negative, not {value}")
        for name in ("steps", "patience"):
            if getattr(self, name) < 1:
                raise BadSetting(f"search.{name}: must be at least 1, not {getattr(self, name)}")
        if self.masking == 0:
            raise BadSetting("search.masking: must be above 0; a large number switches masking off")

    def at(self, strength: float) -> Search:
        """These settings, turned towards less change (0) or more protection (1); at 0.5 they are as they stand."""
        turn = 2 * strength - 1
        return replace(self, change=self.change * 3**-turn, margin=self.margin * 1.25**turn)


class Adam:
    """Kingma & Ba, ICLR 2015. torch's own imports its compiler at the first step: seconds, and 200 MB."""

    def __init__(self, like: Latents, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.betas, self.index = betas, 0
        self.mean, self.square = torch.zeros_like(like), torch.zeros_like(like)

    @torch.no_grad()
    def step(self, latents: Latents, gradient: Latents, rate: float) -> None:
        """Moves `latents`, in place, one step down the `gradient`."""
        self.index += 1
        self.mean.lerp_(gradient, 1 - self.betas[0])
        self.square.lerp_(gradient.square(), 1 - self.betas[1])
        mean, square = self.mean / (1 - self.betas[0] ** self.index), self.square / (1 - self.betas[1] ** self.index)
        latents -= rate * mean / (square.sqrt() + 1e-8)


def _decay(progress: float) -> float:
    """How much of the rate is left: half a cosine from 1 to 0.05 (Loshchilov & Hutter, ICLR 2017)."""
    return 0.05 + 0.95 * (1 + math.cos(math.pi * progress)) / 2


@dataclass(frozen=True)
class LatentSearch:
    """Leaves the source and nears a synthetic decoy in the eyes of every surrogate, for the least visible change."""

    invert: Inverter
    surrogates: Sequence[terms.Surrogate]
    settings: Search = field(default_factory=Search)

    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Images:
        """The faces changed as little as reaches `goal`; the same shape as `faces.crops`."""
        settings = self.settings
        inversion = self.invert(faces)
        weigh = partial(self._terms, faces, embed=cache(terms.Surrogate.embed), rng=rng)
        avoid = []
        if settings.scouts and goal.away and goal.towards:
            # Where the face ends up when it only leaves: so would every other photo of the person, and match this one.
            alone = weigh(replace(goal, towards=0.0), avoid=())
            avoid = [faces.with_crops(self._descend(inversion, alone, settings.scouts, settings.scout_rate, ignore))]
        return self._descend(inversion, weigh(goal, avoid=avoid), settings.steps, settings.rate, watch)

    def _descend(
        self, inversion: Inversion, weighed: Mapping[str, Term], steps: int, rate: float, watch: Watch
    ) -> Images:
        """The images after so many steps down the sum of the terms, or fewer once every surrogate is satisfied."""
        latents = inversion.latents.clone().requires_grad_()
        adam, near = Adam(latents), terms.near(inversion.latents)
        reached = 0
        # One thread per recogniser: each is too small to be split among cores, and none waits for the other.
        with ThreadPoolExecutor(len(weighed)) as pool:
            for index in range(steps):
                candidate = Candidate(inversion.generator(latents), latents)
                found = list(pool.map(partial(_slope, candidate=candidate), weighed.values()))
                slope = torch.stack([slope for _, slope in found]).sum(0)
                close = self.settings.latent * near(candidate)
                (gradient,) = torch.autograd.grad((candidate.images, close.sum()), latents, (slope, None))
                if not gradient.isfinite().all():
                    raise BadSetting("search: these settings make the search diverge; try a smaller weight or rate")
                losses = {name: loss for name, (loss, _) in zip(weighed, found, strict=True)}
                watch(Step(index, steps, losses, candidate))
                adam.step(latents, gradient, rate * _decay(index / steps))
                reached = reached + 1 if not any(loss for name, loss in losses.items() if name != "change") else 0
                if reached == self.settings.patience:
                    break
        with torch.no_grad():
            images: Images = inversion.generator(latents)
        return images

    def _terms(
        self,
        faces: Faces,
        goal: Goal,
        *,
        avoid: Sequence[Faces],
        embed: Callable[[terms.Surrogate, Faces], Embeddings],
        rng: torch.Generator,
    ) -> dict[str, Term]:
        """Every term with its weight, by name; each draws its own random numbers, so that no thread takes another's."""
        settings = self.settings
        change = terms.change(faces.crops, colour=settings.colour, masking=settings.masking)
        return {
            "change": lambda candidate: settings.change * change(candidate),
            **{
                f"{surrogate.encoder.name} {index}": terms.recognition(
                    surrogate,
                    goal,
                    avoid,
                    weight=1 / len(self.surrogates),
                    margin=settings.margin,
                    closeness=settings.closeness,
                    views=settings.views,
                    embed=embed,
                    rng=torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=rng))),
                )
                for index, surrogate in enumerate(self.surrogates)
            },
        }


def _slope(term: Term, *, candidate: Candidate) -> tuple[float, Images]:
    """A term's value, summed over the faces, and its gradient at the images."""
    images = candidate.images.detach().requires_grad_()
    loss = term(replace(candidate, images=images)).sum()
    (slope,) = torch.autograd.grad(loss, images)
    return float(loss.detach()), slope
