"""What can be compared: attacks by name, each as the recipe that runs it, with where its settings come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, TypeAlias

from kohl import recipe
from kohl.bench import ablations
from kohl.errors import BadSetting
from kohl.perturb import attacks
from kohl.recipe import Recipe

Way: TypeAlias = Literal["clean", "inverted", "attack"]

RECIPES = ("default", "subtle", "strong", "mini", "paper", "released")
FLOOR = {
    "clean": "the photo as it is: what the judges say of nobody's work",
    "inverted": "the photo as the generator gives it back, before any search",
}
ALIASES = {
    "latent": "default",
    "vmi": "vmi-fgsm",
    "ni": "ni-fgsm",
    "si": "si-fgsm",
}
INVERTED = "inverted:"  # before the name of a recipe
# What a baseline of the literature is run with: it leaves the source, once, within 16/255 of each value of a pixel.
UNTARGETED = ("search.decoy=0.0", "search.tries=1")
BUDGET = f"pixel.epsilon={16 / 255}"
SHIPPED = "the recipe that comes with kohl"


@dataclass(frozen=True)
class Entry:
    """One row of the comparison: a name, a recipe, and what is done with it."""

    name: str
    recipe: Recipe
    source: str  # of its settings
    way: Way = "attack"
    start: str = "default"  # the recipe that it was made of
    lossless: bool = False  # whether its results are saved as PNG, so that no encoding takes part of the change away

    @property
    def surrogates(self) -> tuple[str, ...]:
        """The recognisers that it sees, once each; none that changes nothing."""
        return tuple(dict.fromkeys(self.recipe.models.searched)) if self.way == "attack" else ()

    @property
    def recognisers(self) -> tuple[str, ...]:
        """Those, and the one that its recipe leaves out: who may judge in turn."""
        return tuple(dict.fromkeys(self.recipe.models.surrogates)) if self.way == "attack" else ()

    def at(self, strength: float) -> Entry:
        """The same at another place of the strength dial."""
        return replace(self, recipe=replace(self.recipe, strength=strength))

    def without_loss(self) -> Entry:
        """The same, its results saved as PNG: what is between the two is what encoding costs."""
        return replace(self, name=f"{self.name}, lossless", lossless=True)

    def without(self, surrogate: str) -> Entry:
        """The same, not seeing one of its recognisers but all others; raises `BadSetting` if there are none."""
        models = self.recipe.models
        left = tuple(name for name in models.surrogates if name != surrogate)
        judges = tuple(name for name in models.judges if name != surrogate)
        if not left:
            raise BadSetting(f"--leave-one-out: {self.name} sees only {surrogate}; it needs two surrogates or more")
        # The judges of a recipe decide on another try: the one that is left out must have no say in that.
        changed = replace(models, surrogates=left, judges=judges or left[:1], leave_out="")
        return replace(self, recipe=replace(self.recipe, models=changed))


def names() -> dict[str, str]:
    """Every name that `entry` knows, and where its settings come from."""
    baselines = {name: attacks.ATTACKS[name].source for name in attacks.ATTACKS if name != "latent"}
    return {**FLOOR, **baselines, **dict.fromkeys(RECIPES, SHIPPED)}


def entry(asked: str, overrides: Sequence[str] = ()) -> Entry:
    """The entry NAME or NAME@STRENGTH, its recipe with the `overrides`; raises `BadSetting` for an unknown one.

    NAME is one of `names`, inverted:RECIPE for what that recipe's generator gives back, or the path of a recipe.
    """
    name, _, dial = asked.partition("@")
    known = ALIASES.get(name, name)
    strength = [f"strength={_strength(asked, dial)}"] if dial else []
    if known in FLOOR:
        made = Entry(asked, recipe.load("default"), FLOOR[known], "clean" if known == "clean" else "inverted")
    elif known in attacks.ATTACKS and known != "latent":
        own = [f"attack={known}", *(UNTARGETED if known in attacks.PIXEL else ("search.tries=1",))]
        chosen = recipe.override(recipe.load("default"), [*own, *([BUDGET] if known in attacks.PIXEL else [])])
        made = Entry(asked, chosen, attacks.ATTACKS[known].source)
    elif known.startswith(INVERTED) and known.removeprefix(INVERTED) in RECIPES:
        of = known.removeprefix(INVERTED)
        whole = recipe.override(recipe.load(of), ["text=''", "tuning.whole=true"])  # the generator's own picture
        made = Entry(asked, whole, FLOOR["inverted"], "inverted", of)
    elif known in RECIPES or Path(known).suffix == ".toml":
        made = Entry(
            asked, recipe.load(known), SHIPPED if known in RECIPES else f"the recipe {Path(known).name}", start=known
        )
    else:
        near = get_close_matches(known, names(), n=1)
        advice = f"did you mean {near[0]}?" if near else "`kohl bench --list` names all"
        raise BadSetting(f"--attack: {asked}: no such attack; {advice}")
    return replace(made, recipe=recipe.override(made.recipe, [*overrides, *strength]))


def without_parts(name: str, overrides: Sequence[str] = ()) -> list[Entry]:
    """The entry of that name, and one for each of its ablations."""
    whole = entry(name, overrides)
    if whole.way != "attack" or whole.recipe.attack != "latent":
        raise BadSetting(
            f"--ablate: {name}: is no recipe whose parts could be left out; name one such as paper or mini"
        )
    changed = ablations.ablations(whole.recipe).items()
    return [whole, *(replace(whole, name=f"{name}, {what}", recipe=recipe) for what, recipe in changed)]


def _strength(asked: str, dial: str) -> float:
    try:
        return float(dial)
    except ValueError:
        raise BadSetting(f"--attack: {asked}: what follows @ must be a strength from 0 to 1") from None
