"""What the published face recognisers have in common: layers between aligned faces and numbers compared by cosine."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.geometry import similarity
from kohl.templates import ARCFACE
from kohl.types import Embeddings, FaceEncoder, Faces, Images, Matrices


def onto_template(faces: Faces, size: int, margin: int = 0) -> Matrices:
    """Eyes, nose tip and mouth corners onto ArcFace's template, scaled to what the margin leaves of (size, size)."""
    scale = (size - 2 * margin) / 112  # the template is for 112 pixels
    template = (faces.points.new_tensor(ARCFACE) + 0.5) * scale - 0.5 + margin
    return similarity(faces.points, template[None])


class Recogniser(FaceEncoder):
    """A recogniser whose `layers` take pixels in [−1, 1]; `margin` of its input's pixels surround ArcFace's template.

    The code published with CLIP2Protect squeezed a detector's box into the input. Here faces are upright and keep their
    proportions, as those did that ArcFace and MobileFaceNet were trained on.
    """

    def __init__(self, name: str, layers: nn.Module, *, size: int = 112, margin: int = 0) -> None:
        super().__init__()
        self.name, self.layers, self.size, self.margin = name, layers, size, margin
        self.eval()

    def to_input(self, faces: Faces) -> Matrices:
        """As `onto_template`."""
        return onto_template(faces, self.size, self.margin)

    def descriptors(self, inputs: Images) -> Tensor:
        """The network's own numbers for aligned inputs (n, 3, size, size), not of unit length."""
        descriptors: Tensor = self.layers((inputs * 2 - 1).contiguous(memory_format=torch.channels_last))
        return descriptors

    def forward(self, inputs: Images) -> Embeddings:
        """`descriptors` scaled to unit length, as every encoder's."""
        return F.normalize(self.descriptors(inputs))
