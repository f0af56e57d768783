"""Learns the bundled text-image model: `python training/makeup_clip.py OMI/faces OUT.safetensors`.

Every step draws scenes, sentences with the makeup that they describe, on synthetic portraits, and pulls each picture
towards its own sentence and away from the others (Radford et al., ICML 2021); both sides also learn to name the dials.
All that is random in a step follows from the seed and the step's number: a run that was stopped goes on with `--resume`
as if nothing had happened. `--evaluate` prints the figures of a finished file instead.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import captions
import torch
import torch.nn.functional as F
from colours import lab
from makeup_figures import alike, figures
from makeup_views import Sitters, pictures, sitters
from safetensors.torch import save_file
from torch import Tensor, nn

from kohl.cpu import settle
from kohl.makeup.layers import DIALS
from kohl.makeup.products import NAMES
from kohl.zoo.text.makeup_clip import PART, MakeupCLIP, Sizes, load

BATCH, ALONE = 64, 128  # scenes a step with pictures, and sentences without
RATE, WARM_UP, DECAY, CLIP = 1.5e-3, 100, 0.05, 5.0  # of AdamW: learning rate, steps, weight decay, gradient norm
TEMPERATURE = 0.07  # at the start
WORN, SAID, SEEN = 1.0, 8.0, 2.0  # weights of: which products, the dials of a sentence, the dials of a picture
CHECKPOINT, REPORT = 300, 20  # seconds, steps
Value = TypeVar("Value")


class Learner(nn.Module):
    """The model as it learns: normalised batches, a temperature, and a head that reads the dials off a picture."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.model = MakeupCLIP(sizes, captions.VOCABULARY)
        _normalise(self.model.picture)
        self.dials = nn.Linear(self.model.from_picture.in_features, len(NAMES) * (1 + len(DIALS)))
        self.scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    def losses(self, seen: Tensor, read: Tensor, scenes: Sequence[captions.Scene]) -> dict[str, Tensor]:
        """The parts of the loss, from features of pictures and of sentences; the first scenes have pictures."""
        pictures = F.normalize(self.model.from_picture(seen))
        sentences = F.normalize(self.model.from_sentence(read.flatten(1)))
        said, drawn, weight = (
            torch.stack([getattr(scene, name) for scene in scenes]) for name in ("said", "dials", "weight")
        )
        drawn = drawn[: len(seen)]
        visible = drawn[..., :1].expand_as(drawn)
        worn_said, error_said = _errors(self.model.asked(read), said, weight * (said[..., :1] > 0))
        worn_seen, error_seen = _errors(self.dials(seen).unflatten(1, (len(NAMES), -1)), drawn, visible)
        return {
            "pairs": _pairs(self.scale.exp() * pictures @ sentences.T, alike(scenes[: len(seen)], scenes)),
            "worn said": WORN * worn_said,
            "said": SAID * error_said,
            "worn seen": WORN * worn_seen,
            "seen": SEEN * error_seen,
        }


