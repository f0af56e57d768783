"""A batch of every sort of photo, half of them broken in every way: every row is right, and it never ends early."""

import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import bundled
import mixed
import photos
import pytest
import tiny
from fuzz.door import check_foreseen, check_unchanged, obeyed, tree
from fuzz.rows import check_page
from mixed import FAILED, PROTECTED
from PIL import Image

from kohl.align.detect import Detect
from kohl.cli import main
from kohl.commands import Parts
from kohl.zoo import cards


@pytest.fixture(scope="module")
def house():
    """The real detector among toys; a judge to whom any change makes a stranger."""
    detect = Detect(bundled.load("yunet"), bundled.load("landmarks68"))
    return tiny.house(detect=detect, judges=[tiny.MeanColour(thresholds={0.01: 1.0})])


def run(house, *arguments):
    """The exit code, stdout and stderr of one `kohl protect` with that house; a traceback would end the test."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["protect", "--json", *map(str, arguments)], parts=Parts(load=lambda recipe: house))
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("count", [pytest.param(40, id="40"), pytest.param(300, marks=pytest.mark.slow, id="300")])
def test_every_row_is_right(house, tmp_path, count):
    expected = mixed.folder_of(tmp_path / "photos", count)
    assert len(expected) == count
    assert mixed.counts(expected)[FAILED] == count // 2
    before = tree(tmp_path / "photos")
    code, out, err = run(house, "--report", tmp_path / "report.html", "--", *expected)
    rows = [json.loads(line) for line in out.splitlines()]
    check_foreseen(out)
    assert (code, err, len(rows)) == (1, "", count)
    pairs = zip(expected.items(), rows, strict=True)
    wrong = [(path, row["status"], row["reason"]) for (path, wanted), row in pairs if not _right(wanted, row)]
    assert wrong == []
    check_unchanged(before, tree(tmp_path / "photos"))
    results = set((tmp_path / "photos").rglob("*_kohl*"))
    assert len(results) == len([row for row in rows if row["output"]])
    for path in results:
        with Image.open(path) as image:
            image.load()
    check_page((tmp_path / "report.html").read_text("utf-8"))


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


@pytest.fixture
def busy(house, tmp_path):
    """A folder with five photos, and a house in which others are at work on them at the same time."""
    names = ("first", "gone", "other", "torn", "last")
    paths = {name: tmp_path / f"{name}.png" for name in names}
    for path in paths.values():
        photos.portrait().save(path)

    def detect(photo):
        if photo.path.name == "first.png":
            paths["gone"].unlink()
            paths["other"].write_bytes(b"no photo any more")
        if photo.path.name == "torn.png":
            paths["torn"].write_bytes(b"no photo any more")  # it has been read, and will be again
        return house.detect(photo)

    return replace(house, detect=detect), paths


def test_photos_that_go_or_change_while_the_batch_runs(busy, tmp_path):
    house, paths = busy
    code, out, err = run(house, *paths.values(), "-o", tmp_path / "out", "--report", tmp_path / "report.html")
    rows = {Path(row["photo"]).stem: row for row in map(json.loads, out.splitlines())}
    check_foreseen(out)
    assert (code, err) == (1, "")
    assert {name: row["status"] for name, row in rows.items()} == {
        **dict.fromkeys(("first", "last"), PROTECTED),
        **dict.fromkeys(("gone", "other", "torn"), FAILED),
    }
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["first_kohl.png", "last_kohl.png"]
    check_page((tmp_path / "report.html").read_text("utf-8"))


def test_results_that_are_there_already_are_nobodys_to_overwrite(house, tmp_path):
    for name in ("a.png", "b.png", "b_kohl.png"):
        photos.portrait().save(tmp_path / name)
    (tmp_path / "other").mkdir()
    photos.portrait().save(tmp_path / "other" / "a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b_kohl.png").write_text("mine")
    given = [tmp_path / name for name in ("a.png", "other/a.png", "b.png", "c.gif", "c.png")]
    for name in ("c.gif", "c.png"):
        photos.portrait().save(tmp_path / name)
    before = tree(tmp_path)
    _, out, _ = run(house, *given, "-o", tmp_path / "out")
    check_unchanged(before, tree(tmp_path))
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["status"] for row in rows] == [PROTECTED, PROTECTED, FAILED, PROTECTED, FAILED]
    places = [Path(row["output"]).relative_to(tmp_path / "out").as_posix() for row in rows if row["output"]]
    assert places == ["a_kohl.png", "other/a_kohl.png", "c_kohl.png"]  # folders like their own, where one name is two
    assert "already exists" in rows[2]["reason"]
    assert "is already the result of" in rows[4]["reason"]


def test_real_judges_see_photos_whatever_is_beside_their_orientation(house, tmp_path):
    paths = [tmp_path / f"{index}.jpg" for index in range(len(mixed.TURNED))]
    for path, orientation, odd in zip(paths, mixed.TURNED, mixed.ODD_TAGS, strict=False):
        path.write_bytes(mixed.turned(orientation, odd))
    for name, given in {"sface": paths, "dlib": paths[-2:]}.items():  # all judges open photos by the same code
        _, out, _ = run(replace(house, judges=[bundled.SHELF(cards.judge, name)]), *given, "-o", tmp_path / name)
        rows = [json.loads(line) for line in out.splitlines()]
        assert len(rows) == len(given)
        for row in rows:
            assert row["status"] in (PROTECTED, mixed.NOT), row["reason"]
            assert row["faces"][0]["judges"][name]["before"] > 0.99
