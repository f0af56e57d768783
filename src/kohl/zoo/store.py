"""Where model files are, and proof that they are the files their cards name; nothing here touches the network."""

from __future__ import annotations

import hashlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from kohl.types import BadModel


def package_file(package: str, relative: str) -> Path:
    """Where the file `relative` of a package is, or would be if the package were installed; nothing is imported."""
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return Path(folders[0] if folders else package) / relative


def bundled(name: str) -> Path:
    """Where the weight file `name` that ships with kohl is."""
    return package_file("kohl", f"zoo/weights/{name}")


def cache() -> Path:
    """The folder for files fetched on request: `KOHL_CACHE`, or kohl's own in the platform's cache folder."""
    if chosen := os.environ.get("KOHL_CACHE"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "kohl"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "kohl" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kohl"


def checked(path: Path, sha256: str) -> Path:
    """`path` itself, once its content is known to have that hash."""
    if not path.is_file():
        raise _refusal(f"{path}: this model file is missing; install kohl again.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise _refusal(f"{path}: sha256 is {found} but should be {sha256}; install kohl again.")
    return path


def tensors(path: Path) -> dict[str, Tensor]:
    """Every tensor of a safetensors file, by name, on the CPU."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _refusal(f"{path}: not a readable safetensors file ({error}).") from error


def _refusal(message: str) -> BadModel:
    """The error with that message."""
    from kohl.types import BadModel  # late: it loads torch

    return BadModel(message)
