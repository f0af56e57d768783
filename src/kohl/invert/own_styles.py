"""A face's own StyleGAN2: what its styles change of the face, pasted onto the face itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.errors import BadSetting
from kohl.templates import inside
from kohl.types import Faces, Generator, Images, Latents
from kohl.zoo.generators.stylegan2 import StyleGAN2

STEP = 0.003  # root mean square change of the face's pixels along one axis, per step of 1
LEAST = 0.01  # of the largest gain: weaker directions are not made up for
FINEST = 512  # pixels of a side from which on noise stays as it is, as in the released code of CLIP2Protect
OVERSAMPLED, FEWEST, AT_ONCE = 1.25, 96, 16  # slopes for each axis, in all, and together


class OwnStyles(Generator):
    """The crops plus what a tuned generator draws at the latents beyond what it draws at `codes`, within the face.

    So at the codes it is the faces exactly, whatever the tuning missed. The latents are the rows of w+ behind the first
    `held`, and, if `noise` asks for it, the noise of every layer: (n, numbers), flat.

    With `directions` the latents are coordinates (n, directions) among those numbers, zero at the codes: the directions
    in which the face changes most, each scaled so that the same step changes it as much.

    As a `whole` it is what the generator draws, with all that the tuning missed, from corner to corner. The picture is
    `drawn` at that many pixels: by default at the crops', and the blocks behind them are left out.
    """

    def __init__(
        self,
        generator: StyleGAN2,
        codes: Latents,
        faces: Faces,
        *,
        held: int = 8,
        noise: bool = False,
        directions: int = 0,
        whole: bool = False,
        drawn: int | None = None,
    ) -> None:
        super().__init__()
        self.generator, self.crops, self.size = generator, faces.crops, faces.crops.shape[-1]
        self.drawn = min(self.size, generator.size) if drawn is None else drawn
        check(generator, self.drawn, held=held, noise=noise, directions=directions)
        self.first, styles = codes[:, :held], codes[:, held:].flatten(1)
        self.noises = _moving(generator, self.drawn)
        parts = [styles, *(layer.flatten(1).expand(len(codes), -1) for layer in self.noises)] if noise else [styles]
        self.codes, self.styles = torch.cat(parts, 1), styles.shape[1]
        landmarks = faces.landmarks.cpu().double().numpy()
        self.mask = torch.stack([inside(face, self.size) for face in landmarks]).to(codes)
        if whole:
            self.mask = torch.ones_like(self.mask)
        self.axes = self._axes(directions) if directions else None
        self.start = codes.new_zeros(len(codes), directions) if directions else self.codes
        self.latent_shape = (self.start.shape[1],)
        self.noisy = 0 if directions else self.codes.shape[1] - self.styles  # how many of the latents are noise
        with torch.no_grad():
            self.reproduced = self.crops if whole else self.made(self.start)

    def made(self, latents: Latents) -> Images:
        """What the generator draws, at the size of the crops, before it is pasted; it may leave [0, 1] a little."""
        return at_size(self.picture(latents), self.size)

    def picture(self, latents: Latents) -> Images:
        """The same at the size `drawn`."""
        if self.axes is not None:
            latents = self.codes + torch.einsum("nd,ndk->nk", latents, self.axes)
        return self._drawn(latents, self.first)

    def _drawn(self, latents: Latents, first: Latents) -> Images:
        styles = latents[:, : self.styles].reshape(len(latents), -1, self.first.shape[-1])
        rows = torch.cat([first, styles], 1)
        noise: Sequence[Tensor] = self.generator.noise
        if latents.shape[1] > self.styles:
            flat = torch.split(latents[:, self.styles :], [layer[0].numel() for layer in self.noises], 1)
            moved = [part.view(-1, *layer.shape[1:]) for part, layer in zip(flat, self.noises, strict=True)]
            noise = [*moved, *noise[len(moved) :]]
        return self.generator.synthesis(rows, noise=noise, size=self.drawn)

    def _axes(self, count: int) -> Tensor:
        """The directions (n, count, numbers), from the slopes of random pictures: a sketch of the Jacobian."""
        rng = torch.Generator().manual_seed(0)
        mask = F.interpolate(self.mask, (self.drawn, self.drawn), mode="area")
        axes = []
        for code, first, face in zip(self.codes, self.first, mask, strict=True):
            latents = code[None].clone().requires_grad_()
            seen = face * self._drawn(latents, first[None])  # drawn once, and looked at many times
            slopes = []
            for _ in range(math.ceil(max(count * OVERSAMPLED, FEWEST) / AT_ONCE)):
                drawn = torch.randn(AT_ONCE, *seen.shape, generator=rng, device=rng.device).to(face)
                slopes += torch.autograd.grad(seen, latents, drawn, retain_graph=True, is_grads_batched=True)
            sketch = torch.cat(slopes)[:, 0]
            sketch /= len(sketch) ** 0.5
            # Few rows of many numbers: their products with each other hold all that a decomposition needs. It is found
            # on the CPU, in float64, which MPS has not.
            squares, mixes = torch.linalg.eigh((sketch @ sketch.T).cpu().double())
            gains = squares.flip(0)[:count, None].clamp_min(0).sqrt().to(sketch)
            directions = mixes.flip(1)[:, :count].T.to(sketch) @ sketch / gains.clamp_min(1e-12)
            level = STEP * (3 * face.square().sum()).sqrt()  # of the picture's change, in the face
            axes.append(level * directions / gains.clamp_min(LEAST * float(gains[0])))
        return torch.stack(axes)

    def forward(self, latents: Latents) -> Images:
        """The faces, changed as far as the generator's picture at `latents` differs from that at the codes."""
        change = self.made(latents) - self.reproduced
        return (self.crops + self.mask * change).clamp(0, 1)


def at_size(images: Images, size: int) -> Images:
    """The images at (size, size): the mean of the pixels that become one, or smoothly enlarged."""
    if images.shape[-1] == size:
        return images
    return F.interpolate(images, (size, size), mode="area" if images.shape[-1] > size else "bicubic")


def check(generator: StyleGAN2, drawn: int, *, held: int, noise: bool, directions: int) -> None:
    """Raises `BadSetting` where so many rows cannot be held or so many directions not be found, in pictures `drawn`."""
    rows, (total, width) = _rows(drawn), generator.latent_shape
    if held >= rows:
        raise BadSetting(f"tuning.held: must be below {rows}, the rows of w+ at {drawn} pixels, not {held}")
    numbers = (total - held) * width + (sum(layer.numel() for layer in _moving(generator, drawn)) if noise else 0)
    if directions > numbers:
        raise BadSetting(f"tuning.directions: must be at most {numbers}, the numbers, not {directions}")


def _moving(generator: StyleGAN2, drawn: int) -> list[Tensor]:
    """The noise that a search may move in a picture of this size."""
    return [layer for layer in generator.noise[: _rows(drawn) - 1] if layer.shape[-1] < FINEST]


def _rows(drawn: int) -> int:
    """How many rows of w+ a picture of this size depends on."""
    return 2 * (drawn.bit_length() - 2)
