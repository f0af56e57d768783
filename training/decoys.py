"""Packs synthetic portraits as the bundled decoys: `python training/decoys.py OMI/faces OUT.safetensors`.

Children are not offered as anybody's decoy, nor faces behind glasses or hair. Nothing is random.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from face_model import FRAME, SIDE, is_bare, texture, triangulation
from portraits import portraits
from safetensors.torch import save_file

from kohl.templates import with_forehead

COUNT = 128
QUALITY = 85  # JPEG, 256 pixels: about 10 kB each


def is_adult(landmarks: np.ndarray) -> bool:
    """Whether the proportions are an adult's: the eyes high above the chin, for their distance."""
    eyes = np.stack([landmarks[36:42].mean(0), landmarks[42:48].mean(0)])
    return bool(np.linalg.norm(landmarks[8] - eyes.mean(0)) > 1.85 * np.linalg.norm(eyes[1] - eyes[0]))


def main() -> None:
    """Reads the portraits and writes the decoys."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    found = [faces for _, faces in portraits(arguments.faces)]
    shape = with_forehead(np.mean([faces.landmarks[0].double().numpy() for faces in found], 0))
    triangles, texels = triangulation(shape), (shape - FRAME[:2] + 0.5) * (SIDE / FRAME[2]) - 0.5
    chosen = []
    for faces in found:
        landmarks = faces.landmarks[0].double().numpy()
        crop = faces.crops[0].permute(1, 2, 0).numpy()
        if is_adult(landmarks) and is_bare(texture(crop, landmarks, texels, triangles)):
            chosen.append(faces)
    print(f"{len(chosen)} portraits fit; the first {COUNT} are packed")
    chosen = chosen[:COUNT]
    files = [_encoded((faces.crops[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)) for faces in chosen]
    save_file(
        {
            "files": torch.from_numpy(np.concatenate(files)),
            "ends": torch.tensor(np.cumsum([len(file) for file in files])),
            "points": torch.cat([faces.points for faces in chosen]).half(),
            "landmarks": torch.cat([faces.landmarks for faces in chosen]).half(),
        },
        arguments.output,
    )


def _encoded(crop: np.ndarray) -> np.ndarray:
    return cv2.imencode(".jpg", crop[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].ravel()


if __name__ == "__main__":
    main()
