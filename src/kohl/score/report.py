"""What became of the photos as one page for people, which needs nothing but itself."""

from __future__ import annotations

import math
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
from kohl.score.pictures import CONTRAST, Pictures, pictures
from kohl.score.verify import in_a_hundred, own_reason, own_reason_of, says
from kohl.status import Status
from kohl.types import FaceRow, Photo, Row

FOLDER = Path(__file__).parent
MOST_SHOWN = 200  # photos with pictures on one page, of about half a megabyte each
WORST_FIRST = (Status.NOT_PROTECTED, Status.FAILED, Status.NO_FACE, Status.PROTECTED)
FACES_FIRST = (Status.NOT_PROTECTED, Status.SKIPPED, Status.PROTECTED, Status.LEFT_OUT)


def write(
    rows: Sequence[Row],
    path: Path,
    *,
    licences: Mapping[str, str],
    read: Callable[[Path], Photo],
    force: bool = False,
    most: int = MOST_SHOWN,
) -> None:
    """One self-contained page about `rows`, whole or not at all; opening it asks no server for anything.

    The worst come first; those after the first `most` are listed without pictures. `licences` says under which licence
    each model comes; `read` opens a photo upright. Raises `FileExistsError` where a file is by then, unless `force`.
    """
    ordered = sorted(rows, key=_goodness)
    shown, listed = ordered[:most], ordered[most:]
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
        asked=_asked,
        own_reason=own_reason,
        own_reason_of=own_reason_of,
        in_a_hundred=in_a_hundred,
        share=_share,
        one_in=_one_in,
        file_name=lambda path: Path(path).name,
    )
    page = environment.get_template("report.html").generate(
        rows=rows,
        photos=(_seen(row, read) for row in shown),  # one photo in memory at a time
        listed=listed,
        looks=_looks(rows),
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


def _goodness(row: Row) -> tuple[int, float, float]:
    """How good it is: the least is what is not protected, and of that what is matched most surely."""
    place = WORST_FIRST.index(row.status) if row.status in WORST_FIRST else len(WORST_FIRST)
    sure = [
        judgement.after - judgement.threshold
        for face in row.faces
        for judges in (face.judges, *face.references.values())
        for judgement in judges.values()
        if judgement.after is not None and math.isfinite(judgement.after) and math.isfinite(judgement.threshold)
    ]
    chances = [face.chance for face in row.faces if face.chance is not None and math.isfinite(face.chance)]
    surest, chance = max(sure, default=-math.inf), max(chances, default=0.0)
    return place, -surest if place == 0 else -chance, -surest


def _seen(row: Row, read: Callable[[Path], Photo]) -> tuple[Row, Pictures, list[tuple[FaceRow, Pictures]]]:
    """The row with its pictures: of the whole photo, and of each face, the worst first."""
    whole, faces = pictures(row, read)
    both = zip(row.faces, faces, strict=True)
    return row, whole, sorted(both, key=lambda each: _place(each[0]))


def _place(face: FaceRow) -> int:
    if face.status == Status.SKIPPED and face.recognised:
        return 1
    return FACES_FIRST.index(face.status) if face.status in FACES_FIRST else len(FACES_FIRST)


def _asked(row: Row) -> Mapping[str, Any]:
    """The words that the photo was to look like, and what was made of them."""
    return {"words": str(row.recipe.get("text") or ""), "look": row.look}


def _looks(rows: Sequence[Row]) -> list[Mapping[str, Any]]:
    """What was asked for, each once, of the photos of which something became."""
    found: list[Mapping[str, Any]] = []
    for row in rows:
        if row.output is not None and row.recipe and _asked(row) not in found:
            found.append(_asked(row))
    return found


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
