"""What Python tells before it asks the system for something: somebody may be quicker, or the system refuse."""

import sys
from contextlib import contextmanager

_LISTENING = []


def _tell(event, arguments):
    for name, act in list(_LISTENING):
        if name == event:
            act(*arguments)


@contextmanager
def heard(event, act):
    """Within it, `act` is called before each event of that name; what it raises is what the system answers."""
    if not _LISTENING and _tell not in _HOOKS:
        sys.addaudithook(_tell)  # for as long as the process lives
        _HOOKS.append(_tell)
    _LISTENING.append((event, act))
    try:
        yield
    finally:
        _LISTENING.remove((event, act))


_HOOKS = []
