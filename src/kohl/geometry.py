"""Similarity fits, affine maps between pixel grids, and a differentiable warp."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from kohl.types import Faces, Images, Matrices, Points


def similarity(source: Points, target: Points) -> Matrices:
    """Least-squares rotation, scale and shift that takes `source` points (n, k, 2) to `target` (n, k, 2).

    Umeyama, PAMI 1991, in two dimensions, where the rotation has a closed form; mirror images are never fitted.
    """
    source_mean, target_mean = source.mean(1, keepdim=True), target.mean(1, keepdim=True)
    x, y = (source - source_mean).unbind(-1)
    u, v = (target - target_mean).unbind(-1)
    spread = (x * x + y * y).sum(1)
    cosine, sine = (x * u + y * v).sum(1) / spread, (x * v - y * u).sum(1) / spread
    linear = torch.stack([cosine, -sine, sine, cosine], -1).view(-1, 2, 2)
    shift = target_mean.transpose(1, 2) - linear @ source_mean.transpose(1, 2)
    return torch.cat([linear, shift], -1)


def inverse(matrices: Matrices) -> Matrices:
    """The maps that undo `matrices` (n, 2, 3)."""
    linear = torch.linalg.inv(matrices[:, :, :2])
    return torch.cat([linear, -linear @ matrices[:, :, 2:]], -1)


def compose(first: Matrices, then: Matrices) -> Matrices:
    """The map that applies `first`, then `then`."""
    linear = then[:, :, :2] @ first[:, :, :2]
    return torch.cat([linear, then[:, :, :2] @ first[:, :, 2:] + then[:, :, 2:]], -1)


def transform(matrices: Matrices, points: Points) -> Points:
    """`points` (n, k, 2) moved by `matrices` (n, 2, 3)."""
    return points @ matrices[:, :, :2].transpose(1, 2) + matrices[:, None, :, 2]


def resized(faces: Faces, size: int) -> Faces:
    """The same faces in crops of (size, size); the mean of the pixels that become one."""
    scale = size / faces.crops.shape[-1]
    if scale == 1:
        return faces
    crops = F.interpolate(faces.crops, (size, size), mode="area")
    return Faces(crops, *((points + 0.5) * scale - 0.5 for points in (faces.points, faces.landmarks)))


def grid(matrices: Matrices, size: tuple[int, int], source_size: tuple[int, int]) -> torch.Tensor:
    """Where `torch.nn.functional.grid_sample` must look so that its output is the warp by `matrices`.

    (n, height, width, 2) in its −1…1 convention with corner-aligned pixels; `size` is the output's, in pixels.
    """
    height, width = size
    back = inverse(matrices)
    y, x = torch.meshgrid(
        torch.arange(height, dtype=back.dtype, device=back.device),
        torch.arange(width, dtype=back.dtype, device=back.device),
        indexing="ij",
    )
    points = transform(back, torch.stack([x, y], -1).view(1, -1, 2).expand(len(back), -1, -1))
    scale = torch.tensor([source_size[1] - 1, source_size[0] - 1], dtype=back.dtype, device=back.device)
    return (points * 2 / scale - 1).view(-1, height, width, 2)


def warp(images: Images, matrices: Matrices, size: tuple[int, int], *, padding: str = "zeros") -> Images:
    """`images` moved by `matrices` (image pixels to output pixels) onto a canvas of `size`, bilinear."""
    where = grid(matrices, size, (images.shape[-2], images.shape[-1]))
    return F.grid_sample(images, where, mode="bilinear", padding_mode=padding, align_corners=True)
