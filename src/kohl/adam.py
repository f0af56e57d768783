"""Adam, written out: torch's own imports torch's compiler at its first step, which takes seconds and 200 MB."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Adam:
    """Kingma & Ba, ICLR 2015: what is remembered of the gradients of some tensors."""

    def __init__(self, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.betas, self.index = betas, 0
        self.means: list[Tensor] = []
        self.squares: list[Tensor] = []

    @torch.no_grad()
    def __call__(self, tensors: Sequence[Tensor], gradients: Sequence[Tensor], rate: float) -> None:
        """Moves the tensors, in place, one step down their gradients."""
        if not self.index:
            self.means, self.squares = ([torch.zeros_like(each) for each in tensors] for _ in self.betas)
        self.index += 1
        first, second = (1 - beta**self.index for beta in self.betas)
        for tensor, gradient, mean, square in zip(tensors, gradients, self.means, self.squares, strict=True):
            mean.lerp_(gradient, 1 - self.betas[0])
            square.lerp_(gradient.square(), 1 - self.betas[1])
            tensor.sub_(rate * (mean / first) / ((square / second).sqrt() + 1e-8))
