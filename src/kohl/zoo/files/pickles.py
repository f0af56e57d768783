"""Pickles read as data: no name in one is ever looked up, and none takes more time or memory than a model's file needs.

pickletools tells the instructions of a pickle; here is what each of them does. There is none that Python's own reader
would run something for: what a pickle asks for by name is answered by the function given for that name, or refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeAlias

OPERATIONS = 1_000_000  # of a whole file; a published one has tens of thousands
LINE = 4096  # bytes
LONGEST_TEXT, LONGEST_BYTES = 2**20, 2**27  # the source code of a network; the numbers of one tensor
LARGEST = 2**80  # of whole numbers; torch's magic number has 77 bits
NAME = 300  # characters
DEAREST = 20  # operations that an object of ours is worth


class Refused(Exception):
    """Why a file of pickles is damaged, or holds what no model's file has."""


@dataclass(frozen=True)
class Named:
    """What a pickle asked for by name: to be called, or only to be known by its name."""

    name: str
    call: Callable[..., Any]


class Inert:
    """Stands for whatever a pickle may ask for: takes anything, does nothing."""


Find: TypeAlias = Callable[[str], Named]  # the full name → what stands for it; raises `Refused`


@dataclass
class Budget:
    """How much work is left, shared by all pickles of one file, and how many bytes of numbers it can still hold."""

    numbers: int
    left: int = OPERATIONS

    def spend(self, operations: int) -> None:
        """Raises `Refused` when it is used up."""
        self.left -= operations
        if self.left < 0:
            raise Refused("more work than any model's file")

    def hold(self, numbers: int) -> None:
        """Raises `Refused` for more bytes than there are in the file."""
        self.numbers -= numbers
        if self.numbers < 0:
            raise Refused("more numbers than there are in the file")


@dataclass
class Stream:
    """A file of `end` bytes from which no more is asked for than is left in it."""

    file: IO[bytes]
    end: int

    def read(self, count: int) -> bytes:
        """So many bytes."""
        if not 0 <= count <= min(LONGEST_BYTES, self.end - self.file.tell()):
            raise Refused("cut off")
        return self.file.read(count)

    def readline(self) -> bytes:
        """The rest of a line, or of the longest one there may be."""
        line = self.file.readline(LINE)
        if b"\\" in line:  # Python would warn of an escape that it does not know
            raise Refused("a line with an escape")
        return line


@dataclass
class Machine:
    """What a pickle has built so far."""

    budget: Budget
    find: Find
    load_persistent: Callable[[Any], Any]
    stack: list[Any] = field(default_factory=list)
    marked: list[list[Any]] = field(default_factory=list)  # the stacks below each mark
    memo: dict[int, Any] = field(default_factory=dict)

    @property
    def top(self) -> Any:
        """What was pushed last."""
        if not self.stack:
            raise Refused("something that is done with nothing")
        return self.stack[-1]

    def pop(self) -> Any:
        """The same, taken off."""
        top = self.top
        self.stack.pop()
        return top

    def pop_mark(self) -> list[Any]:
        """All that was pushed since the last mark."""
        if not self.marked:
            raise Refused("a mark that is not there")
        items, self.stack = self.stack, self.marked.pop()
        return items


def loaded(stream: Stream, budget: Budget, find: Find, load_persistent: Callable[[Any], Any] | None = None) -> Any:
    """What the pickle at the start of `stream` describes, which then stands behind it; raises `Refused`."""
    machine = Machine(budget, find, load_persistent or _none)
    for name, argument in _operations(stream):
        budget.spend(1)
        if name in PUSHED:
            machine.stack.append(_bounded(argument, budget))
        elif name in DONE:
            DONE[name](machine, argument)
        else:
            raise Refused(f"{name}, which no model's file needs")
    return machine.top


def _operations(stream: Stream) -> Iterator[tuple[str, Any]]:
    """The instructions of a pickle, by name, each with its argument."""
    operations = pickletools.genops(stream)  # type: ignore[arg-type]  # it needs no more than these two
    while True:
        try:
            opcode, argument, _ = next(operations)
        except StopIteration:
            return
        except ValueError as error:  # all that pickletools raises
            raise Refused("something that is no pickle") from error
        yield opcode.name, argument


def _none(_: Any) -> Any:
    raise Refused("asks for something outside of it")


