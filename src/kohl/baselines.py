"""What attacks need that have learned their makeup, to compare with: their weights, and whose makeup it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kohl.align import crop, imageio
from kohl.errors import BadSetting
from kohl.makeup.layers import Makeup, bare
from kohl.makeup.products import NAMES
from kohl.perturb import attacks
from kohl.zoo import cards
from kohl.zoo.detectors import regions
from kohl.zoo.generators import amt_gan, eye_makeup

if TYPE_CHECKING:
    from kohl.perturb.amt_gan import Regions, Transfer
    from kohl.recipe import Recipe
    from kohl.types import Detector, Faces
    from kohl.zoo.generators.decoys import Decoys
    from kohl.zoo.generators.eye_makeup import EyeMakeup
    from kohl.zoo.shelf import Shelf

WEARER = 1  # the synthetic person who wears the drawn look, where no photo of makeup is named
LOOK = {"lipstick": (0.62, 0.05, 0.18), "eyeshadow": (0.35, 0.16, 0.42), "blush": (0.85, 0.35, 0.40)}  # how it is worn
STRENGTH = 0.85


def check(recipe: Recipe) -> None:
    """Raises `BadSetting` if the recipe's attack must have learned and its weights are not named, or not there."""
    if recipe.attack not in attacks.LEARNED:
        return
    settings = recipe.attack.replace("-", "_")
    weights = getattr(recipe, settings).weights
    if not weights:
        raise attacks.without_weights(recipe.attack)
    if not _file(weights).is_file():
        raise BadSetting(f"{settings}.weights: {weights}: there is no such file")
    if recipe.attack == "amt-gan" and recipe.amt_gan.reference and not Path(recipe.amt_gan.reference).is_file():
        raise BadSetting(f"amt_gan.reference: {recipe.amt_gan.reference}: there is no such photo")


def drawn_makeup(recipe: Recipe, shelf: Shelf) -> EyeMakeup | None:
    """The generator of Adv-Makeup that the recipe names, if that is its attack and it names one."""
    if recipe.attack != "adv-makeup" or not recipe.adv_makeup.weights:
        return None
    return shelf(eye_makeup.load, _file(recipe.adv_makeup.weights))


def transferred(recipe: Recipe, shelf: Shelf, detect: Detector, decoys: Decoys) -> attacks.Transferred | None:
    """The generator of AMT-GAN that the recipe names, and the makeup that it carries over."""
    settings = recipe.amt_gan
    if recipe.attack != "amt-gan" or not settings.weights:
        return None
    worn = _photographed(Path(settings.reference), detect) if settings.reference else reference(decoys)
    return attacks.Transferred(
        shelf(amt_gan.load, _file(settings.weights)), worn.to(shelf.device), _regions(settings, shelf)
    )


def _file(name: str) -> Path:
    """The file of a card, or the one of that path."""
    return cards.checked(cards.find(name)) if name in cards.named("transfer") else Path(name)


def reference(decoys: Decoys) -> Faces:
    """A synthetic person who wears a drawn look."""
    face, look = decoys[WEARER], bare()
    for product, colour in LOOK.items():
        look[NAMES.index(product), :4] = look.new_tensor((STRENGTH, *colour))
    return face.with_crops(Makeup(face)(face.crops, look[None]))


def _regions(settings: Transfer, shelf: Shelf) -> Regions:
    if settings.regions == "landmarks":
        return regions.by_landmarks
    parser = shelf(cards.load, "face-parser")
    return lambda faces: regions.by_parser(parser, faces)


def _photographed(path: Path, detect: Detector) -> Faces:
    """The largest face in a photo of makeup."""
    photo = imageio.read(path)
    fit = [face for face in detect(photo) if face.reason is None]
    if not fit:
        raise BadSetting(f"amt_gan.reference: no face was found in {path}; name a photo of one from the front")
    return crop.crops(photo, fit[:1])
