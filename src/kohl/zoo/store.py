"""Where model files are, and proof that they are the files their cards name; nothing here touches the network."""

from __future__ import annotations

import hashlib
import json
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
    path = pins_file()
    try:
        found = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise _refusal(f"{path}: the pinned hashes cannot be read ({error}); mend or remove this file.") from error
    if not isinstance(found, dict):
        raise _refusal(f"{path}: holds no pinned hashes by name; mend or remove this file.")
    return {str(name): str(sha256) for name, sha256 in found.items()}


def pin(name: str, sha256: str) -> None:
    """Remember this hash: from now on the card's file must have it."""
    path = pins_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(json.dumps({**pins(), name: sha256}, indent=2) + "\n", "utf-8")
    part.replace(path)


def pins_file() -> Path:
    """Where the pinned hashes are kept."""
    return cache() / "pins.json"


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
