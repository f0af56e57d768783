"""Doors that do what none may, for the fuzzer to notice."""

import os
import sys
import time

from fuzz.door import ACCEPTED, REFUSED, Door, check, check_said

from kohl.errors import BadPhoto


def number(rng):
    return rng.randrange(1000)


def sound(given, folder):
    if given % 2:
        raise BadPhoto("photo.jpg: is odd; take an even one")
    return ACCEPTED if given % 4 else REFUSED


def trace(given, folder):
    return {}[given]


def lines(given, folder):
    check_said("kohl: one\nkohl: two\n")
    return ACCEPTED


def broken(given, folder):
    check(given < 0, "contract", "is not negative")
    return ACCEPTED


def slow(given, folder):
    time.sleep(60)


def stuck(given, folder):
    """No signal is heard inside, as in a library that computes."""
    import signal

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(60)


def dead(given, folder):
    os.abort()


def greedy(given, folder):
    return str(len(bytearray(8 * 2**30)))


def leaving(given, folder):
    sys.exit(0)


DOORS = tuple(
    Door(each.__name__, number, each) for each in (sound, trace, lines, broken, slow, stuck, dead, greedy, leaving)
)
