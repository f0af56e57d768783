"""What the search weighs against each other: each term gives one number per face, lower is better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.colour import brightness
from kohl.contours import STEEP, drawn
from kohl.filters import detail, mean_around
from kohl.geometry import compose, warp
from kohl.nlpd import bands
from kohl.perturb.views import Views
from kohl.types import Candidate, Embeddings, FaceEncoder, Faces, Goal, Images, Inversion, Scores, Term, TextImage
from kohl.zoo.impressions import strayed

View: TypeAlias = Callable[[Images], Images]
STILL = 0.05  # of a movement in embeddings: a shorter one counts as this long, or its slope would be huge
SCALES = 3.0, 4.0, 3.0, 3.0, 2.5, 1.5  # how much the scales of an NLPD count: a fine crease on smooth skin most
STANDS_OUT = 0.15  # of the light around: from there on a change of brightness is seen as a spot
DARKEST = 0.1  # and is added to that light
FRAMES = (  # sentences that a caption may be in
    "{}",
    "a face with {}",
    "a photo of a face with {}",
    "a portrait of a person wearing {}",
    "a close-up of someone with {}",
    "{} on a face",
    "a selfie with {}",
    "makeup: {}",
)


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A recogniser that the search may look into, and the similarity from which it says "same person"."""

    encoder: FaceEncoder
    threshold: float
    impressions: Tensor | None = None  # (d, ratings), see `kohl.zoo.impressions`

    def embed(self, faces: Faces) -> Embeddings:
        """Embeddings of the faces, aligned as this recogniser does."""
        encoder = self.encoder
        embeddings: Embeddings = encoder(warp(faces.crops, encoder.to_input(faces), (encoder.size, encoder.size)))
        return embeddings

    def distance(self, first: Embeddings, second: Embeddings) -> Scores:
        """1 − cosine in units of the threshold's: below 1 is the same person, whatever the recogniser."""
        return (1 - (first * second).sum(1)) / (1 - self.threshold)


@dataclass(frozen=True, eq=False)
class Words:
    """What was asked for, and the model that sees whether a picture shows it."""

    model: TextImage
    text: str


def recognitions(
    surrogates: Sequence[Surrogate],
    goal: Goal,
    avoid: Sequence[Faces] = (),
    *,
    weight: float,
    rng: torch.Generator,
    **settings: Any,
) -> dict[str, Term]:
    """A `recognition` for each recogniser, by name, which share the `weight`; `settings` are its own.

    One that is named twice has twice the weight. Each draws its own random numbers, so that no thread takes another's.
    """
    named = [surrogate.encoder for surrogate in surrogates]
    distinct = {id(surrogate.encoder): surrogate for surrogate in surrogates}.values()
    return {
        f"{surrogate.encoder.name} {index}": recognition(
            surrogate,
            goal,
            avoid,
            weight=weight * sum(encoder is surrogate.encoder for encoder in named) / len(named),
            rng=own(rng),
            **settings,
        )
        for index, surrogate in enumerate(distinct)
    }


def own(rng: torch.Generator) -> torch.Generator:
    """Random numbers of a term's own, drawn from `rng`."""
    return torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=rng)))


def known(
    surrogate: Surrogate, goal: Goal, embed: Callable[[Surrogate, Faces], Embeddings] = Surrogate.embed
) -> list[Embeddings]:
    """What the recogniser knows the goal's source by: the face, and in each other photo the one most like it."""
    source = embed(surrogate, goal.source)
    others = [embed(surrogate, faces) for faces in goal.others]
    return [source, *(faces[(source @ faces.T).argmax(1)] for faces in others)]


