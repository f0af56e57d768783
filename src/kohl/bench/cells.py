"""What was measured, one JSON file a cell, named by the hash of all that it depends on: nothing is done twice."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from kohl import files, plain_file
from kohl.bench.sound import sound
from kohl.errors import BadSetting
from kohl.score.record import plain
from kohl.zoo import cards
from kohl.zoo.files import store

Cell: TypeAlias = Mapping[str, Any]

FORMAT = 1  # of cells: another one is another cell
LARGEST = 2**28  # bytes of a cell
REMEMBERED = 2**16  # files


def key(**parts: Any) -> str:
    """The hash of everything that a cell depends on."""
    content = json.dumps({"format": FORMAT, **plain(parts)}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()


def path(folder: Path, name: str, key: str) -> Path:
    """Where the cell of that key is, or will be; `name` is for people."""
    return folder / f"{re.sub('[^a-z0-9.@-]+', '-', name.lower()).strip('-')[:80]}-{key[:16]}.json"


def read(where: Path, key: str) -> Cell | None:
    """The cell at `where`, or None if there is none yet; raises `BadSetting` for a file that is no cell of that key."""
    try:
        content = json.loads(plain_file.content(where, LARGEST))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise BadSetting(f"{where}: is no cell of this benchmark ({error}); remove it") from None
    if not sound(content) or content["key"] != key:
        raise BadSetting(f"{where}: is no cell of this benchmark; remove it")
    found: Cell = content
    return found


def write(where: Path, key: str, content: Cell) -> Cell:
    """The content as the cell of that key, once it is on the disk, whole."""
    cell: Cell = plain({"key": key, **content})
    where.parent.mkdir(parents=True, exist_ok=True)
    files.write(where, (json.dumps(cell, allow_nan=False) + "\n").encode(), force=True)
    return cell


def every(folder: Path) -> list[Cell]:
    """All cells in a folder, sorted by name; raises `BadSetting` for a file that is none."""
    found: list[Cell] = []
    for where in sorted(folder.glob("*.json")):
        try:
            cell = json.loads(plain_file.content(where, LARGEST))
        except (OSError, ValueError, RecursionError) as error:
            raise BadSetting(f"{where}: is no cell of this benchmark ({error})") from None
        if not sound(cell):
            raise BadSetting(f"{where}: is no cell of this benchmark")
        found.append(cell)
    return found


def sha256(where: Path) -> str:
    """The hash of a file's content, which is looked at again once its time or size is another."""
    status = where.stat()
    return _sha256(where.absolute(), status.st_mtime_ns, status.st_size)


@lru_cache(REMEMBERED)
def _sha256(where: Path, _time: int, _size: int) -> str:
    return store.sha256_of(where)


def weights(names: list[str]) -> dict[str, str]:
    """By name, the hash of each model's file; a name may be that of a card, or end in the path of a file."""
    return {name: _weight(name) for name in sorted(set(names))}


def _weight(name: str) -> str:
    _, colon, path = name.partition(":")
    if not colon or name.startswith("aligned:"):
        card = cards.find(path or name)
        needed = [part for role in card.roles.values() for part in role.needs]
        return " ".join(cards.sha256(cards.find(part)) for part in (card.name, *needed))
    beside = Path(f"{path}.toml")
    return " ".join(sha256(file) for file in (Path(path), beside) if file.is_file())


@cache
def made_by() -> dict[str, Any]:
    """Which kohl on which machine measures: for people, and part of no key."""
    from kohl.version import __version__

    return {"version": __version__, "commit": _commit(), "hardware": _hardware()}


def _commit() -> str:
    """Of the repository that this code is in; empty where it is in none."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _hardware() -> str:
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} × {model}"
