"""The adversarial latent search: Adam on the latents of a face's own generator (CLIP2Protect, CVPR 2023)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Literal

import torch
from torch import Tensor

from kohl import ranges
from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.makeup.facial_features import dearness
from kohl.perturb import terms
from kohl.perturb.chance import CURVE, strangeness
from kohl.perturb.descend import Adam, descend
from kohl.perturb.needed import Price, share
from kohl.perturb.views import Beyond, Views, perspective
from kohl.types import (
    Embeddings,
    Faces,
    Generator,
    Goal,
    Images,
    Inversion,
    Inverter,
    Latents,
    Step,
    Term,
    Watch,
    ignore,
)

SEEN = "change", "lines"  # terms of what the eye sees
RESTLESS = *SEEN, "text"  # terms that are never content, and looked at in every step
FEW = 3  # views, for a glance on the way
RANGES = {
    "chance": (0, 0.5),
    "tries": (1, 100),
    "steps": (1, 100_000),
    "turns": (1, 32),
    "scouts": (0, 100_000),
    "patience": (1, ranges.MOST),
}


@dataclass(frozen=True)
class Search:
    """How long and how hard to search."""

    steps: int = 64
    turns: int = 2  # each recogniser looks at one step in so many, and counts as many times there
    rate: float = 0.45  # Adam's, in latents
    last_rate: float = 0.05  # share of the rate that is left at the last step
    recognition: float = 4.0  # weight of all recognisers together
    distance: Literal["thresholds", "cosine"] = "thresholds"  # the unit of the next two; 1 − cosine is the paper's
    margin: float = 3.0  # distance to the source to reach: 1 threshold is where a recogniser changes its mind
    closeness: float = 0.7  # distance to the decoy to reach
    bend: float = 2.4  # how far from either of them a hinge is still a parabola: who is furthest counts most
    decoy: float = 0.75  # weight of approaching the decoy against leaving the source
    change: float = 760.0  # weight of the visible change of the crop; with a chance, what it starts from
    latent: float = 0.01  # weight of the mean squared distance from the starting latents, as in CLIP2Protect
    noise: float = 0.0  # the same of the noise, where `tuning.noise` moves it: free in the released code
    colour: float = 10.0  # weight of a change of colour against one of brightness
    plain: float = 0.2  # share of the mean square in the change of brightness
    peaks: float = 14.0  # how much more it counts where it is large for the light there
    contours: float = 0.12  # and of what the eye sees of it at six scales
    softer: float = 0.5  # how much a contrast of the face that only becomes weaker counts there
    features: float = 1.0  # how much dearer a change is on nose, brows, mouth, below the eyes; 0: as everywhere
    lines: float = 120.0  # weight of contours that the face did not have; it goes up and down with that of the change
    masking: float = 0.05  # detail of the face that hides half of a change
    scouts: int = 12  # steps that find out where this face drifts when it only leaves; the search then avoids that too
    scout_rate: float = 0.7  # Adam's in those steps
    apart: float = 2.6  # distance to that place to reach: two photos that are further than 1 apart do not match
    keep: float = 1.0  # weight of the impression on people against leaving: sex, age, looks, weight
    text: float = 0.5  # weight of the words, as in CLIP2Protect
    text_loss: Literal["directional", "contrastive"] = "directional"  # the paper's, or that of its released code
    perspective: float = 0.05  # how far the text model's view is tilted; the released code has 0.5, made for CLIP
    beyond: Beyond = "edge"  # what is then seen beyond the picture's rim; "black" in the released code
    patience: int = 5  # stop after so many steps in a row in which every surrogate is where it should be
    chance: float = 0.015  # of a stranger still matching; the change is as small as that allows, or as found if it is 0
    tries: int = 2  # at most, each with another decoy and more effort, while a judge of the saved file still matches
    views: Views = field(default_factory=Views)

    def __post_init__(self) -> None:
        ranges.check(self, RANGES, "search.")
        if self.perspective >= 1:
            raise BadSetting(f"search.perspective: must be below 1, not {self.perspective}")
        if not 0 < self.last_rate <= 1:
            raise BadSetting(f"search.last_rate: must be above 0 and at most 1, not {self.last_rate}")
        if self.masking == 0:
            raise BadSetting("search.masking: must be above 0; a large number switches masking off")

    def at(self, strength: float) -> Search:
        """These settings, turned towards less change (0) or more protection (1); at 0.5 they are as they stand."""
        turn = 2 * strength - 1
        chance = min(0.5, self.chance * 20**-turn)
        return replace(self, change=self.change * 3**-turn, margin=self.margin * 1.25**turn, chance=chance)


@dataclass(frozen=True, eq=False)
class Way:
    """From a face as it starts to where its search ended."""

    seen: Inversion  # of the crops that the search looks at
    shown: Generator  # of the crops as they came
    goal: Goal
    end: Latents

    def at(self, share: Tensor) -> Latents:
        """The latents after such a share (n,) of the way; 1 is where the search ended."""
        start = self.seen.latents
        return start + share.view(-1, *[1] * (start.dim() - 1)) * (self.end - start)


@dataclass(frozen=True)
class LatentSearch:
    """Leaves the source and nears a synthetic decoy in the eyes of every surrogate, for the least visible change.

    With `words`, the face also comes to look like them. It starts where `invert` puts it, which may be made up already:
    a change is what differs from there. The search looks at crops of (size, size); on larger ones `invert` is asked
    again, and must give a generator that takes the same latents.
    """

    invert: Inverter
    surrogates: Sequence[terms.Surrogate]
    settings: Search = field(default_factory=Search)
    words: terms.Words | None = None
    size: int | None = None  # of the crops that it looks at; as they come if None

    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Images:
        """The faces changed as little as reaches `goal`; the same shape as `faces.crops`."""
        way = self.way(faces, goal, rng=rng, watch=watch)
        latents = way.end
        if self._asks(goal):
            far = strangeness(self.surrogates, way.goal, self.settings.views, rng)
            asked, whole = CURVE.distance(self.settings.chance), latents.new_ones(len(latents))
            seen = way.seen.generator
            latents = way.at(share(far, lambda shares: _images(seen, way.at(shares)), asked, whole))
        return _images(way.shown, latents)

    def way(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Way:
        """From the faces as they are to where the search for `goal` ends, before it is known how far is needed."""
        settings = self.settings
        seen = faces if self.size is None else resized(faces, self.size)
        goal = replace(goal, source=goal.source if self.size is None else resized(goal.source, self.size))
        told = _Told(watch, settings.steps)
        inversion = self.invert(seen, watch=told.inverted)
        dear = 1 + settings.features * (dearness(seen) - 1) if settings.features and settings.change else 1.0
        weigh = partial(self._terms, inversion, seen, dear=dear, embed=cache(terms.Surrogate.embed), rng=rng)
        avoid = []
        if settings.scouts and goal.away and goal.towards:
            # Where the face ends up when it only leaves: so would every other photo of the person, and match this one.
            alone = weigh(replace(goal, towards=0.0), avoid=())
            drifted = self._descend(inversion, alone, settings.scouts, settings.scout_rate)
            avoid = [seen.with_crops(_images(inversion.generator, drifted))]
        weighed, heard = weigh(goal, avoid=avoid), told.searched
        if self._asks(goal):
            glance = strangeness(self.surrogates, goal, settings.views, rng, FEW)
            price = Price(glance, CURVE.distance(settings.chance), told.searched)
            weighed, heard = {name: price.of(term) if name in SEEN else term for name, term in weighed.items()}, price
        named = [name for name in weighed if name not in RESTLESS]
        turns = [named[first :: settings.turns] for first in range(min(settings.turns, len(named)))]
        latents = self._descend(inversion, weighed, settings.steps, settings.rate, turns, heard)
        shown = inversion.generator if seen is faces else self.invert(faces).generator
        return Way(inversion, shown, goal, latents)

    def _asks(self, goal: Goal) -> bool:
        """Whether the change is to be as small as a chance allows: one that can be told, of somebody who is left."""
        return bool(self.settings.chance and self.settings.distance == "thresholds" and goal.away and self.surrogates)

    def _descend(
        self,
        inversion: Inversion,
        weighed: Mapping[str, Term],
        steps: int,
        rate: float,
        turns: Sequence[Sequence[str]] = (),
        watch: Watch = ignore,
    ) -> Latents:
        """The latents after so many steps of Adam, or fewer once every surrogate is satisfied."""
        settings = self.settings
        return descend(
            inversion.generator,
            inversion.latents,
            weighed,
            Adam(rate, settings.last_rate),
            steps=steps,
            pull=terms.near(inversion, styles=settings.latent, noise=settings.noise),
            patience=settings.patience,
            restless=RESTLESS,
            turns=turns,
            watch=watch,
        )

    def _terms(
        self,
        inversion: Inversion,
        faces: Faces,
        goal: Goal,
        *,
        avoid: Sequence[Faces],
        dear: Tensor | float,
        embed: Callable[[terms.Surrogate, Faces], Embeddings],
        rng: torch.Generator,
    ) -> dict[str, Term]:
        """Every term with its weight, by name."""
        settings, words = self.settings, self.words
        start = _images(inversion.generator, inversion.latents)
        change = terms.change(
            start,
            colour=settings.colour,
            masking=settings.masking,
            plain=settings.plain,
            peaks=settings.peaks,
            contours=settings.contours,
            softer=settings.softer,
            dear=dear,
        )
        weighed: dict[str, Term] = {"change": lambda candidate: settings.change * change(candidate)}
        if settings.lines:
            lines = terms.lines(start)
            weighed["lines"] = lambda candidate: settings.lines * lines(candidate)
        if words is not None:
            view = partial(perspective, amount=settings.perspective, beyond=settings.beyond, rng=terms.own(rng))
            text = terms.TEXTS[settings.text_loss](words, faces.crops, view=view)
            weighed["text"] = lambda candidate: settings.text * text(candidate)
        return weighed | terms.recognitions(
            self.surrogates,
            goal,
            avoid,
            weight=settings.recognition,
            margin=settings.margin,
            closeness=settings.closeness,
            apart=settings.apart,
            bend=settings.bend,
            keep=settings.keep,
            views=settings.views,
            embed=embed,
            rng=rng,
        )


class _Told:
    """The watch of a whole search: the steps of an inverter that takes any come first, then its own."""

    def __init__(self, watch: Watch, steps: int) -> None:
        self.watch, self.steps, self.before = watch, steps, 0

    def inverted(self, step: Step) -> None:
        """A step of the inverter."""
        self.before = step.total
        self.watch(replace(step, total=self.before + self.steps))

    def searched(self, step: Step) -> None:
        """A step of the search."""
        self.watch(replace(step, index=self.before + step.index, total=self.before + step.total))


def _images(generator: Generator, latents: Latents) -> Images:
    """What the generator makes of the latents, without gradients."""
    with torch.no_grad():
        images: Images = generator(latents)
    return images
