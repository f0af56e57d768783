"""The table of attacks: a name that a recipe may have, and what makes the attack of what a run has loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import TypeAlias

from kohl.errors import BadSetting
from kohl.perturb.latent import LatentSearch, Search
from kohl.perturb.pixel import Diversity, Pixel, Scales, SignGradient, Smooth
from kohl.perturb.terms import Surrogate, Words
from kohl.types import Attack, Inverter


@dataclass(frozen=True, eq=False)
class Given:
    """What a run has for its attack; each takes what it needs."""

    invert: Inverter
    surrogates: Sequence[Surrogate]
    search: Search
    pixel: Pixel
    words: Words | None = None
    size: int | None = None  # of the crops that a search looks at


Make: TypeAlias = Callable[[Given], Attack]

BIM = SignGradient  # Kurakin et al., 2017
FGSM = partial(BIM, steps=1)  # Goodfellow et al., ICLR 2015
PGD = partial(BIM, pace=2.5, anywhere=True)  # Madry et al., ICLR 2018
MI_FGSM = partial(BIM, momentum=1.0)  # Dong et al., CVPR 2018
NI_FGSM = partial(MI_FGSM, look_ahead=True)  # Lin et al., ICLR 2020
SI_NI_FGSM = partial(NI_FGSM, views=Scales())
DIM = partial(MI_FGSM, views=Diversity())  # Xie et al., CVPR 2019
TIM = partial(MI_FGSM, smooth=Smooth())  # Dong et al., CVPR 2019
TI_DIM = partial(DIM, smooth=Smooth())
VMI_FGSM = partial(MI_FGSM, neighbours=20)  # Wang & He, CVPR 2021

PIXEL: Mapping[str, Callable[[Sequence[Surrogate], Pixel], Attack]] = {
    "fgsm": FGSM,
    "bim": BIM,
    "pgd": PGD,
    "mi-fgsm": MI_FGSM,
    "ni-fgsm": NI_FGSM,
    "si-ni-fgsm": SI_NI_FGSM,
    "dim": DIM,
    "tim": TIM,
    "ti-dim": TI_DIM,
    "vmi-fgsm": VMI_FGSM,
}


def _latent(given: Given) -> Attack:
    return LatentSearch(given.invert, given.surrogates, given.search, given.words, given.size)


def _pixel(name: str, given: Given) -> Attack:
    if given.words is not None:
        raise BadSetting(f"attack: {name} changes pixels and puts no makeup on; leave the words out, or name latent")
    return PIXEL[name](given.surrogates, given.pixel)


ATTACKS: Mapping[str, Make] = {"latent": _latent, **{name: partial(_pixel, name) for name in PIXEL}}


def find(name: str) -> Make:
    """What makes the attack of that name; raises `BadSetting` with the nearest one if there is none."""
    if name not in ATTACKS:
        near = get_close_matches(name, ATTACKS, n=1)
        known = f"did you mean {near[0]}?" if near else f"there are {', '.join(ATTACKS)}"
        raise BadSetting(f"attack: {name}: no such attack; {known}")
    return ATTACKS[name]
