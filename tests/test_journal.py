import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from scarce import full_disk

import kohl
from kohl import journal
from kohl.errors import BadSetting, Broken
from kohl.job import Job
from kohl.journal import Journal
from kohl.recipe import Recipe
from kohl.score.record import record, row_of
from kohl.status import Status
from kohl.types import FaceRow, Judgement, Row

FACE = FaceRow(
    *(0, (1, 2, 30, 40), Status.PROTECTED, None, {"sface": Judgement(1.0, 0.2, 0.36, 0.01)}),
    *({"r.jpg": {"dlib": Judgement(None, 0.1, 0.38, 0.01)}}, 33.5, 0.97, 0.12, 0.04, 2),
)


def row(photo, output=None, status=Status.PROTECTED):
    output = None if output is None else str(output)
    return Row(str(photo), output, status, None, 1.5, [FACE], {"strength": 0.5}, 7, "0.1", {"lips": "red"}, ["a note"])


def proof(file):
    return journal.sealed(None, file).proof


def written(folder, name="a", key="k", status=Status.PROTECTED, content=b"result"):
    """A journal in which one result is, which is there."""
    place = folder / "out" / f"{name}.jpg"
    place.parent.mkdir(exist_ok=True)
    with Journal(folder / "journal.jsonl") as book:
        made = status in (Status.PROTECTED, Status.NOT_PROTECTED)
        part = folder / "part"
        part.write_bytes(content)
        said = row(folder / f"{name}.jpg", place if made else None, status)
        book.add(key, place, said, proof(part) if made else None)
        if made:
            part.replace(place)
    return place


def test_a_row_comes_back_as_it_was():
    there = row("a.jpg", "b.jpg")
    assert row_of(json.loads(json.dumps(record(there)))) == there


def test_what_is_done_is_known_in_the_next_run(tmp_path):
    place = written(tmp_path)
    with Journal(tmp_path / "journal.jsonl") as book:
        found = book.done("k", place)
        assert (found.photo, found.output) == (str(tmp_path / "a.jpg"), str(place))
        assert replace(found, photo="", output="") == replace(row("a"), photo="", output="")


@pytest.mark.parametrize("status", Status)
def test_only_a_failure_is_tried_again(tmp_path, status):
    place = written(tmp_path, status=status)
    with Journal(tmp_path / "journal.jsonl") as book:
        assert (book.done("k", place) is None) == (status not in journal.KEPT)


def test_a_result_that_is_gone_or_another_is_made_again_and_one_of_ours_may_be_replaced(tmp_path):
    place = written(tmp_path)
    with Journal(tmp_path / "journal.jsonl") as book:
        assert book.done("other key", place) is None
        assert book.owns(place)
        assert not book.owns(tmp_path / "out" / "foreign.jpg")
        place.write_bytes(b"edited by somebody")
        assert book.done("k", place) is None
        assert not book.owns(place)
        place.unlink()
        assert book.done("k", place) is None


def test_a_result_stays_ours_when_what_should_have_replaced_it_failed(tmp_path):
    place = written(tmp_path)
    with Journal(tmp_path / "journal.jsonl") as book:
        book.add("other words", place, row(tmp_path / "a.jpg", status=Status.FAILED), None)
        (tmp_path / "part").write_bytes(b"never placed")
        book.add("other words", place, row(tmp_path / "a.jpg", place), proof(tmp_path / "part"))
    with Journal(tmp_path / "journal.jsonl") as book:
        assert book.owns(place)
        assert book.done("other words", place) is None


def test_what_was_just_done_is_known_at_once(tmp_path):
    with Journal(tmp_path / "journal.jsonl") as book:
        place = tmp_path / "a.jpg"
        assert book.done("k", place) is None
        (tmp_path / "part").write_bytes(b"result")
        book.add("k", place, row("a.jpg", place), proof(tmp_path / "part"))
        assert book.done("k", place) is None  # it has no name yet
        (tmp_path / "part").rename(place)
        assert book.done("k", place).output == str(place)


