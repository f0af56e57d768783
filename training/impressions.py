"""What people see in a face, for recognisers: fits the bundled linear maps, and measures what a change does to it.

    python training/impressions.py fit FACES RATINGS.csv OUT.safetensors
    python training/impressions.py measure FACES RATINGS.csv BEFORE AFTER --judge NAME

FACES and RATINGS.csv are those of the One Million Impressions data set: portraits NNNN.jpg, and the mean rating of
each. `fit` prints how well each recogniser of the default recipe tells each rating of portraits that it was not fitted
on, and rates the bundled decoys. `measure` fits the same for a judge, who should be nobody that the search saw, and
prints how far photos of the folder AFTER moved from those of the same names in BEFORE, in units of the ratings'
spread: in the mean, where "gender" counts towards the other sex and a higher rating is more of it, and either way.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kohl import cpu

cpu.settle()  # before torch is loaded

import torch  # noqa: E402
from portraits import portraits  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from kohl.perturb.terms import Surrogate  # noqa: E402
from kohl.recipe import Models  # noqa: E402
from kohl.types import Faces  # noqa: E402
from kohl.zoo import cards  # noqa: E402
from kohl.zoo.impressions import RATINGS  # noqa: E402

RIDGE = 1.0
FOLDS = 5


def ratings(path: Path) -> Mapping[int, list[float]]:
    """The ratings that kohl knows, of each portrait by its number."""
    with path.open(encoding="utf-8", newline="") as file:
        return {int(row["stimulus"]): [float(row[name]) for name in RATINGS] for row in csv.DictReader(file)}


def standard(rated: np.ndarray) -> np.ndarray:
    """The ratings (n, k) in units of their spread."""
    units: np.ndarray = (rated - rated.mean(0)) / rated.std(0)
    return units


def fitted(embeddings: np.ndarray, rated: np.ndarray) -> np.ndarray:
    """The map (d, k) of embeddings (n, d) to ratings (n, k): least squares, held back by RIDGE."""
    centred = embeddings - embeddings.mean(0)
    square = centred.T @ centred + RIDGE * np.eye(centred.shape[1])
    found: np.ndarray = np.linalg.solve(square, centred.T @ (rated - rated.mean(0)))
    return found


def agreement(embeddings: np.ndarray, rated: np.ndarray) -> dict[str, float]:
    """The correlation with each rating, on portraits in turn that were not fitted."""
    told, turns = np.zeros_like(rated), np.arange(len(rated)) % FOLDS
    for turn in range(FOLDS):
        held = turns == turn
        told[held] = (embeddings[held] - embeddings[~held].mean(0)) @ fitted(embeddings[~held], rated[~held])
    return {
        name: round(float(np.corrcoef(one, other)[0, 1]), 2)
        for name, one, other in zip(RATINGS, told.T, rated.T, strict=True)
    }


def fit(arguments: argparse.Namespace) -> None:
    """Writes the maps of the recognisers that the default recipe searches with, and the ratings of the decoys."""
    known, decoys = ratings(arguments.ratings), cards.load("decoys")
    surrogates = {name: Surrogate(cards.encoder(name), 0.0) for name in dict.fromkeys(Models().surrogates)}
    rated, seen = [], {name: [] for name in surrogates}
    for path, faces in portraits(arguments.faces):
        rated.append(known[int(path.stem)])
        for name, surrogate in surrogates.items():
            seen[name].append(embedded(surrogate, faces))
    units = standard(np.array(rated))
    maps, told = {}, []
    for name, surrogate in surrogates.items():
        embeddings = np.stack(seen[name])
        into = fitted(embeddings, units)
        middle = -embeddings.mean(0) @ into
        others = np.stack([embedded(surrogate, decoys[number]) for number in range(len(decoys))])
        told.append(others @ into + middle)
        maps |= {name: into, f"{name}.middle": middle}
        print(json.dumps({"recogniser": name, "portraits": len(units), **agreement(embeddings, units)}))
    maps["decoys"] = np.mean(told, 0)
    save_file({name: torch.from_numpy(one).float().contiguous() for name, one in maps.items()}, arguments.output)


def embedded(surrogate: Surrogate, faces: Faces) -> np.ndarray:
    """The embedding (d,) of one face."""
    with torch.no_grad():
        found: np.ndarray = surrogate.embed(faces)[0].double().numpy()
    return found


def measure(arguments: argparse.Namespace) -> None:
    """Prints the mean move of each rating, for a judge that was not in the search."""
    judge, known = cards.judge(arguments.judge), ratings(arguments.ratings)

    def seen(path: Path) -> np.ndarray | None:
        faces = judge.faces(path)
        return faces[0].embedding.ravel() / np.linalg.norm(faces[0].embedding) if faces else None

    pairs = [(known[int(path.stem)], seen(path)) for path in sorted(arguments.faces.glob("*.jpg"))]
    rated, embeddings = (np.array(part) for part in zip(*((a, b) for a, b in pairs if b is not None), strict=True))
    units = standard(rated)
    into = fitted(embeddings, units)
    print(json.dumps({"judge": arguments.judge, "portraits": len(units), **agreement(embeddings, units)}))
    moves = []
    for path in sorted(arguments.after.iterdir()):
        same = [other for other in arguments.before.rglob("*") if other.stem == path.stem]
        if not same:
            continue
        before, after = seen(same[0]), seen(path)
        if before is None or after is None:
            continue
        was, now = ((one - embeddings.mean(0)) @ into for one in (before, after))
        moved = now - was
        moved[0] *= -np.sign(was[0])  # towards the other sex
        moves.append(moved)
    print(
        json.dumps({"photos": len(moves), **_rounded(np.mean(moves, 0)), "either way": _rounded(np.abs(moves).mean(0))})
    )


def _rounded(numbers: np.ndarray) -> dict[str, float]:
    return {name: round(float(number), 2) for name, number in zip(RATINGS, numbers, strict=True)}


def main() -> None:
    """Fits or measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    fitting, measuring = commands.add_parser("fit"), commands.add_parser("measure")
    for each, does, more in ((fitting, fit, ("output",)), (measuring, measure, ("before", "after"))):
        for name in ("faces", "ratings", *more):
            each.add_argument(name, type=Path)
        each.set_defaults(run=does)
    measuring.add_argument("--judge", required=True)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
