"""Peak memory and seconds of `kohl protect` on large photos, each run a process of its own.

    python benchmarks/large.py [PORTRAITS] [--only NAME …] [--keep FOLDER] [-- …]

The photos are made from the portraits in a folder (`tests/faces` by default), enlarged and set side by side on a
grainy wall, at the sizes of cameras. What follows `--` goes to `kohl protect`.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Case:
    """One photo, and how it is protected."""

    width: int
    height: int
    faces: int
    side: int  # of each portrait, in pixels of the photo
    options: Sequence[str] = ()
    report: bool = False
    most_gb: float | None = None  # the goal

    @property
    def photo(self) -> str:
        """The name of the file; cases of the same picture share it."""
        return f"{self.width}x{self.height}-{self.faces}.jpg"


CASES = {
    "24 MP, one face": Case(6000, 4000, faces=1, side=2000, most_gb=1.3),
    "24 MP, ten faces, only the first": Case(6000, 4000, faces=10, side=1000, options=("--faces", "0")),
    "24 MP, ten faces": Case(6000, 4000, faces=10, side=1000),
    "64 MP, one face, with report": Case(9248, 6936, faces=1, side=3000, report=True, most_gb=1.8),
}
FIRST, ALL = "24 MP, ten faces, only the first", "24 MP, ten faces"
MOST_PER_FACE_S = 4.0  # the goal


@dataclass(frozen=True)
class Run:
    """What one run of the command took."""

    code: int
    seconds: float  # the whole process
    photo_seconds: float  # of that, the photo, as kohl says
    peak_gb: float
    statuses: Sequence[str]  # of the faces


def make(case: Case, portraits: Sequence[Path], path: Path) -> None:
    """Write the photo of a case: portraits in rows on a grainy wall."""
    rng = np.random.default_rng(0)
    wall = Image.fromarray(rng.integers(90, 170, (6, 9, 3), np.uint8)).resize((case.width, case.height))
    grain = rng.integers(0, 9, (512, 512, 1), np.uint8)
    down, across = -(-case.height // 512), -(-case.width // 512)
    wall = Image.fromarray(np.asarray(wall) + np.tile(grain, (down, across, 1))[: case.height, : case.width])
    columns = -(-case.faces // 2) if case.faces > 1 else 1
    rows = -(-case.faces // columns)
    for index, portrait in enumerate(islice(cycle(portraits), case.faces)):
        with Image.open(portrait) as image:
            person = image.convert("RGB").resize((case.side, case.side), Image.Resampling.BICUBIC)
        left = (index % columns * 2 + 1) * case.width // (2 * columns) - case.side // 2
        top = (index // columns * 2 + 1) * case.height // (2 * rows) - case.side // 2
        wall.paste(person, (left, top))
    wall.save(path, quality=92)


def run(case: Case, photo: Path, folder: Path, options: Sequence[str]) -> Run:
    """Protect the photo in a new process."""
    report = ["--report", str(folder / "report.html")] if case.report else []
    command = ["protect", str(photo), "-o", str(folder), "--json", "--force", *report, *case.options, *options]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "kohl", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout:
        printed = process.stdout.read()
    _, state, usage = os.wait4(process.pid, 0)  # of this child alone
    process.returncode = os.waitstatus_to_exitcode(state)
    seconds = time.perf_counter() - started
    rows = [json.loads(line) for line in printed.splitlines()] or [{"seconds": float("nan"), "faces": []}]
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    statuses = [face["status"] for face in rows[0]["faces"]]
    return Run(process.returncode, seconds, rows[0]["seconds"], usage.ru_maxrss * unit / 1e9, statuses)


def lines(runs: dict[str, Run]) -> Iterator[tuple[str, str, str]]:
    """The lines of a table: figure, goal, measured."""
    for name, done in runs.items():
        goal = CASES[name].most_gb
        counted = ", ".join(f"{done.statuses.count(status)} {status}" for status in sorted(set(done.statuses)))
        yield f"{name}: peak memory", f"≤ {goal:.1f} GB" if goal else "", f"{done.peak_gb:.2f} GB"
        yield f"{name}: seconds, of them the photo", "", f"{done.seconds:.1f}, {done.photo_seconds:.1f} ({counted})"
    if FIRST in runs and ALL in runs:
        more = CASES[ALL].faces - 1
        each = (runs[ALL].photo_seconds - runs[FIRST].photo_seconds) / more
        yield "seconds per face after the first", f"≤ {MOST_PER_FACE_S:.0f}", f"{each:.2f}"


def main() -> None:
    """Make the photos, run every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", nargs="?", type=Path, default=ROOT / "tests" / "faces")
    parser.add_argument("--only", action="append", choices=CASES, metavar="NAME", help=", ".join(CASES))
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave photos and results there")
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    arguments, options = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1 :]
    portraits = sorted(path for path in arguments.portraits.iterdir() if path.suffix.lower() in SUFFIXES)
    if not portraits:
        parser.error(f"{arguments.portraits}: holds no portraits")
    runs = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in arguments.only or CASES:
            case = CASES[name]
            if not (folder / case.photo).exists():  # in a process of its own: a child's peak starts at its parent's
                maker = multiprocessing.get_context("spawn").Process(
                    target=make, args=(case, portraits, folder / case.photo)
                )
                maker.start()
                maker.join()
            runs[name] = run(case, folder / case.photo, folder / "out", options)
            print(f"{name}: {runs[name]}", file=sys.stderr, flush=True)
    print("| figure | goal | measured |\n|---|---|---|")
    for line in lines(runs):
        print(f"| {' | '.join(line)} |")


if __name__ == "__main__":
    main()
