"""The door for signals: a run is killed at a system call that writes, and what then lies there is looked at."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import tiny_training
from PIL import Image
from safetensors.torch import load_file

from fuzz.door import ACCEPTED, Door, check, check_unchanged, tree
from fuzz.downloads import CONTENT
from fuzz.rows import check_page
from kohl.zoo.files import torch_files

TESTS = Path(__file__).resolve().parents[1]
CALLS = (
    *("write", "pwrite64", "writev", "fsync", "fdatasync", "ftruncate", "link", "linkat", "rename", "renameat"),
    *("renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "sendfile", "copy_file_range", "flock", "chmod"),
)
TRACED = ",".join(f"?{name}" for name in CALLS)  # no processor has them all
LEFTOVER = re.compile(r"\.kohl-|.*\.(part|copy)$")
STRACE = ("strace", "-f", "-qq", "-e", "signal=none", "-o")


class Point(NamedTuple):
    """One system call of a run: its name, and the how manieth of that name it is."""

    call: str
    number: int


@dataclass(frozen=True)
class Command:
    """What is run, in a folder that `lay_out` fills, and what it may then leave under which names."""

    arguments: Sequence[str]
    lay_out: Callable[[Path], None]
    goes_on: Sequence[str] = ()  # what the next run has ended, wherever the last was killed


def photos(folder: Path) -> None:
    """Two photos, a foreign file of each sort that kohl writes, and what a killed run of long ago left."""
    for name, data in _photos().items():
        (folder / name).write_bytes(data)
    (folder / "out").mkdir()
    for name in ("notes.txt", "mine.part", "foreign_kohl.png"):
        (folder / "out" / name).write_text("mine")


def results(folder: Path) -> None:
    """The same, with results and a report of an earlier run."""
    photos(folder)
    for name in ("a_kohl.png", "b_kohl.jpg"):
        (folder / "out" / name).write_bytes(_photos()[name.replace("_kohl", "")])
    (folder / "out" / "report.html").write_text("<!doctype html><html><script></script></html>")


def album(folder: Path) -> None:
    """Folders with photos of one name, and a foreign file where the results go."""
    for name in ("x", "y"):
        (folder / "in" / name).mkdir(parents=True)
        (folder / "in" / name / "a.png").write_bytes(_photos()["a.png"])
    (folder / "out").mkdir()
    (folder / "out" / "notes.txt").write_text("mine")


def checkpoint(folder: Path) -> None:
    """A published network, tiny."""
    shutil.copy(TESTS / "golden" / "nv_ada_tiny_p4.pkl", folder / "network.pkl")
    (folder / "notes.txt").write_text("mine")


def fetched(folder: Path) -> None:
    """A model's file that was fetched by hand."""
    (folder / "fetched.bin").write_bytes(CONTENT)
    (folder / "cache").mkdir()
    (folder / "cache" / "notes.txt").write_text("mine")


def learned(folder: Path) -> None:
    """A folder to learn from, and a foreign file where the run writes."""
    (folder / "faces").mkdir()
    for number in range(16):
        (folder / "faces" / f"{number}.png").touch()
    (folder / "learned").mkdir()
    (folder / "learned" / "notes.txt").write_text("mine")


PROTECT = ("protect", "a.png", "b.jpg", "-o", "out", "--report", "out/report.html", "--json")
TRAIN = ("train", "stylegan2", "faces", "-o", "learned", "--size", "64", "--images", "4", "--batch", "2", "--resume")
SMALL = (
    *tiny_training.OPTIONS,
    "looks=0",
    "report=2",
    "save_s=0.0",
)  # a line of the log and a checkpoint for each step
COMMANDS = {
    "protect": Command(PROTECT, photos),
    "protect --force": Command((*PROTECT, "--force"), results),
    "album": Command(("protect", "-r", "in", "-o", "out", "--json"), album, ("out/x/a_kohl.png", "out/y/a_kohl.png")),
    "convert": Command(("models", "convert", "network.pkl"), checkpoint),
    "train": Command((*TRAIN, *(part for setting in SMALL for part in ("--set", setting))), learned),
    "pull": Command(("models", "pull", "thing", "--from", "fetched.bin", "--yes"), fetched),
    "pull and pin": Command(("models", "pull", "unpublished", "--from", "fetched.bin", "--yes"), fetched),
}


@cache
def _photos() -> Mapping[str, bytes]:
    """Small photos with a face in the corner where the toys look for one."""
    import photos as made

    face = made.portrait().resize((60, 64))
    return {"a.png": made.encoded(face, "PNG"), "b.jpg": made.encoded(face, "JPEG", quality=95)}


