"""Calibrates judges: the similarity that a given share of strangers' photos reaches, and how many true pairs do too.

    python benchmarks/thresholds.py FOLDER [--judge dlib --judge onnx:model.onnx …] [--limit 300] [--json]

FOLDER holds NAME/*.jpg, one folder per person (as LFW), or photos of people who are all different. Every photo is
compared once with every later one, exactly as `kohl compare` does it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kohl.bench.calibrate import RATES, share, similarities
from kohl.geometry import warp
from kohl.types import Faces, Verifier
from kohl.zoo import cards
from kohl.zoo.detectors.yunet import Detection
from kohl.zoo.judges.judge import Judge, Seen, cosine

# dlib: euclidean distance 0.6, in dlib's own example and `face_recognition`; SFace: cosine 0.363, in OpenCV's tutorial.
PUBLISHED = {"dlib": 0.4, "sface": 0.363}
ENCODERS = [f"encoder:{name}" for name in cards.named("encoder")]


def main() -> None:
    """Print a table, or JSON, of every judge's thresholds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--judge", action="append", help="its name, onnx:PATH or encoder:NAME; default: every judge that is here"
    )
    parser.add_argument("--limit", type=int, help="take only the first so many photos")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    settings = parser.parse_args()
    photos = people(settings.folder)[: settings.limit]
    names = settings.judge or [name for name in cards.named("judge") if cards.present(cards.find(name))]
    results = [calibration(white_box(name) if name in ENCODERS else cards.judge(name), photos) for name in names]
    print(json.dumps(results, indent=2) if settings.json else "\n\n".join(map(table, results)))


def white_box(name: str) -> Judge:
    """The encoder `encoder:NAME` as a judge: faces are found and aligned as in the search."""
    encoder = cards.encoder(name.removeprefix("encoder:"))
    detector, predictor = cards.load("yunet"), cards.load("landmarks68")

    def embedding(pixels: np.ndarray, face: Detection) -> np.ndarray:
        """The encoder's answer to one face."""
        image = torch.tensor(pixels).permute(2, 0, 1)[None] / 255
        points, landmarks = (torch.tensor(x)[None].float() for x in (face.points, predictor(pixels, face.box)))
        to_input = encoder.to_input(Faces(image, points, landmarks))
        found: np.ndarray = encoder(warp(image, to_input, (encoder.size, encoder.size)))[0].numpy()
        return found

    return Judge(
        name, {}, lambda pixels: [Seen(face.box, embedding(pixels, face)) for face in detector(pixels)], cosine
    )


def people(folder: Path) -> list[tuple[str, Path]]:
    """Every photo with the name of its person."""
    named = [(path.parent.name, path) for path in sorted(folder.glob("*/*.jpg"))]
    return named or [(path.stem, path) for path in sorted(folder.glob("*.jpg"))]


def calibration(judge: Verifier, photos: Sequence[tuple[str, Path]]) -> dict[str, Any]:
    """The judge's thresholds by false-accept rate, with the share of true pairs that it then accepts."""
    pairs = similarities(judge, photos)
    points = [(f"{rate:g}", least) for rate, least in pairs.thresholds(RATES).items()]
    points += [("published", PUBLISHED[judge.name])] if judge.name in PUBLISHED else []
    return {
        "judge": judge.name,
        "genuine_pairs": len(pairs.genuine),
        "impostor_pairs": len(pairs.impostors),
        "pairs_without_a_face": pairs.unseen,
        "points": [
            {"rate": rate, "threshold": least, "far": share(pairs.impostors, least), "tar": share(pairs.genuine, least)}
            for rate, least in points
        ],
    }


def table(result: dict[str, Any]) -> str:
    """A calibration as text."""
    counts = (
        f"{result['genuine_pairs']} genuine pairs, {result['impostor_pairs']} impostor pairs, "
        f"{result['pairs_without_a_face']} without a face"
    )
    rows = [
        f"{point['rate']:>10} {point['threshold']:>10.4f} {point['far']:>8.2%} {point['tar']:>8.2%}"
        for point in result["points"]
    ]
    return "\n".join([f"{result['judge']}: {counts}", f"{'rate':>10} {'threshold':>10} {'FAR':>8} {'TAR':>8}", *rows])


if __name__ == "__main__":
    main()
