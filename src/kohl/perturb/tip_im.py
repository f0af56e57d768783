"""TIP-IM: at each step towards whichever of several people the face is then furthest from itself (ICCV 2021)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl import ranges
from kohl.errors import BadSetting
from kohl.geometry import warp
from kohl.perturb import terms
from kohl.perturb.descend import Slope, descend
from kohl.perturb.pixel import FAINT, Painted
from kohl.types import Candidate, Embeddings, Faces, Goal, Images, Latents, Scores, Step, Term, Watch, ignore

# Of the kernels of the MMD, in squared levels of 255 on the 112 × 112 pixels that the published attack changes.
BANDWIDTHS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 5, 10, 15, 20, 25, 30, 35, 100, 1e3, 1e4, 1e5, 1e6)
LEVELS, PUBLISHED_SIDE = 255, 112
RANGES = {
    "epsilon": (0, 1),
    "steps": (1, 100_000),
    "targets": (1, 1000),
    "momentum": (0, 1),
    "least": (0, 1),
    "most": (0, 1),
}


@dataclass(frozen=True)
class Greedy:
    """How far, how long and towards whom; the defaults are those of the authors' repository."""

    epsilon: float = 12 / 255  # the most that any value of a pixel may change
    steps: int = 100
    pace: float = 1.5  # how far all steps together could go, in budgets
    momentum: float = 1.0  # of the gradient, whose mean size is 1
    targets: int = 10  # people to choose from; where one is to be impersonated, it is that one
    naturalness: float = 0.0  # gamma, the weight of the MMD: 0 in the repository, up to 3 in the paper
    least: float = 0.01  # of the deviations that a step draws, for the entries of an affine map and for an angle
    most: float = 0.1

    def __post_init__(self) -> None:
        ranges.check(self, RANGES, "tip_im.")
        if not self.epsilon:
            raise BadSetting("tip_im.epsilon: must be above 0")
        if self.least > self.most:
            raise BadSetting(f"tip_im.least: must be at most tip_im.most, {self.most}, not {self.least}")

    def at(self, strength: float) -> Greedy:
        """These settings with a quarter of the budget at strength 0, four times at 1."""
        return replace(self, epsilon=min(1.0, self.epsilon * 4 ** (2 * strength - 1)))


