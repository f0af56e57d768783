"""The table of attacks: a name that a recipe may have, what makes the attack, and where its settings come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from typing import TypeAlias

from kohl.errors import BadSetting
from kohl.perturb.adv_makeup import AdvMakeup, Worn
from kohl.perturb.amt_gan import AmtGAN, Regions, Transfer
from kohl.perturb.latent import LatentSearch, Search
from kohl.perturb.pixel import Diversity, Pixel, Scales, SignGradient, Smooth
from kohl.perturb.terms import Surrogate, Words
from kohl.perturb.tip_im import Greedy, People, TipIM
from kohl.types import Attack, Faces, Inverter
from kohl.zoo.generators.amt_gan import MakeupTransfer
from kohl.zoo.generators.eye_makeup import EyeMakeup


@dataclass(frozen=True, eq=False)
class Given:
    """What a run has for its attack; each takes what it needs."""

    invert: Inverter
    surrogates: Sequence[Surrogate]
    search: Search
    pixel: Pixel
    words: Words | None = None
    size: int | None = None  # of the crops that a search looks at
    greedy: Greedy = field(default_factory=Greedy)
    people: People = ()  # synthetic ones, that a face may come to resemble
    worn: Worn = field(default_factory=Worn)
    eye_makeup: EyeMakeup | None = None
    transfer: Transfer = field(default_factory=Transfer)
    transferred: Transferred | None = None


@dataclass(frozen=True, eq=False)
class Transferred:
    """What AMT-GAN needs beside its settings."""

    generator: MakeupTransfer
    reference: Faces
    regions: Regions


Make: TypeAlias = Callable[[Given], Attack]


@dataclass(frozen=True)
class Known:
    """What makes an attack of what a run has, where its settings come from, and in which parts of a recipe they are."""

    make: Make
    source: str
    parts: tuple[str, ...]

    def __call__(self, given: Given) -> Attack:
        """The attack."""
        return self.make(given)


BIM = SignGradient  # Kurakin et al., 2017
FGSM = partial(BIM, steps=1)  # Goodfellow et al., ICLR 2015
PGD = partial(BIM, pace=2.5, anywhere=True)  # Madry et al., ICLR 2018
MI_FGSM = partial(BIM, momentum=1.0)  # Dong et al., CVPR 2018
NI_FGSM = partial(MI_FGSM, look_ahead=True)  # Lin et al., ICLR 2020
SI_FGSM = partial(MI_FGSM, views=Scales())
SI_NI_FGSM = partial(NI_FGSM, views=Scales())
DIM = partial(MI_FGSM, views=Diversity())  # Xie et al., CVPR 2019
TIM = partial(MI_FGSM, smooth=Smooth())  # Dong et al., CVPR 2019
TI_DIM = partial(DIM, smooth=Smooth())
VMI_FGSM = partial(MI_FGSM, neighbours=20, reach=1.5)  # Wang & He, CVPR 2021

BUDGET = "16/255 in 10 steps of 1.6/255"
MOMENTUM = f"{BUDGET}, momentum 1 of the gradient over its mean absolute: Dong et al., CVPR 2018"


@dataclass(frozen=True)
class Published:
    """An attack on pixels, and where its settings come from."""

    attack: Callable[[Sequence[Surrogate], Pixel], Attack]
    source: str


PIXEL: Mapping[str, Published] = {
    "fgsm": Published(FGSM, "one step of 16/255: Goodfellow et al., ICLR 2015; the budget is Dong et al.'s, CVPR 2018"),
    "bim": Published(BIM, f"{BUDGET}: Kurakin et al., ICLR Workshop 2017; the budget is Dong et al.'s, CVPR 2018"),
    "pgd": Published(
        PGD,
        "16/255 from a random start, 10 steps of 2.5 budgets together (4/255 each): Madry et al., ICLR 2018; the "
        "budget is Dong et al.'s, CVPR 2018",
    ),
    "mi-fgsm": Published(MI_FGSM, MOMENTUM),
    "ni-fgsm": Published(NI_FGSM, f"looks ahead by step × momentum: Lin et al., ICLR 2020; {MOMENTUM}"),
    "si-fgsm": Published(SI_FGSM, f"5 copies, each half as bright: Lin et al., ICLR 2020; {MOMENTUM}"),
    "si-ni-fgsm": Published(
        SI_NI_FGSM, f"looks ahead, 5 copies, each half as bright: Lin et al., ICLR 2020; {MOMENTUM}"
    ),
    "dim": Published(DIM, f"half of the time up to 1.1 times as large on black: Xie et al., CVPR 2019; {MOMENTUM}"),
    "tim": Published(TIM, f"a Gaussian of 15 × 15 and ± 3 deviations: Dong et al., CVPR 2019; {MOMENTUM}"),
    "ti-dim": Published(
        TI_DIM,
        "half of the time up to 1.1 times as large on black: Xie et al., CVPR 2019; a Gaussian of 15 × 15 and ± 3 "
        f"deviations: Dong et al., CVPR 2019; {MOMENTUM}",
    ),
    "vmi-fgsm": Published(VMI_FGSM, f"20 neighbours within 1.5 budgets: Wang & He, CVPR 2021; {MOMENTUM}"),
}


def _latent(given: Given) -> Attack:
    return LatentSearch(given.invert, given.surrogates, given.search, given.words, given.size)


def _pixel(name: str, given: Given) -> Attack:
    _wordless(name, given)
    return PIXEL[name].attack(given.surrogates, given.pixel)


def _tip_im(given: Given) -> Attack:
    _wordless("tip-im", given)
    return TipIM(given.surrogates, given.greedy, given.people)


def _adv_makeup(given: Given) -> Attack:
    _wordless("adv-makeup", given, "wears what it has learned")
    if given.eye_makeup is None:
        raise without_weights("adv-makeup")
    return AdvMakeup(given.eye_makeup, given.worn)


def _amt_gan(given: Given) -> Attack:
    _wordless("amt-gan", given, "wears its reference's makeup")
    if given.transferred is None:
        raise without_weights("amt-gan")
    return AmtGAN(given.transferred.generator, given.transferred.reference, given.transferred.regions, given.transfer)


def _wordless(name: str, given: Given, does: str = "changes pixels and puts no makeup on") -> None:
    if given.words is not None:
        raise BadSetting(f"attack: {name} {does}; leave the words out, or name latent")


ATTACKS: Mapping[str, Known] = {
    "latent": Known(
        _latent,
        "kohl's own search, of which CLIP2Protect (CVPR 2023) is a case; settings by the recipe",
        ("tuning", "search"),
    ),
    **{name: Known(partial(_pixel, name), attack.source, ("pixel",)) for name, attack in PIXEL.items()},
    "tip-im": Known(
        _tip_im,
        "12/255 in 100 steps of 1.5 budgets together, momentum 1, 10 targets, no MMD: the authors' repository, "
        "github.com/ShawnXYang/TIP-IM (Yang et al., ICCV 2021); the targets are synthetic",
        ("tip_im",),
    ),
    "adv-makeup": Known(
        _adv_makeup,
        "learned for one target, then Poisson blending: Yin et al., IJCAI 2021, written from the paper; how its "
        "weights were learned is theirs to tell",
        ("adv_makeup",),
    ),
    "amt-gan": Known(
        _amt_gan,
        "learned for one target, each result stretched from 0 to 1, detail given back: the authors' repository, "
        "github.com/CGCL-codes/AMT-GAN (Hu et al., CVPR 2022); how its weights were learned is theirs to tell",
        ("amt_gan",),
    ),
}

# Attacks that learn first, and where their weights come from. Those know one target: the goal changes nothing.
LEARNED: Mapping[str, str] = {
    "adv-makeup": "such as `kohl train adv-makeup` writes",
    "amt-gan": "the published G.pth or such as `kohl train amt-gan` writes",
}


def find(name: str) -> Known:
    """What makes the attack of that name; raises `BadSetting` with the nearest one if there is none."""
    if name not in ATTACKS:
        near = get_close_matches(name, ATTACKS, n=1)
        known = f"did you mean {near[0]}?" if near else f"there are {', '.join(ATTACKS)}"
        raise BadSetting(f"attack: {name}: no such attack; {known}")
    return ATTACKS[name]


def without_weights(name: str) -> BadSetting:
    """What to raise when an attack that must have learned is to run without weights."""
    settings = name.replace("-", "_")
    return BadSetting(f"attack: {name} needs weights; name them with --set {settings}.weights=FILE, {LEARNED[name]}")
