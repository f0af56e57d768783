"""What the commands work with; a program of your own, or a test, may bring others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kohl import batch, contact_sheet, pipeline
from kohl.pipeline import House
from kohl.recipe import Recipe
from kohl.types import Detector, Verifier
from kohl.zoo import cards
from kohl.zoo.card import Card
from kohl.zoo.shelf import Shelf

if TYPE_CHECKING:
    from kohl.train.faces import Find
    from kohl.zoo.distances.features import Features


@dataclass(frozen=True)
class Parts:
    """The functions and tables behind the commands."""

    load: Callable[[Recipe], House] = pipeline.load
    load_with: Callable[[Recipe, Shelf], House] = pipeline.load  # the same, of what is loaded already and what is not
    protect: batch.Protect = pipeline.protect
    judge: Callable[[str], Verifier] = cards.judge
    table: Sequence[Card] = cards.CARDS
    detector: Callable[[], Detector] = contact_sheet.detector
    find: Find | None = None  # the face of a photo to learn from; None: with kohl's detectors
    features: Callable[[], Features] | None = None  # what learned pictures are compared by; None: SFace's