class People(Protocol):
    """Synthetic people by number, a batch of one each."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def __getitem__(self, index: int) -> Faces:
        """The one of that number."""
        ...


@dataclass(frozen=True)
class TipIM:
    """Yang et al., Towards Face Encryption by Generating Adversarial Identity Masks, ICCV 2021.

    A step is tried towards each target, from one place and in one random view, and taken where the gain
    log(1 + max exp(d(source) − d(target))) is largest. The published attack has one recogniser; here distances are
    means over the surrogates, each in units of its threshold, so that none counts for little because it takes all faces
    for much alike. The mean square there is of embeddings whose numbers have variance 1: here the sum, at unit length.
    """

    surrogates: Sequence[terms.Surrogate]
    settings: Greedy = field(default_factory=Greedy)
    others: People = ()  # people to choose from beside the goal's target, if one is only to be left

    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Images:
        """The faces changed within the budget; the same shape as `faces.crops`."""
        settings = self.settings
        chosen = [goal.target]
        if goal.away and goal.towards:
            count = min(len(self.others), settings.targets - 1)
            chosen += [self.others[index].to(faces.crops.device) for index in range(count)]
        copies = repeated(faces, len(chosen))
        generator = Painted(copies)
        people = [Identities.known(*each, goal, chosen) for each in weights(self.surrogates)]
        weighed: dict[str, Term] = {
            f"{each.surrogate.encoder.name} {index}": _identity(each, goal, copies, settings, terms.own(rng))
            for index, each in enumerate(people)
        }
        if settings.naturalness:
            weighed["naturalness"] = unnatural(copies.crops, settings.naturalness)
        start = torch.zeros_like(copies.crops)
        if not goal.towards:  # at the source itself the distance to it has no slope
            draws = 2 * torch.rand(faces.crops.shape, generator=rng, device=rng.device).to(start) - 1
            start = FAINT * settings.epsilon * draws.repeat_interleave(len(chosen), 0)

        @torch.no_grad()
        def gains(latents: Latents) -> Scores:
            images = generator(latents)
            left, near = (
                torch.stack(parts).sum(0)
                for parts in zip(*(each.distances(images, copies) for each in people), strict=True)
            )
            return gain(left, near)

        def told(step: Step) -> None:
            candidate = Candidate(*(x[:: len(chosen)] for x in (step.candidate.images, step.candidate.latents)))
            losses = {name: loss / len(chosen) for name, loss in step.losses.items()}
            watch(replace(step, losses=losses, candidate=candidate))

        stepper = _Choice(settings, generator.mask, gains, len(chosen))
        with torch.no_grad():
            latents = descend(generator, start, weighed, stepper, steps=settings.steps, watch=told)
            found: Images = generator(latents)[:: len(chosen)]
        return found


def weights(surrogates: Sequence[terms.Surrogate]) -> list[tuple[terms.Surrogate, float]]:
    """Each recogniser once, with its weight: all have as much to say, one that is named twice has twice as much."""
    encoders = [surrogate.encoder for surrogate in surrogates]
    units = [1 / (1 - surrogate.threshold) for surrogate in surrogates]
    distinct = {id(surrogate.encoder): surrogate for surrogate in surrogates}.values()
    return [(each, encoders.count(each.encoder) / (1 - each.threshold) / sum(units)) for each in distinct]


def gain(left: Scores, near: Tensor) -> Scores:
    """How much was reached at distances (n,) from the source and (n, targets) from each target."""
    return torch.log1p((left[:, None] - near).amax(1).exp())


def mmd(first: Tensor, second: Tensor, bandwidths: Sequence[float] = BANDWIDTHS) -> Tensor:
    """The squared maximum mean discrepancy of two samples (n, d) and (m, d), all pairs counted.

    Gretton et al., JMLR 2012; the kernel is the sum of exp(−d² / 2σ) over the `bandwidths` σ.
    """

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        squares = (x[:, None] - y).square().sum(2)
        return torch.stack([torch.exp(-squares / (2 * width)) for width in bandwidths]).sum(0).mean()

    return kernel(first, first) + kernel(second, second) - 2 * kernel(first, second)


def unnatural(crops: Images, weight: float) -> Term:
    """The MMD of each changed picture from the crop itself, times `weight`: one picture is all of a sample.

    As the published attack computes it, with a batch of one; a difference counts as if on as few pixels as there.
    """
    scale = LEVELS * PUBLISHED_SIDE / crops.shape[-1]

    def term(candidate: Candidate) -> Scores:
        pairs = zip(candidate.images.flatten(1) * scale, crops.flatten(1) * scale, strict=True)
        return weight * torch.stack([mmd(changed[None], crop[None]) for changed, crop in pairs])

    return term


@dataclass(frozen=True, eq=False)
class Identities:
    """Whom one recogniser is to leave and whom to near, by its embeddings."""

    surrogate: terms.Surrogate
    weight: float
    sources: Sequence[Embeddings]  # of the face, and of it in other photos: (n, d) each
    targets: Embeddings  # (targets, d)

    @classmethod
    @torch.no_grad()
    def known(cls, surrogate: terms.Surrogate, weight: float, goal: Goal, targets: Sequence[Faces]) -> Identities:
        """What the recogniser knows them by."""
        embeddings = torch.cat([surrogate.embed(each)[:1] for each in targets])
        return cls(surrogate, weight, terms.known(surrogate, goal), embeddings)

    def distances(self, images: Images, faces: Faces) -> tuple[Scores, Tensor]:
        """From the source (n · targets,) and each target (n · targets, targets), of that many pictures, weighed."""
        embeddings = self.surrogate.embed(faces.with_crops(images))
        count = len(self.targets)
        left = [(embeddings - source.repeat_interleave(count, 0)).norm(dim=1) for source in self.sources]
        return self.weight * torch.stack(left).mean(0), self.weight * torch.cdist(embeddings, self.targets)


def _identity(people: Identities, goal: Goal, faces: Faces, settings: Greedy, rng: torch.Generator) -> Term:
    """How far each copy is from its target, and how near still to the source, in a new random view at every call."""
    encoder, count = people.surrogate.encoder, len(people.targets)
    with torch.no_grad():
        to_input = encoder.to_input(faces)
    sources = [source.repeat_interleave(count, 0) for source in people.sources]
    targets = people.targets.repeat(len(faces.crops) // count, 1)

    def term(candidate: Candidate) -> Scores:
        inputs = warp(candidate.images, to_input, (encoder.size, encoder.size))
        where = views(len(inputs) // count, settings, rng).repeat_interleave(count, 0)
        grid = F.affine_grid(where.to(inputs), list(inputs.shape), align_corners=False)
        embedding = encoder(F.grid_sample(inputs, grid, align_corners=False))
        nearing = (embedding - targets).square().sum(1)
        leaving = torch.stack([(embedding - source).square().sum(1) for source in sources]).mean(0)
        weighed: Scores = people.weight * (goal.towards * nearing - goal.away * leaving)
        return weighed

    return term


def views(count: int, settings: Greedy, rng: torch.Generator) -> Tensor:
    """Random affine maps (count, 2, 3) in halves of a picture's sides: noise in every entry, after a rotation.

    The deviations of both are drawn anew at every call, between `least` and `most`.
    """
    low, high = settings.least, settings.most
    noisy, turned = (low + (high - low) * torch.rand(2, generator=rng, device=rng.device)).tolist()
    noise = noisy * torch.randn(count, 2, 3, generator=rng, device=rng.device)
    angle = turned * torch.randn(count, generator=rng, device=rng.device)
    cosine, sine = angle.cos(), angle.sin()
    rotation = torch.stack([cosine, sine, -sine, cosine], -1).view(-1, 2, 2)
    linear = (torch.eye(2, device=rng.device) + noise[:, :, :2]) @ rotation
    return torch.cat([linear, noise[:, :, 2:]], -1)


def repeated(faces: Faces, count: int) -> Faces:
    """Each face so many times, one after the other."""
    return Faces(*(x.repeat_interleave(count, 0) for x in (faces.crops, faces.points, faces.landmarks)))


class _Choice:
    """The stepper: the same place for all copies of a face, from which each steps towards its own target."""

    def __init__(self, settings: Greedy, mask: Tensor, gains: Callable[[Latents], Scores], count: int) -> None:
        self.settings, self.gains, self.count = settings, gains, count
        reached = 3 * (mask > 0).flatten(1).sum(1)  # values that can change: of unit length, they would change less
        self.length = settings.pace * settings.epsilon / settings.steps * reached.sqrt().view(-1, 1, 1, 1)
        self.velocity: Latents | float = 0.0

    def __call__(self, latents: Latents, slope: Slope, progress: float) -> Latents:  # noqa: ARG002 - the rate is constant
        """One step of a length along the momentum, back into the budget: the one of most gain, for all copies."""
        gradient, most = slope(latents), self.settings.epsilon
        size = gradient.abs().mean((1, 2, 3), keepdim=True).clamp_min(1e-30)
        velocity = self.settings.momentum * self.velocity + gradient / size
        unit = velocity / velocity.flatten(1).norm(dim=1).clamp_min(1e-30).view(-1, 1, 1, 1)
        moved = (latents - self.length * unit).clamp(-most, most)
        best = self.gains(moved).view(-1, self.count).argmax(1)
        chosen = (best + self.count * torch.arange(len(best), device=best.device)).repeat_interleave(self.count)
        self.velocity, latents = velocity[chosen], moved[chosen]
        return latents
