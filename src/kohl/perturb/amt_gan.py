"""AMT-GAN: makeup carried over from a reference so that recognisers take the face for its target's (CVPR 2022)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl import ranges
from kohl.errors import BadSetting
from kohl.perturb.pixel import Painted
from kohl.types import Candidate, Faces, Goal, Images, Step, Watch, ignore
from kohl.zoo.generators.amt_gan import MakeupTransfer, Portrait

Regions: TypeAlias = Callable[[Faces], Tensor]  # faces → lips, skin, skin around the eyes, (n, 3, size, size)

RANGES = {"share": (0, 16)}
PARSERS = ("landmarks", "bisenet")


@dataclass(frozen=True)
class Transfer:
    """What carries the makeup, from whom, and how much of it stays."""

    weights: str = ""  # the published G.pth or a file that `kohl train amt-gan` has written; amt-gan: the one pulled
    reference: str = ""  # a photo of makeup; without one a synthetic person wears a drawn look
    regions: Literal["landmarks", "bisenet"] = "landmarks"  # how they are found; published: bisenet, which is pulled
    stretched: bool = True  # whether the darkest value of a picture becomes 0 and the brightest 1, as published
    share: float = 1.0  # of the change that the generator makes

    def __post_init__(self) -> None:
        ranges.check(self, RANGES, "amt_gan.")
        if self.regions not in PARSERS:
            raise BadSetting(f"amt_gan.regions: must be one of {', '.join(PARSERS)}, not {self.regions}")

    def at(self, strength: float) -> Transfer:
        """A quarter of the change at strength 0, four times at 1; none is published."""
        return replace(self, share=self.share * 4 ** (2 * strength - 1))


@dataclass(frozen=True)
class AmtGAN:
    """Puts the reference's makeup on; whom a face then resembles was chosen when it learned, not by the goal.

    What the face has of detail beyond the generator's size is given back to it. Published, the whole crop is replaced;
    here, as with every attack, what is no face stays.
    """

    generator: MakeupTransfer
    reference: Faces
    regions: Regions
    settings: Transfer = field(default_factory=Transfer)

    @torch.no_grad()
    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Images:  # noqa: ARG002 - learned, and not random
        """The faces made up; the same shape as `faces.crops`."""
        size, full = self.generator.size, faces.crops.shape[-2:]
        content, makeup = (portrait(each, size, self.regions) for each in (faces, self.reference))
        makeup = Portrait(*(x[:1].expand(len(faces.crops), *x.shape[1:]) for x in vars(makeup).values()))
        drawn: Images = self.generator(content, makeup)
        if self.settings.stretched:
            drawn = stretched(drawn)
        large, small = (F.interpolate(each, full, mode="bilinear") for each in (drawn, content.images))
        inside = Painted(faces).mask
        change = large - small  # and so the detail that a small picture lacks stays
        images = (faces.crops + self.settings.share * inside * change).clamp(0, 1)
        watch(Step(0, 1, {}, Candidate(images, drawn)))
        return images


def portrait(faces: Faces, size: int, regions: Regions) -> Portrait:
    """The faces as the generator wants them, (size, size)."""
    scale = size / faces.crops.shape[-1]
    crops = F.interpolate(faces.crops, (size, size), mode="bilinear", antialias=True)
    small = Faces(crops, *((points + 0.5) * scale - 0.5 for points in (faces.points, faces.landmarks)))
    return Portrait(crops, regions(small), small.landmarks)


def stretched(images: Images) -> Images:
    """Each of the images with its least value at 0 and its greatest at 1."""
    flat = images.flatten(1)
    low, high = (extreme.view(-1, 1, 1, 1) for extreme in (flat.amin(1), flat.amax(1)))
    return (images - low) / (high - low + 1e-5)
