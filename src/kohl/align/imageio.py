"""Write a photo in its own format, whole or not at all, and find out before the work whether that will do."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from kohl import files
from kohl.align.encode import SUFFIXES, encoded
from kohl.errors import BadPhoto, Remedy
from kohl.reader import MAX_PIXELS, read
from kohl.types import Photo

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "check_output",
    "default_output",
    "digest",
    "is_photo_name",
    "placed",
    "read",
    "write",
    "writing",
]

NEVER_WRITTEN = (".gif", ".svg", ".pdf", ".psd", ".jp2", ".jxl", ".ico", ".tga", ".eps")


@contextmanager
def writing(photo: Photo, path: Path, *, force: bool = False) -> Iterator[Path]:
    """The file of `photo`, to be looked at inside the block; at its end it takes the name `path`, whole or not at all.

    It has the photo's alpha, depth and colour profile and no metadata but what was asked to be kept. The format is the
    one that the suffix of `path` names, else the photo's own. A JPEG keeps the original's quantisation tables where
    they are fine enough, and the resolution of its colours, as a HEIC does. BMP holds no profile. Raises BadPhoto
    when the format cannot hold the photo, when `path` exists and not `force`, and always when `path` is the photo's own
    file. After an error inside the block nothing is left.
    """
    check_output(path, photo.path, force=force)
    placing = placed(encoded(photo, path), path, force=force)
    del photo  # hundreds of megabytes, perhaps
    with placing as part:
        yield part


@contextmanager
def placed(content: bytes, path: Path, *, force: bool = False) -> Iterator[Path]:
    """The same of a file that is encoded already; only that it can be written is checked."""
    inside: BaseException | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.placed(path, force=force) as part:
            part.write_bytes(content)
            del content
            try:
                yield part
            except BaseException as error:
                inside = error
                raise
    except OSError as error:
        if error is inside:
            raise
        raise _unwritable(path, error) from None


def write(photo: Photo, path: Path, *, force: bool = False) -> None:
    """Write `photo` to `path` as `writing` does."""
    with writing(photo, path, force=force):
        pass


def rewrite(photo: Photo, path: Path, part: Path) -> None:
    """Write `photo` to the `part` that `writing` gave for `path`, in place of what is there."""
    try:
        part.write_bytes(encoded(photo, path))
    except OSError as error:
        raise _unwritable(path, error) from None


def check_output(path: Path, original: Path | None, *, force: bool = False) -> None:
    """Raise the BadPhoto that `write` would, as far as it can be known before there is a result.

    The original may be none of this machine's files.
    """
    try:
        if path.is_dir():
            raise BadPhoto(f"{path}: is a folder", Remedy.FILE_IN_IT)
        if original is not None and path.exists() and original.exists() and path.samefile(original):
            raise BadPhoto(f"{path}: is the original photo, which is never overwritten", Remedy.OTHER_NAME)
        if os.path.lexists(path) and not force:
            raise BadPhoto(f"{path}: already exists", Remedy.OVERWRITE)
        if path.parent.exists() and not path.parent.is_dir():
            raise BadPhoto(f"{path.parent}: is a file, not a folder", Remedy.OTHER_PLACE)
    except OSError as error:
        raise _unwritable(path, error) from None
    if path.suffix.lower() in NEVER_WRITTEN:
        raise BadPhoto(f"{path}: kohl cannot write {path.suffix} files", Remedy.COMMON_FORMAT)


def default_output(photo: Path, output: Path | None = None) -> Path:
    """NAME_kohl.EXT beside `photo` or in the folder `output`; or `output` itself where it names a picture.

    EXT is kept as it is, or is .png where kohl cannot write that format.
    """
    if output is not None and is_photo_name(output):
        return output
    suffix = ".png" if photo.suffix.lower() in NEVER_WRITTEN else photo.suffix
    return (photo.parent if output is None else output) / f"{photo.stem}_kohl{suffix}"


def result_suffix(photo: Path) -> str:
    """The suffix of the result: that of the photo's name, or of its format."""
    named = default_output(photo).suffix.lower()
    if named in SUFFIXES:
        return named
    format_ = read(photo).metadata.format
    return next(suffix for suffix, known in SUFFIXES.items() if known == format_)


def is_read(path: Path) -> bool:
    """Whether there is a photo at `path` that kohl can read."""
    try:
        read(path)
    except BadPhoto:
        return False
    return True


def is_photo_name(path: Path) -> bool:
    """Whether `path`, given as output, means one file rather than a folder for many."""
    named = path.suffix.lower() in (*SUFFIXES, *NEVER_WRITTEN)
    return named and not os.path.isdir(path)  # noqa: PTH112  Path.is_dir raises on a path it may not look at


def digest(photo: Photo) -> bytes:
    """SHA-256 of the photo's size and pixels: the same wherever it lies and whatever it is called."""
    state = hashlib.sha256(struct.pack("<QQ", *photo.size))
    state.update(np.ascontiguousarray(photo.pixels).data)
    return state.digest()


def _unwritable(path: Path, error: OSError) -> BadPhoto:
    return BadPhoto(f"{path}: cannot be written ({error.strerror})", Remedy.OTHER_PLACE)
