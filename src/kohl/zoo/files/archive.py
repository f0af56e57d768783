"""A file as it is, or one out of a zip archive: whole, and no larger than it should be."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import IO

LARGEST = 2**31  # bytes of a file whose size nobody published; no reader of ours takes more
DIRECTORY = 2**22  # bytes of an archive's table of contents, which zipfile makes objects of, a hundred times as large
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # other methods may fill the memory with what a few bytes stand for


class BadArchive(Exception):
    """Why it does not give the file."""


class WrongSize(BadArchive):
    """It would be another file than the one that is wanted."""


# What a damaged or locked archive makes zipfile trip over.
BROKEN = (BadArchive, zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, RuntimeError, ValueError)


def content(file: IO[bytes], member: str, *, size: int = 0, at_most: int = LARGEST) -> IO[bytes]:
    """What is named `member` in an archive, in whichever folder of it; of any other file, its own content.

    With a `size` it must have so many bytes, without one no more than `at_most`. Raises one of `BROKEN`, and so does
    reading it, which notices a wrong checksum at the end. No path of the archive is used.
    """
    try:
        if member and zipfile.is_zipfile(file):
            archive = opened(file)
            found = [entry for entry in archive.infolist() if name(entry.filename) == name(member)]
            if found:  # torch's own files are archives too
                _check(found, size, at_most)
                return archive.open(found[0])
        length = file.seek(0, os.SEEK_END)
        if length > at_most and length != size:
            raise BadArchive(f"this file has {length} bytes, and that is too large")
        if size and length != size:
            raise WrongSize(f"this file has {length} bytes instead of {size}")
        file.seek(0)
        return file
    except OSError as error:  # an archive may send its reader anywhere
        raise BadArchive(f"this archive cannot be read ({error.strerror})") from error


def names(file: IO[bytes]) -> set[str]:
    """The names of the files in an archive, whichever folders they are in; of any other file, none."""
    return {name(entry.filename) for entry in opened(file).infolist()} if zipfile.is_zipfile(file) else set()


def name(path: str) -> str:
    """The last part of a path."""
    return PurePosixPath(path).name


def opened(file: IO[bytes]) -> zipfile.ZipFile:
    """The zip archive in `file`; raises one of `BROKEN`, also for one whose table of contents fills the memory."""
    frugal = _Frugal(file)
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
        left = self.seek(0, os.SEEK_END) - position
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
