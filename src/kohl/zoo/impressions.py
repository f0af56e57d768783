"""What people see in a face at first sight, read off a recogniser's embedding by linear maps, fitted to ratings.

Peterson, Uddenberg, Griffiths, Todorov & Suchow, *Deep models of superficial face judgments*, PNAS 2022. Recognisers
tell sex, age and the like about as surely as people do, and the shortest way out of a face leads to the other sex: what
fools them so is what friends see, too. So a search may keep the impression while it leaves the identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.types import Scores
from kohl.zoo.files import store

# Ratings by the names of the data set; "gender" is high for men.
RATINGS = ("gender", "age", "attractive", "weight", "skin-color", "asian", "black", "white")
# Those that a face keeps, the first of them: 0, as it is; 1, it may have less of it; −1, it may have more.
SIDES = (0, 1, -1, 0)
WEIGHTS = (2.0, 1.0, 1.0, 1.0)
UNSEEN = 0.25  # of the spread of a rating among faces: a smaller move is not held against a face
ALIKE = (4.0, 1.0, 0.0, 0.25, 1.0, 1.0, 1.0, 1.0)  # how much each rating counts where faces of a kind are looked for


class Impressions:
    """Ratings of faces, in units of their spread among faces, from the embeddings of the recognisers that are known."""

    def __init__(self, path: Path) -> None:
        self._tensors = store.tensors(path)

    def of(self, encoder: str) -> Tensor | None:
        """The linear map (d, ratings) of a recogniser's embeddings; None for one that nobody fitted."""
        return self._tensors.get(encoder)

    def rated(self, encoder: str, embeddings: Tensor) -> Tensor:
        """The ratings (n, ratings) of embeddings (n, d) of a recogniser that is known."""
        ratings: Tensor = embeddings @ self._tensors[encoder] + self._tensors[f"{encoder}.middle"]
        return ratings

    def kin(self, ratings: Tensor, count: int) -> Sequence[int]:
        """The numbers of the `count` bundled decoys whom people see most like a face of these ratings (ratings,).

        In the order of their numbers: a hair's breadth in a rating does not draw another.
        """
        apart = (self._tensors["decoys"] - ratings).square() @ ratings.new_tensor(ALIKE)
        numbers: list[int] = apart.argsort()[:count].tolist()
        return sorted(numbers)


def strayed(moved: Tensor) -> Scores:
    """How far ratings that moved so much (n, ratings) went where they should not: the mean square beyond UNSEEN."""
    sides = moved.new_tensor(SIDES)
    kept = moved[:, : len(SIDES)]
    wrong = torch.where(sides == 0, kept.abs(), F.relu(sides * kept))
    return (F.relu(wrong - UNSEEN).square() * moved.new_tensor(WEIGHTS)).mean(1)
