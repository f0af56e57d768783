"""Learns to carry makeup over so that recognisers take the face for one synthetic person's: AMT-GAN (CVPR 2022), small.

As published: two directions, a discriminator for each, cycles through a purifier, identity, makeup and the target.
Unlike there, makeup is drawn, so that it is known how a face looks in the makeup of another: the makeup loss compares
with that and not with matched histograms. Features are those of a recogniser, not AlexNet's, all but the discriminators
take one step together, and the generator adds to the face, and first learns from identity and makeup alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from kohl import files, ranges
from kohl.adam import Adam
from kohl.errors import BadSetting, KohlError
from kohl.perturb.pixel import Diversity
from kohl.perturb.terms import Surrogate
from kohl.train import folder as run
from kohl.train import patches, purifier
from kohl.train.learner import Descent
from kohl.train.pairs import LEVELS, Pair, joined, measured, write_samples
from kohl.train.sittings import Sittings
from kohl.types import Embeddings, Faces, Images, Perceptual
from kohl.zoo.generators import amt_gan
from kohl.zoo.generators.amt_gan import Portrait

WEIGHTS = "amt_gan.safetensors"
WRITTEN = (WEIGHTS, run.LOG, run.PICTURE)
COLUMNS = ("gan", "cycle", "identity", "makeup", "adversarial", "purifier", "discriminator")
MAY_CHANGE = {"steps", "report", "save_s", "looks", "faces"}
NOISE = 0.1**0.5 / 2  # the most deviation of the noise that a view may have, on the [0, 1] scale
BETAS = (0.5, 0.999)
RANGES = {
    "size": (32, 512),
    "steps": (1, 10**9),
    "channels": (1, 512),
    "judged": (1, 512),
    "purified": (1, 512),
    "growth": (1, 512),
    "blocks": (1, 64),
    "report": (1, 10**9),
    "looks": (1, 100),
    "faces": (16, 10**6),
    "views": (1, 100),
    "seed": (0, 2**63 - 1),
    "falls": (0, 1),
    "first": (0, 1),
}


@dataclass(frozen=True)
class Training:
    """How long and how AMT-GAN learns; the weights are those published."""

    size: int = 128  # pixels of a side; published: 256
    steps: int = 6000  # of one pair; published: 50 epochs
    first: float = 0.5  # share of the steps in which it learns from identity and makeup alone
    rate: float = 5e-4  # of Adam; published: 2e-4, for far longer
    falls: float = 0.3  # share of the steps in which it falls to nothing
    gan: float = 10.0  # weight of looking like the other kind of pictures
    cycle: float = 10.0  # of giving a face back from what it was made into
    identity: float = 5.0  # of giving a face back that wears its own makeup, and of still looking like the face
    makeup: float = 2.0
    lips: float = 1.0  # shares of the makeup
    skin: float = 0.1
    eyes: float = 1.0
    adversarial: float = 5.0  # of the distance to the target, in thresholds: 1 − cosine, in a unit that suits each
    views: int = 1  # of each picture, to the recognisers; published: 5
    channels: int = 16  # of the generator, at the full size; published: 64
    judged: int = 16  # of the discriminators; published: 64
    purified: int = 12  # of the purifier; published: 64
    growth: int = 6  # published: 32
    blocks: int = 1  # published: 4
    looks: int = 3  # of each group of people
    faces: int = 480  # at most
    seed: int = 0
    report: int = 20  # steps between two lines of the log
    save_s: float = 120.0  # seconds between two checkpoints

    def __post_init__(self) -> None:
        ranges.check(self, RANGES)
        if self.size % 16:
            raise BadSetting(f"size: must be a multiple of 16, not {self.size}")

    def pace(self, number: int) -> float:
        """The share of the rate at that step."""
        return min(1.0, (self.steps - number) / (self.falls * self.steps)) if self.falls else 1.0


class Learner(nn.Module):
    """The networks as they learn."""

    def __init__(self, settings: Training) -> None:
        super().__init__()
        self.settings = settings
        rng = torch.Generator().manual_seed(settings.seed)
        self.generator = amt_gan.untrained(settings.channels, settings.size, rng)
        self.purifier = purifier.untrained(settings.purified, settings.growth, settings.blocks, rng)
        self.worn, self.bare = (patches.untrained(settings.judged, rng) for _ in range(2))
        unused = ("atten_bottleneck_g.", "atten_bottleneck_b.")  # no gradient ever reaches them
        drawing = [weight for name, weight in self.generator.named_parameters() if not name.startswith(unused)]
        self.giving = Descent(drawing, Adam(BETAS))
        self.purifying = Descent([*self.purifier.parameters()], Adam(BETAS))
        self.telling = Descent([*self.worn.parameters(), *self.bare.parameters()], Adam(BETAS))
        self.descents = (self.giving, self.purifying, self.telling)

    def step(
        self,
        number: int,
        pair: Pair,
        surrogates: Sequence[Surrogate],
        target: Sequence[Embeddings],
        seeing: Perceptual,
        rng: torch.Generator,
    ) -> dict[str, float]:
        """Learns from one pair; returns the parts of the loss, by name."""
        settings, faces, makeup = self.settings, pair.faces, pair.makeup
        rate, still = settings.rate * settings.pace(number), seeing.to_reference(faces.images)
        drawn, same = self.generator(joined(faces, faces), joined(makeup, faces)).split(2)
        losses = dict.fromkeys(COLUMNS, drawn.new_zeros(())) | {
            "identity": settings.identity
            * (2 * (same - faces.images).abs().mean() + still(same).mean() + still(drawn).mean()),
            "makeup": settings.makeup * self._missing(drawn, pair),
        }
        whole = number >= settings.first * settings.steps
        if whole:
            pure = self.purifier(drawn)
            again = self.purifier(self.generator(Portrait(pure, faces.regions, faces.landmarks), faces))
            kept = self.purifier(drawn.detach())
            losses |= {
                "gan": settings.gan * (self._judged(drawn) + self._judged(kept)) / 2,
                "cycle": settings.cycle * 2 * (again - faces.images).abs().mean(),
                "makeup": losses["makeup"] + settings.makeup * self._missing(kept, pair),
                "adversarial": settings.adversarial * self._apart(drawn, pair, surrogates, target, rng) / 2,
                "purifier": settings.adversarial * self._changed(kept, pair, surrogates) / 2,
            }
        self._move(torch.stack([*losses.values()]).sum(), rate, whole=whole)
        if whole:
            losses["discriminator"] = self._told(drawn.detach(), pair)
            self.telling(losses["discriminator"], rate)
        return {name: float(losses[name].detach()) for name in COLUMNS}

    def _move(self, loss: Tensor, rate: float, *, whole: bool) -> None:
        """Takes generator and, where the `whole` loss counts, purifier one step down."""
        if not loss.isfinite():
            raise BadSetting(
                "the learning diverges; begin again in another folder, with another --seed or a lower rate"
            )
        moved = [self.giving, self.purifying] if whole else [self.giving]
        slopes = [*torch.autograd.grad(loss, [weight for descent in moved for weight in descent.weights])]
        for descent in moved:
            descent.adam(descent.weights, slopes[: len(descent.weights)], rate)
            del slopes[: len(descent.weights)]

    def _judged(self, drawn: Images) -> Tensor:
        """How far the first is from looking made up, and the second from looking bare."""
        judges = zip((self.worn, self.bare), drawn, strict=True)
        return torch.stack([patches.squared(judge(image[None]), 1.0, plain) for judge, image in judges]).mean()

    def _told(self, drawn: Images, pair: Pair) -> Tensor:
        """Which is which: made up, drawn so, bare, drawn so."""
        losses = [
            patches.squared(judge(real[None]), 1.0, plain) + patches.squared(judge(image[None]), 0.0, plain)
            for judge, real, image in zip((self.worn, self.bare), pair.makeup.images, drawn, strict=True)
        ]
        return torch.stack(losses).sum() / 2

    def _missing(self, drawn: Images, pair: Pair) -> Tensor:
        """How far each region is from what it would be in that makeup, both directions."""
        settings = self.settings
        apart = LEVELS * (drawn - pair.wanted).abs().mean(1, keepdim=True)
        shares = apart.new_tensor((settings.lips, settings.skin, settings.eyes)).view(1, 3, 1, 1)
        return (shares * pair.faces.regions * apart).mean((2, 3)).sum() / 2

    def _apart(
        self,
        drawn: Images,
        pair: Pair,
        surrogates: Sequence[Surrogate],
        target: Sequence[Embeddings],
        rng: torch.Generator,
    ) -> Tensor:
        """How far both are from the target, in views that are smaller or noisy some of the time."""
        found = []
        for _ in range(self.settings.views):
            seen = Diversity()(noisy(drawn, rng), rng)[0]
            for surrogate, known in zip(surrogates, target, strict=True):
                found.append(surrogate.distance(surrogate.embed(pair.people.with_crops(seen)), known).mean())
        return torch.stack(found).mean()

    def _changed(self, kept: Images, pair: Pair, surrogates: Sequence[Surrogate]) -> Tensor:
        """How far both are from themselves once they are purified."""
        found = []
        for surrogate in surrogates:
            with torch.no_grad():
                known = surrogate.embed(pair.people)
            found.append(surrogate.distance(surrogate.embed(pair.people.with_crops(kept)), known).mean())
        return torch.stack(found).mean()


def plain(verdict: Tensor) -> Tensor:
    """The verdict as it is."""
    return verdict


def noisy(images: Images, rng: torch.Generator) -> Images:
    """The images, half of the time with noise of a random strength."""
    chance, share = torch.rand(2, generator=rng).tolist()
    return images + share * NOISE * torch.randn(images.shape, generator=rng) if chance < 0.5 else images


def learn(
    sittings: Sittings,
    target: Faces,
    surrogates: Sequence[Surrogate],
    seeing: Perceptual,
    folder: Path,
    settings: Training,
    *,
    said: Callable[[str], None],
) -> Path:
    """Learns until all steps are taken and writes a log, samples and the generator: its path.

    It goes on from the checkpoint in the folder, if there is one. Raises `BadSetting` for one of other settings and for
    files of somebody else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    run.check(folder, WRITTEN)
    learner = Learner(settings)
    with torch.no_grad():
        known = [surrogate.embed(target) for surrogate in surrogates]

    def step(number: int) -> Mapping[str, float]:
        rng = torch.Generator().manual_seed((settings.seed * 1_000_003 + number) % 2**63)
        return learner.step(number, Pair.of(sittings, *sittings.alike(rng)), surrogates, known, seeing, rng)

    run.steps(
        folder,
        learner,
        step=step,
        picture=partial(write_samples, learner.generator, sittings),
        total=settings.steps,
        report=settings.report,
        save_s=settings.save_s,
        columns=COLUMNS,
        may_change=MAY_CHANGE,
        said=said,
    )
    for line in measured(learner.generator, sittings, surrogates, known):
        said(line)
    path = folder / WEIGHTS
    tensors = {name: values.half().contiguous() for name, values in learner.generator.state_dict().items()}
    try:
        with files.placed(path, force=True) as part:
            save_file({**tensors, "size": torch.tensor(settings.size), "adds": torch.tensor(1)}, part)
    except SafetensorError as error:
        raise KohlError(f"{path}: cannot be written ({error}); free some space and go on with --resume") from error
    return path
