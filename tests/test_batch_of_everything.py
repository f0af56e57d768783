"""A batch of every sort of photo, half of them broken in every way: every row is right, and it never ends early."""

import json
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import mixed
import pytest
import tiny
from fuzz.arguments import check_page
from fuzz.door import check_foreseen, check_unchanged, obeyed, tree
from mixed import FAILED, PROTECTED
from PIL import Image

from kohl import pipeline
from kohl.align.detect import Detect
from kohl.cli import main
from kohl.zoo import cards


@pytest.fixture(scope="module")
def house():
    """The real detector among toys; a judge to whom any change makes a stranger."""
    detect = Detect(cards.load("yunet"), cards.load("landmarks68"))
    return tiny.house(detect=detect, judges=[tiny.MeanColour(thresholds={0.01: 1.0})])


def run(house, *arguments):
    """The exit code, stdout and stderr of one `kohl protect` with that house; a traceback would end the test."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(pipeline, "load", lambda recipe: house)
        code = main(
            ["protect", "--json", *(f"--report={each}" for each in arguments[:1]), "--", *map(str, arguments[1:])]
        )
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("count", [pytest.param(60, id="60"), pytest.param(300, marks=pytest.mark.slow, id="300")])
def test_every_row_is_right(house, tmp_path, count):
    expected = mixed.folder_of(tmp_path / "photos", count)
    assert len(expected) == count
    assert mixed.counts(expected)[FAILED] == count // 2
    before = tree(tmp_path / "photos")
    code, out, err = run(house, tmp_path / "report.html", *expected)
    rows = [json.loads(line) for line in out.splitlines()]
    check_foreseen(out)
    assert (code, err, len(rows)) == (1, "", count)
    wrong = [
        (path, row["status"], row["reason"]) for path, row in _pairs(expected, rows) if not _right(expected[path], row)
    ]
    assert wrong == []
    check_unchanged(before, tree(tmp_path / "photos"))
    results = set((tmp_path / "photos").rglob("*_kohl*"))
    assert len(results) == len([row for row in rows if row["output"]])
    for path in results:
        with Image.open(path) as image:
            image.load()
    check_page((tmp_path / "report.html").read_text("utf-8"))


def _pairs(expected, rows):
    """Each photo with its row, in the order given."""
    return list(zip(expected, rows, strict=True))


def _right(expected, row):
    """Whether a row says what it must."""
    written = expected.status in (PROTECTED, mixed.NOT)
    sentence = row["reason"] or ""
    return (
        row["status"] == expected.status
        and expected.said in sentence
        and bool(row["output"]) == written
        and (expected.status == PROTECTED) == (row["reason"] is None)
        and not obeyed(sentence)
    )
