"""Everything that a run needs, loaded once: models, attack and judges, as a recipe names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch

from kohl import baselines, device
from kohl.align import crop
from kohl.align.detect import Detect
from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.invert import inverters
from kohl.invert.inversions import Inversions
from kohl.perturb import attacks, looks
from kohl.perturb.terms import FRAMES, Surrogate, Words
from kohl.recipe import Recipe, names
from kohl.score import verify
from kohl.types import Attack, Detector, Faces, Targets, Verifier
from kohl.zoo import cards
from kohl.zoo.recognisers import squeezed
from kohl.zoo.shelf import Shelf

KIN = 48  # of the decoys: those of a face's kind; fewer, and two photos of one person draw the same too often
EFFORT = 0.3  # of the strength dial, that each further try adds
ROOM = 500_000_000  # bytes that finding, changing and judging one face takes, with the models loaded

Kin: TypeAlias = Callable[[Faces], Sequence[int]]  # of one face


@dataclass(frozen=True, eq=False)
class House:
    """Everything that is loaded once, however many photos follow."""

    recipe: Recipe
    detect: Detector
    attack: Attack
    decoys: Targets
    judges: Sequence[Verifier]
    surrogates: Sequence[Surrogate] = ()  # whom the attack sees
    kin: Kin | None = None  # the decoys whom people see as of a face's kind; None: all
    harder: Sequence[Attack] = ()  # for faces that a judge still matches, one after the other
    draws: bool = False  # makeup, which shows all the detail that the photo has
    room: int = ROOM  # bytes that it takes at the least, beside the photo's
    look: Mapping[str, str] = field(default_factory=dict)  # the words as they were understood, by product
    notes: Sequence[str] = ()  # what was made of the words, where it is not what was typed; models of another file
    shelf: Shelf = field(default_factory=Shelf)  # what was loaded, for the next house, and on which device


def load(recipe: Recipe, shelf: Shelf | None = None, inversions: Inversions | None = None) -> House:
    """The models that `recipe` names, on its device; raises `BadSetting` for unknown ones, `BadModel` for broken ones.

    With the `shelf` of another house only what that has not is loaded: for other words, another strength or attack.
    With `inversions`, faces that were inverted in the same way are not inverted again.
    """
    recipe = replace(recipe, device=device.found(recipe.device))
    make, shelf, models = attacks.find(recipe.attack), (shelf or Shelf()).on(recipe.device), recipe.models
    judges = [shelf(cards.judge, name) for name in models.judging]
    for judge in judges:
        verify.threshold(judge, models.far)  # found out now, not after the work
    generator, text = shelf(cards.generator, models.generator), recipe.text.strip()
    way = inverters.way(generator)
    asked = (
        looks.asked(
            shelf(cards.load, models.text, "text"),
            text,
            lambda: shelf(cards.load, "decoys")[0].to(shelf.device),
            draws=way.draws,
        )
        if text
        else looks.Asked()
    )
    aids = inverters.Aids(models.generator, models.encoder, models.perceptual, recipe.tuning, asked.dials, shelf)
    invert, decoys = way.inverter(generator, aids), shelf(cards.load, "decoys")
    detect = Detect(shelf(cards.load, "yunet"), shelf(cards.load, "landmarks68"), crop.ALIGNMENTS[models.alignment])
    drawn, carried = baselines.drawn_makeup(recipe, shelf), baselines.transferred(recipe, shelf, detect, decoys)
    given = [
        attacks.Given(
            invert if inversions is None else inversions.remembering(invert, aids.key),
            [_surrogate(shelf, name, recipe) for name in models.searched],
            recipe.search.at(strength),
            recipe.pixel.at(strength),
            asked.words,
            crop.SIZE,
            recipe.tip_im.at(strength),
            decoys,
            recipe.adv_makeup.at(strength),
            drawn,
            recipe.amt_gan.at(strength),
            carried,
        )
        for strength in (min(1, recipe.strength + EFFORT * tried) for tried in range(recipe.search.tries))
    ]
    first, *harder = map(make, given)
    return House(
        recipe=recipe,
        detect=detect,
        attack=first,
        decoys=decoys,
        judges=judges,
        surrogates=given[0].surrogates,
        kin=_kin(recipe, given[0].surrogates, shelf),
        harder=harder,
        draws=asked.dials is not None,
        room=ROOM + way.bytes_per_pixel(recipe.tuning) * generator.size**2,
        look=asked.look,
        notes=(*asked.notes, *_borrowed(asked.words, recipe), *cards.notes(names(recipe, words=bool(text)))),
        shelf=shelf,
    )


def _borrowed(words: Words | None, recipe: Recipe) -> Sequence[str]:
    """That the words stand in sentences of kohl's own, where the text model should have published ones and has none."""
    if words is None or words.model.frames or recipe.search.text_loss != "contrastive":
        return ()
    wanted = map(cards.find, cards.find(recipe.models.text).roles["text"].wants)
    missing = [card.name for card in wanted if not cards.present(card)]
    remedy = f"; `kohl models pull {' '.join(missing)}` brings the published ones" if missing else ""
    return (f"the words stand in kohl's own {len(FRAMES)} sentences{remedy}",)


def _kin(recipe: Recipe, surrogates: Sequence[Surrogate], shelf: Shelf) -> Kin | None:
    """What tells the decoys of a face's kind; None where none is drawn, or no surrogate knows what people see."""
    known = {one.encoder.name: one for one in surrogates if one.impressions is not None}
    if not known or not recipe.search.decoy:
        return None
    impressions = shelf(cards.load, "impressions")

    @torch.no_grad()
    def kin(face: Faces) -> Sequence[int]:
        seen = resized(face, crop.SIZE)
        ratings = [impressions.rated(name, one.embed(seen).cpu()) for name, one in known.items()]
        numbers: Sequence[int] = impressions.kin(torch.cat(ratings).mean(0), KIN)
        return numbers

    return kin


def _surrogate(shelf: Shelf, name: str, recipe: Recipe) -> Surrogate:
    models, search = recipe.models, recipe.search
    encoder, far = shelf(cards.encoder, name), models.far
    seen = shelf(cards.load, "impressions").of(name) if search.keep else None
    if models.shown == "squeezed":
        encoder = shelf(squeezed.shown, encoder, shelf(cards.load, "yunet"))
    thresholds = cards.find(name).roles["encoder"].thresholds
    if far not in thresholds:
        known = ", ".join(f"{rate:g}" for rate in sorted(thresholds))
        raise BadSetting(f"models.far: the surrogate {name} has no threshold at {far:g}; it has {known}")
    threshold = thresholds[far] if search.distance == "thresholds" else 0.0
    return Surrogate(encoder, threshold, None if seen is None else seen.to(shelf.device))