def recognition(
    surrogate: Surrogate,
    goal: Goal,
    avoid: Sequence[Faces] = (),
    *,
    weight: float = 1.0,
    margin: float,
    closeness: float,
    apart: float = 0.0,
    bend: float = 0.0,
    keep: float = 0.0,
    views: Views,
    rng: torch.Generator,
    embed: Callable[[Surrogate, Faces], Embeddings] = Surrogate.embed,
) -> Term:
    """How far the face is from the goal in one recogniser's eyes, in a new random view at every call.

    Hinges: the distance to the source is pushed up to `margin` and that to every face in `avoid` up to `apart`, the
    distance to the target down to `closeness`, in thresholds (see `Surrogate.distance`). Within `bend` of its end a
    hinge is a parabola, so that the recogniser that is furthest from the goal counts most. `keep` weighs the impression
    on people that goes astray while the face leaves, where the surrogate knows of any (`kohl.zoo.impressions.strayed`).
    Zero means that all are reached in this view, and the impression is kept. `embed` may remember what it was asked
    before.
    """
    encoder = surrogate.encoder

    def hinge(short: Scores) -> Scores:
        short = F.relu(short)
        return torch.where(short < bend, short.square() / (2 * bend or 1), short - bend / 2)

    with torch.no_grad():
        to_input = encoder.to_input(goal.source)
        sources, drifted = known(surrogate, goal, embed), [embed(surrogate, faces) for faces in avoid]
        target = embed(surrogate, goal.target)

    def term(candidate: Candidate) -> Scores:
        seen = views.restyle(candidate.images, rng)
        aligned = compose(to_input, views.realign(len(seen), encoder.size, rng).to(seen))
        embedding = encoder(views.reflect(warp(seen, aligned, (encoder.size, encoder.size)), rng))
        leaving = torch.stack([hinge(margin - surrogate.distance(embedding, source)) for source in sources]).mean(0)
        for place in drifted:
            leaving = leaving + hinge(apart - surrogate.distance(embedding, place))
        if keep and surrogate.impressions is not None:
            leaving = leaving + keep * strayed((embedding - sources[0]) @ surrogate.impressions)
        nearing = hinge(surrogate.distance(embedding, target) - closeness)
        return weight * (goal.away * leaving + goal.towards * nearing)

    return term


def directional(words: Words, before: Images, *, view: View) -> Term:
    """1 − cosine between how the pictures moved and how the words do, from `before` and from the model's neutral words.

    CLIP2Protect's text loss (CVPR 2023), after StyleGAN-NADA (TOG 2022), but that a movement shorter than STILL counts
    as that long: with the picture still where it was the loss is 1, where the paper's is not defined.
    """
    model = words.model
    with torch.no_grad():
        start = model.embed_images(before)
        asked, neutral = model.embed_texts([words.text, model.neutral])
    direction = asked - neutral

    def term(candidate: Candidate) -> Scores:
        moved = model.embed_images(view(candidate.images)) - start
        return 1 - F.cosine_similarity(moved, direction, eps=STILL)

    return term


def contrastive(words: Words, before: Images, *, view: View, temperature: float = 0.1) -> Term:
    """InfoNCE (van den Oord et al., 2018) of how the pictures moved from `before`, as in CLIP2Protect's released code.

    With I the pictures before and T the words in each of the model's `frames`, or in ours where it has none, the query
    is E(I′) − E(I), the positives are mean E(T) − mean E(neutral) and mean E(T) − E(I), the negatives E(neutral) − E(I)
    for every sentence: all scaled to unit length, as in `directional` with STILL for the query. What is known of that
    code leaves open how its two positives go together: here the loss is the mean of what each has alone, against all
    negatives.
    """
    model = words.model
    with torch.no_grad():
        start = model.embed_images(before)
        asked, neutral = (
            model.embed_texts([frame.format(said) for frame in model.frames or FRAMES])
            for said in (words.text, model.neutral)
        )
        direction = (asked.mean(0) - neutral.mean(0)).expand_as(start)
        positives = F.normalize(torch.stack([direction, asked.mean(0) - start], 1), dim=2)
        negatives = F.normalize(neutral - start[:, None], dim=2)

    def term(candidate: Candidate) -> Scores:
        moved = F.normalize(model.embed_images(view(candidate.images)) - start, eps=STILL)[..., None] / temperature
        near, far = (positives @ moved).squeeze(2), (negatives @ moved).logsumexp(1)
        return (torch.logaddexp(near, far) - near).mean(1)

    return term


