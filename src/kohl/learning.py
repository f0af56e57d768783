"""What each kind of `kohl train` does, once its arguments are known to be well formed."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from kohl import files, recipe
from kohl.errors import BadSetting
from kohl.perturb.terms import Surrogate
from kohl.shown import shown
from kohl.train import adv_makeup, amt_gan, faces, sittings, stylegan2
from kohl.train.folder import CHECKPOINT, check
from kohl.train.learner import Training
from kohl.zoo import cards
from kohl.zoo.distances import features

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from kohl.parts import Parts
    from kohl.types import Faces

    T = TypeVar("T", bound=DataclassInstance)


def generator(arguments: Namespace, parts: Parts) -> None:
    """A small StyleGAN2 and its encoder."""
    asked, output = training(arguments), _ready(arguments, stylegan2.check_folder)
    known = output / "faces.safetensors"
    gallery = faces.gallery(arguments.faces, asked.size, known, looks=asked.looks, find=parts.find, said=_print)
    seen = parts.features() if parts.features else features.load(cards.checked(cards.find("sface")))
    made, encoder = stylegan2.learn(gallery, seen, output, asked, said=_print)
    use = f"--set models.generator=stylegan2:{made} --set models.encoder=stylegan2:{encoder}"
    _print(f"use it with --recipe mini {use}")


def eye_makeup(arguments: Namespace, parts: Parts) -> None:
    """The generator of Adv-Makeup, for one synthetic person."""
    asked = _asked(adv_makeup.Training(), arguments, ("steps", "seed"))
    output = _ready(arguments, lambda folder: check(folder, adv_makeup.WRITTEN))
    made = adv_makeup.learn(*_given(asked, arguments, output, parts), output, asked, said=_print)
    _print(f"use it with --set attack=adv-makeup --set adv_makeup.weights={made}")


def transfer(arguments: Namespace, parts: Parts) -> None:
    """The generator of AMT-GAN, for one synthetic person."""
    asked = _asked(amt_gan.Training(), arguments, ("steps", "seed"))
    output = _ready(arguments, lambda folder: check(folder, amt_gan.WRITTEN))
    made = amt_gan.learn(*_given(asked, arguments, output, parts), output, asked, said=_print)
    _print(f"use it with --set attack=amt-gan --set amt_gan.weights={made}")


def _given(
    asked: adv_makeup.Training | amt_gan.Training, arguments: Namespace, output: Path, parts: Parts
) -> tuple[sittings.Sittings, Faces, list[Surrogate], Any]:
    """Faces with makeup, the target, the recognisers, and what sees how alike two pictures are."""
    target, surrogates = cards.load("decoys")[arguments.target], _surrogates(arguments.surrogate)
    seeing = cards.load(arguments.perceptual, "perceptual")
    known = output / "faces.safetensors"
    people = sittings.sittings(
        arguments.faces, asked.size, known, looks=asked.looks, most=asked.faces, find=parts.find, said=_print
    )
    return people, target, surrogates, seeing


KINDS: Mapping[str, Callable[[Namespace, Parts], None]] = {
    "stylegan2": generator,
    "adv-makeup": eye_makeup,
    "amt-gan": transfer,
}


def training(arguments: Namespace) -> Training:
    """The settings of a StyleGAN2 that a command line asks for."""
    return _asked(Training(), arguments, ("images", "size", "batch", "seed"))


def _asked(defaults: T, arguments: Namespace, options: Sequence[str]) -> T:
    """The settings with those that options of their own ask for, and then those of --set."""
    given = {name: getattr(arguments, name) for name in options}
    plain = type(defaults)(**{name: value for name, value in given.items() if value is not None})
    return recipe.override(plain, arguments.set)


def _ready(arguments: Namespace, check_folder: Callable[[Path], None]) -> Path:
    """The folder of the run, once it is known that nothing in it would be lost."""
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    output: Path = arguments.output
    if os.path.lexists(output / CHECKPOINT) and not arguments.resume:
        raise BadSetting(f"{output}: holds a checkpoint; pass --resume to go on, or choose another folder with -o")
    check_folder(output)
    files.clean(output)
    return output


def _surrogates(names: Sequence[str] | None) -> list[Surrogate]:
    """The recognisers of those names, or each of those that the default recipe searches with."""
    models = recipe.load("default").models
    return [
        Surrogate(cards.encoder(name), cards.find(name).roles["encoder"].thresholds[models.far])
        for name in dict.fromkeys(names or models.searched)
    ]


def _print(text: str) -> None:
    """Say a line of the result at once."""
    print(shown(text), flush=True)
