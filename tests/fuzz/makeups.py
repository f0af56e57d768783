"""The door for makeup that was learned elsewhere: weights of AMT-GAN, of Adv-Makeup and of the face parser."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import torch
from safetensors.torch import save

from fuzz.door import ACCEPTED, Door
from fuzz.mutate import ODD, mutated
from fuzz.weights import in_archive
from kohl.zoo.detectors import bisenet
from kohl.zoo.generators import amt_gan, eye_makeup
from kohl.zoo.generators.amt_gan import MakeupTransfer
from kohl.zoo.generators.eye_makeup import EyeMakeup

LOADS: dict[str, Callable[[Path], object]] = {
    "amt_gan": amt_gan.load,
    "eye_makeup": eye_makeup.load,
    "bisenet": bisenet.load,
}


@cache
def networks() -> dict[str, dict[str, torch.Tensor]]:
    """Small ones of each kind."""
    return {
        "amt_gan": MakeupTransfer(1, 16).state_dict() | {"size": torch.tensor(16)},
        "eye_makeup": EyeMakeup(1).state_dict(),
    }


def learned(rng: Random) -> tuple[str, bytes]:
    """The weights of one network given to the reader of another or its own, in either format, odd or damaged."""
    kept = dict(rng.choice([*networks().values()]))
    for name in rng.sample(sorted(kept), rng.choice((0, 0, 1, 3))):
        chosen = rng.randrange(4)
        if chosen == 0:
            del kept[name]
        elif chosen == 1:
            kept[name] = torch.zeros([rng.choice((0, 1, 2, 7)) for _ in range(rng.choice((0, 1, 4, 5)))])
        elif chosen == 2:
            kept[name] = torch.full_like(kept[name].float(), rng.choice((torch.nan, torch.inf, 1e38)))
        else:
            kept[name] = torch.tensor(rng.choice([each for each in ODD if abs(each) < 2**62]))
    if rng.random() < 0.5:
        data = save({name: values.contiguous() for name, values in kept.items()})
        return rng.choice([*LOADS]), data if rng.random() < 0.5 else mutated(rng, data)
    buffer = io.BytesIO()
    torch.save(kept, buffer)
    return rng.choice([*LOADS]), buffer.getvalue() if rng.random() < 0.5 else in_archive(rng, buffer.getvalue())


def load(given: tuple[str, bytes], folder: Path) -> str:
    """Try these bytes as the weights of that network."""
    kind, data = given
    path = folder / ("weights.safetensors" if data[8:9] == b"{" else "weights.pth")
    path.write_bytes(data)
    LOADS[kind](path)
    return ACCEPTED


MAKEUPS = Door("makeups", learned, load)