def _bounded(value: Any, budget: Budget) -> Any:
    """A number, text or bytes, if it is no larger than any in a model's file."""
    if isinstance(value, int) and not -LARGEST < value < LARGEST:
        raise Refused("a number of too many digits")
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise Refused("too long a text")
        budget.spend(len(value) // 64)
    return value


def key(value: Any) -> Any:
    """A key, if looking it up takes no time: a tuple of tuples of tuples may take for ever."""
    small = isinstance(value, int) and -(2**63) <= value < 2**64
    if not (small or value is None or isinstance(value, str | bytes)):
        raise Refused("a key that is no text or number")
    return value


def _set_items(machine: Machine, items: list[Any]) -> None:
    table = machine.top
    if len(items) % 2:
        raise Refused("a name without a value")
    for name, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(table, Inert):
            _a(dict, table)[key(name)] = value


def _append(machine: Machine, items: list[Any]) -> None:
    if not isinstance(machine.top, Inert):
        _a(list, machine.top).extend(items)


def _add(machine: Machine, items: list[Any]) -> None:
    if not isinstance(machine.top, Inert):
        _a(set, machine.top).update(map(key, items))


def _call(machine: Machine) -> None:
    arguments, function = _a(tuple, machine.pop()), _a(Named, machine.pop())
    machine.budget.spend(DEAREST + sum(len(each) for each in (arguments, *arguments) if isinstance(each, list | tuple)))
    try:
        machine.stack.append(function.call(*arguments))
    except (TypeError, ValueError) as error:  # too few, too many, or of another kind than it takes
        raise Refused(f"{function.name} of what it is never called with") from error


def _name(machine: Machine, full: str) -> None:
    machine.budget.spend(DEAREST)
    if len(full) > NAME:
        raise Refused("too long a name")
    machine.stack.append(machine.find(full))


def _stack_name(machine: Machine) -> None:
    name, module = _a(str, machine.pop()), _a(str, machine.pop())
    _name(machine, f"{module[:NAME]}.{name[:NAME]}")


def _build(machine: Machine) -> None:
    """The state of an object, which is left out: what stands for it has none."""
    machine.pop()
    if not isinstance(machine.top, Inert | dict):
        raise Refused("a state for something that has none")


def _dictionary(machine: Machine) -> None:
    items = machine.pop_mark()
    machine.stack.append({})
    _set_items(machine, items)


def _mark(machine: Machine) -> None:
    machine.marked.append(machine.stack)
    machine.stack = []


def _collect(machine: Machine, kind: Callable[[Iterable[Any]], Any]) -> None:
    items = machine.pop_mark()  # first: it brings back the stack below
    machine.stack.append(kind(map(key, items) if kind is frozenset else items))


def _tuple(machine: Machine, length: int) -> None:
    items = tuple(machine.stack[-length:])
    if len(items) < length:
        raise Refused("too few things for a tuple")
    machine.stack[-length:] = [items]


def _a(kind: type[Any], value: Any) -> Any:
    """`value`, which must be of that kind."""
    if not isinstance(value, kind):
        raise Refused(f"something else than a {kind.__name__}")
    return value


def _put(machine: Machine, index: int) -> None:
    machine.memo[index] = machine.top


def _get(machine: Machine, index: int) -> None:
    if index not in machine.memo:
        raise Refused("something that was not kept")
    machine.stack.append(machine.memo[index])


PUSHED = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
DONE: Mapping[str, Callable[[Machine, Any], object]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda _, __: None),
    "NONE": lambda machine, _: machine.stack.append(None),
    "NEWTRUE": lambda machine, _: machine.stack.append(True),
    "NEWFALSE": lambda machine, _: machine.stack.append(False),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_SET": lambda machine, _: machine.stack.append(set()),
    "MARK": lambda machine, _: _mark(machine),
    "POP": lambda machine, _: machine.stack.pop() if machine.stack else machine.pop_mark(),
    "POP_MARK": lambda machine, _: machine.pop_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine.top),
    "TUPLE": lambda machine, _: _collect(machine, tuple),
    "TUPLE1": lambda machine, _: _tuple(machine, 1),
    "TUPLE2": lambda machine, _: _tuple(machine, 2),
    "TUPLE3": lambda machine, _: _tuple(machine, 3),
    "LIST": lambda machine, _: _collect(machine, list),
    "DICT": lambda machine, _: _dictionary(machine),
    "FROZENSET": lambda machine, _: _collect(machine, frozenset),
    "APPEND": lambda machine, _: _append(machine, [machine.pop()]),
    "APPENDS": lambda machine, _: _append(machine, machine.pop_mark()),
    "ADDITEMS": lambda machine, _: _add(machine, machine.pop_mark()),
    "SETITEM": lambda machine, _: _set_items(machine, [machine.pop(), machine.pop()][::-1]),
    "SETITEMS": lambda machine, _: _set_items(machine, machine.pop_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    "MEMOIZE": lambda machine, _: _put(machine, len(machine.memo)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    "GLOBAL": lambda machine, name: _name(machine, name.replace(" ", ".", 1)),
    "STACK_GLOBAL": lambda machine, _: _stack_name(machine),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), lambda machine, _: _call(machine)),
    "BUILD": lambda machine, _: _build(machine),
    "BINPERSID": lambda machine, _: machine.stack.append(machine.load_persistent(machine.pop())),
}
