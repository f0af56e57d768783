"""Whether everybody is protected alike: PSR, PSNR and NLPD by sex, skin and age as raters saw them.

    python benchmarks/fairness.py omi/faces omi/ratings.csv --every 9 --judge onnx:MODEL.onnx [--set …]

One photo of each person is all there is: the saved file is compared with the very photo it was made from, which is
harder than with another one. RATINGS is OMI's table of mean ratings from 0 to 100 (Peterson et al., PNAS 2022); they
say what people saw in synthetic portraits, not what is true of anybody.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import protect  # noqa: F401  first: it settles the threads before torch is loaded

from kohl import pipeline, recipe
from kohl.bench.groups import Outcome, by_group
from kohl.errors import NoFace
from kohl.job import Job
from kohl.zoo import cards

# The ratings from which a group begins, the highest first.
GROUPS: Mapping[str, tuple[tuple[float, str], ...]] = {
    "gender": ((50, "men"), (0, "women")),
    "skin-color": ((40, "dark"), (20, "medium"), (0, "light")),
    "age": ((45, "older"), (18, "adults"), (0, "children")),
}
GOALS = {"%": "≤ 5 points", "dB": "≤ .5 dB"}


def rated(path: Path) -> dict[int, dict[str, str]]:
    """The groups of each portrait, by its number."""
    with path.open(encoding="utf-8", newline="") as file:
        return {
            int(row["stimulus"]): {
                kind: next(name for least, name in groups if float(row[kind]) >= least)
                for kind, groups in GROUPS.items()
            }
            for row in csv.DictReader(file)
        }


def main() -> None:
    """Protects, judges, prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--every", type=int, default=9, help="take every Nth portrait")
    parser.add_argument("--judge", action="append", default=[])
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--keep", type=Path, help="write the protected portraits here")
    arguments = parser.parse_args()

    known, chosen = rated(arguments.ratings), recipe.override(recipe.load("default"), arguments.set)
    house, outcomes = pipeline.load(chosen), []
    judges = [cards.judge(name) for name in arguments.judge or chosen.models.judging]
    with tempfile.TemporaryDirectory() as scratch:
        for photo in sorted(arguments.faces.glob("*.jpg"))[:: arguments.every]:
            output = (arguments.keep or Path(scratch)) / photo.name
            try:
                face = pipeline.protect(Job(photo, output, faces=(0,), force=True), house).faces[0]
            except NoFace as refusal:
                print(f"{photo.name}: {refusal}", file=sys.stderr)
                continue
            figures: dict[str, float] = {}
            for judge in judges:
                (score,) = judge.compare(output, [photo])
                limit = judge.thresholds[chosen.models.far]
                figures[f"PSR % {judge.name}"] = float("nan") if score is None else 100.0 * (score < limit)
            assert face.psnr is not None
            assert face.nlpd is not None
            figures |= {"PSNR dB": face.psnr, "NLPD ‰": 1000 * face.nlpd}
            outcomes.append(Outcome(photo.stem, known[int(photo.stem)], figures))
    print("| figure | goal | measured |\n|---|---|---|")
    print("\n".join(f"| {' | '.join(line)} |" for line in by_group(outcomes, GOALS)))


if __name__ == "__main__":
    main()
