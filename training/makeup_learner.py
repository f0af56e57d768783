"""The text-image model as it learns: its losses, batch normalisations that are folded in the end, and two threads."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import captions
import torch
import torch.nn.functional as F
from colours import lab
from makeup_figures import alike
from makeup_views import Album, changes, varied
from torch import Tensor, nn

from kohl.makeup.layers import DIALS
from kohl.makeup.products import NAMES
from kohl.zoo.text.makeup_clip import PART, MakeupCLIP, Sizes, load

TEMPERATURE = 0.05  # at the start
WORN, SAID, SEEN = 1.0, 8.0, 2.0  # weights of: which products, the dials of a sentence, the dials of a picture
TOGETHER = 16  # sentences
STILL = 5  # parts of the picture's network that make up its first stage
HALF = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # elsewhere bfloat16 takes 25 times as long as 32 bits
FORGETS = 0.02  # share of what is known of batches that a new batch replaces
Value = TypeVar("Value")


class Learner(nn.Module):
    """The model as it learns: normalised batches, a temperature, and a head that reads the dials off a picture."""

    def __init__(self, model: MakeupCLIP) -> None:
        super().__init__()
        self.model = model
        self.dials = nn.Linear(model.from_picture.in_features, len(NAMES) * (1 + len(DIALS)))
        self.scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    def keep(self, still: str) -> None:
        """Leaves the reading of "words", or the seeing of "pictures", as it is.

        With the words stays the first stage of the picture's network, which is half of the work.
        """
        parts = {
            "words": (self.model.picture.stages[:STILL], self.model.sentence, self.model.asked),
            "pictures": (self.model.picture,),
        }
        for part in parts[still]:
            part.eval().requires_grad_(False)

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
    """The slow part of a step in two halves, for two threads that never wait for each other in between, or for one."""

    def __init__(self, learner: Learner, album: Album, threads: int = 2) -> None:
        self.album, self.changes, self.sentence = album, changes(), learner.model.sentence
        # Each half is normalised by itself; what is known of the batches in the end comes from the first.
        self.pictures = (learner.model.picture, _twin(learner.model.picture))
        self.parameters = self._learned(0)
        self.pool = ThreadPoolExecutor(min(2, threads), initializer=torch.set_num_threads, initargs=(1,))

    def forward(self, numbers: Sequence[int], texts: Sequence[str], seed: str) -> list[tuple[Tensor, Tensor]]:
        """Features of numbered pictures and of sentences: of the first half of each, and of the second."""

        def half(number: int) -> tuple[Tensor, Tensor]:
            images = self.shown(_halves(numbers)[number], f"{seed} {number}")
            with torch.autocast("cpu", torch.bfloat16, enabled=HALF):
                seen = self.pictures[number](images)
            return seen.float(), _read(self.sentence, _halves(texts)[number])

        return list(self.pool.map(half, range(2)))

    def shown(self, numbers: Sequence[int], seed: str) -> Tensor:
        """The parts of numbered pictures that the network sees, as the seed varies them."""
        rng = random.Random(seed)
        images = [varied(self.album.picture(number), self.changes, rng)[..., *PART] for number in numbers]
        return torch.cat(images).contiguous(memory_format=torch.channels_last)

    def backward(self, outputs: Sequence[tuple[Tensor, Tensor]], gradients: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Leaves the gradients of the networks' weights, from those of the features."""

        def half(number: int) -> tuple[Tensor, ...]:
            pairs = zip(outputs[number], gradients[number], strict=True)
            learned, towards = zip(
                *((output, gradient) for output, gradient in pairs if output.requires_grad), strict=True
            )
            return torch.autograd.grad(learned, self._learned(number), towards)

        for parameter, *parts in zip(self.parameters, *self.pool.map(half, range(2)), strict=True):
            parameter.grad = sum(parts)

    def _learned(self, number: int) -> list[nn.Parameter]:
        networks = (*self.pictures[number].parameters(), *self.sentence.parameters())
        return [parameter for parameter in networks if parameter.requires_grad]


def _read(sentence: nn.Module, texts: Sequence[str]) -> Tensor:
    """Features of sentences, those of like lengths together: short ones need not wait for long ones."""
    order = sorted(range(len(texts)), key=lambda number: len(texts[number].split()))
    groups = [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]
    read = torch.cat([sentence([texts[number] for number in group]) for group in groups])
    return read[torch.tensor(order).argsort()]


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


def _normalise(network: nn.Module, said: Mapping[nn.Module, Tensor]) -> None:
    """Puts a batch normalisation after each convolution (Ioffe & Szegedy, ICML 2015).

    One of a convolution that has `said` something (n, channels, height, width) changes nothing of it.
    """
    for name, part in list(network.named_children()):
        if not isinstance(part, nn.Conv2d):
            _normalise(part, said)
            continue
        norm = nn.BatchNorm2d(part.out_channels, momentum=FORGETS)
        if part in said:
            norm.running_mean, norm.running_var = said[part].mean((0, 2, 3)), said[part].var((0, 2, 3))
            norm.bias.data, norm.weight.data = norm.running_mean.clone(), (norm.running_var + norm.eps).sqrt()
        setattr(network, name, nn.Sequential(part, norm))


def started(start: Path | None, images: Tensor) -> MakeupCLIP:
    """A model to learn on: a new one, or that of a file, which says of these images what it said before."""
    model = MakeupCLIP(Sizes(), captions.VOCABULARY)
    said: dict[nn.Module, Tensor] = {}
    if start is not None:
        model.load_state_dict(load(start).state_dict())
        convolutions = [part for part in model.picture.modules() if isinstance(part, nn.Conv2d)]
        hooks = [part.register_forward_hook(lambda part, _, out: said.update({part: out})) for part in convolutions]
        with torch.no_grad():
            model.picture(images)
        for hook in hooks:
            hook.remove()
    _normalise(model.picture, said)
    return model


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
