"""Where model files are, and proof that they are the files their cards name; nothing here touches the network."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from kohl import files, plain_file

if TYPE_CHECKING:
    from torch import Tensor

    from kohl.errors import BadModel


LARGEST, LONGEST_HEADER = 2**31, 2**22  # bytes of a file of tensors, and of what it says about them
LARGEST_PINS = 2**20  # bytes
KINDS = {"float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool"}
DIMENSIONS = 16


def package_file(package: str, relative: str) -> Path:
    """Where the file `relative` of a package is, or would be if the package were installed; nothing is imported."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0] if folders else package) / relative


def bundled(name: str) -> Path:
    """Where the weight file `name` that ships with kohl is."""
    return package_file("kohl", f"zoo/weights/{name}")


def cache() -> Path:
    """The folder for files fetched on request: `KOHL_CACHE`, or kohl's own in the platform's cache folder.

    Raises `BadModel` where nobody says where that is, as for a user without a home.
    """
    try:
        return _cache()
    except RuntimeError as error:
        raise _refusal("the cache folder: there is no home folder for it; name one with KOHL_CACHE.") from error


def has_cache() -> bool:
    """Whether it is known where that folder would be."""
    try:
        return bool(_cache())
    except RuntimeError:
        return False


def _cache() -> Path:
    if chosen := os.environ.get("KOHL_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "kohl"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "kohl" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kohl"


def sha256_of(path: Path) -> str:
    """The hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(path: Path, sha256: str, remedy: str = "install kohl again") -> Path:
    """`path` itself, once its content is known to have that hash; the error says the `remedy`."""
    if not path.is_file():
        raise _refusal(f"{path}: this model file is missing; {remedy}.")
    found = sha256_of(path)
    if found != sha256:
        raise _refusal(f"{path}: sha256 is {found} but should be {sha256}; {remedy}.")
    return path


def pins() -> dict[str, str]:
    """By the name of its card, the hash that each file without a published one had when it first came here."""
    return _hashes(pins_file())


def accepted() -> dict[str, str]:
    """By the name of its card, the hash of each file that was taken in knowingly in the place of the published one."""
    return _hashes(accepted_file())


def admit(name: str, sha256: str, *, published: str) -> None:
    """From now on the card's file must have this hash: as pinned if none is published, as accepted if that differs."""
    if not published:
        pin(name, sha256)
    elif sha256 != published:
        _remember(accepted_file(), {**accepted(), name: sha256})
    elif name in accepted():
        _remember(accepted_file(), {other: kept for other, kept in accepted().items() if other != name})


def pin(name: str, sha256: str) -> None:
    """Remember this hash: from now on the card's file must have it."""
    _remember(pins_file(), {**pins(), name: sha256})


def pins_file() -> Path:
    """Where the pinned hashes are kept."""
    return cache() / "pins.json"


def accepted_file() -> Path:
    """Where the accepted hashes are kept."""
    return cache() / "accepted.json"


def _hashes(path: Path) -> dict[str, str]:
    try:
        found = json.loads(plain_file.content(path, LARGEST_PINS))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _refusal(f"{path}: these hashes cannot be read ({error}); mend or remove this file.") from error
    if not isinstance(found, dict) or not all(_is_hash(sha256) for sha256 in found.values()):
        raise _refusal(f"{path}: holds no hashes by name; mend or remove this file.")
    return found


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _remember(path: Path, hashes: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.placed(path, force=True) as part:
        part.write_text(json.dumps(hashes, indent=2) + "\n", "utf-8")


def tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file, by name, on the CPU; raises `BadModel`."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        _check_header(path)
        found = load_file(path)
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise _refusal(f"{path}: not a readable safetensors file ({_reason(error)}).") from error
    for name, values in found.items():  # torch can do little with other numbers, and no file of ours has them
        if str(values.dtype).removeprefix("torch.") not in KINDS or values.dim() > DIMENSIONS:
            raise _refusal(f"{path}: not a readable safetensors file ({name} is of another kind than kohl reads).")
    return found


def _check_header(path: Path) -> None:
    """Raises `OSError`, `ValueError` or `RecursionError` for a file that says too much about its tensors, or twice."""
    with plain_file.opened(path, LARGEST) as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LONGEST_HEADER:
            raise ValueError("its header is too long")
        json.loads(file.read(length), object_pairs_hook=_once)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise ValueError("a name is there twice")
    return named


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _refusal(message: str) -> BadModel:
    """The error with that message."""
    from kohl.errors import BadModel  # late: it loads torch

    return BadModel(message)
