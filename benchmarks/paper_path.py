"""What the published method costs on this machine's CPU, and how near our networks are to the published code's.

    python benchmarks/paper_path.py step [--size 1024] [--repeat 2] [--json]
    python benchmarks/paper_path.py photo [PHOTO] [--fast] [--size 1024] [--tuning N] [--search N] [--json]
    python benchmarks/paper_path.py parity [--only NAME] [--json]
    python benchmarks/paper_path.py faces LEARNED PHOTOS … [--json]

No published weights are needed: in the first three they are random, of the real shapes, in files laid out as the
published ones; in the last they are kohl's own.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from kohl import cpu

if "torch" not in sys.modules:
    cpu.settle()
sys.path.append(str(Path(__file__).parents[1] / "tests"))  # for the recorded shapes and the recipe of the numbers

import paper_faces
import paper_parity
import paper_photo
import paper_step

PARTS = {"step": paper_step, "photo": paper_photo, "parity": paper_parity, "faces": paper_faces}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure one part and print it as a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    for name, part in PARTS.items():
        about = (part.__doc__ or "").partition("\n")[0]
        options = parts.add_parser(name, help=about, description=about)
        part.add(options)
        options.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    part = PARTS[arguments.part]
    found = part.measure(arguments)
    print(json.dumps(found) if arguments.json else getattr(part, "table", table)(found))


def table(found: Mapping[str, Mapping[str, object]]) -> str:
    """A line for each group of figures, of a part that has no table of its own."""
    return "\n".join(
        f"{name}: " + " · ".join(f"{figure} {value:g}" for figure, value in each.items())
        for name, each in found.items()
    )


if __name__ == "__main__":
    main()
