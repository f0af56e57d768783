"""Adv-Makeup: eye makeup that a generator has learned for one target, blended in (Yin et al., IJCAI 2021)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from kohl import ranges
from kohl.geometry import inverse, similarity, transform, warp
from kohl.perturb.pixel import Painted
from kohl.types import Candidate, Faces, Goal, Images, Matrices, Step, Watch, ignore
from kohl.zoo.generators.eye_makeup import HEIGHT, WIDTH, EyeMakeup

EYES = (slice(36, 42), slice(42, 48))
BROWS = (slice(17, 22), slice(22, 27))
CENTRES = ((0.275, 0.58), (0.725, 0.58))  # of the eyes, in shares of an area's sides: it reaches beyond both brows
WIDER, HIGHER, TO_BROW = 1.8, 3.5, 1.15  # how far it goes beyond the eye and its brow: makeup ends before its rim
SOFT, RIM = 2.0, 6  # sigma of its rim, and how far from an area's own rim it fades, in pixels of an area
MARGIN = 8  # pixels around a crop, that OpenCV's blending wants
ROUND = (MARGIN, MARGIN)
RANGES = {"share": (0, 16)}


@dataclass(frozen=True)
class Worn:
    """How it is worn."""

    weights: str = "adv-makeup"  # the bundled ones, or a file that `kohl train adv-makeup` has written
    share: float = 1.0  # of the change that the generator makes
    poisson: bool = True  # whether it is blended in, as published, or only laid on with a soft rim

    def __post_init__(self) -> None:
        ranges.check(self, RANGES, "adv_makeup.")

    def at(self, strength: float) -> Worn:
        """A quarter of the change at strength 0, four times at 1; none is published."""
        return replace(self, share=self.share * 4 ** (2 * strength - 1))


@dataclass(frozen=True)
class AdvMakeup:
    """Puts on what its generator draws; whom a face then resembles was chosen when it learned, not by the goal."""

    generator: EyeMakeup
    settings: Worn = field(default_factory=Worn)

    @torch.no_grad()
    def __call__(self, faces: Faces, goal: Goal, *, rng: torch.Generator, watch: Watch = ignore) -> Images:  # noqa: ARG002 - learned, and not random
        """The faces made up; the same shape as `faces.crops`."""
        area = EyeArea.of(faces)
        drawn = self.generator(area.cut(faces.crops))
        if self.settings.poisson:
            whole = area.pasted(faces.crops, drawn, torch.ones_like(area.mask))
            changed = blended(faces.crops, whole, area.reach(faces.crops))
        else:
            changed = area.pasted(faces.crops, drawn, area.mask)
        inside = Painted(faces).mask
        images = (faces.crops + self.settings.share * inside * (changed - faces.crops)).clamp(0, 1)
        watch(Step(0, 1, {}, Candidate(images, drawn)))
        return images


@dataclass(frozen=True, eq=False)
class EyeArea:
    """Where the eyes of some faces are."""

    to_area: Matrices  # crop pixels to those of an area
    mask: Tensor  # (n, 1, HEIGHT, WIDTH): what is drawn on

    @classmethod
    def of(cls, faces: Faces) -> EyeArea:
        """The areas of these faces."""
        centres = torch.stack([faces.landmarks[:, eye].mean(1) for eye in EYES], 1)
        wanted = centres.new_tensor(CENTRES) * centres.new_tensor([WIDTH, HEIGHT]) - 0.5
        to_area = similarity(centres, wanted.expand_as(centres))
        landmarks = transform(to_area, faces.landmarks).cpu().double().numpy()
        return cls(to_area, torch.stack([_around(face) for face in landmarks]).to(faces.crops))

    def cut(self, crops: Images) -> Images:
        """The areas (n, 3, HEIGHT, WIDTH) of the crops."""
        return warp(crops, self.to_area, (HEIGHT, WIDTH), padding="border")

    def pasted(self, crops: Images, drawn: Images, mask: Tensor) -> Images:
        """The crops with what of the drawn areas the mask shows; the change is carried back, not the picture."""
        size = (crops.shape[-2], crops.shape[-1])
        change = warp(mask * (drawn - self.cut(crops)), inverse(self.to_area), size)
        return (crops + change).clamp(0, 1)

    def reach(self, crops: Images) -> Tensor:
        """What is drawn on in the crops, (n, 1, height, width)."""
        return warp(self.mask, inverse(self.to_area), (crops.shape[-2], crops.shape[-1]))


def blended(crops: Images, changed: Images, mask: Tensor) -> Images:
    """The crops with the gradients of the changed ones where the mask is above a half (Pérez et al., SIGGRAPH 2003).

    OpenCV's seamlessClone, in 8 bits; elsewhere the crops stay as they are.
    """
    found = [_cloned(*each) for each in zip(crops.cpu(), changed.cpu(), mask.cpu(), strict=True)]
    return torch.stack(found).to(crops)


def _cloned(crop: Tensor, changed: Tensor, mask: Tensor) -> Tensor:
    inside = (mask[0] > 0.5).numpy().astype(np.uint8)
    if not inside.any():
        return crop
    source, target = (np.pad(_pixels(each), (ROUND, ROUND, (0, 0)), mode="edge") for each in (changed, crop))
    shown = np.pad(inside * 255, (ROUND, ROUND))
    left, top, width, height = cv2.boundingRect(shown)
    middle = (left + width // 2, top + height // 2)
    cloned = cv2.seamlessClone(source, target, shown, middle, cv2.NORMAL_CLONE)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    images = torch.from_numpy(np.ascontiguousarray(cloned)).permute(2, 0, 1).float() / 255
    return torch.where(torch.from_numpy(inside) > 0, images, crop)


def _pixels(image: Tensor) -> np.ndarray:
    pixels: np.ndarray = (image.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
    return pixels


def _around(landmarks: np.ndarray) -> Tensor:
    """What is around the eyes, with the brows and without the eyes themselves; (1, HEIGHT, WIDTH)."""
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    for eye, brow in zip(EYES, BROWS, strict=True):
        centre = landmarks[eye].mean(0)
        around = centre + (landmarks[eye] - centre) * (WIDER, HIGHER)
        above = centre + (landmarks[brow] - centre) * TO_BROW
        hull = cv2.convexHull(np.concatenate([around, above]).round().astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 1.0)
    for eye in EYES:
        cv2.fillPoly(mask, [landmarks[eye].round().astype(np.int32)], 0.0)
    soft = cv2.GaussianBlur(mask, (0, 0), SOFT)
    down, across = (np.minimum(np.arange(side), np.arange(side)[::-1]) / RIM for side in mask.shape)
    return torch.from_numpy(soft * np.minimum(1, down[:, None]) * np.minimum(1, across)).float()[None]
