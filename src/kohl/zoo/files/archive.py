"""A file as it is, or one out of a zip archive: whole, and no larger than it should be."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

LARGEST = 2**31  # bytes of a file whose size nobody published; no reader of ours takes more
DIRECTORY = 2**22  # bytes of an archive's table of contents, which zipfile makes objects of, a hundred times as large
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # other methods may fill the memory with what a few bytes stand for


# What zipfile raises for archives that are damaged, locked or of a kind that it does not know.
ZIPFILE: tuple[type[Exception], ...] = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)


class BadArchive(Exception):
    """Why it does not give the file."""


class WrongSize(BadArchive):
    """It would be another file than the one that is wanted."""


@contextmanager
def sound(*also: type[Exception]) -> Iterator[None]:
    """Whatever zipfile raises for a damaged or locked archive becomes a `BadArchive`; for around its calls alone."""
    try:
        yield
    except (*ZIPFILE, *also) as error:
        why = f"this archive cannot be read ({error.strerror})" if isinstance(error, OSError) else str(error)
        raise BadArchive(why or "this archive is cut off") from error


def content(file: IO[bytes], member: str, *, size: int = 0, at_most: int = LARGEST) -> IO[bytes]:
    """What is named `member` in an archive, in whichever folder of it; of any other file, its own content.

    With a `size` it must have so many bytes, without one no more than `at_most`. Raises `BadArchive`, and so does
    reading it inside `sound`, which notices a wrong checksum at the end. No path of the archive is used.
    """
    if member and zipfile.is_zipfile(file):
        archive = opened(file)
        found = [entry for entry in archive.infolist() if name(entry.filename) == name(member)]
        if found:  # torch's own files are archives too
            _check(found, size, at_most)
            with sound(OSError):
                return archive.open(found[0])
    length = file.seek(0, os.SEEK_END)
    if length > at_most and length != size:
        raise BadArchive(f"this file has {length} bytes, and that is too large")
    if size and length != size:
        raise WrongSize(f"this file has {length} bytes instead of {size}")
    file.seek(0)
    return file


def names(file: IO[bytes]) -> set[str]:
    """The names of the files in an archive, whichever folders they are in; of any other file, none."""
    return {name(entry.filename) for entry in opened(file).infolist()} if zipfile.is_zipfile(file) else set()


def name(path: str) -> str:
    """The last part of a path."""
    return PurePosixPath(path).name


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    """The zip archive in `file`; raises `BadArchive`, also for one whose table of contents fills the memory."""
    frugal = _Frugal(file)
    with sound(OSError):  # it may send its reader anywhere
        archive = zipfile.ZipFile(frugal)
    frugal.most = LARGEST
    return archive


class _Frugal:
    """A file of which nobody gets more at once than a table of contents may have; with zipfile's idea of a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.most = file, DIRECTORY
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, count: int = -1) -> bytes:
        """So many bytes, or all that are left."""
        position = self.tell()
        left = max(0, self.seek(0, os.SEEK_END) - position)
        self.seek(position)
        count = min(count, left) if count >= 0 else left
        if count > self.most:
            raise BadArchive("this archive has too many entries")
        return self.file.read(count)


def _check(found: Sequence[zipfile.ZipInfo], size: int, at_most: int) -> None:
    """Raises `BadArchive` for what shall not be unpacked."""
    entry = found[0]
    if len(found) > 1:
        raise BadArchive(f"this archive holds {len(found)} files named {name(entry.filename)}")
    if entry.compress_type not in PLAIN:
        raise BadArchive(f"{name(entry.filename)} is compressed in an unusual way")
    if entry.file_size > at_most:
        raise BadArchive(f"{name(entry.filename)} would have {entry.file_size} bytes and that is too large")
    if size and entry.file_size != size:
        raise WrongSize(f"{name(entry.filename)} would have {entry.file_size} bytes instead of {size}")
