"""A linear model of what faces look like once every face is warped to one shape (Cootes et al., ECCV 1998).

The shape of a face is left alone; only the appearance changes, along orthonormal components learned by
`training/face_model.py`. `own_face.py` adds a share of them, warped to a face, to that face's own pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.templates import with_forehead
from kohl.types import Generator, Images, Latents, Points
from kohl.zoo.files import store


class FaceModel(Generator):
    """The mean face plus components times latents, on the mean shape.

    `basis` (components, 3 · texels) is orthonormal and lives on the `inside` texels of a square (side, side) texture
    that covers `frame` (x, y, side) of the crop; it fades out towards the rim of the face.
    """

    def __init__(self, tensors: dict[str, Tensor], size: int = 256) -> None:
        super().__init__()
        self.size = size
        self.latent_shape = (len(tensors["basis"]),)
        basis = tensors["basis"].float().mul_(tensors["scale"][:, None])
        self.register_buffer("basis", basis)
        self.register_buffer("where", tensors["inside"].flatten().nonzero()[:, 0])
        for name in ("inside", "mean", "landmarks", "triangles", "frame", "deviations"):
            self.register_buffer(name, tensors[name])

    inverted_by = "closed form"

    basis: Tensor  # (components, 3 · texels inside)
    where: Tensor  # (texels inside,) indices into the flat texture
    inside: Tensor  # bool (side, side)
    mean: Tensor  # (3, side, side)
    landmarks: Tensor  # (73, 2) of the mean shape, in crop pixels
    triangles: Tensor  # (m, 3) indices of landmarks
    frame: Tensor  # (3,)
    deviations: Tensor  # (components,) of the training faces

    def texture(self, latents: Latents) -> Images:
        """The change that `latents` (n, leading components) make: textures (n, 3, side, side), also negative."""
        side = self.inside.shape[0]
        flat = latents.new_zeros(len(latents), side * side, 3)
        change = (latents @ self.basis[: latents.shape[1]]).view(len(latents), -1, 3)
        return flat.index_copy(1, self.where, change).view(-1, side, side, 3).permute(0, 3, 1, 2)

    def forward(self, latents: Latents) -> Images:
        """Faces of the mean shape on grey."""
        shape = self.landmarks[None, :68].expand(len(latents), -1, -1)
        where = self.grids(shape, self.size).to(latents)
        faces = F.grid_sample(self.mean + self.texture(latents), where, align_corners=True)
        return torch.where((where[..., 0] >= -1)[:, None], faces, faces.new_tensor(0.5)).clamp(0, 1)

    def grids(self, landmarks: Points, size: int) -> Tensor:
        """Where each pixel of a crop lies in the texture (n, size, size, 2), for `grid_sample`; outside is below −1."""
        grids = torch.stack([self._grid(face, size) for face in landmarks.cpu().double().numpy()])
        return grids.to(landmarks.device)

    def _grid(self, landmarks: np.ndarray, size: int) -> Tensor:
        x, y, side = self.frame.tolist()
        points = with_forehead(landmarks)
        mean = (self.landmarks.cpu().double().numpy() - (x, y) + 0.5) * (self.inside.shape[0] / side) - 0.5
        found = mesh_map(points, mean, self.triangles.cpu().numpy(), size)
        where = found * 2 / (self.inside.shape[0] - 1) - 1
        return torch.tensor(np.nan_to_num(where, nan=-9.0), dtype=torch.float32)


def load(path: Path) -> FaceModel:
    """The bundled model; its components are stored as 8-bit integers with one scale each."""
    return FaceModel(store.tensors(path))


def mesh_map(points: np.ndarray, target: np.ndarray, triangles: np.ndarray, size: int) -> np.ndarray:
    """For each pixel of a (size, size) grid, where the mesh over `points` takes it in the mesh over `target`.

    Piecewise affine; (size, size, 2), NaN outside the mesh. Where triangles fold over each other, the first one counts.
    """
    found = np.full((size, size, 2), np.nan)
    for triangle in triangles:
        corners = points[triangle]
        (left, top), (right, bottom) = corners.min(0), corners.max(0)
        rows = np.arange(max(0, int(np.floor(top))), min(size, int(np.ceil(bottom)) + 1))
        columns = np.arange(max(0, int(np.floor(left))), min(size, int(np.ceil(right)) + 1))
        edges = (corners[1:] - corners[0]).T
        if not len(rows) or not len(columns) or abs(np.linalg.det(edges)) < 1e-6:
            continue
        pixels = np.stack(np.meshgrid(columns, rows), -1) - corners[0]
        weights = pixels @ np.linalg.inv(edges).T
        here = (weights >= -1e-6).all(-1) & (weights.sum(-1) <= 1 + 1e-6)
        patch = found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        here &= np.isnan(patch[..., 0])
        patch[here] = target[triangle[0]] + weights[here] @ (target[triangle[1:]] - target[triangle[0]])
    return found
