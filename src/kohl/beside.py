"""A new file that is written beside its name and takes it in one step: whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def placed(path: Path, *, force: bool) -> Iterator[Path]:
    """A new, empty file to write, which then becomes `path`; after an error there is nothing of it.

    Its name is nobody else's. Raises `FileExistsError` if there is a file at `path` by then, and not `force`.
    """
    part = path.with_name(f".kohl-{secrets.token_hex(8)}.part")
    part.open("xb").close()
    try:
        yield part
        if force:
            part.replace(path)
        else:
            _claim(part, path)
    finally:
        part.unlink(missing_ok=True)


def _claim(part: Path, path: Path) -> None:
    """Give `part` the name `path` unless a file has it, even one made this instant."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno == errno.ENOENT:
            raise
        path.open("xb").close()  # no hard links here (FAT, some network folders): reserve the name, then take it
        part.replace(path)
