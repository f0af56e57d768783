"""The synthetic portraits that the bundled weights are made from, found and aligned the way kohl does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kohl.align import crop, imageio
from kohl.align.detect import Detect
from kohl.types import Faces
from kohl.zoo import cards


def detector() -> Detect:
    """kohl's own detector and landmarks."""
    return Detect(cards.load("yunet"), cards.load("landmarks68"))


def portraits(folder: Path) -> Iterator[tuple[Path, Faces]]:
    """Each photo of `folder` in which a face is found, with its largest face aligned."""
    detect = detector()
    for path in sorted(folder.glob("*.jpg")):
        photo = imageio.read(path)
        faces = [face for face in detect(photo) if face.reason is None]
        if faces:
            yield path, crop.crops(photo, faces[:1])


# The landmarks of the mirror image, in the iBUG order.
MIRRORED = np.array([
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
])  # fmt: skip
