"""Writes the tables of cells into a Markdown file, so that no number in it is typed.

    python benchmarks/figures.py README.md CELLS [CELLS …] [--far RATE] [--check]

Where the file says `<!-- kohl bench: NAME -->`, everything up to `<!-- end -->` becomes the table NAME (`verification`,
`linking`, `quality` …, the names in `figures.csv`), or what they were measured with (`made`). With --check nothing is
written, and the exit code says whether something would change.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from kohl import files
from kohl.bench import cells, findings, report, tables
from kohl.bench.results import Results

PLACE = re.compile(r"(<!-- kohl bench: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str, results: Results) -> str:
    """The text with every table at its place; raises `KeyError` for one that there is not."""
    parts = report.by_data(results)
    known = {"made": f"{report.made(results)}\n"}
    for part in parts:
        for table in findings.tables(part):
            known[table.name] = f"{known.get(table.name, '')}{tables.markdown(table)}\n"
    return PLACE.sub(lambda found: f"{found[1]}\n{known[found[2]]}\n{found[3]}", text)


def main() -> int:
    """Write, or only check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("cells", type=Path, nargs="+")
    parser.add_argument("--far", type=float, default=0.01)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    found = [cell for folder in arguments.cells for cell in cells.every(folder)]
    report.check_one(found, arguments.cells[0])
    before = arguments.file.read_text("utf-8")
    after = written(before, Results(found, arguments.far))
    if arguments.check:
        return int(before != after)
    files.write(arguments.file, after.encode(), force=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
