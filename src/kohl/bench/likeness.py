"""How much a face changed between two files, beyond what a row of `kohl protect` says."""

from __future__ import annotations

import numpy as np
import torch

from kohl.colour import difference, lab
from kohl.score.quality import face_crop
from kohl.types import Detector, Photo


def likeness(before: Photo, after: Photo, detect: Detector) -> dict[str, float | None]:
    """The mean ΔE00 of the face's pixels, and how far its 68 landmarks moved, in per cent of the eyes' distance.

    Both faces are found anew; None where one of them is not.
    """
    first, second = ((*detect(photo), None)[0] for photo in (before, after))
    if first is None or before.size != after.size:
        return {"delta e": None, "landmarks": None}
    crops = [face_crop(photo.pixels, first.points.astype(np.float32)) for photo in (before, after)]
    colours = [lab(crop[0]) for crop in crops]
    moved = None
    if second is not None:
        eyes = np.linalg.norm(first.points[1] - first.points[0])
        moved = float(100 * np.linalg.norm(second.landmarks - first.landmarks, axis=1).mean() / eyes)
    with torch.no_grad():
        return {"delta e": float(difference(*colours).mean()), "landmarks": moved}
