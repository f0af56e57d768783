"""How long the pieces of the published method take on this machine's CPU.

    python benchmarks/paper_path.py [--size 1024] [--repeat 2] [--json]

So far one piece: a step through a StyleGAN2 with random weights, from latents to the image at 256 pixels and back to
the gradient of the latents. Once as kohl does it, with an early stop, and once as a literal reading of the paper does:
weights of each image in grouped convolutions, a blur of each channel as an image of its own, all blocks in float32, and
the image made smaller in the end. Both have the same weights, which take no gradients, in one process.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable

from kohl import cpu

cpu.settle()  # before torch is loaded

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import Tensor  # noqa: E402

from kohl.zoo import stylegan2  # noqa: E402
from kohl.zoo.stylegan2 import StyleGAN2  # noqa: E402
from kohl.zoo.stylegan2_ops import BINOMIAL, EPS, GAIN, SLOPE, fast_dtype  # noqa: E402

SEEN = 256  # pixels of a side of the image that the losses look at


def main() -> None:
    """Print the seconds of a step and how much faster ours is, as a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024, help="of the generator")
    parser.add_argument("--repeat", type=int, default=2, help="steps of each kind, of which the fastest counts")
    parser.add_argument("--json", action="store_true")
    settings = parser.parse_args()
    rng = torch.Generator().manual_seed(0)
    check(rng)
    generator = stylegan2.untrained(stylegan2.channels(settings.size), rng=rng)
    latents = torch.randn(1, *generator.latent_shape, generator=rng)

    def fastest(draw: Callable[[Tensor], Tensor]) -> float:
        return min(seconds(draw, latents) for _ in range(settings.repeat))

    found = {"plain": fastest(lambda x: F.interpolate(plain(generator, x), (SEEN, SEEN), mode="area"))}
    for dtype in (torch.float32, torch.bfloat16):
        generator.dtype = dtype
        found[str(dtype).removeprefix("torch.")] = fastest(lambda x: generator.synthesis(x, size=SEEN))
    ratios = {name: found["plain"] / found[name] for name in ("float32", "bfloat16")}
    if settings.json:
        print(json.dumps({"threads": torch.get_num_threads(), "seconds": found, "times_faster": ratios}))
        return
    print(f"{settings.size} px, {torch.get_num_threads()} threads, processor's own type {fast_dtype()}")
    print(f"plain, float32, all blocks: {found['plain']:.2f} s")
    for name, ratio in ratios.items():
        print(f"{name}, stopped at {SEEN} px: {found[name]:.2f} s, {ratio:.1f} times faster")


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
    for index, layer in enumerate(generator.layers):
        x = modulated(x, layer.weight, layer.style(w[index]), up=layer.doubles, demodulate=True)
        x = F.leaky_relu(x + layer.strength * layer.noise + layer.bias.view(-1, 1, 1), SLOPE) * GAIN
        if index % 2 == 0:
            colour = generator.colours[index // 2]
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
    return F.conv2d(x, weights.flatten(0, 1), padding=kernel // 2, groups=n).unflatten(1, (n, outputs))[0]


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


if __name__ == "__main__":
    main()
