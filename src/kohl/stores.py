"""Photos in a store that fsspec knows, such as s3:// or gs://: found, read, and written whole or not at all.

Nothing here is imported, and no network is reached, before somebody names such a place.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from kohl.errors import BadPhoto, BadSetting, KohlError, Remedy
from kohl.files import PREFIX, SUFFIX

URL = re.compile(r"([a-z][a-z0-9+.-]+)://(.*)", re.DOTALL)
HERE = ("file", "local")  # of this machine's disk, where plain paths do better
NO_STORES = ("http", "https", "data", "github", "zip", "tar", "reference", "simplecache", "filecache", "blockcache")
# Stores in which a file is there once all of it is; in others it is given its name when it is whole.
WHOLE = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "memory"}
PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "az": "adlfs",
    "sftp": "paramiko",
}
QUIET = logging.NullHandler()
MARKS = ("ETag", "etag", "md5Hash", "generation", "LastModified", "last_modified", "mtime", "modified", "created")


@dataclass(frozen=True)
class Url:
    """A file or a folder in a store; `mark` says which version of it, where the store has told."""

    store: str  # what stands before the path: s3://, or sftp://host
    path: str  # as the store names it, without a slash at its end
    mark: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.store + self.path

    def __truediv__(self, relative: str | PurePosixPath) -> Url:
        inside = PurePosixPath(relative).as_posix()
        return self if inside == "." else Url(self.store, f"{self.path.rstrip('/')}/{inside}")

    @property
    def name(self) -> str:
        """The last part."""
        return self.path.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The last part's, with its dot."""
        return PurePosixPath(self.name).suffix

    @property
    def parent(self) -> Url:
        """The folder that it is in."""
        return Url(self.store, self.path.rpartition("/")[0])


Where: TypeAlias = Path | Url


def is_url(text: str) -> bool:
    """Whether it has the form of a place in a store; nothing is opened, whatever it says."""
    return URL.fullmatch(text) is not None


def where(text: str) -> Where:
    """The place that `text` names, on this machine or in a store; raises `BadSetting` for what is neither."""
    if "://" not in text:
        return Path(text)
    found = URL.fullmatch(text)
    scheme, rest = found.groups() if found else (text.partition(":")[0], "")
    if scheme in HERE:
        return Path("/" + rest.lstrip("/") if rest.startswith("/") else rest)
    if found is None or "::" in text or scheme in NO_STORES:
        raise BadSetting(f"{scheme}://: is no store that kohl reads from or writes to; name a folder on this machine")
    if "@" in rest.partition("/")[0]:  # it would stand in the journal, in rows and in errors
        raise BadSetting(f"{scheme}://: a user or a key has no place in a URL; set it where the store's package looks")
    if not rest.strip("/") or re.search(r"(^|/)\.\.?(/|$)|\0", rest):
        raise BadSetting(f"{scheme}://: name a bucket or a folder in it, without dots for others")
    path, whole = str(_opened(text)[1]), text.rstrip("/")
    if not path or not whole.endswith(path):
        raise BadSetting(f"{scheme}://: is a place that kohl does not understand; name it as STORE://FOLDER/PHOTO")
    return Url(whole.removesuffix(path), path)


def identity(url: Url) -> str:
    """The same for all names of a store's file: s3:// and s3a:// are one."""
    store, path = _opened(str(url))
    return f"{type(store).__name__} {sorted(store.storage_options.items())} {path}"


def is_folder(url: Url) -> bool:
    """Whether it is a folder, or the beginning of the names of other files."""
    with _asked(url):
        return bool(_opened(str(url))[0].isdir(url.path))


def walked(folder: Url) -> Iterator[Url]:
    """The files in a folder and in its folders, in the order of their names.

    Hidden ones are left out, and those whose name would lead somewhere else on a disk.
    """
    with _asked(folder):
        found: Mapping[str, Any] = _opened(str(folder))[0].find(folder.path, detail=True)
    for path in sorted(found):
        inside = path.removeprefix(folder.path).strip("/")
        if not re.search(r"(^|/)(\.|/|$)|[\0\\]", inside):
            yield Url(folder.store, path, _mark(found[path]))


