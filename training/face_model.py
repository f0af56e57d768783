"""Learns the bundled face model from synthetic portraits: `python training/face_model.py OMI/faces OUT.safetensors`.

Every portrait is warped to the mean shape; portraits with glasses, a fringe, a hat, or a dark beard are left out by
what their textures show there, because those would come back as ghosts. The rest and their mirror images, softened on
the skin, go through a singular value decomposition. Nothing is random.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from portraits import MIRRORED, portraits
from safetensors.torch import save_file

from kohl.align.crop import SIZE
from kohl.colour import LUMA
from kohl.templates import with_forehead
from kohl.zoo.generators.face_model import mesh_map

SIDE = 128  # texels of a side of the texture
FRAME = (40.0, 64.0, 176.0)  # x, y, side of the part of the crop that it covers
COMPONENTS = 600
RIM = 9.0  # texels over which a change fades out towards the rim of the face

SKIN, FEATURES = 1.5, 0.5  # texels: how much the textures are softened, or every wrinkle and spot would be drawn again
PARTS = (
    range(17, 22),
    range(22, 27),
    range(36, 42),
    range(42, 48),
    range(30, 36),
    range(48, 60),
)  # brows, eyes, nose, mouth
REACH = 4.0  # texels around a feature that count as part of it

# Limits found by looking at the textures in the order of each figure. All are relative to the brightness of the cheeks.
GLASSES_BRIDGE = 0.055  # mean of the strongest horizontal edge between the eyes
GLASSES_RIM = 0.30  # the same below the eyes
FRINGE = 0.17  # standard deviation of the forehead's brightness
BEARD = 0.72  # brightness of the chin


def triangulation(points: np.ndarray) -> np.ndarray:
    """The Delaunay triangles (m, 3) of points (n, 2) inside the crop, as their indices."""
    subdivision = cv2.Subdiv2D((0, 0, SIZE, SIZE))
    for point in points.tolist():
        subdivision.insert(point)
    corners = subdivision.getTriangleList().reshape(-1, 3, 2)
    distances = np.linalg.norm(corners[:, :, None] - points, axis=-1)
    known = (distances.min(-1) < 1e-2).all(1)  # the others have a corner of OpenCV's own outer triangle
    return np.array(sorted(map(tuple, distances[known].argmin(-1))))


def texture(crop: np.ndarray, landmarks: np.ndarray, mean: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The face (SIZE, SIZE, 3) on the mean shape, float32 (SIDE, SIDE, 3)."""
    where = mesh_map(mean, with_forehead(landmarks), triangles, SIDE)
    x, y = np.nan_to_num(where, nan=0).astype(np.float32).transpose(2, 0, 1)
    return cv2.remap(crop, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def is_bare(texture: np.ndarray) -> bool:
    """Whether a texture shows skin where glasses, a fringe, a hat or a beard would be."""

    def part(image: np.ndarray, left: int, right: int, top: int, bottom: int) -> np.ndarray:
        x, y, side = FRAME
        columns, rows = (
            np.round((np.array(ends) - start) / side * SIDE).astype(int)
            for ends, start in (((left, right), x), ((top, bottom), y))
        )
        return image[rows[0] : rows[1], columns[0] : columns[1]]

    brightness = cv2.GaussianBlur(texture @ np.float32(LUMA), (0, 0), 0.8)
    edges = np.abs(np.diff(brightness, axis=0, append=brightness[-1:]))
    cheeks = np.median(part(brightness, 75, 180, 140, 165))
    bridge = part(edges, 119, 137, 104, 132).max(0).mean()
    rims = sum(part(edges, left, left + 34, 132, 152).max(0).mean() for left in (78, 143))
    return bool(
        bridge < GLASSES_BRIDGE * cheeks
        and rims < GLASSES_RIM * cheeks
        and part(brightness, 82, 174, 74, 98).std() < FRINGE * cheeks
        and np.median(part(brightness, 100, 155, 212, 228)) > BEARD * cheeks
    )


def window(mean: np.ndarray) -> np.ndarray:
    """1 in the middle of the mean face, smoothly 0 at its rim; float32 (SIDE, SIDE) for mean landmarks in texels."""
    hull = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillConvexPoly(hull, np.round(cv2.convexHull(mean.astype(np.float32))).astype(np.int32), 1)
    depth = np.clip((cv2.distanceTransform(hull, cv2.DIST_L2, 5) - 1) / RIM, 0, 1)
    return depth * depth * (3 - 2 * depth)


def softened(textures: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Textures (n, SIDE, SIDE, 3) with sharp features on smooth skin, which is what makeup does."""
    features = np.zeros((SIDE, SIDE), np.uint8)
    for part in PARTS:
        cv2.fillConvexPoly(features, cv2.convexHull(np.round(mean[list(part)]).astype(np.int32)), 1)
    distance = cv2.distanceTransform(1 - features, cv2.DIST_L2, 5)
    sharp = cv2.GaussianBlur((distance < REACH).astype(np.float32), (0, 0), REACH / 2)[..., None]
    return np.stack([
        sharp * cv2.GaussianBlur(one, (0, 0), FEATURES) + (1 - sharp) * cv2.GaussianBlur(one, (0, 0), SKIN)
        for one in textures
    ])  # fmt: skip


def learn(crops: list[np.ndarray], landmarks: np.ndarray) -> dict[str, torch.Tensor]:
    """The tensors of the face model, from crops (SIZE, SIZE, 3) in [0, 1] and their landmarks (n, 68, 2)."""
    mean = landmarks.mean(0)
    mirrored = mean[MIRRORED] * (-1, 1) + (SIZE - 1, 0)
    shape = with_forehead((mean + mirrored) / 2)
    triangles = triangulation(shape)
    texels = (shape - FRAME[:2] + 0.5) * (SIDE / FRAME[2]) - 0.5
    textures = [texture(crop, points, texels, triangles) for crop, points in zip(crops, landmarks, strict=True)]
    bare = np.stack([one for one in textures if is_bare(one)])
    print(f"{len(bare)} of {len(textures)} portraits are bare")
    both = softened(np.concatenate([bare, bare[:, :, ::-1]]), texels)
    average, fade = both.mean(0), window(texels)
    inside = fade > 0
    data = torch.tensor(((both - average) * fade[..., None])[:, inside].reshape(len(both), -1)).double()
    values, vectors = torch.linalg.eigh(data @ data.T)  # far fewer faces than pixels: the small matrix has it all
    values, vectors = values.flip(0)[:COMPONENTS], vectors.flip(1)[:, :COMPONENTS]
    basis = vectors.T @ data / values.sqrt()[:, None]
    basis *= basis.gather(1, basis.abs().argmax(1, keepdim=True)).sign()  # an eigenvector has no sign of its own
    print(f"{COMPONENTS} components hold {float(values.sum() / data.square().sum()):.2%} of the variance")
    scale = basis.abs().amax(1) / 127
    return {
        "basis": (basis / scale[:, None]).round().to(torch.int8),
        "scale": scale.float(),
        "deviations": (values / len(both)).sqrt().float(),
        "inside": torch.tensor(inside),
        "mean": torch.tensor(average).permute(2, 0, 1).contiguous(),
        "landmarks": torch.tensor(shape).float(),
        "triangles": torch.tensor(triangles, dtype=torch.int16),
        "frame": torch.tensor(FRAME),
    }


def main() -> None:
    """Reads the portraits and writes the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    found = [faces for _, faces in portraits(arguments.faces)]
    crops = [faces.crops[0].permute(1, 2, 0).numpy() for faces in found]
    save_file(learn(crops, np.stack([faces.landmarks[0].double().numpy() for faces in found])), arguments.output)


if __name__ == "__main__":
    main()
