"""Sign-gradient attacks on the pixels themselves, within a budget: one loop, of which the published ones are cases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch
import torch.nn.functional as F

from kohl import ranges
from kohl.errors import BadSetting
from kohl.filters import gaussian
from kohl.perturb import terms
from kohl.perturb.descend import Slope, descend
from kohl.perturb.views import STILL
from kohl.templates import inside
from kohl.types import Candidate, Faces, Generator, Goal, Images, Latents, Scores, Term, Watch, ignore

InputViews: TypeAlias = Callable[[Images, torch.Generator], Sequence[Images]]
GradientFilter: TypeAlias = Callable[[Images], Images]

RANGES = {"epsilon": (0, 1), "steps": (1, 100_000)}
FAINT = 0.01  # of the budget: at the source itself the distance to it has no slope, and signs would be of rounding
NEVER_ENOUGH = 100.0  # thresholds; no two faces are so far apart: published attacks never stop leaving


@dataclass(frozen=True)
class Pixel:
    """The budget of the attacks on pixels."""

    epsilon: float = 16 / 255  # the most that any value of a pixel may change: as published with MI-FGSM and its heirs
    steps: int = 10

    def __post_init__(self) -> None:
        ranges.check(self, RANGES, "pixel.")
        if not self.epsilon:
            raise BadSetting("pixel.epsilon: must be above 0")

    def at(self, strength: float) -> Pixel:
        """This budget, a quarter of it at strength 0, four times at 1."""
        return replace(self, epsilon=min(1.0, self.epsilon * 4 ** (2 * strength - 1)))


@dataclass(frozen=True)
class SignGradient:
    """Steps along the sign of the gradient on each face's pixels, within `inside` of the face and the budget.

    With its defaults it is BIM (Kurakin et al., 2017). `views` are what the recognisers are shown at each step, the
    loss being the mean over them; `smooth` is what becomes of the gradient; `neighbours` are how many gradients nearby
    tune its variance (Wang & He, CVPR 2021), up to `reach` times the budget away.
    """

    surrogates: Sequence[terms.Surrogate]
    settings: Pixel = field(default_factory=Pixel)
    steps: int | None = None  # in place of the settings'
    pace: float = 1.0  # how far all steps together could go, in budgets
    momentum: float = 0.0  # of the gradient, whose mean size is 1
    look_ahead: bool = False  # whether the gradient is taken where the momentum leads (Nesterov's)
    anywhere: bool = False  # whether it starts at a random place within the budget
    views: InputViews | None = None
    smooth: GradientFilter | None = None
    neighbours: int = 0
    reach: float = 1.5

    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Images:
        """The faces changed within the budget; the same shape as `faces.crops`."""
        generator = Painted(faces)
        start = torch.zeros_like(faces.crops)
        if self.anywhere or not goal.towards:
            draws = 2 * torch.rand(start.shape, generator=rng, device=rng.device).to(start) - 1
            start = (1.0 if self.anywhere else FAINT) * self.settings.epsilon * draws
        steps = self.steps or self.settings.steps
        weighed = terms.recognitions(
            self.surrogates, goal, weight=1.0, margin=NEVER_ENOUGH, closeness=0.0, views=STILL, rng=rng
        )
        if self.views is not None:
            weighed = {name: _shown(term, self.views, terms.own(rng)) for name, term in weighed.items()}
        stepper = _Signs(self, self.pace * self.settings.epsilon / steps, rng)
        with torch.no_grad():
            found: Images = generator(descend(generator, start, weighed, stepper, steps=steps, watch=watch))
        return found


class Painted(Generator):
    """Faces plus latents (n, 3, size, size), within the face."""

    def __init__(self, faces: Faces) -> None:
        super().__init__()
        self.crops, self.size = faces.crops, faces.crops.shape[-1]
        self.latent_shape = tuple(faces.crops.shape[1:])
        landmarks = faces.landmarks.cpu().double().numpy()
        self.mask = torch.stack([inside(face, self.size) for face in landmarks]).to(faces.crops)

    def forward(self, latents: Latents) -> Images:
        """The changed faces."""
        return (self.crops + self.mask * latents).clamp(0, 1)


class _Signs:
    """The stepper: momentum and variance of one descent."""

    def __init__(self, attack: SignGradient, rate: float, rng: torch.Generator) -> None:
        self.attack, self.rate, self.rng = attack, rate, rng
        self.velocity: Latents | float = 0.0
        self.variance: Latents | float = 0.0

    def __call__(self, latents: Latents, slope: Slope, progress: float) -> Latents:  # noqa: ARG002 - the rate is constant
        """One step of `rate`, back into the budget."""
        attack, most = self.attack, self.attack.settings.epsilon
        ahead = latents - self.rate * attack.momentum * self.velocity if attack.look_ahead else latents
        gradient = slope(ahead)
        tuned = gradient + self.variance
        if attack.neighbours:
            nearby = sum(slope(self._near(latents)) for _ in range(attack.neighbours))
            self.variance = nearby / attack.neighbours - gradient
        if attack.smooth is not None:
            tuned = attack.smooth(tuned)
        size = tuned.abs().mean((1, 2, 3), keepdim=True).clamp_min(1e-30)
        self.velocity = attack.momentum * self.velocity + tuned / size
        return (latents - self.rate * self.velocity.sign()).clamp(-most, most)

    def _near(self, latents: Latents) -> Latents:
        draws = 2 * torch.rand(latents.shape, generator=self.rng, device=self.rng.device).to(latents) - 1
        return latents + self.attack.reach * self.attack.settings.epsilon * draws


def _shown(term: Term, views: InputViews, rng: torch.Generator) -> Term:
    """The term's mean over what `views` makes of the images."""

    def shown(candidate: Candidate) -> Scores:
        seen = views(candidate.images, rng)
        return torch.stack([term(replace(candidate, images=images)) for images in seen]).mean(0)

    return shown


