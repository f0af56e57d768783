"""A step through a StyleGAN2, from latents to the image at 256 pixels and back to the gradient of the latents.

As kohl does it, with an early stop and, for `tuning.exact`, with all blocks; and as a literal reading of the paper
does: weights of each image in grouped convolutions, a blur of each channel as an image of its own, all blocks in
float32. Where all blocks are run, the image is made smaller in the end. All have the same random weights, which take no
gradients, in one process.
"""

from __future__ import annotations

import math
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.zoo.generators import stylegan2
from kohl.zoo.generators.stylegan2 import StyleGAN2
from kohl.zoo.generators.stylegan2_ops import BINOMIAL, EPS, GAIN, SLOPE, fast_dtype

SEEN = 256  # pixels of a side of the image that the losses look at
GOALS = {"float32": 8, "bfloat16": 15}  # times faster than the plain step


def add(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--size", type=int, default=1024, help="of the generator")
    parser.add_argument("--repeat", type=int, default=2, help="steps of each kind, of which the fastest counts")


def measure(arguments: Namespace) -> dict[str, Any]:
    """The seconds of each kind of step, and how many times faster than the plain one it is."""
    rng = torch.Generator().manual_seed(0)
    check(rng)
    generator = stylegan2.untrained(stylegan2.channels(arguments.size), rng=rng)
    latents = torch.randn(1, *generator.latent_shape, generator=rng)

    def fastest(draw: Callable[[Tensor], Tensor]) -> float:
        return min(seconds(draw, latents) for _ in range(arguments.repeat))

    seen = min(SEEN, arguments.size)
    found = {"plain": fastest(lambda x: F.interpolate(plain(generator, x), (seen, seen), mode="area"))}
    found["whole"] = fastest(lambda x: F.interpolate(generator.synthesis(x), (seen, seen), mode="area"))
    for name in GOALS:
        generator.dtype = getattr(torch, name)
        found[name] = fastest(lambda x: generator.synthesis(x, size=seen))
    return {
        "size": arguments.size,
        "threads": torch.get_num_threads(),
        "processor": str(fast_dtype(latents.device)).removeprefix("torch."),
        "seconds": found,
        "times_faster": {name: found["plain"] / found[name] for name in GOALS},
    }


def table(found: dict[str, Any]) -> str:
    """The figures for people."""
    seen = min(SEEN, found["size"])
    lines = [
        f"{found['size']} px, {found['threads']} threads, processor's own type {found['processor']}",
        f"plain, float32, all blocks: {found['seconds']['plain']:.2f} s",
        f"kohl's, float32, all blocks: {found['seconds']['whole']:.2f} s",
    ]
    for name, goal in GOALS.items():
        ratio = found["times_faster"][name]
        verdict = "ok" if ratio >= goal else "missed"
        took = f"{name}, stopped at {seen} px: {found['seconds'][name]:.2f} s"
        lines.append(f"{took}, {ratio:.1f} times faster (goal ≥ {goal}: {verdict})")
    return "\n".join(lines)


def seconds(draw: Callable[[Tensor], Tensor], latents: Tensor) -> float:
    """How long one image and the gradient of its latents take."""
    latents = latents.clone().requires_grad_()
    started = time.perf_counter()
    draw(latents).square().sum().backward()
    return time.perf_counter() - started


def check(rng: torch.Generator) -> None:
    """Make sure that both ways draw the same image."""
    small = stylegan2.untrained((16, 16, 8, 8), width=16, depth=1, rng=rng)
    latents = torch.randn(2, *small.latent_shape, generator=rng)
    torch.testing.assert_close(plain(small, latents), small.synthesis(latents))


def plain(generator: StyleGAN2, latents: Tensor) -> Tensor:
    """The generator's image, by a literal reading of the paper."""
    w = latents.unbind(1)
    x = generator.constant.repeat(len(latents), 1, 1, 1)
    image: Tensor | None = None
    layers, colours = ([cast(Any, part) for part in parts] for parts in (generator.layers, generator.colours))
    for index, layer in enumerate(layers):
        x = modulated(x, layer.weight, layer.style(w[index]), up=layer.doubles, demodulate=True)
        x = F.leaky_relu(x + layer.strength * layer.noise + layer.bias.view(-1, 1, 1), SLOPE) * GAIN
        if index % 2 == 0:
            colour = colours[index // 2]
            weight, style = colour.weight[:, :, None, None], colour.style(w[index + 1])
            drawn = modulated(x, weight, style, up=False, demodulate=False) + colour.bias.view(-1, 1, 1)
            image = drawn if image is None else filtered(spread(image), 2, 1) + drawn
    assert image is not None
    return (image + 1) / 2


def modulated(x: Tensor, weight: Tensor, style: Tensor, *, up: bool, demodulate: bool) -> Tensor:
    """A grouped convolution, one group an image."""
    (n, inputs, *size), (outputs, _, kernel, _) = x.shape, weight.shape
    weights = weight / math.sqrt(inputs * kernel * kernel) * style[:, None, :, None, None]
    if demodulate:
        weights = weights * (weights.square().sum((2, 3, 4), keepdim=True) + EPS).rsqrt()
    x = x.reshape(1, n * inputs, *size)
    if up:
        made = F.conv_transpose2d(x, weights.transpose(1, 2).flatten(0, 1), stride=2, groups=n)
        return filtered(made.unflatten(1, (n, outputs))[0], 1, 1)
    made = F.conv2d(x, weights.flatten(0, 1), padding=kernel // 2, groups=n)
    found: Tensor = made.unflatten(1, (n, outputs))[0]
    return found


def spread(x: Tensor) -> Tensor:
    """Zeros between the pixels."""
    n, channels, height, width = x.shape
    x = F.pad(x.view(n, channels, height, 1, width, 1), (0, 1, 0, 0, 0, 1))
    return x.view(n, channels, 2 * height, 2 * width)


def filtered(x: Tensor, before: int, after: int) -> Tensor:
    """The blur, of each channel as an image of its own."""
    line = x.new_tensor(BINOMIAL) / 4
    n, channels, height, width = x.shape
    images = F.pad(x, (before, after, before, after)).flatten(0, 1)[:, None]
    kernel = (line[:, None] * line)[None, None]
    return F.conv2d(images, kernel).view(n, channels, height + before + after - 3, width + before + after - 3)
