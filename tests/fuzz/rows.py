"""The door for what is shown: rows with hostile names and numbers as JSON, as lines, and as a page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fuzz.arguments import name
from fuzz.door import ACCEPTED, Door, check, obeyed
from kohl import console
from kohl.errors import BadPhoto
from kohl.score import report
from kohl.score.record import record
from kohl.types import FaceRow, Judgement, Photo, Row


def rows(rng: Random) -> list[Row]:
    """What became of photos, with hostile names, reasons, judges and settings, and odd numbers."""
    return [_row(rng) for _ in range(rng.choice((1, 1, 2, 5)))]


def _row(rng: Random) -> Row:
    def number() -> float:
        return rng.choice((0.0, 1.0, -1.0, 0.5, float("nan"), float("inf"), -float("inf"), 1e300, rng.random()))

    def judgements() -> dict[str, Judgement]:
        def score() -> float | None:
            return rng.choice((None, number()))

        far = rng.choice((0.01, 0.5, 1e-9, rng.random() or 0.1))
        return {name(rng): Judgement(score(), score(), number(), far) for _ in range(rng.randrange(3))}

    def box() -> tuple[int, int, int, int]:
        return tuple(rng.choice((0, -5, 10, 60, 100_000)) for _ in range(4))  # type: ignore[return-value]

    faces = [
        FaceRow(
            index,
            box(),
            rng.choice(("protected", "not_protected", "skipped", name(rng))),
            rng.choice((None, name(rng))),
            judgements(),
            {name(rng): judgements() for _ in range(rng.randrange(2))},
            rng.choice((None, number())),
            rng.choice((None, number())),
        )
        for index in range(rng.randrange(3))
    ]
    photo = rng.choice(("photo.png", f"photo.png/{name(rng)}", name(rng)))
    output = rng.choice((None, "photo.png", name(rng)))
    status = rng.choice(("protected", "not_protected", "no_face", "failed"))
    settings: dict[str, Any] = {name(rng): rng.choice((name(rng), number(), (name(rng), 1), {name(rng): name(rng)}))}
    return Row(photo, output, status, rng.choice((None, name(rng))), rng.random(), faces, settings, 0, "1.0")


def shown(given: list[Row], folder: Path) -> str:
    """Try rows as JSON, as lines for people, and as a page in which nothing is markup but what is ours."""
    for row in given:
        json.loads(json.dumps(record(row), allow_nan=False))
        for printed in console.summary(row).split("\n"):
            check(not obeyed(printed), "sentence", f"has {obeyed(printed)} in it: {printed[:400]!r}")
    path = folder / "report.html"
    report.write(given, path, licences={"sface": "Apache-2.0"}, read=_read)
    check_page(path.read_text("utf-8"))
    check([each.name for each in folder.iterdir()] == ["report.html"], "changed", "leaves something beside the report")
    return ACCEPTED


def _read(path: Path) -> Photo:
    if path.name == "photo.png":
        return Photo(np.full((64, 60, 3), 100, np.uint8), path)
    raise BadPhoto(f"{path}: not an image")


OURS = """
html head meta title style body header p h1 h2 h3 h4 main article div span figure figcaption img input section ul li b
br svg rect line footer table tr th td script strong em a details summary code dl dt dd small time ol hr path circle
"""
ELEMENTS = frozenset(OURS.split())
VOID = frozenset(("meta", "img", "input", "br", "hr", "rect", "line", "path", "circle"))


class Page(HTMLParser):
    """Refuses an element or an attribute that is none of ours, and one that is not closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.scripts = 0
        self.feed(text)
        self.close()
        check(not self.open, "contract", f"{self.open} are not closed")
        check(self.scripts == 1, "contract", f"the page has {self.scripts} scripts")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        check(tag in ELEMENTS, "contract", f"a foreign element <{tag}>")
        self.scripts += tag == "script"
        for attribute, value in attrs:
            check(not attribute.startswith("on"), "contract", f"<{tag} {attribute}={value!r}>")
            if attribute in ("src", "href", "xlink:href", "action", "srcset"):
                check(
                    (value or "").startswith(("data:image/", "#")), "contract", f"<{tag} {attribute}={value!r}>"[:200]
                )
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            check(self.open[-1:] == [tag], "contract", f"</{tag}> closes {self.open[-1:]}")
            self.open.pop()


def check_page(text: str) -> None:
    """Raise `Wrong` unless a report is whole and has nothing in it that is not ours."""
    check(text.rstrip().endswith("</html>"), "contract", f"the page ends with {text[-60:]!r}")
    Page(text)


REPORTS = Door("reports", rows, shown, share=0.5)  # each is a page
