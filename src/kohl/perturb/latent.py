"""The adversarial latent search: Adam on the latents of a face's own generator (CLIP2Protect, CVPR 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from kohl.perturb import terms
from kohl.perturb.views import Views
from kohl.types import BadSetting, Candidate, Faces, Goal, Images, Inverter, Latents, Step, Term, Watch, ignore


@dataclass(frozen=True)
class Search:
    """How long and how hard to search."""

    steps: int = 40
    rate: float = 0.1  # Adam's, in latents
    margin: float = 1.6  # distance to the source to reach, in thresholds: 1 is where a recogniser changes its mind
    closeness: float = 0.7  # distance to the decoy to reach, in thresholds
    decoy: float = 1.0  # weight of approaching the decoy against leaving the source
    change: float = 700.0  # weight of the visible change of the crop
    colour: float = 3.0  # weight of a change of colour against one of brightness
    masking: float = 0.03  # detail of the face that hides half of a change
    patience: int = 5  # stop after so many steps in a row in which every surrogate is where it should be
    views: Views = field(default_factory=Views)

    def __post_init__(self) -> None:
        for name in ("steps", "patience"):
            if getattr(self, name) < 1:
                raise BadSetting(f"search.{name}: must be at least 1, not {getattr(self, name)}")
        for name in ("rate", "margin", "closeness", "decoy", "change", "colour", "masking"):
            if getattr(self, name) < 0:
                raise BadSetting(f"search.{name}: must not be negative, not {getattr(self, name)}")

    def at(self, strength: float) -> Search:
        """These settings, turned towards less change (0) or more protection (1); at 0.5 they are as they stand."""
        turn = 2 * strength - 1
        return replace(self, change=self.change * 4**-turn, margin=self.margin * 1.25**turn)


class Adam:
    """Kingma & Ba, ICLR 2015. torch's own imports its compiler at the first step: seconds, and 200 MB."""

    def __init__(self, like: Latents, rate: float, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.rate, self.betas, self.index = rate, betas, 0
        self.mean, self.square = torch.zeros_like(like), torch.zeros_like(like)

    @torch.no_grad()
    def step(self, latents: Latents, gradient: Latents) -> None:
        """Moves `latents`, in place, one step down the `gradient`."""
        self.index += 1
        self.mean.lerp_(gradient, 1 - self.betas[0])
        self.square.lerp_(gradient.square(), 1 - self.betas[1])
        mean, square = self.mean / (1 - self.betas[0] ** self.index), self.square / (1 - self.betas[1] ** self.index)
        latents -= self.rate * mean / (square.sqrt() + 1e-8)


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
        recognition = self._recognition(goal, rng)
        change = terms.change(faces.crops, colour=settings.colour, masking=settings.masking)
        latents = inversion.latents.clone().requires_grad_()
        adam = Adam(latents, settings.rate)
        reached = 0
        for index in range(settings.steps):
            candidate = Candidate(inversion.generator(latents), latents)
            losses = {name: term(candidate) for name, term in recognition.items()}
            ours = torch.stack(list(losses.values())).mean(0)
            losses["change"] = settings.change * change(candidate)
            (gradient,) = torch.autograd.grad((ours + losses["change"]).sum(), latents)
            adam.step(latents, gradient)
            means = {name: float(loss.detach().mean()) for name, loss in losses.items()}
            watch(Step(index, settings.steps, means, candidate))
            reached = reached + 1 if not ours.any() else 0
            if reached == settings.patience:
                break
        with torch.no_grad():
            return inversion.generator(latents)

    def _recognition(self, goal: Goal, rng: torch.Generator) -> dict[str, Term]:
        settings = self.settings
        return {
            surrogate.encoder.name: terms.recognition(
                surrogate,
                goal,
                margin=settings.margin,
                closeness=settings.closeness,
                views=settings.views,
                rng=rng,
            )
            for surrogate in self.surrogates
        }
