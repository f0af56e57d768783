"""Albums, with toys for models and real files, processes, signals and disks."""

import json
import signal
import time
from pathlib import Path

import crew
import pytest
import tiny
from fuzz.door import check_unchanged, tree
from scarce import full_disk

from kohl import places
from kohl.cli import main
from kohl.parts import Parts
from kohl.progress import AlbumBar, duration
from kohl.status import Status
from kohl.types import Row

TOYS = Parts(load=crew.load, protect=crew.protect)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of folders with five photos, two of one name, and other things."""
    monkeypatch.chdir(tmp_path)
    for index, name in enumerate(("a/x.png", "b/x.png", "b/c/deep.jpg", "b/c/SHOUT.JPG", "top.png")):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        tiny.picture(tmp_path / "in" / name, seed=index)
    (tmp_path / "in" / "b" / "notes.txt").write_text("notes")
    (tmp_path / "in" / ".trash").mkdir()
    tiny.picture(tmp_path / "in" / ".trash" / "gone.png")
    tiny.picture(tmp_path / "in" / "._top.png")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in", target_is_directory=True)
    return tmp_path


RESULTS = {"a/x_kohl.png", "b/x_kohl.png", "b/c/deep_kohl.jpg", "b/c/SHOUT_kohl.JPG", "top_kohl.png"}


def results(folder="out"):
    return {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}


def run(capsys, *arguments, parts=TOYS):
    """Exit code, rows by the name of the photo, and what was said beside."""
    code = main(["protect", *map(str, arguments), "--json"], parts=parts)
    out, err = capsys.readouterr()
    return code, {row["photo"]: row for row in map(json.loads, out.splitlines())}, err


def test_folders_come_back_as_folders(place, capsys):
    before = tree(place)
    code, rows, said = run(capsys, "-r", "in", "-o", "out")
    assert (code, results()) == (0, RESULTS)
    assert {row["status"] for row in rows.values()} == {"protected"}
    assert "left out what is no photo that kohl reads: .txt (1)" in said
    assert f"the journal is {place}/out.journal.jsonl" in said
    check_unchanged(before, tree(place))


def test_of_several_folders_each_keeps_its_name(place, capsys):
    code, _, _ = run(capsys, "-r", "in/a", "in/b", "in/b/c", "in/top.png", "-o", "out")
    assert (code, results()) == (0, RESULTS)


def test_results_inside_the_album_are_no_photos_of_it(place, capsys):
    for _ in range(2):
        code, rows, _ = run(capsys, "-r", "in", "-o", "in/protected")
        assert (code, results("in/protected"), len(rows)) == (0, RESULTS, 5)


def test_a_second_run_has_nothing_to_do_and_says_so(place, capsys):
    run(capsys, "-r", "in", "-o", "out")
    before = tree(place)
    code, rows, _ = run(capsys, "-r", "in", "-o", "out", parts=Parts(load=crew.broken))  # it loads nothing
    assert code == 0
    assert all(row["before"] for row in rows.values())
    check_unchanged(before, tree(place))
    assert main(["protect", "-r", "in", "-o", "out"], parts=Parts(load=crew.broken)) == 0
    out = capsys.readouterr().out
    assert "in/top.png → out/top_kohl.png  done before, protected" in out
    assert out.endswith("All 5 photos are protected; 5 of them done before.\n")


def test_what_failed_is_tried_again_and_what_changed_is_done_again(place, capsys):
    (place / "in" / "broken.png").write_bytes((place / "in" / "top.png").read_bytes()[:200])
    code, rows, _ = run(capsys, "-r", "in", "-o", "out")
    assert (code, rows["in/broken.png"]["status"]) == (1, "failed")
    tiny.picture(place / "other.png", seed=9).replace(place / "in" / "broken.png")
    tiny.picture(place / "other.png", seed=10).replace(place / "in" / "top.png")
    (place / "out" / "a" / "x_kohl.png").unlink()
    code, rows, _ = run(capsys, "-r", "in", "-o", "out")
    assert code == 0
    again = {name for name, row in rows.items() if not row["before"]}
    assert again == {"in/broken.png", "in/top.png", "in/a/x.png"}


def test_other_words_replace_what_is_ours_and_nothing_else(place, capsys):
    run(capsys, "-r", "in", "-o", "out", "--seed", "1")
    (place / "out" / "top_kohl.png").write_bytes(b"edited by hand")
    code, rows, _ = run(capsys, "-r", "in", "-o", "out", "--seed", "2")
    assert code == 1
    assert "already exists" in rows["in/top.png"]["reason"]
    assert (place / "out" / "top_kohl.png").read_bytes() == b"edited by hand"
    assert [row["status"] for name, row in rows.items() if name != "in/top.png"] == ["protected"] * 4


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_write_the_same_bytes(place, capsys, workers):
    code, _, _ = run(capsys, "-r", "in", "-o", "one")
    assert (code, run(capsys, "-r", "in", "-o", "out", "--workers", workers)[0]) == (0, 0)
    assert {name: Path("one", name).read_bytes() for name in RESULTS} == {
        name: Path("out", name).read_bytes() for name in RESULTS
    }


def test_a_photo_that_kills_its_worker_costs_only_itself(place, capsys):
    for name in ("kills.png", "once.png", "placed.png"):  # the last is done, and in the journal, when its worker dies
        tiny.picture(place / "in" / name)
    code, rows, _ = run(capsys, "-r", "in", "-o", "out", "--workers", 2)
    assert code == 1
    assert "2 workers died over it (signal 9)" in rows["in/kills.png"]["reason"]
    assert [row["status"] for name, row in rows.items() if "kills" not in name] == ["protected"] * 7


@pytest.mark.parametrize(
    ("load", "said"),
    [(crew.broken, "sface: is not the right file"), pytest.param(crew.dies, "do not start", marks=pytest.mark.slow)],
)
def test_workers_that_cannot_start_are_one_sentence(place, capsys, load, said):
    code = main(["protect", "-r", "in", "-o", "out", "--workers", "2"], parts=Parts(load=load))
    assert code == 1
    assert said in capsys.readouterr().err
    assert not Path("out").exists() or not results()


def test_a_disk_that_is_full_ends_the_run_and_loses_nothing(place, capsys):
    run(capsys, "-r", "in/a", "-o", "out/a", "--journal", "j")
    before = Path("j").stat().st_size
    with full_disk(left=before + 3000):
        code, rows, said = run(capsys, "-r", "in", "-o", "out", "--journal", "j")
    assert code == 1
    assert "the journal cannot be written" in said
    code, rows, _ = run(capsys, "-r", "in", "-o", "out", "--journal", "j")
    assert (code, results(), rows["in/a/x.png"]["before"]) == (0, RESULTS, True)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_at_once_and_the_next_run_goes_on(place, capsys, number, workers):
    tiny.picture(place / "in" / "a" / "slow.png", seed=20)
    tiny.picture(place / "in" / "zz" / "endless.png", seed=21) if (place / "in" / "zz").mkdir() is None else None
    process = crew.started(place, "-r", "in", "-o", "out", "--workers", workers)
    for _ in range(6):  # a line for each
        assert process.stdout.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; 6 of 7 photos, 6 protected" in err
    assert "the same command goes on from here" in err
    assert [path.name for path in place.rglob(".kohl-*")] == []
    (place / "in" / "zz" / "endless.png").rename(place / "in" / "zz" / "ended.png")
    code, rows, _ = run(capsys, "-r", "in", "-o", "out")
    assert code == 0
    assert [name for name, row in rows.items() if not row["before"]] == ["in/zz/ended.png"]


def test_what_comes_into_a_watched_folder_is_protected_once_it_is_whole(place, capsys):
    process = crew.started(place, "--watch", "in", "-o", "out")
    whole = (place / "in" / "top.png").read_bytes()
    arriving = place / "in" / "b" / "late.png"
    for end in range(0, len(whole), max(1, len(whole) // 12)):  # as a slow copy comes
        arriving.write_bytes(whole[:end])
        time.sleep(0.25)
    arriving.write_bytes(whole)
    for _ in RESULTS | {"late"}:
        assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert results() == RESULTS | {"b/late_kohl.png"}
    assert "failed" not in err
    assert "All 6 photos are protected" in out


def test_only_what_has_settled_arrives(tmp_path, monkeypatch):
    now = 0.0
    monkeypatch.setattr(places.time, "monotonic", lambda: now)
    (tmp_path / "in").mkdir()
    found = places.arriving(tmp_path / "in", tmp_path / "out", sleep=lambda seconds: None)
    assert next(found) is None
    photo = tmp_path / "in" / "a.png"
    photo.write_bytes(b"half")
    assert next(found) is None
    now = 5.0
    photo.write_bytes(b"half and half")
    assert next(found) is None
    now = 10.0
    assert next(found) == (photo, tmp_path / "out" / "a_kohl.png")
    assert [next(found), next(found)] == [None, None]
    photo.write_bytes(b"another")
    assert next(found) is None
    now = 20.0
    assert next(found) == (photo, tmp_path / "out" / "a_kohl.png")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a photo, or a folder with -r or --watch"),
        (("-r", "in"), "-o: name the folder for the results"),
        (("-r", "in", "-o", "in/top.png"), "is not a folder"),
        (("--watch", "nowhere", "-o", "out"), "is no folder that could be watched"),
        (("--watch", "in", "in/top.png", "-o", "out"), "name no other photos"),
        (("--watch", "in", "-o", "out", "--same-person"), "wants all photos at once"),
        (("-r", "in", "-o", "out", "--preview"), "shows single photos"),
        (("-r", "in", "-o", "out", "--workers", "1000"), "must be at most"),
        (("-r", "in", "-o", "out", "--keep-metadata", "gps"), "'gps' is nothing that can be kept"),
        (("-r", "in", "-o", "out", "--journal", "in"), "this journal cannot be written"),
    ],
)
def test_what_does_not_go_together_is_said(place, capsys, arguments, said):
    assert main(["protect", *arguments], parts=TOYS) == 2
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_folder_without_r_says_what_to_do(place, capsys):
    code, rows, _ = run(capsys, "in")
    assert code == 1
    assert rows["in"]["reason"] == "is a folder; name the photos in it, or pass -r for all of them"


def test_a_report_of_the_journal(place, capsys):
    run(capsys, "-r", "in", "-o", "out")
    assert main(["report", "out.journal.jsonl"], parts=TOYS) == 0
    assert "→ out.html" in capsys.readouterr().out
    page = Path("out.html").read_text()
    assert page.count("<article") == 5
    assert "All 5 photos are protected" in page
    assert main(["report", "out.journal.jsonl"], parts=TOYS) == 2  # it is there
    assert main(["report", "nothing.jsonl"], parts=TOYS) == 2
    Path("odd.jsonl").write_text("nonsense\n")
    assert main(["report", "odd.jsonl"], parts=TOYS) == 2
    assert "nothing in it is a line of a journal" in capsys.readouterr().err


def test_how_far_it_is(capsys, monkeypatch):
    now = 100.0
    monkeypatch.setattr("kohl.progress.time.monotonic", lambda: now)
    with AlbumBar(10) as bar:
        bar.finished(Row("a", "b", Status.PROTECTED), before=True)
        assert bar.said() == "1 of 10 photos, 1 protected, 1 done before"
        now = 112.0
        bar.finished(Row("a", "b", Status.NOT_PROTECTED))
        bar.watch(0.5)
        assert (
            bar.said() == "2 of 10 photos, 1 protected, 1 not protected, 1 done before, 8.0 s each, about 1 minute left"
        )
        now = 200.0
        bar.finished(Row("a", None, Status.FAILED, "is damaged"))
    out, err = capsys.readouterr()
    assert "kohl: a: is damaged" in err
    assert "kohl: 3 of 10 photos" in err  # no terminal, and a minute has gone by
    assert "a → b  done before, protected" in out
    assert [duration(seconds) for seconds in (20, 61, 1900, 30_000)] == [
        *("less than a minute", "about 1 minute", "about 32 minutes", "about 8 hours")
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-r", "in", "-o", "out", "--journal", "in/top.png"), "is another file than a journal, and was left as it is"),
        (("-r", "in", "-o", "out", "--report", "in/b/x.png", "--force"), "is a photo, a result or a recipe"),
        (("-r", "in", "-o", "out", "--report", "out/b/x_kohl.png", "--force"), "is a photo, a result or a recipe"),
        (("-r", "in", "-o", "out", "--report", "out.journal.jsonl", "--force"), "is a photo, a result or a recipe"),
        (("--watch", "in", "-o", "out", "--report", "in/b/x.png", "--force"), "is in the folder that is watched"),
        (("in/top.png", "-o", "out", "--only", "in/a/x.png", "--report", "in/a/x.png", "--force"), "is a photo,"),
    ],
)
def test_no_photo_is_written_over_by_a_journal_or_a_report(place, capsys, arguments, said):
    before = {path: path.read_bytes() for path in Path("in").rglob("*") if path.is_file()}
    assert main(["protect", *arguments], parts=TOYS) == 2
    assert said in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path("in").rglob("*") if path.is_file()} == before
