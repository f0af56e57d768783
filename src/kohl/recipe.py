"""Every setting of a run as frozen dataclasses, and the recipes that set them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from kohl import settings, toml
from kohl.device import DeviceName
from kohl.errors import BadSetting
from kohl.invert.pivotal import Tuning
from kohl.perturb.adv_makeup import Worn
from kohl.perturb.amt_gan import Transfer
from kohl.perturb.latent import Search
from kohl.perturb.pixel import Pixel
from kohl.perturb.tip_im import Greedy
from kohl.zoo import cards
from kohl.zoo.card import Card, Role

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

MOST = 32  # models of a kind


@dataclass(frozen=True)
class Models:
    """Which models a run uses, by the names of their cards."""

    generator: str = "face_model"
    encoder: str = "e4e"  # of a generator that is no linear model: what finds its latents
    alignment: Literal["points", "ffhq"] = "points"  # how it wants faces cut: `align.crop.ALIGNMENTS`
    perceptual: str = "lpips"  # and what says whether it gives the face back
    surrogates: tuple[str, ...] = (
        "sface",
        "sface",
        "dlib",
        "faceres",
        "facelib",
    )  # named twice: twice the weight
    leave_out: str = ""  # the one of them that the search does not see, and that judges
    shown: Literal["aligned", "squeezed"] = "aligned"  # faces, to the published recognisers: as each likes, or as a box
    text: str = "makeup_clip"  # what sees whether a face looks like the words
    judges: tuple[str, ...] = ("sface", "dlib", "facelib")
    far: float = 0.01  # false-accept rate of the threshold that every judge is held to

    def __post_init__(self) -> None:
        if not 0 < self.far < 1:
            raise BadSetting(f"models.far: must be between 0 and 1, not {self.far}")
        for name in ("surrogates", "judges"):
            if not getattr(self, name):
                raise BadSetting(f"models.{name}: name at least one; `kohl models` lists them")
            if len(getattr(self, name)) > MOST:
                raise BadSetting(f"models.{name}: must be at most {MOST} names, not {len(getattr(self, name))}")
        if self.leave_out and (self.leave_out not in self.surrogates or not self.searched):
            several = ", ".join(self.surrogates)
            raise BadSetting(f"models.leave_out: must be one of several surrogates, {several}, not {self.leave_out}")

    @property
    def searched(self) -> tuple[str, ...]:
        """The recognisers that the search sees."""
        return tuple(name for name in self.surrogates if name != self.leave_out)

    @property
    def judging(self) -> tuple[str, ...]:
        """Who judges: with the one that was left out."""
        return tuple(dict.fromkeys([*self.judges, *([self.leave_out] if self.leave_out else [])]))


@dataclass(frozen=True)
class Recipe:
    """Every setting of a run."""

    models: Models = field(default_factory=Models)
    tuning: Tuning = field(default_factory=Tuning)
    search: Search = field(default_factory=Search)
    pixel: Pixel = field(default_factory=Pixel)
    tip_im: Greedy = field(default_factory=Greedy)
    adv_makeup: Worn = field(default_factory=Worn)
    amt_gan: Transfer = field(default_factory=Transfer)
    attack: str = "latent"  # or one that changes pixels, to compare with: a name of `perturb.attacks`
    text: str = ""  # the look, in words; none is without visible makeup
    strength: float = 0.5  # 0 is the faintest change, 1 the strongest
    device: DeviceName = "cpu"  # where the models run; auto: CUDA, MPS or the CPU, the first that is there

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise BadSetting(f"strength: must be between 0 and 1, not {self.strength}")


def load(name_or_path: str | Path) -> Recipe:
    """The recipe that kohl ships under that name, or the one in that TOML file."""
    shipped = {path.stem: path for path in _folder().glob("*.toml")}
    path = shipped.get(str(name_or_path), Path(name_or_path))
    try:
        return settings.load(Recipe, path)
    except FileNotFoundError:
        known = ", ".join(sorted(shipped))
        raise BadSetting(f"{name_or_path}: no such recipe; name one of {known}, or a TOML file") from None
    except OSError as error:
        raise BadSetting(f"{path}: this recipe cannot be read ({error.strerror})") from None


def override(old: T, assignments: Sequence[str]) -> T:
    """Settings with some such as `search.steps=80` changed; a value that is not TOML is taken as a text."""
    mapping: Mapping[str, Any] = asdict(old)
    for assignment in assignments:
        mapping = _merged(mapping, _parsed(assignment))
    return settings.build(type(old), mapping)


def own_words(recipe: Recipe, *asked: str | None) -> Sequence[str]:
    """A note that the words are those that the recipe brings, where none were `asked` for and it brings some."""
    if not recipe.text or any(words is not None for words in asked):
        return ()
    return (f"the words are the recipe's own, “{recipe.text}”; --text asks for others, --style none for none",)


def names(recipe: Recipe, *, words: bool, table: Sequence[Card] = cards.CARDS) -> list[str]:
    """The names of the models that a run uses; with `words`, also of the one that sees them.

    What is named by a path is left out.
    """
    models = recipe.models
    known = {card.name: card for card in table}
    alone = models.generator in known and known[models.generator].roles.get("generator", Role("")).alone
    found = [
        models.generator,
        *(() if alone else (models.encoder, models.perceptual)),
        *((models.text,) if words else ()),
        *models.searched,
        *models.judging,
        *(("impressions",) if recipe.search.keep else ()),
        *(("face-parser",) if recipe.attack == "amt-gan" and recipe.amt_gan.regions == "bisenet" else ()),
        *(("amt-gan",) if recipe.attack == "amt-gan" and recipe.amt_gan.weights == "amt-gan" else ()),
    ]
    plain = (name.removeprefix("aligned:") for name in found)
    return list(dict.fromkeys(name for name in plain if ":" not in name))


def _folder() -> Path:
    """Where the shipped recipes are: inside an installed package, or at the top of the repository."""
    installed = Path(__file__).parent / "recipes"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "recipes"


def _parsed(assignment: str) -> dict[str, Any]:
    name, equals, value = assignment.partition("=")
    for text in (value, json.dumps(value.strip(), ensure_ascii=False)) if equals else ():
        try:
            return toml.parsed(f"{name} = {text}")
        except ValueError:
            continue
    raise BadSetting(f"{assignment}: not a setting; write it as NAME=VALUE, such as search.steps=80")


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`old` with the leaves of `new` laid over it."""
    both = {key: _merged(old[key], value) for key, value in new.items() if _tables(old.get(key), value)}
    return {**old, **new, **both}


def _tables(*values: Any) -> bool:
    return all(isinstance(value, Mapping) for value in values)
