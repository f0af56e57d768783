"""A face and a prompt: whether the asked product changed to the asked colour, and what else changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from regions import UNCHANGED, Change, Places, Verdict, change, face_mask, lab, verdict
from wishes import Wish, colour

from kohl.align import crop, imageio
from kohl.bench.groups import Line, interval, mean
from kohl.nlpd import nlpd
from kohl.perturb.latent import LatentSearch
from kohl.types import Face, Faces, Images, Photo

if TYPE_CHECKING:
    from kohl.pipeline import House


@dataclass(frozen=True, eq=False)
class Sitter:
    """A photo with its largest face, looked at in a crop of (size, size)."""

    photo: Photo
    face: Face
    size: int

    @cached_property
    def crops(self) -> Faces:
        """The face before anything."""
        return crop.crops(self.photo, [self.face], self.size)

    @cached_property
    def places(self) -> Places:
        """Where makeup goes on it."""
        return Places(self.crops)

    def saved(self, path: Path) -> Images:
        """The same crop of the photo at `path`."""
        return crop.crops(imageio.read(path), [self.face], self.size).crops

    def changes(self, after: Images, regions: Mapping[str, np.ndarray]) -> dict[str, Change]:
        """What became of each of the regions in the crop `after`."""
        first, second = lab(self.crops.crops), lab(after)
        return {name: change(first, second, weight) for name, weight in regions.items()}

    def beside(self, after: Images, asked: Iterable[str]) -> tuple[float, float]:
        """NLPD and PSNR in dB of the crop `after` where no `asked` product can reach; elsewhere nothing counts."""
        before, taken = self.crops.crops, torch.as_tensor(self.places.taken(asked))
        mixed = torch.where(taken, before, after)
        error = (mixed - before).square().mean(1)[0][~taken].mean()
        return float(nlpd(mixed, before)), float(-10 * error.clamp_min(1e-10).log10())

    def strays(self, path: Path) -> int:
        """How many pixels outside the face differ in the photo at `path`."""
        differs = (imageio.read(path).pixels != self.photo.pixels).any(-1)
        return int((differs & ~face_mask(self.face.landmarks, self.photo.size)).sum())


def sitter(path: Path, house: House, size: int | None = None) -> Sitter | None:
    """The sitter of a photo, by default at the size at which makeup is drawn; None if no face can be protected."""
    photo = imageio.read(path)
    face = next(iter(house.detect(photo)), None)
    return None if face is None or face.reason else Sitter(photo, face, size or crop.own_size(face))


def fit_sitter(path: Path, house: House, size: int | None = None) -> Sitter:
    """The same of a photo whose face is known to be fit."""
    found = sitter(path, house, size)
    assert found is not None
    return found


@dataclass(frozen=True, eq=False)
class Pair:
    """What became of one face with one prompt."""

    name: str
    wish: Wish
    asked: Mapping[str, Change]
    verdicts: Mapping[str, Verdict]
    others: Mapping[str, Change]
    strays: int = 0  # pixels that changed outside the face

    @property
    def kept(self) -> bool:
        """Whether every asked product changed, toward the asked colour."""
        return all(one.kept for one in self.verdicts.values())

    def quiet(self, figure: str = "pixels") -> bool:
        """Whether no product that was not asked for changed too much, by its `pixels` or by its `means`."""
        return all(getattr(one, figure) <= UNCHANGED for one in self.others.values())

    @property
    def quiet_together(self) -> bool:
        """Whether those products did not change too much on average, by pixel."""
        return not self.others or mean(one.pixels for one in self.others.values()) <= UNCHANGED


def pair(sitter: Sitter, wish: Wish, after: Images, strays: int = 0) -> Pair:
    """How the crop `after` answers to the wish."""
    asked = sitter.changes(after, {name: sitter.places.regions[name] for name in wish.asked})
    others = sitter.changes(after, sitter.places.free(wish.asked))
    verdicts = {name: verdict(one, colour(wish.asked[name])) for name, one in asked.items()}
    return Pair(sitter.photo.path.stem, wish, asked, verdicts, others, strays)


def drawn(sitter: Sitter, wish: Wish, house: House) -> Pair:
    """The look as the search starts from it."""
    assert isinstance(house.attack, LatentSearch)
    inversion = house.attack.invert(sitter.crops)
    with torch.no_grad():
        return pair(sitter, wish, inversion.generator(inversion.latents))


def saved(sitter: Sitter, wish: Wish, output: Path) -> Pair:
    """The photo as it was saved."""
    return pair(sitter, wish, sitter.saved(output), sitter.strays(output))


def lines(name: str, pairs: Sequence[Pair]) -> Iterator[Line]:
    """The lines of the table about pairs that were `name`; shares with their 95 % confidence intervals."""

    def share(figure: str, holds: Callable[[Pair], bool], goal: str = "", among: Sequence[Pair] = pairs) -> Line:
        return f"{name}: {figure}", goal, of([holds(one) for one in among])

    said = "toward the asked colour, and each other product ≤ 4"
    yield share(said, lambda one: one.kept and one.quiet("means"), "≥ 90 %")
    yield share("the same, the others by pixel and together", lambda one: one.kept and one.quiet_together)
    yield share("the same, each other one by pixel", lambda one: one.kept and one.quiet())
    yield share("toward the asked colour", lambda one: one.kept)
    for unseen, which in ((False, "the model learned"), (True, "it did not learn")):
        members = [one for one in pairs if one.wish.unseen == unseen]
        yield share(f"toward the asked colour, names that {which}", lambda one: one.kept, among=members)
    verdicts = [(product, one) for pair in pairs for product, one in pair.verdicts.items()]
    for product in sorted({product for product, _ in verdicts}):
        yield (
            f"{name}: {product}, toward the asked colour",
            "",
            of([one.kept for what, one in verdicts if what == product]),
        )
    for figure, said in WHY.items():
        yield f"{name}: products asked for, {said}", "", of([getattr(one, figure) for _, one in verdicts])
    yield share("each product not asked for ≤ 4", Pair.quiet)
    others = [(product, one) for pair in pairs for product, one in pair.others.items()]
    for product in sorted({product for product, _ in others}):
        yield (
            f"{name}: {product} not asked for, ΔE00",
            "≤ 4",
            differences([one for what, one in others if what == product]),
        )


WHY = {
    "changed": "mean colour by ΔE00 ≥ 8",
    "heading": "in the direction of the asked colour within 30°",
    "hue": "to within 30° of the asked hue",
    "nearer": "nearer to the asked colour than before",
}


def of(members: Sequence[bool]) -> str:
    """A share with its 95 % confidence interval."""
    low, high = interval(sum(members), len(members))
    return f"{100 * mean(members):.1f} % of {len(members)} ({low:.0f} to {high:.0f})"


def differences(changes: Sequence[Change]) -> str:
    """The mean ΔE00 of pixels and of mean colours."""
    pixels, means = (mean(getattr(one, figure) for one in changes) for figure in ("pixels", "means"))
    return f"{pixels:.2f} by pixel (worst {max(one.pixels for one in changes):.2f}), {means:.2f} of the mean colour"


def record(name: str, one: Pair) -> dict[str, Any]:
    """A pair that was `name`, for machines."""
    verdicts = {product: asdict(found) | {"kept": found.kept} for product, found in one.verdicts.items()}
    asked = {product: verdicts[product] | numbers(found) for product, found in one.asked.items()}
    others = {product: numbers(found) for product, found in one.others.items()}
    return {
        "what": name,
        "face": one.name,
        "text": one.wish.text,
        "asked": asked,
        "others": others,
        "strays": one.strays,
    }


def numbers(found: Change) -> dict[str, Any]:
    """A change for machines; colours in CIELAB."""
    colours = {name: getattr(found, name).round(1).tolist() for name in ("before", "after")}
    return colours | {name: round(getattr(found, name), 2) for name in ("pixels", "means", "most")}
