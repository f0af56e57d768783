"""A folder that nobody else may read, gone when its process ends; what a killed one left is removed by the next."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # no POSIX system: nothing is locked, and nothing is cleaned
    fcntl = None  # type: ignore[assignment]

PREFIX, LOCK = "kohl-private-", "lock"
FRESH_S = 60.0  # a folder that is younger may not have its lock yet
MEMORY = Path("/dev/shm")  # noqa: S108  Linux's file system in memory
ROOM = 2**30  # bytes that it must have left, since a container's often has few


def in_memory(disk: Path = MEMORY, room: int = ROOM) -> Path | None:
    """Where a folder never touches a disk; None where the system has no such place, or it is too small."""
    with suppress(OSError):
        if os.access(disk, os.W_OK) and shutil.disk_usage(disk).free >= room:
            return disk
    return None


@contextmanager
def folder(inside: Path | None = None) -> Iterator[Path]:
    """An empty private folder below `inside`, or where temporary files go; at the block's end nothing of it is left."""
    base = Path(tempfile.gettempdir()) if inside is None else inside
    clean(base)
    made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))  # 0700
    lock = os.open(made / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with suppress(OSError, AttributeError):  # a system that knows no locks
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(lock)


def clean(base: Path) -> list[Path]:
    """Removes the folders of processes that were killed, and says which; a living one's stays, and so do others'."""
    return [path for path in sorted(base.glob(f"{PREFIX}*")) if _left_over(path) and _removed(path)]


def _left_over(path: Path) -> bool:
    """Whether this is a folder of ours that no living process has."""
    if fcntl is None:
        return False
    try:
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return False
        lock = os.open(path / LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:  # killed before it had one, or not that far yet
        return path.is_dir() and time.time() - path.lstat().st_mtime > FRESH_S
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


def _removed(path: Path) -> bool:
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()
