"""Pivotal tuning: a new generator that reproduces a face at its latents (Roich et al., TOG 2022)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor

from kohl import device, ranges
from kohl.adam import Adam
from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.invert import own_styles
from kohl.invert.own_styles import OwnStyles
from kohl.types import Candidate, Faces, Images, Inversion, Latents, Perceptual, Step, Watch, ignore
from kohl.zoo.generators.stylegan2 import StyleGAN2
from kohl.zoo.generators.stylegan2_ops import fast_dtype

SMALLEST = 16  # pixels of a side that LPIPS can look at
SMALL = 128  # pixels of a side: with more threads a step costs twice the processor's time, and ends no sooner
SPAN = 50  # steps in which the loss must still fall
RISE, FALL = 0.05, 0.25  # shares of the steps in which a rate rises, and falls (Karras et al., CVPR 2020, appendix D)
RANGES = {
    "refine_rate": (0, 100),  # a step as long as the rate: e4e's latents stay within 10 of their average
    "refine": (0, 100_000),
    "steps": (0, 100_000),
    "size": ranges.ANY,
    "still": ranges.ANY,
}


@dataclass(frozen=True)
class Tuning:
    """How a StyleGAN2 is made to give a face back."""

    refine: int = 0  # steps on the latents before the generator is touched
    refine_rate: float = 0.01
    steps: int = 450  # on the generator, as in CLIP2Protect
    rate: float = 5e-4
    ramp: bool = False  # whether the rate rises at the start and falls in the end, as in StyleGAN2's own projection
    weights: bool = False  # whether only those of convolutions, colours and noise are tuned: no biases, no styles
    pixels: float = 0.4  # weight of the mean squared error beside the perceptual distance; 0.1 on [−1, 1], as published
    enough: float = 0.0  # a loss at which to stop early
    still: float = 0.01  # the share by which 50 steps must lower the loss; with less it stops; 0: it does not
    held: int = 8  # rows of w+ that the search may not move: they carry pose and the shape of the head
    noise: bool = False  # whether the search may also move the noise
    directions: int = 0  # of equal effect, along which the search moves; 0: each number by itself, as published
    whole: bool = False  # whether the face becomes the generator's picture, instead of what that changes being pasted
    size: int = 256  # pixels of a side at which faces are compared
    exact: bool = False  # whether to draw all that the generator draws, and in float32, which takes far longer

    def __post_init__(self) -> None:
        ranges.check(self, RANGES, "tuning.")
        if not 0 <= self.still < 1:
            raise BadSetting(f"tuning.still: must be a share, at least 0 and below 1, not {self.still}")
        if self.size < SMALLEST or self.size & (self.size - 1):
            raise BadSetting(f"tuning.size: must be {SMALLEST}, {2 * SMALLEST} and so on, doubling, not {self.size}")


def pivotal(
    generator: StyleGAN2,
    encode: Callable[[Images], Latents],
    perceptual: Perceptual,
    faces: Faces,
    settings: Tuning,
    *,
    dtype: torch.dtype | None = None,
    watch: Watch = ignore,
) -> Inversion:
    """The encoder's latents, and a copy of the generator tuned until it gives the faces back there.

    Nothing in it is random: the noise is the generator's own, and the same face always gives the same copy.

    What is compared is drawn by the blocks up to its size, convolved in `dtype`, or else in bfloat16 where the
    processor has it; if `exact`, it is the generator's whole picture in float32, made smaller. The released code keeps
    every fourth pixel of each row and column; here pixels that become one are averaged, which does not shift the face.
    """
    wanted = resized(faces, min(settings.size, generator.size)).crops
    drawn = generator.size if settings.exact else min(faces.crops.shape[-1], generator.size)
    own_styles.check(
        generator,
        drawn,
        held=settings.held,
        noise=settings.noise,
        directions=settings.directions,
    )
    with torch.no_grad():
        codes = encode(faces.crops).clone()
    distance = perceptual.to_reference(wanted)
    own = deepcopy(generator).requires_grad_(False)
    own.dtype = torch.float32 if settings.exact else dtype or fast_dtype(codes.device)

    def step(index: int) -> Tensor:
        side = wanted.shape[-1]
        images = own_styles.at_size(own.synthesis(codes, size=own.size if settings.exact else side), side)
        loss = (distance(images) + settings.pixels * (images - wanted).square().flatten(1).mean(1)).sum()
        found = Candidate(images.detach(), codes.detach())
        watch(Step(index, settings.refine + settings.steps, {"tuning": float(loss.detach())}, found))
        return loss

    with _more_threads() if wanted.shape[-1] > SMALL else nullcontext():
        _descend([codes], settings.refine_rate, step, range(settings.refine), still=settings.still)
        steps = range(settings.refine, settings.refine + settings.steps)
        _descend(
            own.weights if settings.weights else [*own.parameters()],
            settings.rate,
            step,
            steps,
            ramp=settings.ramp,
            still=settings.still,
            enough=settings.enough,
        )
    with _more_threads():
        personal = OwnStyles(
            own,
            codes,
            faces,
            held=settings.held,
            noise=settings.noise,
            directions=settings.directions,
            whole=settings.whole,
            drawn=drawn,
        )
    return Inversion(personal.start, personal, personal.noisy)


@contextmanager
def _more_threads() -> Iterator[None]:
    """Twice as many threads: kohl leaves half of the cores to each of two networks, but here is only one at a time."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(2 * before, device.cores()))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _descend(
    variables: list[Tensor],
    rate: float,
    loss: Callable[[int], Tensor],
    steps: range,
    *,
    still: float,
    ramp: bool = False,
    enough: float = 0.0,
) -> None:
    """Moves the variables, in place, so many steps down the loss, or until it is `enough` or hardly falls any more."""
    if not steps:
        return
    for variable in variables:
        variable.requires_grad_(True)
    adam = Adam()
    known: list[float] = []
    for index in steps:
        total = loss(index)
        if not total.isfinite():
            raise BadSetting("tuning: these settings make the tuning diverge; try a smaller rate")
        known.append(float(total.detach()))
        converged = still > 0 and known[:-SPAN] and min(known[-SPAN:]) > (1 - still) * min(known[:-SPAN])
        if converged or known[-1] <= enough:
            break
        # Blocks beyond the compared size have no part in it: their gradients are zero.
        gradients = torch.autograd.grad(total, variables, materialize_grads=True)
        adam(variables, gradients, rate * _share((index - steps.start + 0.5) / len(steps)) if ramp else rate)
    for variable in variables:
        variable.requires_grad_(False)


def _share(done: float) -> float:
    """The share of the rate when so much of the steps is done: a line up, then level, then half a wave down."""
    fall = 0.5 - 0.5 * math.cos(math.pi * min(1.0, (1 - done) / FALL))
    return fall * min(1.0, done / RISE)
