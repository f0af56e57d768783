"""An attacker who adapts: pairs of photos before and after teach a map of embeddings that undoes what attacks do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

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


@dataclass(frozen=True)
class Attacked:
    """What an attacker with so many pairs says: thresholds at a false-accept rate, and similarities."""

    threshold: float
    link_threshold: float
    genuine: Sequence[Sequence[float]]  # of each result to the other photos of its person
    pairs: Sequence[tuple[int, int, float]]  # of results of one person, by index


def attacked(
    linker: Linker,
    results: np.ndarray,
    others: Sequence[np.ndarray],
    people: Sequence[str],
    *,
    strangers: np.ndarray,
    attacked_strangers: np.ndarray,
    far: float,
) -> Attacked:
    """Similarities of the results (n, d) of these `people`, once mapped, to each one's others (k, d) and to each other.

    Thresholds hold the false-accept rate between these very results and photos of strangers, and between results of two
    people, of whom the `attacked_strangers` are some; the map should have seen none of all those.
    """
    mapped = linker(results)
    pairs = [(a, b) for a, b in combinations(range(len(people)), 2) if people[a] == people[b]]
    apart = [(a, b) for a, b in combinations(range(len(people)), 2) if people[a] != people[b]]
    impostors = (mapped @ unit(strangers).T).flatten().tolist()
    linked = [float(mapped[a] @ mapped[b]) for a, b in apart]
    linked += (mapped @ linker(attacked_strangers).T).flatten().tolist()
    return Attacked(
        threshold(impostors, far),
        threshold(linked, far),
        [(unit(known) @ face).tolist() for known, face in zip(others, mapped, strict=True)],
        [(a, b, float(mapped[a] @ mapped[b])) for a, b in pairs],
    )
