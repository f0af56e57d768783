"""Albums whose photos or results are in stores, with toys for models and real processes."""

import json
from pathlib import Path

import crew
import fsspec
import pytest
import tiny
from fuzz.door import check_unchanged, tree

from kohl import private, stores
from kohl.cli import main
from kohl.errors import BadPhoto
from kohl.parts import Parts

TOYS = Parts(load=crew.load, protect=crew.protect)
NAMES = ("a/x.png", "b/x.png", "b/c/deep.jpg", "top.png")
RESULTS = {"a/x_kohl.png", "b/x_kohl.png", "b/c/deep_kohl.jpg", "top_kohl.png"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Four photos in a folder, in a store that is one, and in memory; and what else lies there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(crew.MARKS, str(tmp_path))
    fsspec.filesystem("memory").store.clear()
    for index, name in enumerate(NAMES):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        tiny.picture(tmp_path / "in" / name, seed=index)
        stores.put(stores.where(f"memory://bucket/in/{name}"), (tmp_path / "in" / name).read_bytes())
    (tmp_path / "in" / "b" / "notes.txt").write_text("notes")
    return tmp_path


def run(capsys, *arguments, parts=TOYS):
    """Exit code, rows by the name of the photo, and what was said beside."""
    code = main(["protect", *map(str, arguments), "--json"], parts=parts)
    out, err = capsys.readouterr()
    return code, {row["photo"]: row for row in map(json.loads, out.splitlines())}, err


def files(folder):
    """What is in a folder, here or in a store."""
    if isinstance(folder, Path):
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    there = stores.walked(stores.where(folder))
    return {str(file).removeprefix(f"{folder}/"): stores.read(file, 10**6) for file in there}


@pytest.mark.parametrize(
    ("source", "target", "workers"),
    [
        ("memory://bucket/in", "memory://bucket/out", 1),
        ("memory://bucket/in", "out", 1),
        ("in", "memory://bucket/out", 1),
        ("shelf://{}/in", "shelf://{}/out", 2),
    ],
)
def test_a_store_gives_and_takes_what_a_folder_does(place, capsys, source, target, workers):
    run(capsys, "-r", "in", "-o", "as/usual")
    before = tree(place)
    source, target = source.format(place), target.format(place)
    code, rows, said = run(capsys, "-r", source, "-o", target, "--journal", "j", "--workers", workers)
    assert (code, {*rows}) == (0, {f"{source}/{name}" for name in NAMES}), said
    assert {row["output"] for row in rows.values()} == {f"{target}/{name}" for name in RESULTS}
    found = files(target if "://" in target else place / target)
    assert found == files(place / "as" / "usual")
    check_unchanged(before, {**tree(place), "tried": before["tried"]})
    assert not list(private.in_memory().glob("kohl-private-*/tmp*"))
    for line in Path("j").read_text().splitlines():
        said = json.loads(line)
        name = said["output"].removeprefix(f"{target}/")
        assert (said["size"], said["row"]["output"]) == (len(found[name]), said["output"])

    code, again, _ = run(
        capsys, "-r", source, "-o", target, "--journal", "j", "--workers", workers, parts=Parts(load=crew.broken)
    )
    assert (code, [row["before"] for row in again.values()]) == (0, [True] * 4)


def test_what_changed_in_a_store_is_done_again(place, capsys):
    asked = ("-r", "memory://bucket/in", "-o", "memory://bucket/out", "--journal", "j")
    run(capsys, *asked)
    tiny.picture(place / "other.png", seed=9)
    stores.put(stores.where("memory://bucket/in/top.png"), (place / "other.png").read_bytes(), force=True)
    fsspec.filesystem("memory").rm_file("/bucket/out/a/x_kohl.png")
    code, rows, _ = run(capsys, *asked)
    assert code == 0
    assert {Path(name).name for name, row in rows.items() if not row["before"]} == {"top.png", "x.png"}


def test_other_words_replace_what_is_ours_and_nothing_else(place, capsys):
    asked = ("-r", "in", "-o", "memory://bucket/out", "--journal", "j", "--seed")
    run(capsys, *asked, 1)
    edited = stores.where("memory://bucket/out/top_kohl.png")
    stores.put(edited, b"edited by hand", force=True)
    code, rows, _ = run(capsys, *asked, 2)
    assert code == 1
    assert rows["in/top.png"]["reason"].startswith("memory://bucket/out/top_kohl.png: already exists; pass --force")
    assert stores.read(edited, 99) == b"edited by hand"
    assert [row["status"] for name, row in rows.items() if name != "in/top.png"] == ["protected"] * 3


def test_no_photo_in_a_store_is_written_over(place, capsys):
    tiny.picture(place / "in" / "top_kohl.png", seed=7)
    before = tree(place / "in")
    code, rows, _ = run(capsys, "-r", f"shelf://{place}/in", "-o", f"shelf://{place}/in", "--journal", "j", "--force")
    assert code == 1
    assert "which is one of the photos" in rows[f"shelf://{place}/in/top.png"]["reason"]
    check_unchanged(before, tree(place / "in"))


def test_a_store_that_refuses_costs_one_photo_and_the_next_run_does_it(place, capsys, monkeypatch):
    put = stores.put

    def full(url, content, **more):
        if url.name == "top_kohl.png":
            raise BadPhoto(f"{url}: the store refuses (No space left on device)")
        put(url, content, **more)

    asked = ("-r", "in", "-o", "memory://bucket/out", "--journal", "j")
    with monkeypatch.context() as patch:
        patch.setattr(stores, "put", full)
        code, rows, _ = run(capsys, *asked)
    assert (code, rows["in/top.png"]["status"]) == (1, "failed")
    assert rows["in/top.png"]["reason"].endswith("the store refuses (No space left on device)")
    code, rows, _ = run(capsys, *asked)
    assert (code, [name for name, row in rows.items() if not row["before"]]) == (0, ["in/top.png"])


def test_a_worker_that_dies_over_a_store_s_photo_is_replaced(place, capsys):
    for name in ("kills.png", "once.png"):
        tiny.picture(place / "in" / name)
    code, rows, _ = run(
        capsys, "-r", f"shelf://{place}/in", "-o", f"shelf://{place}/out", "--journal", "j", "--workers", 2
    )
    assert code == 1
    assert "2 workers died over it (signal 9)" in rows[f"shelf://{place}/in/kills.png"]["reason"]
    assert {*files(place / "out")} == {*RESULTS, "once_kohl.png"}
    tried = (place / "tried").read_text().split()
    assert {name: tried.count(name) for name in tried} == {
        **{Path(name).name: 1 for name in NAMES},
        **{"x.png": 2, "kills.png": 2, "once.png": 2},  # there are two of that name
    }


def test_a_name_that_climbs_out_of_its_folder_is_left_out(place, capsys):
    fsspec.filesystem("memory").pipe_file("/bucket/in/../../../escaped.png", (place / "in" / "top.png").read_bytes())
    code, rows, _ = run(capsys, "-r", "memory://bucket/in", "-o", "deep/er/out")
    assert (code, len(rows)) == (0, 4)
    assert {*files(place / "deep")} == {f"er/out/{name}" for name in RESULTS} | {"er/out.journal.jsonl"}


def test_photos_that_are_named_need_no_journal(place, capsys):
    code, _, _ = run(capsys, "memory://bucket/in/top.png", "memory://bucket/in/a/x.png", "-o", "out")
    assert (code, {*files(place / "out")}) == (0, {"top_kohl.png", "a/x_kohl.png"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("memory://bucket/in/top.png",), "-o: name the folder for the results"),
        (("memory://bucket/in", "-o", "out"), "is a folder; name the photos in it, or pass -r"),
        (("memory://bucket/in/no.png", "in/top.png", "-o", "out"), "are in different stores"),
        (("-r", "in", "-o", "memory://bucket/out"), "--journal: name a file of this machine"),
        (("--watch", "memory://bucket/in", "-o", "out"), "is no folder that could be watched; make it first, on this"),
        (("-r", "memory://bucket/in", "-o", "out", "--same-person"), "--same-person: wants all photos at once, here"),
        (("-r", "memory://bucket/in", "-o", "out", "--report", "r.html"), "--report: shows photos of this machine"),
        (("https://host/in/top.png", "-o", "out"), "is no store that kohl reads from"),
        (("in/top.png", "--ray", "somewhere"), "must be local, auto or HOST:PORT"),
        (("in/top.png", "--ray", "127.0.0.1:9"), "nobody listens at 127.0.0.1:9"),
    ],
)
def test_what_does_not_go_together_is_said(place, capsys, arguments, said):
    try:
        code = main(["protect", *arguments], parts=TOYS)
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_page_about_a_store_s_photos_lists_them(place, capsys):
    run(capsys, "-r", "memory://bucket/in", "-o", "memory://bucket/out", "--journal", "j")
    assert main(["report", "j", "-o", "page.html"], parts=TOYS) == 0
    assert Path("page.html").read_text().count("<article") == 4
