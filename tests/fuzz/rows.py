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
from kohl import console, journal
from kohl.errors import BadPhoto
from kohl.journal import Journal
from kohl.score import report
from kohl.score.record import record
from kohl.status import Status
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


def lines(rng: Random) -> bytes:
    """A journal: lines of rows, damaged in their bytes or in what they say."""
    made = []
    for row in rows(rng):
        said: dict[str, Any] = {
            **{"journal": 1, "key": name(rng), "at": "", "output": name(rng), "sha256": rng.choice((None, "ab" * 32))},
            "row": json.loads(json.dumps(record(row), allow_nan=False)),
        }
        for table in (said, said["row"]):
            if rng.random() < 0.3:
                odd: tuple[Any, ...] = (None, 7, -1e300, [], {}, [[]], {"x": [{}]}, "x", True, name(rng))
                table[rng.choice(sorted(table))] = rng.choice(odd)
        line = bytearray(json.dumps(said).encode())
        for _ in range(rng.choice((0, 0, 0, 1, 4))):
            line[rng.randrange(len(line))] = rng.randrange(256)
        made.append(bytes(line)[: rng.choice((None, None, None, rng.randrange(len(line))))])
    return b"\n".join(made) + rng.choice((b"", b"\n", b"\0"))


def kept(content: bytes, folder: Path) -> str:
    """Try to go on from a journal, and to show it; one line more is read again."""
    path = folder / "journal.jsonl"
    path.write_bytes(content)
    known = Row("a.png", None, Status.NO_FACE, "nobody")
    with Journal(path, patience_s=0.0) as book:
        for said in content.splitlines()[:3]:
            book.done(said.decode(errors="replace")[:40], folder / "out" / "a.png")
        book.add("k", folder / "out" / "a.png", known, None)
    with Journal(path, patience_s=0.0) as book:
        check(book.done("k", folder / "out" / "a.png") is not None, "contract", "a line that was added is not read")
    found = [row for _, row in journal.rows(path)]
    report.write(found, folder / "report.html", licences={}, read=_read)
    check_page((folder / "report.html").read_text("utf-8"))
    check(path.read_bytes().startswith(content), "changed", "the journal is changed where it was written")
    return ACCEPTED


JOURNALS = Door("journals", lines, kept, share=0.5)
