"""What stands in a command line, as values: what argparse asks, which makes a sentence of what these raise."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kohl.stores import Where

LARGEST_SEED = 2**63 - 1
AUTO = 0.5  # of the dial: the change is what the photo needs for `search.chance` as it stands


def path(text: str) -> Path:
    """A file or a folder of this machine."""
    if not text or "\0" in text:
        raise argparse.ArgumentTypeError(f"must be a path, not {text!r}")
    return Path(text)


def place(text: str) -> Where:
    """The same, or in a store."""
    from kohl import stores  # late: `kohl --help` needs no stores
    from kohl.errors import BadSetting

    path(text)
    try:
        return stores.where(text)
    except BadSetting as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def address(text: str) -> str:
    """Of a Ray cluster."""
    if not re.fullmatch(r"local|auto|[A-Za-z0-9_.\[\]:-]+:[0-9]{1,5}", text):
        raise argparse.ArgumentTypeError(f"must be local, auto or HOST:PORT, not {text!r}")
    return text


def strength(text: str) -> float:
    """On the dial, or the name of its middle."""
    if text == "auto":
        return AUTO
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, or auto, not {text!r}")
    return found


def faces(text: str) -> tuple[int, ...]:
    """The numbers of some."""
    if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6})*", text):
        raise argparse.ArgumentTypeError(f"must be the numbers of faces, such as 0,2, not {text!r}")
    return tuple(sorted({int(number) for number in text.split(",")}))


def names(text: str) -> list[str]:
    """Of styles."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"must be names of styles, such as office,soft-glam, not {text!r}")
    return found


def kinds(text: str) -> tuple[str, ...]:
    """Of metadata; which there are is asked later."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",")))


def decoy(text: str) -> int:
    """The number of a synthetic person."""
    if not re.fullmatch(r"decoy:[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"must be decoy:N, a synthetic person by number, not {text!r}")
    return int(text.removeprefix("decoy:"))


def count(text: str) -> int:
    """How many, at least one."""
    if not re.fullmatch(r"[0-9]{1,12}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def port(text: str) -> int:
    """Where a server listens."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be a port, from 0 to 65535, not {text!r}")
    return int(text)


def sha256(text: str) -> str:
    """The hexadecimal digits of one."""
    if not re.fullmatch("[0-9a-f]{64}", text.lower()):
        raise argparse.ArgumentTypeError(f"must be the 64 hexadecimal digits of a sha256, not {text!r}")
    return text.lower()


def seed(text: str) -> int:
    """Of the random numbers."""
    if not re.fullmatch(r"[0-9]{1,19}", text) or int(text) > LARGEST_SEED:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {LARGEST_SEED}, not {text!r}")
    return int(text)