TEXTS: Mapping[str, Callable[..., Term]] = {"directional": directional, "contrastive": contrastive}


def near(inversion: Inversion, *, styles: float, noise: float) -> Term:
    """Mean squared distance from the starting latents, of styles and of noise each with its weight.

    It is what CLIP2Protect holds an edit back with; its released code leaves the noise free.
    """
    first = inversion.latents.shape[1] - inversion.noise
    parts = [(styles, slice(None, first))] + ([(noise, slice(first, None))] if inversion.noise else [])

    def term(candidate: Candidate) -> Scores:
        moved = candidate.latents - inversion.latents
        means = [weight * moved[:, part].square().flatten(1).mean(1) for weight, part in parts]
        return torch.stack(means).sum(0)

    return term


def change(
    crops: Images,
    *,
    colour: float,
    masking: float,
    plain: float = 1.0,
    peaks: float = 0.0,
    contours: float = 0.0,
    softer: float = 1.0,
    dear: Tensor | float = 1.0,
) -> Term:
    """How visible the change is: what the eye sees of it at six scales, and its mean square, weighed together.

    The first, times `contours`, is the mean over the scales of the squared difference of `kohl.nlpd.bands`, each times
    its SCALES: it lets slow shading through. Where a contrast of the face only becomes weaker, the square counts
    `softer` times: a softened crease looks like soft light, a drawn one like another face. The second, times `plain`,
    lets mottling through; so each holds the other.
    In it detail hides a change: detail is the local standard deviation of brightness; where it equals `masking`, a
    change costs half (visual masking: Legge & Foley, JOSA 1980). `colour` weighs Cb and Cr (BT.601) against brightness.
    With `peaks` a change of brightness that is large for the light there costs more, in detail too: its square counts
    `peaks` times its share of STANDS_OUT, squared, once more; so that many places change a little and none much. That
    is a part of `plain`. All count `dear` times at each pixel (n, 1, h, w).
    """
    light_before = mean_around(brightness(crops)[:, None])
    seen = (peaks * dear / (STANDS_OUT * (light_before + DARKEST)).square()).squeeze(1) if peaks else 0.0
    weight = 1 / (1 + detail(crops) / masking)
    weight = (dear * weight / weight.mean((1, 2, 3), keepdim=True)).squeeze(1)
    seen_before = bands(crops)
    weaker = [softer] * (len(seen_before) - 1) + [1.0]  # the last is no contrast, but the light
    times = [
        scale * (F.interpolate(dear, band.shape[-2:], mode="area") if isinstance(dear, Tensor) else dear)
        for scale, band in zip(SCALES, seen_before, strict=False)  # small pictures have fewer
    ]

    def term(candidate: Candidate) -> Scores:
        changed = candidate.images - crops
        light = brightness(changed)
        cb, cr = (changed[:, 2] - light) * 0.564, (changed[:, 0] - light) * 0.713
        tint = colour * (cb.square() + cr.square())
        square = light.square()
        squares = (weight * (plain * square + tint) + plain * seen * square.square()).flatten(1).mean(1)
        if not contours:
            return squares
        found = zip(bands(candidate.images), seen_before, weaker, times, strict=True)
        scales = [(each * _unlike(after, before, part)).flatten(1).mean(1) for after, before, part, each in found]
        return squares + contours * torch.stack(scales).mean(0)

    return term


def _unlike(after: Tensor, before: Tensor, softer: float) -> Tensor:
    """The square of the difference; the part of it that leads towards zero, and no further, counts `softer` times."""
    left = after.clamp(before.clamp_max(0), before.clamp_min(0))  # of the contrast that was there
    return (after - before).square() - (1 - softer) * (before - left).square()


def lines(crops: Images) -> Term:
    """How much of the face's contours is new: the mean square of `kohl.contours.drawn`, in units of what is seen."""
    new = drawn(crops)
    return lambda candidate: (new(candidate.images) / STEEP).square().flatten(1).mean(1)
