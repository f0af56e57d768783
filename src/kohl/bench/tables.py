"""What cells say, as tables: for a terminal, as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kohl.bench.counting import Figure

Value: TypeAlias = "Figure | str | None"


@dataclass(frozen=True)
class Table:
    """Rows of figures under one title; `columns` are over the values, not over a row's name."""

    name: str  # of a file
    title: str
    note: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Value, ...]], ...]
    digits: tuple[int, ...] = ()  # behind the point, by column; 1 where nothing is said
    of: str = ""  # which data set


def said(value: Value, digits: int = 1) -> str:
    """A figure for people: the mean, its 95 % interval, and how far seeds lie apart, if there are several."""
    if value is None or isinstance(value, str):
        return value or "–"
    if math.isnan(value.value):
        return "–"
    interval = "" if math.isnan(value.low) else f" [{value.low:.{digits}f}, {value.high:.{digits}f}]"
    spread = f" ±{value.spread / 2:.{digits}f}" if len(value.seeds) > 1 else ""
    return f"{value.value:.{digits}f}{interval}{spread}"


def texts(table: Table) -> list[list[str]]:
    """The table's cells as text: a row of columns, then each row with its name."""
    digits = [*table.digits, *[1] * (len(table.columns) - len(table.digits))]
    rows = [
        [name, *(said(value, few) for value, few in zip(values, digits, strict=True))] for name, values in table.rows
    ]
    return [["", *table.columns], *rows]


def text(table: Table) -> str:
    """For a terminal."""
    rows = texts(table)
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = ["  ".join(part.ljust(width) for part, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([titled(table), *([table.note] if table.note else []), lines[0], "─" * sum(widths), *lines[1:]])


def titled(table: Table) -> str:
    """The title, with the data set that it is of."""
    return f"{table.of}: {table.title}" if table.of else table.title


def markdown(table: Table) -> str:
    """As GitHub shows it, with the note below."""
    head, *rows = ([part.replace("|", "\\|") for part in row] for row in texts(table))
    lines = [head, ["---", *["---:"] * len(table.columns)], *rows]
    drawn = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join(
        [f"**{table.title}**", drawn, *([f"{table.note[0].upper()}{table.note[1:]}."] if table.note else [])]
    )


def as_csv(tables: Sequence[Table]) -> str:
    """All figures, one a line, with the ends of their intervals, what they are of, and every seed."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["set", "table", "row", "column", "value", "low", "high", "count", "people", "seeds"])
    for table in tables:
        for name, values in table.rows:
            for column, value in zip(table.columns, values, strict=True):
                if isinstance(value, Figure):
                    numbers = [_number(part) for part in (value.value, value.low, value.high)]
                    seeds = " ".join(_number(seed) for seed in value.seeds)
                    writer.writerow([table.of, table.name, name, column, *numbers, value.count, value.people, seeds])
                elif value:
                    writer.writerow([table.of, table.name, name, column, value, *[""] * 5])
    return buffer.getvalue()


def latex(tables: Sequence[Table]) -> str:
    """A table environment each, for the package booktabs."""
    return "\n\n".join(map(_latex, tables)) + "\n"


def _latex(table: Table) -> str:
    head, *rows = ([_escaped(part) for part in row] for row in texts(table))
    lines = [
        "\\begin{table}",
        f"\\caption{{{_escaped(' '.join(filter(None, (titled(table) + '.', table.note))))}}}",
        f"\\label{{tab:{table.name}}}",
        f"\\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        "\\toprule",
        f"{' & '.join(head)} \\\\",
        "\\midrule",
        *(f"{' & '.join(row)} \\\\" for row in rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """The text with nothing in it that LaTeX would obey."""
    special = {
        **{letter: f"\\{letter}" for letter in "&%$#_{}"},
        **{"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"},
        **{"–": "--", "≤": "$\\leq$", "≥": "$\\geq$", "±": "$\\pm$", "Δ": "$\\Delta$", "ε": "$\\varepsilon$"},
        **{"μ": "$\\mu$", "β": "$\\beta$", "×": "$\\times$", "→": "$\\rightarrow$"},
    }
    return "".join(special.get(letter, letter) for letter in text)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"
