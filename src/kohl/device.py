"""Where models run: the device that a setting names on this machine, and what it is good at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, TypeAlias

import torch

from kohl.errors import BadSetting

DeviceName: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]

BEST: Mapping[DeviceName, Callable[[], bool]] = {  # the first is taken
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
    "cpu": lambda: True,
}
PROCESSOR = Path("/proc/cpuinfo")
BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # what Linux calls a processor's own bfloat16 products
AMPERE = 8  # the first generation of NVIDIA's GPUs that has them, by torch's count


def found(name: DeviceName, there: Collection[DeviceName] | None = None) -> DeviceName:
    """That name; for `auto` the first of CUDA, MPS and the CPU that is `there`, by default as torch finds.

    Raises `BadSetting` for what is not.
    """
    if there is None:
        there = [other for other in BEST if BEST[other]()]
    chosen = next(other for other in BEST if other in there) if name == "auto" else name
    if chosen not in there:
        raise BadSetting(f"device: torch finds no {name} here; name cpu, or auto for the best that it finds")
    return chosen


def cores() -> int:
    """How many of the processor's cores this process may take: all, unless torch was told of fewer."""
    return torch.get_num_interop_threads()


def has_bfloat16(device: torch.device) -> bool:
    """Whether it multiplies bfloat16 faster than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= AMPERE
    if device.type == "cpu":
        return PROCESSOR.is_file() and bool(BFLOAT16 & set(PROCESSOR.read_text("utf-8").split()))
    return False


def convolving_in(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """Within it, float32 features on the device are convolved in that type."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)
