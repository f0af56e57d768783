"""As much change as a photo needs: how dear it is while the search runs, and how much of it is taken at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from kohl.types import Images, Scores, Step, Term, Watch, ignore

SHARES = 0.3, 1.3  # of the change that a search ended with: the least and the most that is taken
ITSELF = 0.12  # how far views of a face are from it, in thresholds: .09 to .15 on fourteen faces
LOOKS = 0.3, 0.5, 0.7, 0.85  # shares of the steps after which it is seen how far the face has come
POWER = 3.0  # of the share of the way that it has come, by which the price changes then
LEAST, MOST = 0.5, 1.6  # and how much it changes at a time

Far = Callable[[Images], Scores]


@dataclass(eq=False)
class Price:
    """How dear a visible change is: less, the nearer a face still is to its source, and more, the further it is.

    It starts at 1 and is set a few times, face by face, so that a search ends close to the distance that was `asked`: a
    photo that clings gets more change, and one that lets go less. `far` says how far images are from the source, and
    `watch` hears of each step, too.
    """

    far: Far
    asked: float
    watch: Watch = ignore
    value: Scores | float = 1.0

    def of(self, term: Term) -> Term:
        """The term at that price."""
        return lambda candidate: self.value * term(candidate)

    def __call__(self, step: Step) -> None:
        """Sets the price, if this is a step for that."""
        self.watch(step)
        if step.index in [round(share * step.total) for share in LOOKS]:
            come = self.far(step.candidate.images.detach()) / self.asked
            self.value = self.value * come.clamp_min(0).pow(POWER).clamp(LEAST, MOST)


def share(far: Far, at: Callable[[Scores], Images], asked: float, whole: Scores) -> Scores:
    """The share of its way at which each face is as far as `asked`; `whole` (n,) is 1, where the search ended.

    `at` gives the images at such shares, and `far` how far they are from the source. That grows steadily along the way:
    a straight line between its start and end finds a place, and a second line a better one. It stays within SHARES.
    """
    low, high = torch.zeros_like(whole), whole
    near, beyond = low + ITSELF, far(at(high))

    def guess() -> Scores:
        steep = ((beyond - near) / (high - low).clamp_min(1e-6)).clamp_min(1e-3)
        return (low + (asked - near) / steep).clamp(*SHARES)

    first = guess()
    found = far(at(first))
    # The second line goes through the two around what is asked, or through the two that come closest to it.
    up, short = beyond < asked, found < asked
    low, near, high, beyond = (
        torch.where(up, high, torch.where(short, first, low)),
        torch.where(up, beyond, torch.where(short, found, near)),
        torch.where(up | ~short, first, high),
        torch.where(up | ~short, found, beyond),
    )
    return guess()
