"""A face's own generator: at zero latents that face exactly, elsewhere that face in another light."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.colour import brightness
from kohl.filters import blur, detail
from kohl.makeup.face_map import FaceMap
from kohl.makeup.facial_features import dear
from kohl.types import Faces, Generator, Images, Latents
from kohl.zoo.generators.face_model import FaceModel
from kohl.zoo.generators.reach import reach
from kohl.zoo.generators.shading import Shading

LEADING = 64  # of the face model's components: all 600 protect no better
COMPONENTS = 0.3  # of their own gain: they carry who somebody is
AROUND = 0.015  # of the crop's side: how far around a pixel the hue and the texture of its skin are looked for
SHARE = 0.5  # of that hue in light and shade
DARKEST = 0.1  # brightness below which it has none
SEEN = 256  # pixels: the largest side at which texture is looked at
TEXTURE = 0.05  # standard deviation of brightness, of skin or a contour, from where most of the finer fields are taken
GLARE = 0.7  # of the way to white: the most that light may take; skin that is white is burnt out
KNEE = 0.5  # of the most, from which on less and less is added: a sudden end would be an edge on smooth skin


class OwnFace(Generator):
    """The faces, with light and shade and a little of the face model's components on their skin.

    Latents are the leading components of the model, then the numbers of the shading.
    """

    def __init__(self, model: FaceModel, faces: Faces) -> None:
        super().__init__()
        self.model, self.crops, self.size = model, faces.crops, faces.crops.shape[-1]
        self.shading = Shading(self.size)
        around = blur(faces.crops, AROUND * self.size)
        hue = around / brightness(around)[:, None].clamp_min(DARKEST)
        self.tint = torch.lerp(torch.ones_like(hue), hue, SHARE)  # shine is white, all other light has the skin's hue
        self.components = min(LEADING, model.latent_shape[0])
        self.latent_shape = (self.components + self.shading.count,)
        self.where = model.grids(faces.landmarks, self.size)
        maps = [
            FaceMap(crop.permute(1, 2, 0).numpy(), points.double().numpy())
            for crop, points in zip(faces.crops.cpu(), faces.landmarks.cpu(), strict=True)
        ]
        reaches = [(reach(face), dear(face)) for face in maps]
        share, self.colour, self.shadow, dearly = (
            torch.tensor(np.stack(part), dtype=torch.float32, device=faces.crops.device)[:, None]
            for part in zip(*((each.share, each.colour, each.shadow, times) for each, times in reaches), strict=True)
        )
        self.share = share / dearly.sqrt()  # a step of the search is as long as its cost allows
        self.texture = _texture(faces.crops)
        self.glare = GLARE * (1 - brightness(faces.crops)[:, None])

    def forward(self, latents: Latents) -> Images:
        """The faces, changed by `latents` (n, components + numbers)."""
        split = self.components
        components = F.grid_sample(COMPONENTS * self.model.texture(latents[:, :split]), self.where, align_corners=True)
        grey = components.mean(1, keepdim=True)
        light = self.shading(latents[:, split:], self.texture) * self.tint
        change = (torch.lerp(grey * self.tint, components, self.colour) + light) * self.share
        lighter = brightness(change)[:, None]
        kept = torch.where(lighter > 0, _limited(lighter, self.glare), -_limited(-lighter, self.shadow))
        changed: Images = (self.crops + change + kept - lighter).clamp(0, 1)
        return changed


def _texture(crops: Images) -> Tensor:
    """How much texture is around each pixel (n, 1, size, size), from 0 to 1, in a crop of at most SEEN pixels."""
    size = crops.shape[-1]
    seen = min(size, SEEN)
    found = detail(F.interpolate(crops, (seen, seen), mode="area"))
    texture = 1 - (-blur(found, AROUND * seen) / TEXTURE).exp()
    return F.interpolate(texture, (size, size), mode="bilinear", align_corners=False)


def _limited(light: Tensor, most: Tensor) -> Tensor:
    """The light as it is up to the KNEE, softly bent towards `most` beyond it."""
    knee = KNEE * most
    room = (most - knee).clamp_min(1e-6)
    return torch.where(light > knee, knee + room * torch.tanh((light - knee) / room), light)
