"""Killed at any system call that writes: nothing stands half, nothing foreign changes, and the next run cleans up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import photos
import pytest
from fuzz import kills
from fuzz.door import check_unchanged, tree

import kohl

pytestmark = pytest.mark.tools

COMMAND = ("protect", "face.jpg", "-o", "out", "--report", "out/report.html", "--set", "search.steps=1")


@pytest.fixture(scope="module")
def toy():
    with kills.Toy() as toy:
        yield toy


@pytest.mark.parametrize("name", kills.COMMANDS)
def test_killed_at_every_call_that_writes(toy, name, tmp_path):  # but of the many of one checkpoint at one in ten
    command = kills.COMMANDS[name]
    known = [point for point in kills.points(toy, command) if not (point.call == "writev" and point.number % 10)]
    assert len(known) > 5
    for index, point in enumerate(known):
        folder = tmp_path / f"{index}-{point.call}-{point.number}"
        folder.mkdir()
        kills.killed(toy, command, point, "KILL", folder)
        shutil.rmtree(folder)


@pytest.mark.parametrize("signal", ["INT", "TERM"])
def test_stopped_politely_it_leaves_nothing_at_once(toy, signal, tmp_path):
    command = kills.COMMANDS["protect"]
    for point in kills.points(toy, command)[::4]:
        folder = tmp_path / f"{point.call}-{point.number}"
        folder.mkdir()
        kills.killed(toy, command, point, signal, folder)


@pytest.mark.parametrize("point", ["link:1", "link:2"])
def test_the_real_command_killed(point, tmp_path):
    # The toys write what the real models do; that it is so is seen at a few places.
    call, number = point.split(":")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    photos.portrait().save(tmp_path / "face.jpg", quality=95)
    before = tree(tmp_path)
    command = [sys.executable, "-P", "-m", "kohl", *COMMAND]
    where = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(Path(kohl.__file__).parents[1])}}
    inject = f"inject=?{call},?{call}at:signal=KILL:when={number}"
    log = tmp_path.parent / f"{tmp_path.name}.trace"
    killed = subprocess.run(
        [*kills.STRACE, log, "-e", f"trace=?{call},?{call}at", "-e", inject, *command],
        **where,
        capture_output=True,
    )
    assert killed.returncode == -9
    for check in (check_unchanged, lambda before, _: kills.check_whole(tmp_path, before)):
        check(before, tree(tmp_path))
    again = subprocess.run(command, **where, capture_output=True, text=True)
    assert again.returncode in (0, 1, 2, 3), again.stderr  # 2: the report is there
    check_unchanged(before, tree(tmp_path))
    kills.check_whole(tmp_path, before)
    kills.check_clean(tmp_path, before, "after the next run")
