"""What a process should settle before it loads torch, so that small networks run fast on few cores."""

from __future__ import annotations

import ctypes
import os
import sys

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # of glibc's malloc.h


def settle(workers: int = 1) -> None:
    """Sets the number of threads of one network, unless the user has, and keeps memory that will be needed again.

    Two recognisers are searched at once, so each gets half of the cores, or of the share of one of several `workers`.
    As it comes, glibc asks the kernel for every tensor of megabytes and gives it back when freed: half of the time of a
    search went into page faults.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // (2 * workers))))
    # A thread without work sleeps, rather than spin on a core that someone else on the machine could use.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's; musl has none
        if mallopt is not None:
            mallopt(MMAP_MAX, 0)
            mallopt(TRIM_THRESHOLD, 1 << 30)
