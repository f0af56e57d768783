"""One descent for every attack: a generator, what is weighed, and a stepper that moves the latents."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeAlias

import torch

from kohl import adam, device
from kohl.errors import BadSetting
from kohl.types import Candidate, Generator, Images, Latents, Step, Term, Watch, ignore

Slope: TypeAlias = Callable[[Latents], Latents]


class Stepper(Protocol):
    """One step of an optimiser; what it remembers is of one descent."""

    def __call__(self, latents: Latents, slope: Slope, progress: float) -> Latents:
        """The next latents; `slope` is the gradient at any it is asked for, `progress` runs from 0 to below 1."""
        ...


class Adam:
    """Adam, its `rate` falling to a `last` share along half a cosine."""

    def __init__(self, rate: float, last: float = 1.0, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.rate, self.last, self.adam = rate, last, adam.Adam(betas)

    def __call__(self, latents: Latents, slope: Slope, progress: float) -> Latents:
        """One step down the gradient."""
        moved = latents.clone()
        self.adam([moved], [slope(latents)], self.rate * decay(progress, self.last))
        return moved


def decay(progress: float, last: float) -> float:
    """How much of a rate is left: half a cosine from 1 to `last` (Loshchilov & Hutter, ICLR 2017)."""
    return last + (1 - last) * (1 + math.cos(math.pi * progress)) / 2


def descend(
    generator: Generator,
    start: Latents,
    terms: Mapping[str, Term],
    stepper: Stepper,
    *,
    steps: int,
    pull: Term | None = None,
    patience: int | None = None,
    restless: Collection[str] = (),
    turns: Sequence[Collection[str]] = (),
    watch: Watch = ignore,
) -> Latents:
    """The latents (n, …) after so many steps from `start` down the sum of the terms, and of `pull` on the latents.

    Terms that are named in `turns` take turns: each step looks at those of one turn alone, which count as many times as
    there are turns. It ends early after `patience` steps in a row at which every term was zero when it was last looked
    at, but for the `restless` ones, which have no point at which they are content. `watch` hears of each step at the
    latents where it began. Raises `BadSetting` when the gradient is no number any more.
    """
    latents, content, last = start.clone(), 0, dict.fromkeys(terms, math.inf)
    shifts = _shifts(terms, turns)
    # Each core has a term at a time: a recogniser is too small to be split among cores. On a GPU they take turns.
    cores = min(len(terms), device.cores())
    with ThreadPoolExecutor(cores) if start.device.type == "cpu" and terms else nullcontext() as pool:
        each = _longest_first(pool) if pool else map
        for index in range(steps):
            seen: list[tuple[dict[str, float], Candidate]] = []
            on = shifts[index % len(shifts)]
            latents = stepper(latents, partial(_gradient, generator, on, pull, each, seen), index / steps)
            losses, candidate = seen[0]
            watch(Step(index, steps, losses, candidate))
            last |= losses
            content = 0 if any(loss for name, loss in last.items() if name not in restless) else content + 1
            if content == patience:
                break
    return latents


def _shifts(terms: Mapping[str, Term], turns: Sequence[Collection[str]]) -> Sequence[Mapping[str, Term]]:
    """The terms of each turn, with those that are always there."""
    shared = {name: _times(len(turns), terms[name]) for turn in turns for name in turn}
    return [
        {name: shared.get(name, term) for name, term in terms.items() if name in turn or name not in shared}
        for turn in turns or [()]
    ]


def _times(factor: float, term: Term) -> Term:
    return lambda candidate: factor * term(candidate)


def _gradient(
    generator: Generator,
    terms: Mapping[str, Term],
    pull: Term | None,
    each: Callable[..., Iterator[tuple[float, Images]]],
    seen: list[tuple[dict[str, float], Candidate]],
    latents: Latents,
) -> Latents:
    """The gradient of everything at the latents; what was seen there is added to `seen`."""
    latents = latents.detach().requires_grad_()
    with torch.enable_grad():
        candidate = Candidate(generator(latents), latents)
        found = list(each(partial(_slope, candidate=candidate), terms.values()))
        slope = torch.stack([slope for _, slope in found]).sum(0)
        total = (candidate.images * slope).sum()  # torch, given the slope itself, imports SymPy to check its shape
        if pull is not None:
            total = total + pull(candidate).sum()
        (gradient,) = torch.autograd.grad(total, latents)
    if not gradient.isfinite().all():
        raise BadSetting("search: these settings make the search diverge; try a smaller weight or rate")
    seen.append(({name: loss for name, (loss, _) in zip(terms, found, strict=True)}, candidate))
    return gradient


def _longest_first(pool: Executor) -> Callable[..., Iterator[tuple[float, Images]]]:
    """`map` in the pool's threads; what took longest the last time begins first, so that no core is idle at the end."""
    took: dict[Term, float] = {}

    def timed(function: Callable[[Term], tuple[float, Images]], term: Term) -> tuple[float, Images]:
        started = time.perf_counter()
        found = function(term)
        took[term] = time.perf_counter() - started
        return found

    def each(function: Callable[[Term], tuple[float, Images]], terms: Iterable[Term]) -> Iterator[tuple[float, Images]]:
        listed = sorted(enumerate(terms), key=lambda item: -took.get(item[1], 0.0))
        begun = {index: pool.submit(timed, function, term) for index, term in listed}
        return (begun[index].result() for index in range(len(begun)))

    return each


def _slope(term: Term, *, candidate: Candidate) -> tuple[float, Images]:
    """A term's value, summed over the faces, and its gradient at the images."""
    with torch.enable_grad():
        images = candidate.images.detach().requires_grad_()
        loss = term(replace(candidate, images=images)).sum()
        (slope,) = torch.autograd.grad(loss, images)
    return float(loss.detach()), slope
