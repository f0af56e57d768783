"""Learns eye makeup that recognisers take for one synthetic person's: Adv-Makeup (Yin et al., IJCAI 2021).

Written from the paper. Recognisers take turns: all but one train, that one tests, and the generator goes where the test
improves after a step of the training (meta-learning), to first order as in Finn et al., ICML 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.func import functional_call

from kohl import files, ranges
from kohl.adam import Adam
from kohl.errors import BadSetting, KohlError
from kohl.perturb.adv_makeup import EyeArea, blended
from kohl.perturb.terms import Surrogate
from kohl.train import folder as run
from kohl.train import patches
from kohl.train.learner import Descent
from kohl.train.sittings import Sittings
from kohl.types import Embeddings, Faces, Images
from kohl.zoo.generators import eye_makeup
from kohl.zoo.generators.eye_makeup import EyeMakeup

WEIGHTS = "adv_makeup.safetensors"
WRITTEN = (WEIGHTS, run.LOG, run.PICTURE)
COLUMNS = ("real", "attack", "test", "style", "content", "seam", "variation", "discriminator")
MAY_CHANGE = {"steps", "report", "save_s", "looks", "faces"}
SHOWN = 6  # faces in the picture
DROPS = 3  # equal parts of the steps, the rates a tenth of the part before: as 300 epochs have it
RANGES = {
    "size": (64, 256),
    "steps": (1, 10**9),
    "batch": (1, 4096),
    "channels": (1, 512),
    "judged": (1, 512),
    "rotate": (1, 10**9),
    "report": (1, 10**9),
    "looks": (1, 100),
    "faces": (16, 10**6),
    "seed": (0, 2**63 - 1),
}


class Seeing(Protocol):
    """What makeup and faces are compared by: features in layers, of unit length in every cell."""

    def features(self, images: Images) -> list[Tensor]:
        """Features (n, channels, height, width) in several layers."""
        ...


@dataclass(frozen=True)
class Training:
    """How long and how eye makeup learns; rates, decay and the step of the training are the published ones."""

    size: int = 192  # pixels of a side of the faces
    steps: int = 1000  # published: 300 epochs
    batch: int = 4
    rate: float = 1e-3  # of Adam, for the generator
    rate_judging: float = 4e-4  # for the discriminator
    decay: float = 1e-4  # of the weights
    inner: float = 1e-3  # the step of the training, before the test
    rotate: int = 25  # steps until the next recogniser tests; published: an epoch
    real: float = 0.5  # weight of looking like makeup, to the discriminator
    attack: float = (
        4.0  # of the distance to the target, in thresholds: 1 − cosine, in a unit that suits each recogniser
    )
    style: float = 10.0  # of the difference in Gram matrices from makeup; published: 1e5, of VGG16's plain features
    content: float = 1.0  # of the difference in features from the bare face
    seam: float = 8.0  # of Laplacians that neither the face nor the makeup has
    variation: float = 12.0  # of the total variation of the change
    channels: int = 24  # of the generator, at the full size
    judged: int = 24  # of the discriminator
    looks: int = 2  # made-up pictures of each face
    faces: int = 480  # at most
    seed: int = 0
    report: int = 20  # steps between two lines of the log
    save_s: float = 120.0  # seconds between two checkpoints

    def __post_init__(self) -> None:
        ranges.check(self, RANGES)

    def pace(self, number: int) -> float:
        """The share of the rates at that step."""
        return 0.1 ** (DROPS * number // max(1, self.steps))


class Learner(nn.Module):
    """The networks as they learn."""

    def __init__(self, settings: Training) -> None:
        super().__init__()
        self.settings = settings
        rng = torch.Generator().manual_seed(settings.seed)
        self.generator = eye_makeup.untrained(settings.channels, rng)
        self.discriminator = patches.untrained(settings.judged, rng)
        betas = (0.5, 0.999)
        self.giving = Descent([*self.generator.parameters()], Adam(betas))
        self.telling = Descent([*self.discriminator.parameters()], Adam(betas))
        self.descents = (self.giving, self.telling)

    def step(
        self,
        number: int,
        bare: Faces,
        worn: Faces,
        surrogates: Sequence[Surrogate],
        target: Sequence[Embeddings],
        seeing: Seeing,
    ) -> dict[str, float]:
        """Learns from these bare faces and those made-up ones; returns the parts of the loss, by name."""
        settings, area, pace = self.settings, EyeArea.of(bare), self.settings.pace(number)
        real = EyeArea.of(worn).cut(worn.crops)
        testing = number // settings.rotate % len(surrogates)
        training = [index for index in range(len(surrogates)) if index != testing]

        def apart(changed: Images, index: int) -> Tensor:
            surrogate = surrogates[index]
            return surrogate.distance(surrogate.embed(bare.with_crops(changed)), target[index]).mean()

        areas = area.cut(bare.crops)
        drawn = self.generator(areas)
        changed, laid = area.pasted(bare.crops, drawn, area.mask), areas + area.mask * (drawn - areas)
        losses = self._looks(areas, drawn, laid, area.mask, real, seeing)
        attacks = torch.stack([apart(changed, index) for index in training]).mean()
        losses["attack"] = settings.attack * attacks
        weights, names = self.giving.weights, [name for name, _ in self.generator.named_parameters()]
        towards = torch.autograd.grad(losses["attack"], weights, retain_graph=True)
        rest = torch.autograd.grad(torch.stack([x for name, x in losses.items() if name != "attack"]).sum(), weights)
        ahead = {
            name: (weight - settings.inner * slope).detach().requires_grad_()
            for name, weight, slope in zip(names, weights, towards, strict=True)
        }
        tried = functional_call(self.generator, ahead, (areas,))
        losses["test"] = settings.attack * apart(area.pasted(bare.crops, tried, area.mask), testing)
        tested = torch.autograd.grad(losses["test"], [*ahead.values()])
        slopes = [
            sum(each) + settings.decay * weight.detach()
            for weight, *each in zip(weights, towards, rest, tested, strict=True)
        ]
        if not all(slope.isfinite().all() for slope in slopes):
            raise BadSetting("the learning diverges; begin again in another folder, with another --seed")
        self.giving.adam(weights, slopes, settings.rate * pace)
        losses["discriminator"] = self._told(laid.detach(), real, settings.rate_judging * pace)
        return {name: float(losses[name].detach()) for name in COLUMNS}

    def _looks(
        self, areas: Images, drawn: Images, laid: Images, mask: Tensor, real: Images, seeing: Seeing
    ) -> dict[str, Tensor]:
        """What is wrong with the makeup as makeup: each part with its weight."""
        settings = self.settings
        now, before, makeup = (seeing.features(each) for each in (laid, areas, real))
        # What was laid on has a Laplacian where it ends that neither picture has: the seam.
        smooth = laplacian(areas) + mask * (laplacian(drawn) - laplacian(areas))
        return {
            "real": settings.real * patches.squared(self.discriminator(laid), 1.0),
            "style": settings.style * style(now, makeup),
            "content": settings.content * (now[-1] - before[-1]).square().sum(1).mean(),
            "seam": settings.seam * (laplacian(laid) - smooth).abs().mean(),
            "variation": settings.variation * variation(laid - areas),
        }

    def _told(self, drawn: Images, real: Images, rate: float) -> Tensor:
        """Teaches the discriminator which is which."""
        loss = patches.squared(self.discriminator(real), 1.0) + patches.squared(self.discriminator(drawn), 0.0)
        slopes = torch.autograd.grad(loss, [*self.telling.weights])
        decayed = [
            slope + self.settings.decay * weight.detach()
            for slope, weight in zip(slopes, self.telling.weights, strict=True)
        ]
        self.telling.adam(self.telling.weights, decayed, rate)
        return loss


def gram(features: Tensor) -> Tensor:
    """How often each two features (n, channels, height, width) are seen together: (n, channels, channels), in shares.

    Gatys et al., CVPR 2016.
    """
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    """The squared difference of the Gram matrices, the mean over faces and layers."""
    pairs = zip(first, second, strict=True)
    return torch.stack([(gram(a) - gram(b)).square().sum((1, 2)).mean() for a, b in pairs]).mean()


def laplacian(images: Images) -> Images:
    """How each value differs from its four neighbours; at the rim they repeat."""
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    around = padded[..., :-2, 1:-1] + padded[..., 2:, 1:-1] + padded[..., 1:-1, :-2] + padded[..., 1:-1, 2:]
    return 4 * images - around


def variation(images: Images) -> Tensor:
    """The mean absolute step from one value to the next, downwards and sideways."""
    return (images[..., 1:, :] - images[..., :-1, :]).abs().mean() + (images[..., 1:] - images[..., :-1]).abs().mean()


def learn(
    faces: Sittings,
    target: Faces,
    surrogates: Sequence[Surrogate],
    seeing: Seeing,
    folder: Path,
    settings: Training,
    *,
    said: Callable[[str], None],
) -> Path:
    """Learns until all steps are taken and writes a log, samples and the generator: its path.

    It goes on from the checkpoint in the folder, if there is one. Raises `BadSetting` where one recogniser alone cannot
    take turns, for a checkpoint of other settings and for files of somebody else.
    """
    if len(surrogates) < 2:
        raise BadSetting("surrogates: name at least two; all but one train at a time, and that one tests")
    folder.mkdir(parents=True, exist_ok=True)
    run.check(folder, WRITTEN)
    learner = Learner(settings)
    with torch.no_grad():
        known = [surrogate.embed(target) for surrogate in surrogates]

    def step(number: int) -> Mapping[str, float]:
        rng = torch.Generator().manual_seed((settings.seed * 1_000_003 + number) % 2**63)
        return learner.step(number, *faces.drawn(settings.batch, rng), surrogates, known, seeing)

    run.steps(
        folder,
        learner,
        step=step,
        picture=partial(write_samples, learner.generator, faces),
        total=settings.steps,
        report=settings.report,
        save_s=settings.save_s,
        columns=COLUMNS,
        may_change=MAY_CHANGE,
        said=said,
    )
    before, after = (
        likeness(crops, faces, surrogates, known)
        for crops in (lambda bare: bare.crops, partial(laid_on, learner.generator))
    )
    for surrogate, *far in zip(surrogates, before, after, strict=True):
        said(f"{surrogate.encoder.name}: held-out faces are {far[0]:.3f} thresholds from the target, now {far[1]:.3f}")
    path = folder / WEIGHTS
    try:
        with files.placed(path, force=True) as part:
            save_file({name: x.half().contiguous() for name, x in learner.generator.state_dict().items()}, part)
    except SafetensorError as error:
        raise KohlError(f"{path}: cannot be written ({error}); free some space and go on with --resume") from error
    return path


@torch.no_grad()
def likeness(
    crops: Callable[[Faces], Images], faces: Sittings, surrogates: Sequence[Surrogate], target: Sequence[Embeddings]
) -> list[float]:
    """The mean distance of the held-out faces from the target in each recogniser's eyes, in thresholds."""
    bare = faces.bared(torch.arange(faces.held))
    seen = bare.with_crops(crops(bare))
    pairs = zip(surrogates, target, strict=True)
    return [float(surrogate.distance(surrogate.embed(seen), known).mean()) for surrogate, known in pairs]


def laid_on(generator: EyeMakeup, bare: Faces) -> Images:
    """The crops with what the generator draws."""
    area = EyeArea.of(bare)
    return area.pasted(bare.crops, generator(area.cut(bare.crops)), area.mask)


@torch.no_grad()
def write_samples(generator: EyeMakeup, faces: Sittings, path: Path) -> None:
    """A picture of three rows: held-out faces, the same with what the generator draws laid on, and blended in."""
    bare = faces.bared(torch.arange(min(SHOWN, faces.held)))
    area = EyeArea.of(bare)
    drawn = generator(area.cut(bare.crops))
    laid = area.pasted(bare.crops, drawn, area.mask)
    whole = area.pasted(bare.crops, drawn, torch.ones_like(area.mask))
    rows = [torch.cat([*row], 2) for row in (bare.crops, laid, blended(bare.crops, whole, area.reach(bare.crops)))]
    pixels = (torch.cat(rows, 1).clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    with files.placed(path, force=True) as part:
        part.write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())
