"""The comparison as one page for people, which needs nothing but itself."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kohl.bench import findings, plots, tables
from kohl.bench.counting import Figure
from kohl.bench.plots import Bars, Plot
from kohl.bench.results import Results
from kohl.bench.tables import Table
from kohl.version import __version__

FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Section:
    """One data set: what is drawn of it, and all its tables."""

    name: str
    plots: Sequence[Plot]
    bars: Sequence[Bars]
    tables: Sequence[Table]
    made: str
    sources: Sequence[tuple[str, str, str]]  # of each attack: its name, where its settings are from, whom it sees


def section(results: Results, name: str, made: str) -> Section:
    """What the page says of the results of one data set, called like that."""
    kinds = (plots.trade, plots.adaptive)
    found = [plot for draw in kinds for judge in results.judges if (plot := draw(results, judge))]
    by_name = {cell["attack"]: cell for cell in results.cells if "attack" in cell}
    sources = [(attack, cell["source"], ", ".join(cell["surrogates"]) or "–") for attack, cell in by_name.items()]
    return Section(name, found, plots.bars(results), findings.tables(results), made, sources)


def page(sections: Sequence[Section], notes: Sequence[str]) -> str:
    """The page; opening it asks no server for anything."""
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(texts=tables.texts, shade=_shade)
    return environment.get_template("page.html").render(
        sections=sections,
        notes=notes,
        version=__version__,
        style=Markup(style),  # noqa: S704 - our own file
        style_hash="sha256-" + b64encode(sha256(style.encode()).digest()).decode(),
    )


def _shade(table: Table, row: int, column: int) -> str:
    """The class of a cell in a grid of shares: in tens of per cent; none in other tables."""
    value = table.rows[row][1][column]
    if not table.name.startswith("posted") or not isinstance(value, Figure) or value.value != value.value:
        return ""
    return f"p{10 * min(10, round(value.value / 10))}"
