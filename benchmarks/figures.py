"""Writes the tables of cells into a Markdown file, so that no number in it is typed.

    python benchmarks/figures.py README.md CELLS [CELLS …] [--far RATE] [--check]

Where the file says `<!-- kohl bench: NAME -->`, everything up to `<!-- end -->` becomes the table NAME (`verification`,
`linking`, `quality` …, the names in `figures.csv`), or what they were measured with (`made`). A wide table shows the
columns that stand behind bars: `<!-- kohl bench: quality | SSIM | NLPD -->`. With --check nothing is written, and the
exit code says whether something would change.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kohl import files
from kohl.bench import cells, findings, report, tables
from kohl.bench.results import Results

PLACE = re.compile(r"(<!-- kohl bench: (\S+)((?: \| [^|\n]+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def written(text: str, results: Results) -> str:
    """The text with every table at its place; raises `KeyError` for a table or a column that there is not."""
    parts = report.by_data(results)
    found: dict[str, list[tables.Table]] = {}
    for part in parts:
        for table in findings.tables(part):
            found.setdefault(table.name, []).append(table)

    def there(place: re.Match[str]) -> str:
        start, name, columns, end = place.groups()
        if name == "made":
            if columns:
                raise KeyError("made has no columns")
            return f"{start}\n{report.made(results)}\n\n{end}"
        chosen = [column.strip() for column in columns.split(" | ")[1:]]
        shown = "".join(f"{tables.markdown(chosen_of(table, chosen))}\n" for table in found[name])
        return f"{start}\n{shown}\n{end}"

    return PLACE.sub(there, text)


def chosen_of(table: tables.Table, columns: Sequence[str]) -> tables.Table:
    """The table with those columns alone, in that order; all if there are none."""
    if not columns:
        return table
    if missing := [column for column in columns if column not in table.columns]:
        raise KeyError(f"{table.name} has no column {missing[0]}; it has {', '.join(table.columns)}")
    places = [table.columns.index(column) for column in columns]
    digits = [*table.digits, *[1] * (len(table.columns) - len(table.digits))]
    return replace(
        table,
        columns=tuple(columns),
        rows=tuple((name, tuple(values[place] for place in places)) for name, values in table.rows),
        digits=tuple(digits[place] for place in places),
    )


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
        if before != after:
            print(f"{arguments.file}: its tables are not those of the cells; run benchmarks/figures.py without --check")
        return int(before != after)
    files.write(arguments.file, after.encode(), force=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