def marked(url: Url) -> Url:
    """The same with its mark; without one where the store knows none."""
    with _asked(url):
        return url if url.mark else Url(url.store, url.path, _mark(_opened(str(url))[0].info(url.path)))


def size(url: Url) -> int | None:
    """Bytes of the file; None where there is none."""
    with _asked(url), suppress(FileNotFoundError):
        info = _opened(str(url))[0].info(url.path)
        return int(info["size"]) if info.get("type") == "file" else None
    return None


def sizes(folder: Url) -> dict[str, int]:
    """Bytes of each file in a folder, by its name."""
    with _asked(folder), suppress(FileNotFoundError):
        found = _opened(str(folder))[0].ls(folder.path, detail=True)
        return {str(info["name"]).rpartition("/")[2]: int(info["size"]) for info in found if info["type"] == "file"}
    return {}


def read(url: Url, at_most: int) -> bytes:
    """What is in the file; raises `BadPhoto` where it cannot be read, or has more bytes."""
    with _asked(url):
        store = _opened(str(url))[0]
        if int(store.info(url.path)["size"] or 0) > at_most:
            raise BadPhoto(f"{url}: is larger than {at_most / 1e6:.4g} MB, the most that kohl reads")
        return bytes(store.cat_file(url.path))


def sha256(url: Url, at_most: int) -> str:
    """Of what is in the file."""
    return hashlib.sha256(read(url, at_most)).hexdigest()


def put(url: Url, content: bytes, *, force: bool = False) -> None:
    """The file, whole or not at all; raises `BadPhoto` where it cannot be written, or is there and not `force`.

    That nobody makes one at the same instant is certain where the store can create without overwriting, as S3 and
    Google's can; elsewhere it is looked at last of all.
    """
    with _asked(url):
        store = _opened(str(url))[0]
        if url.store.partition(":")[0] in WHOLE:
            store.pipe_file(url.path, content, mode="overwrite" if force else "create")
            return
        store.makedirs(url.parent.path, exist_ok=True)
        part = f"{url.parent.path}/{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
        try:
            store.pipe_file(part, content)
            if not force and store.exists(url.path):
                raise FileExistsError
            store.mv(part, url.path)
        finally:
            with suppress(Exception):  # it has its name by now, or the store is gone
                store.rm_file(part)


def _opened(text: str) -> tuple[Any, Any]:
    """The store, and the path in it."""
    from fsspec.core import url_to_fs  # late: it takes a while, and nobody may need it

    logging.getLogger().addHandler(QUIET)  # the packages log tracebacks, and what is wrong is said in one sentence
    try:
        return url_to_fs(text, use_listings_cache=False)  # type: ignore[no-any-return]
    except ImportError:
        scheme = text.partition(":")[0]
        name = PACKAGES.get(scheme, "the package that fsspec names for it")
        raise BadSetting(f"{scheme}://: what reads this store is not here; install {name}") from None
    except ValueError:
        scheme = text.partition(":")[0]
        raise BadSetting(f"{scheme}://: fsspec knows no such store; name s3://, gs:// or a folder here") from None


def _mark(info: Mapping[str, Any]) -> str:
    """What the store says of a file that is another for another content; "" if it says nothing of the kind."""
    name = next((name for name in MARKS if info.get(name)), None)
    if name is None:
        return ""
    said = info[name]
    return f"{info.get('size')} {name}={said.timestamp() if isinstance(said, datetime) else said}"


@contextmanager
def _asked(url: Url) -> Iterator[None]:
    """What a store raises, as one sentence without what it says itself: that may be anything."""
    try:
        yield
    except KohlError:
        raise
    except FileNotFoundError:
        raise BadPhoto(f"{url}: there is no such file") from None
    except FileExistsError:
        raise BadPhoto(f"{url}: already exists", Remedy.OVERWRITE) from None
    except OSError as error:
        raise BadPhoto(f"{url}: the store refuses ({error.strerror or type(error).__name__})") from None
    except Exception as error:  # each package has errors of its own
        said = f"{url}: the store cannot be asked ({type(error).__name__}); see whether its keys are set"
        raise BadPhoto(said) from None
