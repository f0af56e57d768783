"""Ordinary files of bounded size, and nothing else: no pipe that never answers, no device that never ends."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

# Never waits, never becomes a terminal's, is not inherited; where a system lacks one it has no such danger.
FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"))
CHUNK = 2**20  # bytes


def opened(path: Path, at_most: int) -> BinaryIO:
    """The ordinary file at `path`, for reading; raises an `OSError` that says so if it is none, or has more bytes.

    What is looked at is what was opened, so that nothing can be put in its place in between.
    """
    try:
        _check(path, os.stat(path), at_most)  # noqa: PTH116  a device may act when it is only opened
        number = os.open(path, os.O_RDONLY | FLAGS)
    except ValueError as error:  # a NUL
        raise OSError(errno.EINVAL, "no file can have this name", str(path)) from error
    try:
        _check(path, os.fstat(number), at_most)
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def content(path: Path, at_most: int) -> bytes:
    """What the ordinary file at `path` holds; raises an `OSError` that says so if it is none, or has more bytes."""
    parts, left = [], at_most
    with opened(path, at_most) as file:
        while part := file.read(min(CHUNK, left + 1)):  # whatever size the file said it has
            left -= len(part)
            if left < 0:
                raise _too_large(path, at_most)
            parts.append(part)
    return b"".join(parts)


def _check(path: Path, status: os.stat_result, at_most: int) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not an ordinary file", str(path))
    if status.st_size > at_most:
        raise _too_large(path, at_most)


def _too_large(path: Path, at_most: int) -> OSError:
    return OSError(errno.EFBIG, f"larger than {at_most / 1e6:.4g} MB, the most that kohl reads here", str(path))
