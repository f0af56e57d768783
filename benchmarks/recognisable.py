"""How small a face may be until a judge no longer recognises it, on photos of known people.

    .venv/bin/python benchmarks/recognisable.py FOLDER [--people NAME,…] [--judge NAME]… [--eyes N,N,…]

FOLDER holds NAME/*.jpg. Each photo is shrunk until so many pixels lie between the eyes, and enlarged again, as somebody
would who looks for a small face; then it is compared with the person's other photos as they are. Printed is the share
of comparisons that reach the threshold at a false-accept rate of 1 %.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from kohl.align import imageio
from kohl.score.verify import threshold
from kohl.types import Verifier
from kohl.zoo import cards

FAR = 0.01


def coarse(pixels: np.ndarray, eyes: float, wanted: float) -> np.ndarray:
    """The photo with no more detail than it would have with `wanted` instead of `eyes` pixels between the eyes."""
    height, width = pixels.shape[:2]
    scale = min(1.0, wanted / eyes)
    small = cv2.resize(pixels, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def between_eyes(pixels: np.ndarray) -> float | None:
    """Pixels between the eyes of the largest face."""
    found = cards.load("yunet")(pixels)
    return float(np.linalg.norm(found[0].points[1] - found[0].points[0])) if found else None


def scores(judge: Verifier, people: Sequence[Sequence[Path]], wanted: float, folder: Path) -> list[float]:
    """Every similarity of a coarse photo to another one of the person; −1 where no face is found."""
    found = []
    for photos in people:
        for path in photos:
            pixels = imageio.read(path).pixels
            if (eyes := between_eyes(pixels)) is None:
                continue
            probe = folder / f"{path.stem}-{wanted:g}.png"
            Image.fromarray(coarse(pixels, eyes, wanted)).save(probe)
            others = judge.compare(probe, [other for other in photos if other != path])
            found += [-1.0 if score is None else score for score in others]
    return found


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--people", type=lambda text: text.split(","))
    parser.add_argument("--judge", action="append")
    parser.add_argument("--eyes", type=lambda text: [float(part) for part in text.split(",")])
    arguments = parser.parse_args()
    names = arguments.people or sorted(path.name for path in arguments.folder.iterdir() if path.is_dir())
    people = [sorted((arguments.folder / name).glob("*.jpg")) for name in names]
    for judge in map(cards.judge, arguments.judge or ["sface", "dlib"]):
        least = threshold(judge, FAR)
        for wanted in arguments.eyes or [3, 4, 5, 6, 8, 10, 12, 16, 20]:
            with tempfile.TemporaryDirectory() as folder:
                found = np.array(scores(judge, people, wanted, Path(folder)))
            accepted, lost = (found >= least).mean(), (found == -1).mean()
            print(
                f"{judge.name}  {wanted:4g} px  TAR {accepted:6.1%}  no face {lost:6.1%}  of {len(found)}", flush=True
            )


if __name__ == "__main__":
    main()
