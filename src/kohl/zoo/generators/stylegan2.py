"""StyleGAN2 (Karras et al., CVPR 2020) in plain torch: w and w+, noise as an input, and images before the last blocks.

Weights come from a file that `kohl.zoo.files.checkpoints.convert` or `kohl train` has written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Named
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from kohl.errors import BadModel, BadSetting
from kohl.types import Generator, Images, Latents
from kohl.zoo.files import store
from kohl.zoo.generators.stylegan2_ops import Mapping, StyledConvolution, ToRGB, doubled

STAGES = 9  # up to 1024 pixels


class StyleGAN2(Generator):
    """A generator with these channels at 4, 8, 16 … pixels; its latents are w+, two rows for every size.

    `dtype` is that of the convolutions, with float32 weights, latents and images: bfloat16 is twice as fast where the
    processor has it (`stylegan2_ops.fast_dtype`).
    """

    inverted_by = "pivotal tuning"

    average: Tensor  # (width,) of all latents: w_avg, towards which truncation moves

    def __init__(
        self, channels: Sequence[int], *, width: int = 512, depth: int = 8, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        self.dtype = dtype
        self.size, self.latent_shape = 2 << len(channels), (2 * len(channels), width)
        self.mapping = Mapping(width, depth)
        self.register_buffer("average", torch.zeros(width))
        self.constant = nn.Parameter(torch.zeros(1, channels[0], 4, 4))
        self.layers = nn.ModuleList([StyledConvolution(channels[0], channels[0], width=width, size=4)])
        for stage, (inputs, outputs) in enumerate(pairwise(channels), start=1):
            size = 4 << stage
            self.layers.append(StyledConvolution(inputs, outputs, width=width, size=size, doubles=True))
            self.layers.append(StyledConvolution(outputs, outputs, width=width, size=size))
        self.colours = nn.ModuleList(ToRGB(inputs, width=width) for inputs in channels)

    @property
    def noise(self) -> list[Tensor]:
        """The fixed noise (1, 1, size, size) of every layer, which an image has unless other noise is given."""
        return [layer.get_buffer("noise") for layer in self.layers]

    @property
    def weights(self) -> list[Tensor]:
        """What convolutions and colours multiply features by, and what noise is multiplied by: no biases, no styles."""
        weights = [layer.get_parameter("weight") for layer in (*self.layers, *self.colours)]
        return [*weights, *(layer.get_parameter("strength") for layer in self.layers)]

    def latents(self, z: Tensor, *, truncation: float = 1.0) -> Latents:
        """Latents of normal noise (n, width); a truncation (psi) below 1 moves them towards the average."""
        w = torch.lerp(self.average, self.mapping(z), truncation)
        return w[:, None].expand(-1, *self.latent_shape)

    def forward(self, latents: Latents, *, noise: Sequence[Tensor] | None = None, size: int | None = None) -> Images:
        """`synthesis` within [0, 1]."""
        return self.synthesis(latents, noise=noise, size=size).clamp(0, 1)

    def synthesis(self, latents: Latents, *, noise: Sequence[Tensor] | None = None, size: int | None = None) -> Images:
        """Images at w+ (n, *latent_shape) or w (n, width) that may leave [0, 1] a little: clamping stops gradients.

        `size` is 4, 8, 16 … up to the generator's own. The image at a smaller size is what the blocks up to it have
        drawn, and the blocks behind it are not run; it needs only as much of the `noise`.
        """
        size = self.size if size is None else size
        w = self._rows(latents)
        if size not in (4 << stage for stage in range(len(self.colours))):
            raise BadSetting(
                f"size {size}: this generator draws images of 4, 8, 16 and so on up to {self.size} pixels."
            )
        last = size.bit_length() - 3  # 0 for 4 pixels, 1 for 8 …
        noise = self.noise if noise is None else noise
        if len(noise) <= 2 * last:
            raise BadSetting(f"noise: {len(noise)} given, but images of {size} pixels need {2 * last + 1}.")
        x = self.constant.expand(len(latents), -1, -1, -1).to(self.dtype, memory_format=torch.channels_last)
        x = self.layers[0](x, w[0], noise[0])
        image: Images = self.colours[0](x, w[1])
        for stage in range(1, last + 1):
            for index in (2 * stage - 1, 2 * stage):
                x = self.layers[index](x, w[index], noise[index])
            image = doubled(image) + self.colours[stage](x, w[2 * stage + 1])
        return (image + 1) / 2

    def _rows(self, latents: Latents) -> Sequence[Tensor]:
        """The rows (n, width) of w+; w is the same row again and again."""
        rows, width = self.latent_shape
        if latents.shape[1:] not in ((width,), (rows, width)):
            raise BadSetting(
                f"latents {tuple(latents.shape)}: this generator takes (n, {rows}, {width}) or (n, {width})."
            )
        return latents.unbind(1) if latents.dim() == 3 else [latents] * rows


def channels(size: int, multiplier: float = 2) -> tuple[int, ...]:
    """The channels of the published generators of that size: 512 up to 32 pixels, then fewer and fewer."""
    sizes = [4 << stage for stage in range(size.bit_length() - 2)]
    return tuple(512 if side <= 32 else int(16384 * multiplier / side) for side in sizes)


def blank(channels: Sequence[int], *, width: int, depth: int) -> StyleGAN2:
    """A generator without numbers, for a state dict to be assigned to."""
    with torch.device("meta"):
        return StyleGAN2(channels, width=width, depth=depth).eval()


def untrained(channels: Sequence[int], *, width: int = 512, depth: int = 8, rng: torch.Generator) -> StyleGAN2:
    """A generator as its training would start: normal weights and noise, whose strength is still zero."""
    made = StyleGAN2(channels, width=width, depth=depth)
    for name, values in made.state_dict().items():
        if name.endswith((".weight", ".noise", "constant")):
            values.normal_(std=100 if name.startswith("mapping.") else 1, generator=rng)  # the mapping's rate is 0.01
    return made.eval().requires_grad_(False)


def filled(tensors: Named[str, Tensor]) -> StyleGAN2:
    """The generator with these weights, in evaluation mode and without gradients of its own.

    Raises `ValueError` where they are not a generator's.
    """
    average = tensors.get("average")
    colours = [tensors[name] for stage in range(STAGES) if (name := f"colours.{stage}.weight") in tensors]
    depth = sum(re.fullmatch(r"mapping\.\d+\.weight", name) is not None for name in tensors)
    if (
        average is None
        or average.dim() != 1
        or not colours
        or not all(weight.dim() and weight.numel() for weight in colours)
    ):
        raise ValueError("no average of latents, or no colours")
    try:
        generator = blank([weight.shape[-1] for weight in colours], width=len(average), depth=depth)
        generator.load_state_dict({name: tensor.float() for name, tensor in tensors.items()}, assign=True)
    except RuntimeError as error:  # how torch says that names or shapes are others
        raise ValueError(str(error)) from error
    return generator.requires_grad_(False)


def load(path: Path, *, dtype: torch.dtype = torch.float32) -> StyleGAN2:
    """The generator in a file that kohl has converted or trained; raises `BadModel` for any other."""
    tensors = store.tensors(path)
    try:
        generator = filled(tensors)
    except ValueError as error:
        raise BadModel(
            f"{path}: no StyleGAN2 that kohl has converted or trained; see `kohl models convert` and `kohl train`."
        ) from error
    if not all(values.isfinite().all() for values in generator.state_dict().values()):
        raise BadModel(f"{path}: holds numbers that are not finite; convert or train it again.")
    generator.dtype = dtype
    return generator
