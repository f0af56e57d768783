"""How far two sets of pictures are from each other as a network sees them: the distance of two normal distributions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

from kohl.align import crop, imageio
from kohl.types import Detector, Images

See: TypeAlias = Callable[[Images], torch.Tensor]  # (n, 3, height, width) → (n, d)

FEWEST = 2  # pictures that have a spread


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """The squared Fréchet distance of two normal distributions with the means and covariances of features (n, d).

    |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) (Dowson & Landau, 1982), which for Inception's features is the FID (Heusel et
    al., NeurIPS 2017). Of few pictures it is too large: compare only sets of equally many.
    """
    means, roots = zip(*map(_moments, (first, second)), strict=True)
    # With Σ = RᵀR, the trace of (Σ₁ Σ₂)^½ is the sum of the singular values of R₁ R₂ᵀ: no root of a matrix is needed.
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    spread = sum(np.square(root).sum() for root in roots)
    return max(0.0, float(np.square(means[0] - means[1]).sum() + spread - 2 * shared))


def _moments(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean (d,), and rows (n, d) whose products are the covariance."""
    features = features.astype(np.float64)
    mean = features.mean(0)
    return mean, (features - mean) / np.sqrt(len(features) - 1)


@dataclass(frozen=True, eq=False)
class Space:
    """Where a network puts faces: the distance between those of photos and what became of them."""

    key: str  # which network it is
    detect: Detector
    see: See

    def __call__(self, pairs: Sequence[tuple[Path, Path]]) -> float | None:
        """Of photos and what became of each; a pair without a face, or of two sizes, is left out. None for too few."""
        rows = [found for original, file in pairs if (found := self._pair(original, file)) is not None]
        if len(rows) < FEWEST:
            return None
        first, second = (np.stack(each) for each in zip(*rows, strict=True))
        return frechet(first, second)

    def _pair(self, original: Path, file: Path) -> tuple[np.ndarray, np.ndarray] | None:
        """Features of the largest face, cut from both where it is in the original."""
        before, after = imageio.read(original), imageio.read(file)
        found = self.detect(before)[:1]
        if not found or before.size != after.size:
            return None
        with torch.no_grad():
            first, second = (self.see(crop.crops(photo, found).crops)[0].double().numpy() for photo in (before, after))
        return first, second
