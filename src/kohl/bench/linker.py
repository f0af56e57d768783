"""An attacker who adapts: pairs of photos before and after teach a map of embeddings that undoes what attacks do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kohl.bench.calibrate import threshold

RIDGES = tuple(10.0**power for power in range(-3, 4))  # weights of staying as one is, that are tried


@dataclass(frozen=True, eq=False)
class Linker:
    """A linear map of embeddings (d, d); what it gives has unit length."""

    matrix: np.ndarray

    def __call__(self, embeddings: np.ndarray) -> np.ndarray:
        """The embeddings (n, d) as they were before, as far as is known."""
        return unit(embeddings @ self.matrix.T)


def unit(vectors: np.ndarray) -> np.ndarray:
    """The vectors (n, d) at length 1."""
    lengths: np.ndarray = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12))


def learned(after: np.ndarray, before: np.ndarray) -> Linker:
    """What takes the embeddings `after` (n, d) nearest to those `before`, and changes nothing that they do not show.

    The identity plus a ridge regression of the differences, whose weight is the one that best foretells each pair from
    all others (leave-one-out, in closed form: Allen, Technometrics 1974). Of no pairs it is the identity.
    """
    size = after.shape[1]
    if not len(after):
        return Linker(np.eye(size))
    difference = before - after
    vectors, spread, directions = np.linalg.svd(after, full_matrices=False)
    errors = {}
    for ridge in RIDGES:
        shrunk = spread**2 / (spread**2 + ridge)
        left = difference - vectors @ (shrunk[:, None] * (vectors.T @ difference))
        own = (vectors**2 @ shrunk)[:, None]
        errors[ridge] = float(np.square(left / np.maximum(1 - own, 1e-9)).sum())
    best = min(errors, key=lambda ridge: errors[ridge])
    if errors[best] >= float(np.square(difference).sum()):  # it foretells less than nothing
        return Linker(np.eye(size))
    weights = directions.T @ ((spread / (spread**2 + best))[:, None] * (vectors.T @ difference))
    return Linker(np.eye(size) + weights.T)


@dataclass(frozen=True, eq=False)
class People:
    """Embeddings of strangers before and after an attack, a row each."""

    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class Attacked:
    """What an attacker with so many pairs says: thresholds at a false-accept rate, and similarities."""

    threshold: float
    link_threshold: float
    genuine: Sequence[Sequence[float]]  # of each result to the other photos of its person
    pairs: Sequence[float]  # of results of one person, in the order that was asked for


def attacked(
    linker: Linker,
    results: np.ndarray,
    others: Sequence[np.ndarray],
    pairs: Sequence[tuple[int, int]],
    strangers: People,
    far: float,
) -> Attacked:
    """Similarities of the results (n, d), once mapped, to each one's others (k, d) and to each other.

    Thresholds hold the false-accept rate between these very results and strangers: as they were, and as the same attack
    left them, mapped too.
    """
    mapped = linker(results)
    impostors = (mapped @ unit(strangers.before).T).flatten().tolist()
    linked = (mapped @ linker(strangers.after).T).flatten().tolist()
    return Attacked(
        threshold(impostors, far),
        threshold(linked, far),
        [(unit(known) @ face).tolist() for known, face in zip(others, mapped, strict=True)],
        [float(mapped[first] @ mapped[second]) for first, second in pairs],
    )
