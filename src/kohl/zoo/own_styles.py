"""A face's own StyleGAN2: what its styles change of the face, pasted onto the face itself."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.types import BadSetting, Faces, Generator, Images, Latents
from kohl.zoo.face_model import with_forehead
from kohl.zoo.stylegan2 import StyleGAN2

SOFT = 0.03  # of the crop's side: how softly the pasted face ends


class OwnStyles(Generator):
    """The crops plus what a tuned generator draws at the latents beyond what it draws at `codes`, within the face.

    So at the codes it is the faces exactly, whatever the tuning missed. The latents are the rows of w+ behind the first
    `held`, and, if `noise` asks for it, the noise of every layer: (n, numbers), flat.
    """

    def __init__(
        self, generator: StyleGAN2, codes: Latents, faces: Faces, *, held: int = 8, noise: bool = False
    ) -> None:
        super().__init__()
        self.generator, self.crops, self.size = generator, faces.crops, faces.crops.shape[-1]
        self.drawn = min(self.size, generator.size)
        rows = 2 * (self.drawn.bit_length() - 2)  # that a picture of this size depends on
        if held >= rows:
            raise BadSetting(f"tuning.held: must be below {rows}, the rows of w+ at {self.drawn} pixels, not {held}")
        self.first, styles = codes[:, :held], codes[:, held:].flatten(1)
        self.noises = [layer.expand(len(codes), -1, -1, -1) for layer in generator.noise[: rows - 1]]
        parts = [styles, *(layer.flatten(1) for layer in self.noises)] if noise else [styles]
        self.start, self.styles = torch.cat(parts, 1), styles.shape[1]
        self.latent_shape = (self.start.shape[1],)
        self.mask = torch.stack([_face(face.double().numpy(), self.size) for face in faces.landmarks]).to(codes)
        with torch.no_grad():
            self.reproduced = self.made(self.start)

    def made(self, latents: Latents) -> Images:
        """What the generator draws, before it is pasted; values may leave [0, 1] a little."""
        styles = latents[:, : self.styles].reshape(len(latents), -1, self.first.shape[-1])
        rows = torch.cat([self.first, styles], 1)
        noise: Sequence[Tensor] = self.noises
        if latents.shape[1] > self.styles:
            flat = torch.split(latents[:, self.styles :], [layer[0].numel() for layer in self.noises], 1)
            noise = [part.view_as(layer) for part, layer in zip(flat, self.noises, strict=True)]
        images = self.generator.synthesis(rows, noise=noise, size=self.drawn)
        return images if self.drawn == self.size else F.interpolate(images, (self.size, self.size), mode="bicubic")

    def forward(self, latents: Latents) -> Images:
        """The faces, changed as far as the generator's picture at `latents` differs from that at the codes."""
        change = self.made(latents) - self.reproduced
        return (self.crops + self.mask * change).clamp(0, 1)


def _face(landmarks: np.ndarray, size: int) -> Tensor:
    """1 inside a face, softly 0 at its rim; (1, size, size)."""
    hull = cv2.convexHull(np.round(with_forehead(landmarks)).astype(np.int32))
    inside = cv2.fillConvexPoly(np.zeros((size, size), np.uint8), hull, 1)
    depth = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] / (SOFT * size)
    depth = np.clip(depth, 0, 1)
    return torch.tensor(depth * depth * (3 - 2 * depth))[None]
