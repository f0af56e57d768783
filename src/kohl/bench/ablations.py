"""The paper's parts, switched off one at a time: each is a recipe with one more setting, a row of the same tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kohl import recipe
from kohl.recipe import Recipe
from kohl.zoo import cards

# By what is said of the row, the settings that differ from the recipe's.
PARTS: Mapping[str, Sequence[str]] = {
    "no text": ("text=''",),
    "no tuning": ("tuning.steps=0",),
    "no latent penalty": ("search.latent=0.0",),
    "held 0": ("tuning.held=0",),
    "held 8": ("tuning.held=8",),
    "noise": ("tuning.noise=true",),
    "no noise": ("tuning.noise=false",),
    "paste": ("tuning.whole=false",),
    "no paste": ("tuning.whole=true",),
    "no decoy": ("search.decoy=0.0",),
    "no scouts": ("search.scouts=0",),  # what keeps two results from matching each other
    "no impression": ("search.keep=0.0",),  # sex, age, looks and weight may stray
    "no care for features": ("search.features=0.0",),
    "no second try": ("search.tries=1",),
}
# Makeup in words of the paper's kind: a product and its colour, or a whole look.
PROMPTS = (
    "red lipstick",
    "purple lipstick",
    "pink eyeshadow",
    "blue eyeshadow",
    "black eyeliner",
    "natural makeup",
    "smoky eyes",
    "tanned makeup",
    "big eyebrows",
    "makeup with red lipstick and purple eyeshadow",
)


def ablations(start: Recipe) -> dict[str, Recipe]:
    """By what is said of them, the recipe without each of its parts and with each prompt.

    What would change nothing is left out: parts that the recipe does not have, and the tuning of a generator that knows
    none.
    """
    known = {card.name: card for card in cards.CARDS}.get(start.models.generator)
    tuned = known is None or not known.roles["generator"].alone
    wanted = {**PARTS, **{f"“{prompt}”": (f"text={prompt}",) for prompt in PROMPTS}}
    made = {
        name: recipe.override(start, settings)
        for name, settings in wanted.items()
        if tuned or not settings[0].startswith("tuning.")
    }
    return {name: changed for name, changed in made.items() if changed != start}
