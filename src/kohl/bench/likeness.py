"""How much a face changed between two files, beyond what a row of `kohl protect` says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from kohl.align import crop, imageio
from kohl.colour import difference, lab
from kohl.score.quality import face_crop
from kohl.types import Detector, Images, Scores


@dataclass(frozen=True, eq=False)
class Likeness:
    """Figures by name, None where a face is not found: the mean ΔE00 of the face's pixels; how far its 68 landmarks
    moved, in per cent of the eyes' distance; and, with `perceptual`, LPIPS.

    `key` says by which models.
    """

    key: str
    detect: Detector
    perceptual: Callable[[Images, Images], Scores] | None = None

    def __call__(self, original: Path, file: Path) -> dict[str, float | None]:
        """Those of the largest face of the original, and of what became of it."""
        before, after = imageio.read(original), imageio.read(file)
        first, second = ((*self.detect(photo), None)[0] for photo in (before, after))
        names = ("delta e", "landmarks", *(("lpips",) if self.perceptual else ()))
        if first is None or before.size != after.size:
            return dict.fromkeys(names)
        found: dict[str, float | None] = dict.fromkeys(names)
        points = first.points.astype(np.float32)
        with torch.no_grad():
            colours = [lab(face_crop(photo.pixels, points)[0]) for photo in (before, after)]
            found["delta e"] = float(difference(*colours).mean())
            if second is not None:
                eyes = np.linalg.norm(first.points[1] - first.points[0])
                found["landmarks"] = float(
                    100 * np.linalg.norm(second.landmarks - first.landmarks, axis=1).mean() / eyes
                )
            if self.perceptual is not None:
                found["lpips"] = float(
                    self.perceptual(*(crop.crops(photo, [first]).crops for photo in (before, after)))
                )
        return found
