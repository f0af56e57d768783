"""How many small faces are found in large pictures, which it makes from a folder of portraits.

    .venv/bin/python benchmarks/crowds.py FOLDER [--seeds N]

FOLDER holds portraits with one face each, such as the OMI faces. Each is cut out along an ellipse around its head,
shrunk until its face is so many pixels high, and put on a background: smooth, or as rough at every scale as nature is.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import cv2
import numpy as np

from kohl import cpu
from kohl.align import imageio
from kohl.zoo import cards
from kohl.zoo.detectors.yunet import YuNet
from kohl.zoo.judges.judge import overlap

PICTURES = {  # width, height, faces, pixels of a face, of these so many must be found
    "panorama": (14_000, 2_000, 20, 80, 20),
    "64 megapixels": (9_248, 6_936, 40, 50, 38),
}
SAME = 0.3  # least intersection over union


def background(width: int, height: int, rough: float, rng: np.random.Generator) -> np.ndarray:
    """Colours that change slowly, and with `rough` also quickly, uint8 (height, width, 3)."""
    canvas = np.full((height, width, 3), 120, np.uint8)
    for cells in (4, 16, 64, 256, 1024):
        size = (cells, max(2, cells * height // width))
        spread = 40 if cells == 4 else rough * 40 * (4 / cells) ** 0.3
        layer = rng.normal(0, spread, (size[1], size[0], 3)).clip(-100, 100)
        for top in range(0, height, 1000):  # a strip at a time
            rows = slice(top, min(top + 1000, height))
            matrix = np.array([[size[0] / width, 0, 0], [0, size[1] / height, top * size[1] / height]], np.float32)
            strip = cv2.warpAffine(
                layer.astype(np.float32),
                matrix,
                (width, rows.stop - rows.start),
                flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT,
            )
            canvas[rows] = np.clip(canvas[rows] + strip, 0, 255).astype(np.uint8)
    return canvas


def crowd(
    portraits: list[Path], detector: YuNet, name: str, rough: float, seed: int
) -> tuple[np.ndarray, list[tuple[float, float, float, float]]]:
    """The picture, and the boxes of its faces."""
    width, height, count, side, _ = PICTURES[name]
    rng = np.random.default_rng(seed)
    canvas, boxes = background(width, height, rough, rng), []
    columns = round((count * width / height) ** 0.5)
    cells = [(row, column) for row in range(-(-count // columns)) for column in range(columns)][:count]
    for (row, column), index in zip(cells, rng.choice(len(portraits), count, replace=False), strict=True):
        pixels = imageio.read(portraits[index]).pixels
        x, y, face_width, face_height = detector(pixels)[0].box
        scale = side / max(face_width, face_height)
        head = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        centre = (int((x + face_width / 2) * scale), int((y + face_height / 2) * scale))
        mask = np.zeros(head.shape[:2], np.float32)
        cv2.ellipse(mask, centre, (int(0.75 * side), int(0.9 * side)), 0, 0, 360, 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), side / 20)[..., None]
        left = int((column + rng.uniform(0.2, 0.6)) * width / columns)
        top = int((row + rng.uniform(0.2, 0.6)) * height / (-(-count // columns)))
        part = canvas[top : top + head.shape[0], left : left + head.shape[1]]
        part[:] = part + mask[: part.shape[0], : part.shape[1]] * (
            head[: part.shape[0], : part.shape[1]] - part.astype(np.float32)
        )
        boxes.append((left + x * scale, top + y * scale, face_width * scale, face_height * scale))
    return canvas, boxes


def main() -> None:
    """Make the pictures and count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    cpu.settle()
    detector, portraits = cards.load("yunet"), sorted(arguments.folder.glob("*.jpg"))
    for name, (width, height, count, side, goal) in PICTURES.items():
        for rough in (0.0, 1.0):
            for seed in range(arguments.seeds):
                canvas, boxes = crowd(portraits, detector, name, rough, seed)
                started = time.perf_counter()
                found = detector(canvas)
                seconds = time.perf_counter() - started
                hit = sum(any(overlap(box, face.box) >= SAME for face in found) for box in boxes)
                others = sum(all(overlap(box, face.box) < SAME for box in boxes) for face in found)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                what = f"{name} ({width} × {height}), {'rough' if rough else 'smooth'}, seed {seed}"
                said = f"{hit} of {count} faces of {side} px (goal {goal}), {others} more"
                print(f"{what}: {said}; {seconds:.1f} s, {peak:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
