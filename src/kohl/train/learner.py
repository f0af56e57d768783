"""One step of learning: encoder and generator give pictures back, and later a discriminator judges what they draw."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl import ranges
from kohl.adam import Adam
from kohl.errors import BadSetting
from kohl.train import discriminator
from kohl.train.mapping import Pairing
from kohl.types import Images
from kohl.zoo.distances.features import Features
from kohl.zoo.generators import style_encoder, stylegan2
from kohl.zoo.generators.stylegan2_ops import fast_dtype

WIDEST = 4096  # channels
RANGES = {
    "size": ranges.ANY,
    **{"images": (1, 10**9), "batch": (1, 4096), "r1_every": (1, 10**9), "seed": (0, 2**63 - 1)},
    **{"looks": (0, 100), "report": (1, 10**9)},
    **dict.fromkeys(("warm_up", "decay", "simple", "adversarial_from", "ema"), (0, 1)),
}


@dataclass(frozen=True)
class Networks:
    """How wide the networks are."""

    channels: tuple[int, ...] = (256, 256, 192, 128, 96, 48, 24, 12, 8)  # of the generator at 4, 8, 16 … 1024 pixels
    width: int = 256  # of the latents
    depth: int = 4  # of their mapping
    encoder: tuple[int, ...] = style_encoder.CHANNELS  # from its input's size, halving
    hidden: int = style_encoder.HIDDEN  # of the encoder
    discriminator: int = discriminator.WIDEST  # the most channels that it has

    def __post_init__(self) -> None:
        ranges.check(self, dict.fromkeys(("width", "depth", "hidden", "discriminator"), (1, WIDEST)), "networks.")
        for name, least in (("channels", len(type(self).channels)), ("encoder", 2)):
            counts = getattr(self, name)
            if len(counts) < least or not all(0 < count <= WIDEST for count in counts):
                raise BadSetting(f"networks.{name}: must be at least {least} numbers from 1 to {WIDEST}")


@dataclass(frozen=True)
class Training:
    """How long and how a StyleGAN2 learns."""

    size: int = 128  # pixels of a side
    images: int = 20_000  # pictures it sees
    batch: int = 16
    rate: float = 3e-3  # of Adam
    warm_up: float = 0.02  # share of the pictures until the rate is reached
    decay: float = 0.25  # share of the pictures in which it falls to nothing
    coarse: float = 1.0  # weight of the difference at a quarter of the size, beside that at the full size
    features: float = 0.06  # weight of the difference in a recogniser's features
    simple: float = 0.25  # share of the pictures whose rows must all be the same style
    delta: float = 0.002  # weight of the mean squared difference of the rows from that style, as e4e has it
    adversarial: float = 0.02  # weight of looking real
    adversarial_from: float = 0.75  # share of the pictures seen before that begins to count
    r1: float = 1.0  # gamma of the R1 penalty
    r1_every: int = 16  # steps: lazy regularisation
    ema: float = 0.998  # decay of the exponential moving average of the weights, which is what is kept in the end
    seed: int = 0
    looks: int = 3  # made-up pictures of each face, beside the bare one
    report: int = 640  # pictures between two lines of the log
    save_s: float = 300.0  # seconds between two checkpoints
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of convolutions; auto: bfloat16 where it is fast
    networks: Networks = field(default_factory=Networks)
    mapping: Pairing = field(default_factory=Pairing)

    def __post_init__(self) -> None:
        ranges.check(self, RANGES)
        if self.size not in style_encoder.SIZES:
            raise BadSetting(f"size: must be 64, 128, 256, 512 or 1024, not {self.size}")

    @property
    def steps(self) -> int:
        """How many steps that is."""
        return max(1, self.images // self.batch)

    def pace(self, done: float) -> float:
        """The share of the learning rate once this share of the steps is done."""
        rising = (done + 1 / self.steps) / self.warm_up if self.warm_up else 1.0
        falling = (1 - done) / self.decay if self.decay else 1.0
        return min(1.0, rising, falling)


class Learner(nn.Module):
    """The networks as they learn, and the exponential moving averages (EMA) of the two that are kept."""

    def __init__(self, settings: Training) -> None:
        super().__init__()
        self.settings = settings
        rng = torch.Generator().manual_seed(settings.seed)
        wide = settings.networks
        channels = wide.channels[: settings.size.bit_length() - 2]
        self.generator = stylegan2.untrained(channels, width=wide.width, depth=wide.depth, rng=rng)
        fast = settings.precision == "auto" and fast_dtype(self.generator.constant.device)
        self.generator.dtype = fast or getattr(torch, settings.precision)
        shape = (settings.size, *self.generator.latent_shape)
        self.encoder = style_encoder.untrained(*shape, channels=wide.encoder, hidden=wide.hidden, rng=rng)
        self.discriminator = discriminator.untrained(settings.size, widest=wide.discriminator, rng=rng)
        self.ema_generator, self.ema_encoder = copy.deepcopy(self.generator), copy.deepcopy(self.encoder)
        self.ema_encoder.requires_grad_(False)
        # The mapping learns in the end, from what the encoder then finds.
        draws = [weight for name, weight in self.generator.named_parameters() if not name.startswith("mapping.")]
        pair = [weight.requires_grad_() for weight in (*draws, *self.encoder.parameters())]
        # Momentum helps to give pictures back; between two that learn from each other it makes them swing.
        self.giving = Descent(pair, Adam((0.9, 0.99)))
        self.telling = Descent([*self.discriminator.parameters()], Adam((0.0, 0.99)))
        self.descents = (self.giving, self.telling)

    def step(self, number: int, real: Images, features: Features, rng: torch.Generator) -> dict[str, float]:
        """Learns from these pictures and returns the parts of the loss, by name."""
        settings = self.settings
        rate = settings.rate * settings.pace(number / settings.steps)
        judged = settings.adversarial > 0 and number >= settings.adversarial_from * settings.steps
        drawn, losses = self._given_back(real, features, rng)
        if judged:
            self.discriminator.requires_grad_(False)
            losses["adversarial"] = settings.adversarial * discriminator.generator_loss(self._scores(drawn))
            self.discriminator.requires_grad_(True)
        self.giving(torch.stack([*losses.values()]).sum(), rate)
        if judged:
            # One by one: how much a batch varies would else say the same of both.
            losses["discriminator"] = discriminator.discriminator_loss(self._scores(drawn.detach()), self._scores(real))
            penalty = torch.zeros(())
            if number % settings.r1_every == 0:
                weight = settings.r1 / 2 * settings.r1_every
                penalty = weight * discriminator.r1_penalty(self.discriminator, real)
            self.telling(losses["discriminator"] + penalty, rate)
        self._average(min(settings.ema, (number + 1) / (number + 10)))
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _given_back(self, real: Images, features: Features, rng: torch.Generator) -> tuple[Images, dict[str, Tensor]]:
        """What the generator draws for these pictures, and how far that is from them."""
        settings = self.settings
        with _fast(self.generator.dtype):
            style, rows = self.encoder.parts(real)
        rows = rows * (torch.rand(len(real), 1, 1, generator=rng) >= settings.simple)
        noise = [torch.randn(len(real), 1, *layer.shape[2:], generator=rng) for layer in self.generator.noise]
        drawn = self.generator.synthesis(style[:, None] + rows, noise=noise)
        return drawn, {
            "pixels": (drawn - real).abs().mean(),
            "coarse": settings.coarse * (F.avg_pool2d(drawn, 4) - F.avg_pool2d(real, 4)).abs().mean(),
            "features": settings.features * features(drawn[::2], real[::2]).mean(),  # the slowest part: half will do
            "delta": settings.delta * rows.square().mean(),
        }

    def _scores(self, images: Images) -> Tensor:
        """How real the discriminator takes these pictures for."""
        with _fast(self.generator.dtype):
            scores: Tensor = self.discriminator(images)
        return scores

    def _average(self, decay: float) -> None:
        """Moves the moving averages towards the weights of now."""
        for mean, now in ((self.ema_generator, self.generator), (self.ema_encoder, self.encoder)):
            for kept, value in zip(mean.parameters(), now.parameters(), strict=True):
                kept.lerp_(value.detach(), 1 - decay)


def _fast(dtype: torch.dtype) -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16)


@dataclass(frozen=True, eq=False)
class Descent:
    """Weights, and what takes them down a loss."""

    weights: Sequence[Tensor]
    adam: Adam

    def __call__(self, loss: Tensor, rate: float) -> None:
        """Moves the weights one step; raises `BadSetting` when the loss is no number any more."""
        if not loss.isfinite():
            raise BadSetting(
                "the learning diverges; begin again in another folder, with another --seed or a larger --batch"
            )
        self.adam(self.weights, torch.autograd.grad(loss, [*self.weights]), rate)
