"""Houses for workers: what a new process can be told to load by its name, and photos over which workers die.

Importing it makes `shelf://` a store: a folder of this machine behind fsspec, which no path leads to.
"""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import fsspec
import tiny
from fsspec.implementations.local import LocalFileSystem

import kohl
from kohl import pipeline
from kohl.errors import BadModel

MARKS = "KOHL_TESTS_MARKS"  # names the folder where is marked what was tried once; beside the photo where it does not


class Shelf(LocalFileSystem):
    """What another machine's folder would be."""

    protocol = "shelf"

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(str(path).removeprefix("shelf://"))


fsspec.register_implementation("shelf", Shelf, clobber=True)


def load(recipe):
    return tiny.house(recipe=recipe)


def broken(recipe):
    raise BadModel("sface: is not the right file; get another")


def dies(recipe):
    os.kill(os.getpid(), signal.SIGKILL)


def protect(job, house, *, watch, **more):
    """What a photo's name says: it kills the worker, always or the first time, or takes long; others are protected."""
    if marks := os.environ.get(MARKS):
        with Path(marks, "tried").open("a") as file:
            file.write(f"{job.photo.name}\n")
    if job.photo.stem.startswith("kills") or (job.photo.stem.startswith("once") and _first(job.photo)):
        os.kill(os.getpid(), signal.SIGKILL)
    if job.photo.stem.startswith("slow"):
        time.sleep(0.2)
    if job.photo.stem.startswith("endless"):
        time.sleep(600)
    row = pipeline.protect(job, house, watch=watch, **more)
    if job.photo.stem.startswith("placed"):
        os.kill(os.getpid(), signal.SIGKILL)
    return row


def _first(photo: Path) -> bool:
    mark = Path(os.environ.get(MARKS) or photo.parent, f"{photo.stem}.mark")
    there = mark.exists()
    mark.touch()
    return not there


def started(place, *arguments, **more):
    """`kohl protect` with these toys in a process of its own, and what else is to be in its environment."""
    program = "import sys, crew; from kohl.cli import main; from kohl.parts import Parts\n"
    program += "toys = Parts(load=crew.load, protect=crew.protect)\n"
    program += "if __name__ == '__main__': sys.exit(main(sys.argv[1:], parts=toys))"
    (place / "run.py").write_text(program)
    code = f"{Path(kohl.__file__).parents[1]}{os.pathsep}{Path(__file__).parent}"
    command = [sys.executable, "-W", "ignore", str(place / "run.py"), "protect", *map(str, arguments)]
    heeds = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # even if these tests run in the background
    where = {"cwd": place, "env": {**os.environ, "PYTHONPATH": code, **more}, "preexec_fn": heeds}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **where)