class Halves:
    """The slow part of a step, half of it on each of two threads, which never wait for each other in between."""

    def __init__(self, learner: Learner, learned: Sitters) -> None:
        self.learned, self.sentence = learned, learner.model.sentence
        # Each half is normalised by itself; what is known of the batches in the end comes from the first.
        self.pictures = (learner.model.picture, _twin(learner.model.picture))
        self.parameters = [*learner.model.picture.parameters(), *self.sentence.parameters()]
        self.pool = ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,))

    def forward(self, scenes: Sequence[captions.Scene], seed: str) -> list[tuple[Tensor, Tensor]]:
        """Features of pictures and of sentences: of the first half of each, and of the second."""

        def half(number: int) -> tuple[Tensor, Tensor]:
            shown, told = (_halves(part)[number] for part in (scenes[:BATCH], scenes))
            images = pictures(self.learned, shown, f"{seed} {number}")
            with torch.autocast("cpu", torch.bfloat16):
                seen = self.pictures[number](images[..., *PART].contiguous(memory_format=torch.channels_last))
            return seen.float(), self.sentence([scene.text for scene in told])

        return list(self.pool.map(half, range(2)))

    def backward(self, outputs: Sequence[tuple[Tensor, Tensor]], gradients: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Leaves the gradients of the networks' weights, from those of the features."""

        def half(number: int) -> tuple[Tensor, ...]:
            networks = [*self.pictures[number].parameters(), *self.sentence.parameters()]
            return torch.autograd.grad(outputs[number], networks, gradients[number])

        for parameter, *parts in zip(self.parameters, *self.pool.map(half, range(2)), strict=True):
            parameter.grad = sum(parts)


def _halves(values: Sequence[Value]) -> tuple[Sequence[Value], Sequence[Value]]:
    return values[: len(values) // 2], values[len(values) // 2 :]


def _twin(network: nn.Module) -> nn.Module:
    """A copy with the same weights, and batches of its own."""
    twin = copy.deepcopy(network)
    for own, other in zip(network.modules(), twin.modules(), strict=True):
        for name, parameter in own.named_parameters(recurse=False):
            setattr(other, name, parameter)
    return twin


def _pairs(scores: Tensor, same: Tensor) -> Tensor:
    """InfoNCE in both directions; sentences that say the same as a picture's own are not held against it."""
    count = len(scores)
    same = same & ~torch.eye(*scores.shape, dtype=torch.bool)
    scores, target = scores.masked_fill(same, -torch.inf), torch.arange(count)
    return (F.cross_entropy(scores, target) + F.cross_entropy(scores[:, :count].T, target)) / 2


def _errors(answers: Tensor, dials: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """How wrong `answers` (n, products, 1 + 8) are about what is worn, and about the dials of what is."""
    worn = F.binary_cross_entropy_with_logits(answers[..., 0], (dials[..., 0] > 0).float())
    found = answers[..., 1:].sigmoid()
    squared = (found - dials).square()
    colour = (lab(found[..., 1:4]) - lab(dials[..., 1:4])).square().sum(-1, keepdim=True) / 100**2
    errors = torch.cat([squared[..., :1], colour.expand(*colour.shape[:-1], 3), squared[..., 4:]], -1)
    return worn, (errors * weight).sum() / weight.sum().clamp_min(1)


def _normalise(network: nn.Module) -> None:
    """Puts a batch normalisation after each convolution (Ioffe & Szegedy, ICML 2015)."""
    for name, part in list(network.named_children()):
        if isinstance(part, nn.Conv2d):
            setattr(network, name, nn.Sequential(part, nn.BatchNorm2d(part.out_channels)))
        else:
            _normalise(part)


def folded(model: MakeupCLIP) -> MakeupCLIP:
    """The same model, its batch normalisations folded into the convolutions before them."""
    pairs = {name: part for name, part in model.named_modules() if isinstance(part, nn.Sequential) and _is_pair(part)}
    tensors = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith(tuple(pairs))}
    for name, (convolution, norm) in pairs.items():
        gain = norm.weight / (norm.running_var + norm.eps).sqrt()
        tensors[f"{name}.weight"] = convolution.weight * gain.view(-1, 1, 1, 1)
        tensors[f"{name}.bias"] = (convolution.bias - norm.running_mean) * gain + norm.bias
    plain = MakeupCLIP(model.sizes, model.vocabulary)
    plain.load_state_dict(tensors)
    return plain.eval().requires_grad_(False)


def _is_pair(part: nn.Sequential) -> bool:
    return len(part) == 2 and isinstance(part[1], nn.BatchNorm2d)


def learn(learned: Sitters, held: Sitters, arguments: argparse.Namespace) -> MakeupCLIP:
    """The model after all steps."""
    torch.manual_seed(arguments.seed)
    learner = Learner(Sizes())
    flat = [tensor for tensor in learner.parameters() if tensor.ndim < 2]
    deep = [tensor for tensor in learner.parameters() if tensor.ndim >= 2]
    optimizer = torch.optim.AdamW([{"params": deep}, {"params": flat, "weight_decay": 0.0}], RATE, weight_decay=DECAY)
    steps, first = arguments.samples // BATCH, 0
    checkpoint = arguments.folder / "checkpoint.pt"
    if arguments.resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        learner.load_state_dict(state["learner"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]
    saved = started = time.monotonic()
    halves = Halves(learner, learned)
    for step in range(first, steps):
        rng = random.Random(f"{arguments.seed} {step}")
        scenes = [captions.scene(rng) for _ in range(BATCH + ALONE)]
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2
        outputs = halves.forward(scenes, f"{arguments.seed} {step}")
        seen, read = (torch.cat(parts).detach().requires_grad_() for parts in zip(*outputs, strict=True))
        losses = learner.losses(seen, read, scenes)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        halves.backward(outputs, list(zip(seen.grad.chunk(2), read.grad.chunk(2), strict=True)))
        nn.utils.clip_grad_norm_(learner.parameters(), CLIP)
        optimizer.step()
        learner.scale.data.clamp_(max=math.log(100))
        if (step + 1) % REPORT == 0:
            speed = (step + 1 - first) * BATCH / (time.monotonic() - started)
            parts = "  ".join(f"{name} {loss.item():.4f}" for name, loss in losses.items())
            print(f"{step + 1}/{steps}  {parts}  {speed:.0f} images/s", flush=True)
        if time.monotonic() - saved > CHECKPOINT:
            state = {"learner": learner.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            report(figures(folded(learner.model), held, galleries=2))
            saved = time.monotonic()
    return folded(learner.model)


def report(found: dict[str, float]) -> None:
    """Prints figures on one line."""
    print("held out:", "  ".join(f"{name} {value:.3f}" for name, value in found.items()), flush=True)


def main() -> None:
    """Learns and writes the model, or evaluates one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("output", type=Path, help="the file to write, or with --evaluate to read")
    parser.add_argument("--samples", type=int, default=190_000, help="pictures to learn from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("build/makeup_clip"), help="for crops and checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in that folder")
    parser.add_argument("--evaluate", action="store_true")
    arguments = parser.parse_args()
    settle()
    torch.set_num_threads(os.cpu_count() or 1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    learned, held = sitters(arguments.faces, arguments.folder / "portraits.safetensors")
    if arguments.evaluate:
        report(figures(load(arguments.output), held))
        return
    model = learn(learned, held, arguments)
    found = figures(model, held)
    report(found)
    about = {
        "sizes": asdict(model.sizes),
        "vocabulary": model.vocabulary,
        "seed": arguments.seed,
        "samples": arguments.samples,
        "figures": found,
    }
    tensors = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, arguments.output, {"makeup_clip": json.dumps(about)})


if __name__ == "__main__":
    main()
