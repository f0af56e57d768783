"""What became of the photos as one page for people, which needs nothing but itself."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kohl import files
from kohl.makeup.words.look import sentence
from kohl.score.headline import headline
from kohl.score.pictures import CONTRAST, pictures
from kohl.score.verify import in_a_hundred, says
from kohl.types import Photo, Row

FOLDER = Path(__file__).parent


def write(
    rows: Sequence[Row],
    path: Path,
    *,
    licences: Mapping[str, str],
    read: Callable[[Path], Photo],
    force: bool = False,
) -> None:
    """One self-contained page about `rows`, whole or not at all; opening it asks no server for anything.

    `licences` says under which licence each model comes; `read` opens a photo upright. Raises `FileExistsError` where a
    file is by then, unless `force`.
    """
    style, script = ((FOLDER / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Of a path, the page shows the file's name alone: whoever it is shown to need not see the folders.
    environment.filters.update(
        says=says,
        sentence=sentence,
        in_a_hundred=in_a_hundred,
        share=_share,
        one_in=_one_in,
        file_name=lambda path: Path(path).name,
    )
    page = environment.get_template("report.html").generate(
        rows=rows,
        photos=((row, *pictures(row, read)) for row in rows),  # one photo in memory at a time
        headline=headline(rows),
        settings=list(_settings(next((row.recipe for row in rows if row.recipe), {}))),
        notes=next((row.notes for row in rows if row.notes), ()),
        rates=sorted({judgement.far for row in rows for face in row.faces for judgement in face.judges.values()}),
        with_references=any(face.references for row in rows for face in row.faces),
        licences=licences,
        contrast=CONTRAST,
        now=datetime.now().astimezone(),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        style_hash=_allowed(style),
        script_hash=_allowed(script),
    )
    # A file name may be no UTF-8.
    with files.placed(path, force=force) as part, part.open("w", encoding="utf-8", errors="xmlcharrefreplace") as file:
        file.writelines(page)


def _settings(recipe: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values."""
    for name, value in recipe.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{where}{name}.")
        else:
            yield where + name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def _share(similarity: float) -> str:
    """Where a similarity stands on a scale from 0 to 1."""
    return f"{100 * min(1.0, max(0.0, similarity)):.1f}%"


def _one_in(rate: float) -> str:
    return f"1 in {round(1 / rate):,}"


def _allowed(text: str) -> str:
    """How the page's content security policy names the one style or script that it may use."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()