@dataclass(frozen=True)
class Diversity:
    """The images seen smaller on black, at a random size and place, some of the time (Xie et al., CVPR 2019).

    Enlarged to a side of `largest` times theirs or less, padded with black to all of it, and taken back to their size.
    The defaults are those published; how pixels are mixed is not, and here it is bilinear.
    """

    probability: float = 0.5
    largest: float = 1.1  # of the side

    def __call__(self, images: Images, rng: torch.Generator) -> Sequence[Images]:
        """One view."""
        chance, share, top, left = torch.rand(4, generator=rng, device=rng.device).tolist()
        height, width = images.shape[-2:]
        if chance >= self.probability:
            return [images]
        factor = 1 + (self.largest - 1) * share
        high, wide = round(factor * height), round(factor * width)
        beyond, aside = round(self.largest * height) - high, round(self.largest * width) - wide
        large = F.interpolate(images, (high, wide), mode="bilinear")
        above, before = round(top * beyond), round(left * aside)
        padded = F.pad(large, (before, aside - before, above, beyond - above))
        return [F.interpolate(padded, (height, width), mode="bilinear")]


@dataclass(frozen=True)
class Scales:
    """The images at 1, 1/2, 1/4 … of their brightness (Lin et al., ICLR 2020)."""

    count: int = 5

    def __call__(self, images: Images, rng: torch.Generator) -> Sequence[Images]:  # noqa: ARG002 - nothing is random
        """As many views."""
        return [images / 2**power for power in range(self.count)]


@dataclass(frozen=True)
class Smooth:
    """The gradient under a Gaussian: as if it were that of the picture at many places (Dong et al., CVPR 2019)."""

    side: int = 15  # of the square that is weighed, in pixels
    deviations: float = 3.0  # from its middle to its rim

    def __call__(self, gradient: Images) -> Images:
        """The blurred gradient; beyond its rim it is zero."""
        reach = self.side // 2
        return gaussian(F.pad(gradient, (reach, reach, reach, reach)), reach / self.deviations, reach)
