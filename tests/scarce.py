"""What a machine may run out of, for a while and in this process alone."""

import resource
from contextlib import contextmanager


@contextmanager
def full_disk(left=0):
    """No file becomes larger than so many bytes: writing beyond is an error, as where a disk is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
