"""What pickles describe, and that none can take the time, the memory or the stack of whoever reads it."""

import pickle
import pickletools
import resource
import struct
import time
from collections import OrderedDict
from io import BytesIO

import pytest

from kohl.zoo.files.pickles import DONE, PUSHED, Budget, Inert, Named, Refused, Stream, loaded

PROTO, STOP = b"\x80\x04", b"."


def find(name):
    return Named(name, {"collections.OrderedDict": OrderedDict}.get(name, lambda *_: Inert()))


def read(content, budget=None):
    return loaded(Stream(BytesIO(content), len(content)), budget or Budget(0), find)


PLAIN = {
    "text": "ä" * 300,
    "numbers": [0, 1, 255, 256, 65536, -1, 2**31, 2**63, -(2**70), 1.5, float("-inf"), True, False, None],
    "bytes": [b"", b"x" * 300],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, [4])],
    "sets": [set(), {1, 2}, frozenset({"a"})],
    "nested": {"a": {1: [{}, []]}},
}


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("content", PLAIN.values(), ids=PLAIN)
def test_plain_things_come_back_as_python_reads_them(content, protocol):
    if (protocol < 4 and content is PLAIN["sets"]) or (protocol < 3 and content is PLAIN["bytes"]):
        content = [1]  # these were made by functions then
    assert read(pickle.dumps(content, protocol)) == content


def test_what_is_shared_stays_shared():
    one = ["x"]
    found = read(pickle.dumps([one, one]))
    assert found[0] is found[1]


def test_a_table_with_an_order_comes_back():
    assert read(pickle.dumps(OrderedDict(b=1, a=2))) == {"b": 1, "a": 2}


def test_what_is_asked_for_by_name_is_inert():
    class_and_state = b"cos\nsystem\n(X\x02\0\0\0lstR}X\x01\0\0\0aK\x01sb"
    assert isinstance(read(PROTO + class_and_state + STOP), Inert)
    filled = b"cos\nsystem\n)RK\x01K\x02sK\x03a(K\x04K\x05e(K\x06\x90"  # items, appended, extended, added
    assert isinstance(read(PROTO + filled + STOP), Inert)


def test_nothing_that_runs_code_is_among_what_is_done():
    known = {opcode.name for opcode in pickletools.opcodes}
    assert PUSHED | DONE.keys() <= known
    assert known - PUSHED - DONE.keys() == {
        *("INST", "OBJ", "NEWOBJ_EX", "PERSID", "EXT1", "EXT2", "EXT4"),
        *("BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER"),
    }


def binget(index):
    return b"j" + struct.pack("<I", index)


LAUGHS = b")" + b"\x94" + b"".join(binget(n) + binget(n) + b"\x86\x94" for n in range(60))  # pairs of pairs of …
HOSTILE = {
    "a key that takes for ever": PROTO + b"}" + LAUGHS + b"K\x01s" + STOP,
    "a dictionary of such a key": PROTO + b"(" + LAUGHS + b"K\x01d" + STOP,
    "a set of it": PROTO + b"\x8f(" + LAUGHS + b"\x90" + STOP,
    "a frozen set of it": PROTO + b"(" + LAUGHS + b"\x91" + STOP,
    "a key of too many digits": PROTO + b"}\x8b" + struct.pack("<i", 9) + b"\xff" * 8 + b"\x01K\x01s" + STOP,
    "a number of a million bytes": PROTO + b"\x8b" + struct.pack("<i", 10**6) + b"\x01" * 10**6 + STOP,
    "a negative length": PROTO + b"\x8b" + struct.pack("<i", -5) + STOP,
    "a number of many digits": b"I" + b"9" * 5000 + b"\n" + STOP,
    "more bytes than there are": PROTO + b"\x8e" + struct.pack("<Q", 2**40) + b"x" + STOP,
    "more text than there is": PROTO + b"\x8d" + struct.pack("<Q", 2**62) + b"x" + STOP,
    "room for more than there is": PROTO + b"\x96" + struct.pack("<Q", 2**40) + STOP,
    "a long text": PROTO + b"X" + struct.pack("<I", 2**21) + b"x" * 2**21 + STOP,
    "a long line": PROTO + b"c" + b"x" * 10**6 + b"\nx\n" + STOP,
    "an escape that there is not": PROTO + b"ca\\p\nx\n" + STOP,
    "a long name": PROTO + b"c" + b"x" * 400 + b"\nx\n" + STOP,
    "a million operations": PROTO + b"N0" * 500_001 + b"N" + STOP,
    "a million names": PROTO + b"ca\nb\n0" * 60_000 + b"N" + STOP,
    "a call on itself": PROTO + b"ca\nb\n\x94" + binget(0) + binget(0) + b"R" + STOP,
    "a call of what is no name": PROTO + b"K\x05)R" + STOP,
    "a state for a name": PROTO + b"ca\nb\n}b" + STOP,
    "a state for a number": PROTO + b"K\x05}b" + STOP,
    "items of a number": PROTO + b"K\x05K\x01K\x02s" + STOP,
    "half an item": PROTO + b"}(K\x01u" + STOP,
    "something from outside": PROTO + b"K\x05Q" + STOP,
    "an extension": PROTO + b"\x82\x05" + STOP,
    "an empty stack": PROTO + STOP,
    "no mark": PROTO + b"t" + STOP,
    "a short tuple": PROTO + b"K\x01\x87" + STOP,
    "nothing under that number": PROTO + b"h\x05" + STOP,
    "no end": PROTO + b"K\x01",
    "nothing": b"",
    "no text": PROTO + b"X" + struct.pack("<I", 2) + b"\xff\xff" + STOP,
    "copies of a long table": PROTO + b"ccollections\nOrderedDict\n\x94](" + b"K\x01K\x02\x86" * 300 + b"e\x85\x94"
    + (b"h\x00h\x01R0" * 9000) + b"N" + STOP,
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_pickle_is_refused_in_a_moment(content):
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(Refused):
        read(content)
    assert time.process_time() - started < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_pairs_of_pairs_are_harmless_as_long_as_nobody_counts_them():
    found = read(PROTO + LAUGHS + STOP)
    assert isinstance(found, tuple)


def test_any_depth_is_read_and_given_back():
    deep = read(PROTO + b"]" * 100_000 + b"a" * 99_999 + STOP)
    assert deep[0][0][0]


def test_the_work_of_all_pickles_of_a_file_is_counted_together():
    budget = Budget(0, left=10_000)
    read(PROTO + b"N0" * 3_000 + b"N" + STOP, budget)
    with pytest.raises(Refused):
        read(PROTO + b"N0" * 3_000 + b"N" + STOP, budget)
