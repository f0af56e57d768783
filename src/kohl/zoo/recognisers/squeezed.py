"""How the code released with CLIP2Protect shows faces to its recognisers: a detector's box, squeezed into the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from kohl.types import Box, Embeddings, FaceEncoder, Faces, Images, Matrices
from kohl.zoo.detectors.yunet import Detection
from kohl.zoo.recognisers.recogniser import Recogniser


class Squeezed(FaceEncoder):
    """The same recogniser, but that it sees boxes, which are neither turned nor keep their proportions.

    The detector looks at the crop; where it finds nobody, the box is that of the landmarks.
    """

    def __init__(self, encoder: FaceEncoder, find: Callable[[np.ndarray], Sequence[Detection]]) -> None:
        super().__init__()
        self.encoder, self.find, self.name, self.size = encoder, find, encoder.name, encoder.size
        self.eval()

    def to_input(self, faces: Faces) -> Matrices:
        """Scales and shifts that take each box, in whole pixels, to the whole input."""
        pixels = (faces.crops * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        found = [self._box(*each) for each in zip(pixels, faces.landmarks.cpu().numpy(), strict=True)]
        return torch.stack([_to_input(box, self.size) for box in found]).to(faces.points)

    def forward(self, inputs: Images) -> Embeddings:
        """Embeddings of such inputs (n, 3, size, size) in [0, 1]."""
        embeddings: Embeddings = self.encoder(inputs)
        return embeddings

    def _box(self, pixels: np.ndarray, landmarks: np.ndarray) -> Box:
        found = self.find(np.ascontiguousarray(pixels))
        if found:
            return found[0].box
        (left, top), (width, height) = landmarks.min(0), np.ptp(landmarks, axis=0)
        return float(left), float(top), float(width), float(height)


def shown(encoder: FaceEncoder, find: Callable[[np.ndarray], Sequence[Detection]]) -> FaceEncoder:
    """A recogniser of the paper as it sees boxes; any other as it is, for none was ever shown them."""
    return Squeezed(encoder, find) if isinstance(encoder, Recogniser) else encoder


def _to_input(box: Box, size: int) -> Matrices:
    """Box pixels, from edge to edge, to those of an input (size, size); pixel centres are at integers."""
    start = np.rint(box[:2])
    scale = size / np.maximum(np.rint(np.add(box[:2], box[2:])) - start, 1)
    shift = (0.5 - start) * scale - 0.5
    return torch.tensor(np.column_stack([np.diag(scale), shift]), dtype=torch.float32)
