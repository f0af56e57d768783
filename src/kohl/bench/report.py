"""The tables of a run, written: text for people, CSV, LaTeX, and a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kohl import files
from kohl.bench import findings, page, tables
from kohl.bench.cells import Cell
from kohl.bench.results import Results
from kohl.errors import BadSetting


def write(results: Results, folder: Path, *, notes: Sequence[str]) -> str:
    """The tables as text, once they and the other forms are in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    found = [replace(table, of=name(part)) for part in by_data(results) for table in findings.tables(part)]
    text = "\n\n".join([*map(tables.text, found), made(results), *notes]) + "\n"
    for file, content in (
        ("tables.txt", text),
        ("figures.csv", tables.as_csv(found)),
        ("tables.tex", tables.latex(found)),
        ("index.html", page.page([page.section(part, name(part), made(part)) for part in by_data(results)], notes)),
    ):
        files.write(folder / file, content.encode("utf-8", "backslashreplace"), force=True)
    return text


def by_data(results: Results) -> list[Results]:
    """The results of each data set, and of each goal, apart."""
    apart: dict[tuple[str, str, str], list[Cell]] = {}
    for cell in results.cells:
        if "data" in cell:
            apart.setdefault((cell["data"]["name"], cell["data"]["content"], cell["goal"]), []).append(cell)
    return [replace(results, cells=found) for found in apart.values()]


def check_one(cells: Sequence[Cell], where: Path) -> None:
    """Raises `BadSetting` for two cells of the same row and column: their settings differ, and nobody could tell."""
    names = ("kind", "goal", "attack", "surrogates", "judge", "posting", "seed")
    seen: dict[str, str] = {}
    for cell in cells:
        if "data" in cell:
            place = repr([cell["data"]["content"], *(cell.get(name) for name in names)])
            if seen.setdefault(place, cell["key"]) != cell["key"]:
                what = f"{cell['attack']} on {cell['data']['name']}, with other settings or photos to compare with"
                raise BadSetting(f"--cells: {where}: holds {what}; keep such cells in folders of their own")


def name(results: Results) -> str:
    """Of the data set, and of what was to become of its photos."""
    named: str = results.cells[0]["data"]["name"]
    return f"{named}, impersonation" if results.cells[0]["goal"] == "impersonate" else named


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
            f"{name(part)}: {_count(data['photos'], 'photo')} of {_people(data['people'])}, {_count(seeds, 'seed')}",
            f"thresholds from {', '.join(calibrations)}",
            dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}",
            ", ".join(sorted(machines)),
            f"commit {', '.join(sorted(commits)) or 'unknown'}",
            "intervals of 95 % by person",
        ]
        lines.append("; ".join(said))
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"
