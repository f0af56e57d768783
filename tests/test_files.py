"""Whole or not at all, whoever else writes there; and nothing of a killed run stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from heard import heard

from kohl import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_takes_the_name_in_the_end(tmp_path):
    with files.placed(tmp_path / "a.txt") as part:
        part.write_text("whole")
        assert names(tmp_path) == [part.name]
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_it_has_the_rights_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    files.write(tmp_path / "a", b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path, force, error):
    (tmp_path / "a").write_bytes(b"old")

    def broken():
        with files.placed(tmp_path / "a", force=force) as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        broken()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_not_lost(tmp_path, links):
    def refused(*_):
        if not links:  # as on FAT
            raise PermissionError("no hard links")

    def overtaken():
        with files.placed(tmp_path / "a") as part:
            part.write_bytes(b"ours")
            (tmp_path / "a").write_bytes(b"theirs")

    with heard("os.link", refused):
        with pytest.raises(FileExistsError):
            overtaken()
        assert (tmp_path / "a").read_bytes() == b"theirs"
        files.write(tmp_path / "a", b"ours", force=True)
        files.write(tmp_path / "b", b"ours")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"ours"
    assert names(tmp_path) == ["a", "b"]


def test_only_what_no_living_run_holds_is_cleaned(tmp_path):
    dead, folder, other = tmp_path / ".kohl-0a.part", tmp_path / ".kohl-0b.part", tmp_path / "kohl-0c.part"
    dead.write_bytes(b"half")
    folder.mkdir()
    other.write_bytes(b"a user's own")
    pipe, link = tmp_path / ".kohl-0d.part", tmp_path / ".kohl-0e.part"
    os.mkfifo(pipe)
    link.symlink_to(other)
    with files.placed(tmp_path / "a") as living:
        assert files.clean(tmp_path) == [dead]
        assert living.exists()
    assert names(tmp_path) == sorted(["a", folder.name, other.name, pipe.name, link.name])
    assert files.clean(tmp_path / "missing") == []


def test_a_killed_run_leaves_only_what_the_next_one_cleans(tmp_path):
    code = "import sys, time; from pathlib import Path; from kohl import files\n"
    code += "with files.placed(Path(sys.argv[1])) as part:\n"
    code += "    part.write_bytes(b'half'); print(part, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "a"], stdout=subprocess.PIPE, text=True)
    part = process.stdout.readline().strip()
    assert files.clean(tmp_path) == []
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert names(tmp_path) == [Path(part).name]
    assert list(map(str, files.clean(tmp_path))) == [part]
    assert names(tmp_path) == []


def test_a_name_that_a_cleaner_took_is_left_to_it(tmp_path):
    # A cleaner sees the new file in the instant before it is locked: the writer takes another name.
    taken = []

    def cleaned(*_):
        if not taken:
            taken.extend(tmp_path.iterdir())
            assert files.clean(tmp_path) == taken

    with heard("fcntl.flock", cleaned), files.placed(tmp_path / "a") as part:
        assert part not in taken
        part.write_bytes(b"whole")
    assert len(taken) == 1
    assert names(tmp_path) == ["a"]


def test_many_runs_write_and_clean_in_one_folder(tmp_path):
    code = "import sys; from pathlib import Path; from kohl import files; folder = Path(sys.argv[1])\n"
    code += "for n in range(40): files.clean(folder); files.write(folder / f'{sys.argv[2]}-{n}', b'whole')"
    runs = [subprocess.Popen([sys.executable, "-c", code, tmp_path, str(run)]) for run in range(4)]
    deadline = time.monotonic() + 600  # an end, not a goal
    assert [run.wait(deadline - time.monotonic()) for run in runs] == [0] * 4
    assert len(names(tmp_path)) == 160
    assert all(path.read_bytes() == b"whole" for path in tmp_path.iterdir())