class Toy:
    """The process of `fuzz.toy`, and what it runs."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{TESTS.parent / 'src'}{os.pathsep}{TESTS}", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", "fuzz.toy"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __enter__(self) -> Toy:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def run(self, folder: Path, arguments: Sequence[str], *traced: str) -> int:
        """The exit code of one run in a folder, under strace with these options if there are any."""
        self._say(json.dumps([str(folder), *arguments]))
        number = self._hear()
        if not traced:
            self._say("go")
            return self._hear()
        with subprocess.Popen(
            ["strace", "-f", "-e", "signal=none", *traced, "-p", str(number)], stderr=subprocess.PIPE
        ) as tracer:
            tracer.stderr.readline()  # "Process … attached"
            self._say("go")
            code = self._hear()
            tracer.stderr.read()
        return code

    def _say(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _hear(self) -> int:
        return int(self.process.stdout.readline())


def points(toy: Toy, command: Command) -> list[Point]:
    """Every system call that writes, or gives or takes a name, of one whole run of the command."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run"
        folder.mkdir()
        command.lay_out(folder)
        log = Path(temporary) / "trace"
        code = toy.run(folder, command.arguments, "-o", str(log), "-e", f"trace={TRACED}")
        check(code in (0, 3), "contract", f"a whole run ends with {code}: {(folder / 'said.txt').read_text()}")
        found, counts = [], dict.fromkeys(CALLS, 0)
        for name in re.findall(r"^(?:\d+ +)?([a-z_0-9]+)\(", log.read_text(errors="replace"), re.MULTILINE):
            counts[name] += 1
            found.append(Point(name, counts[name]))
    return found


def killed(toy: Toy, command: Command, point: Point, signal: str, folder: Path) -> None:
    """Raise `Wrong` unless a run that gets a signal at this point loses nothing, and the next one leaves nothing."""
    command.lay_out(folder)
    before = tree(folder)
    inject = f"inject={point.call}:signal={signal}:when={point.number}"
    toy.run(folder, command.arguments, "-o", os.devnull, "-e", f"trace={point.call}", "-e", inject)
    forced = "--force" in command.arguments
    mine = {
        name: what
        for name, what in before.items()
        if not (forced and name.endswith(("_kohl.png", "_kohl.jpg", "report.html")))
    }
    mine |= {name: what for name, what in before.items() if "foreign" in name}
    check_unchanged(mine, tree(folder))
    check_whole(folder, before)
    if signal == "INT":
        check_clean(folder, before, f"after {signal}")
    code = toy.run(folder, command.arguments)
    check(code in ((0, 3) if command.goes_on else (0, 1, 2, 3)), "contract", f"the next run ends with {code}")
    for name in command.goes_on:
        check((folder / name).is_file(), "changed", f"{name} is lost")
    check_unchanged(mine, tree(folder))
    check_whole(folder, before)
    check_clean(folder, before, "after the next run")


def check_whole(folder: Path, before: Mapping[str, str]) -> None:
    """Raise `Wrong` for a file that stands half under its final name."""
    for name in tree(folder):
        path = folder / name
        if path.is_dir() or any(LEFTOVER.match(part) for part in Path(name).parts) or name == "said.txt":
            continue
        try:
            _open_whole(path)
        except Exception as error:
            check(name in before, "changed", f"{name} stands there half: {error!r}")


def _open_whole(path: Path) -> None:
    """Read all of a file of the sort that its name says."""
    if path.suffix in (".png", ".jpg") and "foreign" not in path.name:
        with Image.open(path) as image:
            image.load()
    elif path.suffix == ".html":
        check_page(path.read_text("utf-8"))
    elif path.name in ("network.safetensors", "generator.safetensors"):
        from kohl.zoo.generators import stylegan2

        stylegan2.load(path)
    elif path.suffix == ".safetensors":
        load_file(path)
    elif path.suffix == ".pt":
        torch_files.read(path)
    elif path.suffix == ".csv":
        rows = list(csv.reader(path.read_text("utf-8").splitlines()))
        assert len({len(row) for row in rows}) <= 1  # killed before its first line, it is empty
    elif path.suffix == ".json":
        json.loads(path.read_text("utf-8"))
    elif path.name in ("thing.bin", "unpublished.bin"):
        assert path.read_bytes() == CONTENT


def check_clean(folder: Path, before: Mapping[str, str], when: str) -> None:
    """Raise `Wrong` for what an unfinished run left."""
    left = [
        name for name in tree(folder) if name not in before and any(LEFTOVER.match(part) for part in Path(name).parts)
    ]
    check(not left, "changed", f"leftovers {when}: {left}")


def missing() -> str:
    """Why nothing can be killed here, if so."""
    return "" if shutil.which("strace") else "strace is not installed"


@cache
def _toy() -> Toy:
    """One for as long as this process lives."""
    return Toy()


@cache
def _points(name: str) -> list[Point]:
    return points(_toy(), COMMANDS[name])


def given(rng: Random) -> tuple[str, float, str]:
    """A command, how far into it, and a signal."""
    return rng.choice(sorted(COMMANDS)), rng.random(), rng.choice(("KILL", "KILL", "KILL", "INT", "TERM"))


def attempt(what: tuple[str, float, str], folder: Path) -> str:
    """Kill one run."""
    name, part, signal = what
    known = _points(name)
    point = known[int(part * len(known))]
    try:
        killed(_toy(), COMMANDS[name], point, signal, folder)
    except Exception as error:
        error.add_note(f"{name}, {signal} at {point}")
        raise
    return ACCEPTED


KILLS = Door("kills", given, attempt, share=2, missing=missing)
