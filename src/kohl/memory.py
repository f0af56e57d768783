"""How much memory there is for a photo, and giving back what is not needed any more."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")  # Linux's, where a container's limit stands
MEMINFO = Path("/proc/meminfo")


def available(meminfo: Path = MEMINFO, groups: Sequence[Path] | None = None) -> int | None:
    """Bytes that this process may still take, or None where the system does not say.

    `groups` are the control group of the process and those around it, by default as Linux has them.
    """
    return min(_limits(meminfo, _groups() if groups is None else groups), default=None)


def give_back() -> None:
    """Returns freed memory to the system: glibc would keep it, and what comes next is seldom of the same size."""
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    """glibc's `malloc_trim`; musl and other systems have none."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def _limits(meminfo: Path, groups: Iterable[Path]) -> Iterator[int]:
    """What the machine has left, what the container has, and what the process may still take."""
    with suppress(OSError, ValueError, LookupError):
        fields = dict(line.split(":") for line in meminfo.read_text("ascii").splitlines())
        yield 1024 * int(fields["MemAvailable"].split()[0])
    for folder in groups:
        with suppress(OSError, ValueError):  # "max" is no limit
            most = int((folder / "memory.max").read_text("ascii"))
            used = int((folder / "memory.current").read_text("ascii"))
            yield most - used + _reclaimable(folder)
    with suppress(ImportError, OSError, ValueError, LookupError):
        import resource  # late: Windows has none

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        if most != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
            yield most - pages * os.sysconf("SC_PAGE_SIZE")


def _groups() -> Iterator[Path]:
    """The control group of this process and those around it."""
    with suppress(OSError, StopIteration):
        own = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
        folder = GROUPS / own.lstrip("/")
        while folder.is_relative_to(GROUPS):
            yield folder
            folder = folder.parent


def _reclaimable(folder: Path) -> int:
    """Bytes of files that the group keeps in memory and would drop."""
    fields = dict(line.split() for line in (folder / "memory.stat").read_text("ascii").splitlines())
    return int(fields.get("inactive_file", 0))