def test_paths_move_with_the_journal(tmp_path):
    (tmp_path / "here").mkdir()
    written(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    with Journal(tmp_path / "there" / "journal.jsonl") as book:
        found = book.done("k", tmp_path / "there" / "out" / "a.jpg")
        assert found.output == str(tmp_path / "there" / "out" / "a.jpg")


def test_a_line_that_was_torn_costs_only_itself(tmp_path):
    path = tmp_path / "journal.jsonl"
    first = written(tmp_path, "a")
    whole = path.read_bytes()
    for length in (*range(0, len(whole), 97), len(whole) - 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        second = written(tmp_path, "b", content=str(length).encode())
        with Journal(path) as book:
            assert (book.done("k", first) is not None) == (length >= len(whole) - 1)
            assert book.done("k", second) is not None


def test_what_is_no_line_is_passed_over(tmp_path):
    path = tmp_path / "journal.jsonl"
    place = written(tmp_path)
    good = json.loads(path.read_text())
    odd = [b"", b"{", b"[]", b"nonsense", b"\xff\xfe", b"[" * 100_000, b'{"journal": 1}', b'{"journal": 1, "row": {}}']
    for name in ("key", "output", "sha256", "row", "at"):
        for value in (None, 7, [], {}, "x", True, 1e999):
            odd.append(json.dumps({**good, name: value}).encode())
    for name in good["row"]:
        for value in (None, 7, [], {}, "x", [7], {"x": 7}):
            odd.append(json.dumps({**good, "output": "elsewhere", "row": {**good["row"], name: value}}).encode())
    path.write_bytes(b"\n".join([*odd, json.dumps(good).encode(), b""]))
    with Journal(path) as book:
        assert book.done("k", place) is not None
    assert str(place) in [found.output for _, found in journal.rows(path)]


def test_a_full_disk_is_said_and_the_line_is_not_believed(tmp_path):
    place = written(tmp_path)
    before = (tmp_path / "journal.jsonl").read_bytes()
    with Journal(tmp_path / "journal.jsonl") as book:
        with full_disk(left=len(before) + 50), pytest.raises(Broken, match=r"cannot be written .*; make room"):
            book.add("k2", tmp_path / "b.jpg", row("b.jpg"), None)
        book.add("k3", tmp_path / "c.jpg", row("c.jpg", status=Status.NO_FACE), None)
    with Journal(tmp_path / "journal.jsonl") as book:
        assert book.done("k", place) is not None
        assert book.done("k2", tmp_path / "b.jpg") is None
        assert book.done("k3", tmp_path / "c.jpg") is not None


def test_of_two_runs_one_has_the_journal(tmp_path):
    with Journal(tmp_path / "journal.jsonl"), pytest.raises(BadSetting, match="another run is writing this journal"):
        Journal(tmp_path / "journal.jsonl", patience_s=0.1)
    Journal(tmp_path / "journal.jsonl", patience_s=0.0)


HOLD = "import sys, time; from pathlib import Path; from kohl.journal import Journal\n"
HOLD += "with Journal(Path(sys.argv[1])): print(flush=True); time.sleep(60)"


def test_a_run_that_is_killed_keeps_no_journal(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(Path(kohl.__file__).parents[1])}
    command = [sys.executable, "-P", "-c", HOLD, tmp_path / "journal.jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        process.stdout.readline()
        with pytest.raises(BadSetting, match="another run"):
            Journal(tmp_path / "journal.jsonl", patience_s=0.0)
        process.kill()
    Journal(tmp_path / "journal.jsonl", patience_s=0.0)


def test_a_journal_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadSetting, match="this journal cannot be written"):
        Journal(tmp_path / "folder")
    (tmp_path / "file").touch()
    with pytest.raises(BadSetting, match="this journal cannot be written"):
        Journal(tmp_path / "file" / "journal.jsonl")


def test_nobody_else_reads_it(tmp_path):
    written(tmp_path)
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o077 == 0


def test_all_that_decides_the_result_is_in_the_key(tmp_path):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_text(name)
    a, b, c = (tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg"))
    job, recipe = Job(a, Path("out.jpg")), Recipe()
    other = [
        (Job(b, Path("out.jpg")), recipe, "w"),
        (Job(a, Path("out.png")), recipe, "w"),
        (job, replace(recipe, text="red lipstick"), "w"),
        (job, recipe, "other weights"),
        *(
            (replace(job, **asked), recipe, "w")
            for asked in (
                {"seed": 1},
                {"faces": (0,)},
                {"references": (c,)},
                {"only": (c,)},
                {"spared": (c,)},
                {"decoy": 3},
                {"keep": ("date",)},
            )
        ),
    ]
    keys = [journal.key(*each) for each in [(job, recipe, "w"), *other]]
    assert len({*keys}) == len(keys)
    (tmp_path / "moved").mkdir()
    a.rename(tmp_path / "moved" / "renamed.jpg")
    moved = Job(tmp_path / "moved" / "renamed.jpg", Path("elsewhere/out.jpg"), force=True)
    assert journal.key(moved, recipe, "w") == keys[0]


def test_weights_are_those_of_the_recipe(tmp_path):
    plain = journal.weights(Recipe())
    assert plain == journal.weights(Recipe(strength=0.9))
    assert plain != journal.weights(Recipe(text="red lipstick"))


def test_a_first_line_that_was_torn_is_a_journal_s_still(tmp_path):
    (tmp_path / "journal.jsonl").write_bytes(b'{"jour')
    place = written(tmp_path)
    with Journal(tmp_path / "journal.jsonl") as book:
        assert book.done("k", place)
