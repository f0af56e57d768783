"""A process that tries inputs one after the other, with bounds on time and memory, and tells how each ended."""

from __future__ import annotations

import faulthandler
import gc
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from ctypes import CDLL, c_double, c_longlong
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

from fuzz.door import ACCEPTED, REFUSED, Door, Wrong, check_refusal
from kohl.errors import KohlError

LONGEST_S = 30  # of one input
MEMORY = 3 * 2**30  # bytes that an input may take beside what the process has
STACK = 25  # lines of a traceback that are kept


@dataclass(frozen=True)
class Find:
    """Something that must not be, and which input it came of."""

    door: str
    index: int
    kind: str  # traceback · hang · changed · sentence · contract · crash
    text: str
    given: bytes = b""

    @property
    def sign(self) -> tuple[str, str, str]:
        """What is alike in finds with one cause: the door, the kind, the error, and where in kohl it came out."""
        lines = self.text.splitlines()
        places = [line.strip() for line in lines if line.lstrip().startswith("File ")]
        ours = [place for place in places if "/kohl/" in place] or places[:1]
        error = lines[-1].split(":")[0] if lines and self.kind == "traceback" else ""
        return self.door, self.kind, f"{error} {''.join(ours[-1:])}"


class Hang(BaseException):
    """An input takes too long."""


class Watched:
    """What a worker shows to whoever started it: the input that it is at, since when, and how many it has tried."""

    def __init__(self, context: Any) -> None:
        self.index = context.RawValue(c_longlong, -1)
        self.since = context.RawValue(c_double, 0.0)
        self.tried = context.RawValue(c_longlong, 0)
        self.accepted = context.RawValue(c_longlong, 0)


def attempt(door: Door, seed: int, index: int, folder: Path) -> tuple[str, Find | None]:
    """How one input ended: accepted, refused, or what was wrong."""
    given: Any = None
    try:
        given = door.make(Random(f"{seed}/{door.name}/{index}"))
        return _outcome(door, given, folder), None
    except Wrong as wrong:
        kind, text = wrong.kind, f"{''.join(traceback.format_tb(wrong.__traceback__)[-2:])}{wrong}"
    except Hang:
        kind, text = "hang", _last_lines(traceback.format_exc())
    except KeyboardInterrupt:
        raise
    except BaseException:
        kind, text = "traceback", _last_lines(traceback.format_exc())
    return kind, Find(door.name, index, kind, text, as_bytes(given))


def _outcome(door: Door, given: Any, folder: Path) -> str:
    """ACCEPTED or REFUSED; where memory runs out, of a second try, as earlier inputs may have left it in pieces."""
    for again in (True, False):
        try:
            return door.attempt(given, folder)
        except KohlError as error:
            check_refusal(error)
            return REFUSED
        except MemoryError:
            if not again:
                raise
            gc.collect()
            if sys.platform == "linux":
                getattr(CDLL(None), "malloc_trim", lambda _: None)(0)
            shutil.rmtree(folder)
            folder.mkdir()
    raise AssertionError


def as_bytes(given: Any) -> bytes:
    """An input as the content of a file."""
    return given if isinstance(given, bytes) else repr(given).encode("utf-8", "backslashreplace")


def work(pipe: Connection, watched: Watched, table: str, seed: int, longest_s: int, log: str) -> None:
    """Try what the pipe asks for, (door of the table, first, count), and send each find; then None."""
    known = {door.name: door for door in import_module(table).DOORS}  # loads torch, so before memory is bounded
    _settle(log)
    with tempfile.TemporaryDirectory(prefix="kohl-fuzz-") as temporary:
        os.environ["KOHL_CACHE"] = f"{temporary}/cache"
        os.environ["TMPDIR"] = temporary
        folder = Path(temporary) / "given"
        while (task := pipe.recv()) is not None:
            name, first, count = task
            for index in range(first, first + count):
                folder.mkdir()
                watched.since.value, watched.index.value = time.monotonic(), index
                signal.alarm(longest_s)
                outcome, find = attempt(known[name], seed, index, folder)
                signal.alarm(0)
                watched.tried.value += 1
                watched.accepted.value += outcome == ACCEPTED
                if find:
                    pipe.send(find)
                shutil.rmtree(folder, ignore_errors=True)
            watched.index.value = -1
            pipe.send(None)


def _settle(log: str) -> None:
    """Bounds of this process, and warnings as errors of nobody's: they are not what is looked for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    signal.signal(signal.SIGALRM, _too_long)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for standard in (1, 2):  # libraries write there what nobody should read
        os.dup2(descriptor, standard)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    faulthandler.enable(descriptor)
    faulthandler.register(signal.SIGUSR1, descriptor, all_threads=True)
    warnings.simplefilter("ignore")
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _too_long(number: int, frame: FrameType | None) -> None:
    raise Hang


def _last_lines(text: str) -> str:
    lines = text.splitlines()
    return "\n".join(lines[:2] + lines[-STACK:] if len(lines) > STACK + 2 else lines)[-4000:]
