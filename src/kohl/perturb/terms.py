"""What the search weighs against each other: each term gives one number per face, lower is better."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from kohl.geometry import compose, warp
from kohl.perturb.views import Views
from kohl.types import Candidate, Embeddings, FaceEncoder, Faces, Goal, Images, Scores, Term


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A recogniser that the search may look into, and the similarity from which it says "same person"."""

    encoder: FaceEncoder
    threshold: float

    def embed(self, faces: Faces) -> Embeddings:
        """Embeddings of the faces, aligned as this recogniser does."""
        encoder = self.encoder
        return encoder(warp(faces.crops, encoder.to_input(faces), (encoder.size, encoder.size)))

    def distance(self, first: Embeddings, second: Embeddings) -> Scores:
        """1 − cosine in units of the threshold's: below 1 is the same person, whatever the recogniser."""
        return (1 - (first * second).sum(1)) / (1 - self.threshold)


def recognition(
    surrogate: Surrogate,
    goal: Goal,
    *,
    margin: float,
    closeness: float,
    views: Views,
    rng: torch.Generator,
) -> Term:
    """How far the face is from the goal in one recogniser's eyes, in a new random view at every call.

    Two hinges: the distance to the source is pushed up to `margin`, the distance to the target down to `closeness`, both
    in thresholds (see `Surrogate.distance`). Zero means that both are reached in this view.
    """
    encoder = surrogate.encoder
    with torch.no_grad():
        to_input = encoder.to_input(goal.source)
        source, target = surrogate.embed(goal.source), surrogate.embed(goal.target)

    def term(candidate: Candidate) -> Scores:
        seen = views.soften(candidate.images, rng)
        aligned = compose(to_input, views.realign(len(seen), encoder.size, rng).to(seen))
        embedding = encoder(warp(seen, aligned, (encoder.size, encoder.size)))
        leaving = F.relu(margin - surrogate.distance(embedding, source))
        nearing = F.relu(surrogate.distance(embedding, target) - closeness)
        return goal.away * leaving + goal.towards * nearing

    return term


def change(crops: Images) -> Term:
    """Mean squared change of the pixels; what the eye and PSNR see."""
    return lambda candidate: (candidate.images - crops).square().flatten(1).mean(1)
