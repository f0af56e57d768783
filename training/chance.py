"""The curve of `kohl.perturb.chance`: how far a face must be for a recogniser that nobody asked to let go of it.

    python training/chance.py FOLDER --judge onnx:MODEL.onnx [--people A,B] [--check C,D] [--every N]

FOLDER is NAME/*.jpg. Each photo of `--people` is changed by the search of the default recipe, which goes by the curve
that there is; then taken at several shares of that change, saved, and compared by the judge, who is no surrogate, with
the person's other photos. A logistic curve is fitted by maximum likelihood to the comparisons of faces as far from
their source as results are. People of `--check` are not fitted: on them the calibration error and the Brier score are
measured; the numbers of a reliability diagram are printed of both.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from kohl import cpu

cpu.settle()  # before torch is loaded


from kohl import pipeline, recipe  # noqa: E402
from kohl.align import crop, imageio  # noqa: E402
from kohl.perturb.chance import strangeness  # noqa: E402
from kohl.restore.paste import paste  # noqa: E402
from kohl.types import Verifier  # noqa: E402
from kohl.zoo import cards  # noqa: E402

SHARES = 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3  # of the change that the search asks for
LEAST = 0.9  # thresholds: a nearer face is no result, and would bend the curve where results are
BINS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)


def samples(photo: Path, others: Sequence[Path], house: pipeline.House, judge: Verifier) -> Iterator[tuple[float, int]]:
    """How far the saved face is, and whether the judge matches it with another photo, for each share and photo."""
    original = imageio.read(photo)
    faces = [face for face in house.detect(original)[:1] if face.reason is None]
    if not faces:
        return
    before = crop.crops(original, faces)
    rng = pipeline.random_numbers(imageio.digest(original), 0, 0)
    goal = pipeline.aim(before, house, rng=rng)
    after = house.attack(before, goal, rng=rng)
    far = strangeness(house.surrogates, goal, house.recipe.search.views, rng)
    with TemporaryDirectory() as folder:
        for share in SHARES:
            path = Path(folder) / f"{share}.jpg"
            wanted = (before.crops + share * (after - before.crops)).clamp(0, 1)
            imageio.write(paste(original, [faces[0].to_crop], before, wanted), path)
            distance = float(far(crop.crops(imageio.read(path), faces).crops))
            if distance < LEAST:
                continue
            limit = judge.thresholds[house.recipe.models.far]
            for score in judge.compare(path, others):
                if score is not None:
                    yield distance, int(score >= limit)


def fitted(distances: np.ndarray, matched: np.ndarray) -> tuple[float, float]:
    """The middle and the slope of the likeliest logistic curve, by Newton's method."""
    design = np.stack([np.ones_like(distances), distances], 1)
    weights = np.zeros(2)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ weights))
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-6 * np.eye(2)
        weights = weights + np.linalg.solve(curvature, design.T @ (matched - chance))
    return -weights[0] / weights[1], -weights[1]


def reliability(chances: np.ndarray, matched: np.ndarray) -> list[tuple[float, float, float, int]]:
    """For each bin of the chance: its lower end, the mean chance, the share that matched, and how many there are."""
    rows = []
    for low, high in pairwise(BINS):
        inside = (chances >= low) & ((chances < high) | (high == 1))
        if inside.any():
            rows.append((low, float(chances[inside].mean()), float(matched[inside].mean()), int(inside.sum())))
    return rows


def main() -> None:
    """Collects, fits, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--judge", required=True)
    parser.add_argument("--people", type=lambda text: text.split(","), default=[])
    parser.add_argument("--check", type=lambda text: text.split(","), default=[])
    parser.add_argument("--every", type=int, default=1, help="take every Nth photo of a person")
    arguments = parser.parse_args()
    house = pipeline.load(recipe.load("default"))
    judge = cards.judge(arguments.judge)
    found = {}
    for name, people in (("fitted", arguments.people), ("checked", arguments.check)):
        rows = []
        for person in people:
            photos = sorted((arguments.folder / person).glob("*.jpg"))
            for photo in photos[:: arguments.every]:
                rows += samples(photo, [other for other in photos if other != photo], house, judge)
        found[name] = np.array(rows).reshape(-1, 2).T
    middle, slope = fitted(*found["fitted"])
    print(json.dumps({"middle": round(middle, 4), "slope": round(slope, 3), "comparisons": found["fitted"].shape[1]}))
    for name, (distances, matched) in found.items():
        if not len(distances):
            continue
        chances = 1 / (1 + np.exp(slope * (distances - middle)))
        bins = reliability(chances, matched)
        error = sum(abs(mean - share) * count for _, mean, share, count in bins) / len(chances)
        print(f"{name}: Brier {np.square(chances - matched).mean():.4f}, calibration error {100 * error:.1f} points")
        for low, mean, share, count in bins:
            print(f"  from {low:.2f}: said {mean:.3f}, matched {share:.3f}, {count} comparisons")


if __name__ == "__main__":
    main()
