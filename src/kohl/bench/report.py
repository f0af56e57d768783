"""The tables of a run, written: text for people, CSV, LaTeX, and a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kohl import files
from kohl.bench import page, tables
from kohl.bench.results import Results


def write(results: Results, folder: Path, *, notes: Sequence[str]) -> str:
    """The tables as text, once they and the other forms are in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [table for part in by_data(results) for table in part.tables()]
    text = "\n\n".join([*map(tables.text, found), made(results), *notes]) + "\n"
    for name, content in (
        ("tables.txt", text),
        ("figures.csv", tables.as_csv(found)),
        ("tables.tex", tables.latex(found)),
        ("index.html", page.page([page.section(part, made(part)) for part in by_data(results)], notes)),
    ):
        files.write(folder / name, content.encode("utf-8", "backslashreplace"), force=True)
    return text


def by_data(results: Results) -> list[Results]:
    """The results of each data set apart."""
    names = list(dict.fromkeys(cell["data"]["name"] for cell in results.cells if "data" in cell))
    return [
        replace(results, cells=[cell for cell in results.cells if cell.get("data", {}).get("name") == name])
        for name in names
    ]


def made(results: Results) -> str:
    """Of what, when and with what the cells were measured, in a line for each data set."""
    lines = []
    for part in by_data(results):
        cells = part.cells
        data, dates = cells[0]["data"], sorted(cell["date"][:10] for cell in cells)
        commits, machines = ({cell[name] for cell in cells} for name in ("commit", "hardware"))
        seeds = len({cell["seed"] for cell in cells})
        calibrations = sorted({cell["calibration"] for cell in part.scores})
        said = [
            f"{data['name']}: {data['photos']} photos of {data['people']} people, {seeds} seed{'s' * (seeds > 1)}",
            f"thresholds from {', '.join(calibrations)}",
            dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}",
            ", ".join(sorted(machines)),
            f"commit {', '.join(sorted(commits)) or 'unknown'}",
            "intervals of 95 % by person",
        ]
        lines.append("; ".join(said))
    return "\n".join(lines)
