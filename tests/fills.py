"""Weights and inputs that anyone can compute from their names: the fill recipe "crc-uniform-v1" of the fixtures.

Every number comes from numpy's Mersenne Twister, whose stream never changes, seeded with the checksum of the tensor's
name; it is worked out in float64 and rounded once.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
Rules = Callable[[str, Shapes, float], np.ndarray]  # name, all shapes, gain → the values of that name

FIR = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64  # StyleGAN2's blur


def uniform(name: str, shape: Shape) -> np.ndarray:
    """Numbers from 0 to 1."""
    return np.random.RandomState(zlib.crc32(name.encode())).random_sample(math.prod(shape)).reshape(shape)


def signed(name: str, shape: Shape) -> np.ndarray:
    """Numbers from −1 to 1."""
    numbers = uniform(name, shape)
    numbers *= 2  # in place: there are millions
    numbers -= 1
    return numbers


def normal(name: str, shape: Shape) -> np.ndarray:
    """Numbers with mean 0 and variance 1, though uniform ones."""
    numbers = signed(name, shape)
    numbers *= math.sqrt(3)
    return numbers


def fan_in(shape: Shape) -> int:
    """How many numbers one output of a layer sees."""
    return math.prod(shape[1:])


def weights(name: str, shape: Shape, gain: float = 1.0) -> np.ndarray:
    """Numbers that keep the variance of what they are multiplied with, times the square of `gain`."""
    numbers = normal(name, shape)
    numbers *= gain
    numbers /= math.sqrt(fan_in(shape))
    return numbers


def filled(shapes: Shapes, rules: Rules, gain: float = 1.0) -> dict[str, Tensor]:
    """A state dict with these shapes: `filled({"fc.weight": (3, 4)}, plain, 0.7)`."""
    return {name: _rounded(np.asarray(rules(name, shapes, gain))) for name in shapes}


def _rounded(values: np.ndarray) -> Tensor:
    """The values as a file has them."""
    return torch.from_numpy(values if values.dtype == np.int64 else values.astype(np.float32))


def given(name: str, shape: Shape) -> Tensor:
    """A named input: `input.wplus`, `input.z`, `input.noise_3`, `input.latent_avg`, `input.cotangent`."""
    draw = signed if name in ("input.latent_avg", "input.cotangent") else normal
    return torch.from_numpy(draw(name, shape).astype(np.float32))


def image(name: str, batch: int, size: int) -> Tensor:
    """A test image in [−1, 1], (batch, 3, size, size): coarse squares and a little noise; usually `input.image`."""
    coarse = signed(f"{name}.low", (batch, 3, 8, 8)).repeat(size // 8, 2).repeat(size // 8, 3)
    fine = signed(f"{name}.high", (batch, 3, size, size))
    return torch.from_numpy((0.7 * coarse + 0.3 * fine).astype(np.float32))


def plain(name: str, shapes: Shapes, gain: float) -> np.ndarray:
    """Convolutions, batch normalisations, PReLUs and matrices: the face recognisers and the e4e encoder."""
    shape = shapes[name]
    if name.endswith(".num_batches_tracked"):
        return np.zeros(shape, np.int64)
    if name.endswith(".running_mean") or name.endswith(".bias"):
        return 0.1 * signed(name, shape)
    if name.endswith(".running_var") or f"{name.removesuffix('.weight')}.running_var" in shapes:
        return 0.75 + 0.5 * uniform(name, shape)
    if len(shape) == 1:
        return 0.25 + 0.1 * signed(name, shape)
    if len(shape) == 4:
        return weights(name, shape, gain)
    if re.fullmatch(r"styles\.\d+\.linear\.weight", name):
        return normal(name, shape)
    return weights(name, shape)


def sg2(name: str, shapes: Shapes, gain: float) -> np.ndarray:
    """rosinality's StyleGAN2 generator."""
    shape = shapes[name]
    if name.endswith(".kernel"):
        return FIR * 4
    if re.fullmatch(r"style\.\d+\.weight", name):
        return 100 * normal(name, shape)
    if re.fullmatch(r"style\.\d+\.bias", name):
        return 10 * signed(name, shape)
    if name.endswith("modulation.bias"):
        return 1 + 0.1 * signed(name, shape)
    if name.endswith("noise.weight") or name.endswith(".bias"):
        return 0.1 * signed(name, shape)
    return normal(name, shape)


def nv(name: str, shapes: Shapes, gain: float) -> np.ndarray:
    """NVIDIA's StyleGAN2 generator."""
    shape = shapes[name]
    if name.endswith(".resample_filter"):
        return FIR
    if re.fullmatch(r"mapping\.fc\d+\.weight", name):
        return 100 * normal(name, shape)
    if re.fullmatch(r"mapping\.fc\d+\.bias", name):
        return 10 * signed(name, shape)
    if name.endswith("affine.bias"):
        return 1 + 0.1 * signed(name, shape)
    if name.endswith((".noise_strength", ".bias", ".w_avg")):
        return 0.1 * signed(name, shape)
    return normal(name, shape)


def clip(name: str, shapes: Shapes, gain: float) -> np.ndarray:
    """OpenAI's CLIP."""
    shape = shapes[name]
    if name == "logit_scale":
        return np.full(shape, math.log(100))
    if name.endswith(("class_embedding", "positional_embedding")) or name == "token_embedding.weight":
        return 0.1 * normal(name, shape)
    if name in ("visual.proj", "text_projection"):
        return normal(name, shape) / math.sqrt(shape[0])
    if re.search(r"ln_[^.]*\.weight$", name):
        return 0.75 + 0.5 * uniform(name, shape)
    if name.endswith("bias"):
        return 0.1 * signed(name, shape)
    return weights(name, shape)


def lpips(name: str, shapes: Shapes, gain: float) -> np.ndarray:
    """LPIPS on VGG-16."""
    shape = shapes[name]
    if name.startswith("scaling_layer."):
        values = {"shift": (-0.030, -0.088, -0.188), "scale": (0.458, 0.448, 0.450)}
        return np.array(values[name.removeprefix("scaling_layer.")]).reshape(shape)
    if re.match(r"lins?\.?\d+\.", name):
        return uniform(re.sub(r"^lins\.", "lin", name), shape)
    if name.endswith(".bias"):
        return 0.1 * signed(name, shape)
    return weights(name, shape, 1.4)
