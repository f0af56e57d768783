"""Draws how a generator learned: `python training/curve.py FOLDER` reads the tables there and writes curve.png."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot


def main() -> None:
    """Write the picture: the parts of the loss, and beside them the held-out PSNR."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    losses, held = (table(folder / name) for name in ("log.csv", "held_out.csv"))
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    for name in (name for name in losses[0] if name not in ("pictures", "delta")):
        rows = [row for row in losses if row[name]]
        left.plot(*([float(row[column]) for row in rows] for column in ("pictures", name)), label=name)
    left.set(xlabel="pictures seen", ylabel="part of the loss", yscale="log")
    left.legend(fontsize=8)
    right.plot(*([float(row[column]) for row in held] for column in ("pictures", "psnr")), marker="o")
    right.set(xlabel="pictures seen", ylabel="held-out faces, without tuning: PSNR in dB")
    figure.savefig(folder / "curve.png", dpi=90)


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, by heading."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
