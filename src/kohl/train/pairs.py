"""Two people of whom one wears a look, as AMT-GAN learns from them and is looked at: samples, and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor

from kohl import files
from kohl.perturb.terms import Surrogate
from kohl.train.sittings import Sittings
from kohl.types import Embeddings, Faces, Images
from kohl.zoo.detectors.regions import by_landmarks
from kohl.zoo.generators.amt_gan import MakeupTransfer, Portrait

SHOWN = 6  # faces in the picture
LEVELS = 255  # the makeup loss is published over these


@dataclass(frozen=True, eq=False)
class Pair:
    """A bare face and one in makeup (2, …): each as content, the other's makeup, and how it would look in that."""

    people: Faces
    faces: Portrait
    makeup: Portrait
    wanted: Images

    @classmethod
    def of(cls, sittings: Sittings, first: Tensor, second: Tensor, look: int) -> Pair:
        """The first bare, the second in that look, which both have."""
        bare, worn = sittings.bared(first), sittings.made_up(second, look)
        people = Faces(*(torch.cat(pair) for pair in zip(vars(bare).values(), vars(worn).values(), strict=True)))
        faces = Portrait(people.crops, by_landmarks(people), people.landmarks)
        makeup = Portrait(*(values.flip(0) for values in vars(faces).values()))
        return cls(
            people, faces, makeup, torch.cat([sittings.made_up(first, look).crops, sittings.bared(second).crops])
        )


def joined(first: Portrait, second: Portrait) -> Portrait:
    """Both, one after the other."""
    return Portrait(*(torch.cat(pair) for pair in zip(vars(first).values(), vars(second).values(), strict=True)))


@torch.no_grad()
def measured(
    generator: MakeupTransfer, sittings: Sittings, surrogates: Sequence[Surrogate], target: Sequence[Embeddings]
) -> list[str]:
    """How much of the makeup comes over to held-out faces, and how near they come to the target."""
    pairs = shown(sittings, sittings.held)
    bare, wanted, drawn = (
        torch.cat(images) for images in zip(*((*sides(pair), generator(*content(pair))) for pair in pairs), strict=True)
    )
    regions, rows = torch.cat([pair.faces.regions[:1] for pair in pairs]), []
    for number, name in ((0, "lips"), (2, "eyes")):
        where = regions[:, number : number + 1]
        far = [LEVELS * float((where * (x - wanted).abs()).sum() / where.sum() / 3) for x in (bare, drawn)]
        rows.append(f"{name}: {far[0]:.1f} levels from the makeup bare, {far[1]:.1f} with it carried over")
    faces = sittings.bared(torch.arange(sittings.held))
    for surrogate, known in zip(surrogates, target, strict=True):
        seen = [surrogate.embed(faces.with_crops(crops)) for crops in (bare, wanted, drawn)]
        far = [float(surrogate.distance(embeddings, known).mean()) for embeddings in seen]
        rows.append(
            f"{surrogate.encoder.name}: held-out faces are {far[0]:.3f} thresholds from the target, {far[1]:.3f} in "
            f"that makeup alone, {far[2]:.3f} with it carried over"
        )
    return rows


def sides(pair: Pair) -> tuple[Images, Images]:
    """The bare face, and how it looks in the makeup."""
    return pair.faces.images[:1], pair.wanted[:1]


def shown(sittings: Sittings, count: int) -> list[Pair]:
    """Held-out faces, each with somebody who was learned from and wears a look of its group."""
    pairs = []
    for index in range(min(count, sittings.held)):
        same = (sittings.groups == sittings.groups[index]).nonzero()[:, 0]
        others = same[same >= sittings.held]
        other = others[:1] if len(others) else torch.tensor([sittings.held])
        pairs.append(Pair.of(sittings, torch.tensor([index]), other, index % sittings.worn.shape[1]))
    return pairs


def content(pair: Pair) -> tuple[Portrait, Portrait]:
    """The bare face, and the made-up one."""
    face, makeup = (Portrait(*(x[:1] for x in vars(each).values())) for each in (pair.faces, pair.makeup))
    return face, makeup


@torch.no_grad()
def write_samples(generator: MakeupTransfer, sittings: Sittings, path: Path) -> None:
    """A picture of four rows: held-out faces, whose makeup they get, what the generator draws, and what was wanted."""
    pairs = shown(sittings, SHOWN)
    columns = [
        torch.cat([pair.faces.images[0], pair.makeup.images[0], generator(*content(pair))[0], pair.wanted[0]], 1)
        for pair in pairs
    ]
    pixels = (torch.cat(columns, 2).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    with files.placed(path, force=True) as part:
        part.write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
