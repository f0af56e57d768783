"""Files that appear under their name whole or not at all, and what runs that were killed left behind."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # no POSIX system: nothing is locked, and nothing is cleaned
    fcntl = None  # type: ignore[assignment]

PREFIX, SUFFIX = ".kohl-", ".part"  # of what is not finished


@contextmanager
def placed(path: Path, *, force: bool = False) -> Iterator[Path]:
    """An empty file beside `path`, to be written inside the block; at its end that file takes the name `path`.

    Whatever ends the block early, only what was at `path` before remains. Raises `FileExistsError` at the end if there
    is a file by then, even one made this instant, and not `force`. The name that is given may be read, not kept.
    """
    lock, part = _locked(path.parent)
    try:
        yield part
        _flush(part)
        if force:
            part.replace(path)
        else:
            _claim(part, path)
        _flush_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)
        os.close(lock)


def write(path: Path, content: bytes, *, force: bool = False) -> None:
    """Put a file of `content` at `path` in one step, as `placed` does."""
    with placed(path, force=force) as part:
        part.write_bytes(content)


def clean(folder: Path) -> list[Path]:
    """Removes from `folder` what killed runs left there, and says what that was; a living run's files stay."""
    try:
        return [part for part in sorted(folder.glob(f"{PREFIX}*{SUFFIX}")) if _removed(part)]
    except OSError:  # a folder that may not be listed
        return []


def _locked(folder: Path) -> tuple[int, Path]:
    """A new file and its lock, which ends with this process, however that ends."""
    while True:
        part = folder / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
        # Not tempfile: its files are closed to everyone else, whatever the umask.
        lock = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            if _is_locked(lock) and part.exists():  # nobody took it for a leftover in between
                return lock, part
        except KeyboardInterrupt:
            part.unlink(missing_ok=True)
            os.close(lock)
            raise
        os.close(lock)


def _is_locked(descriptor: int) -> bool:
    """Whether the file is ours now; so is one on a system or a folder that knows no locks."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _removed(part: Path) -> bool:
    """Whether this unfinished file was no living run's, and is gone."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        part.unlink()
    except OSError:  # it is in use, or the folder knows no locks
        return False
    finally:
        os.close(descriptor)
    return True


def _flush(part: Path) -> None:
    """What was written is on the disk before its name is."""
    with part.open("rb") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """So is the name, where the system can promise that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _claim(part: Path, path: Path) -> None:
    """Give `part` the name `path` unless a file has it, even one made this instant."""
    try:
        path.hardlink_to(part)
    except FileExistsError:
        raise
    except OSError:  # no hard links here (FAT, some network folders): reserve the name, then take it
        path.open("xb").close()
        part.replace(path)
