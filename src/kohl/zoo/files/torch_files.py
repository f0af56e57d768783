"""What `torch.save` writes, in either of its forms, as tensors and plain containers; nothing is run or unpacked.

Of a zip archive each tensor stays on disk until it is used. Of the older form the numbers are read into memory, and no
more than the file has.
"""

from __future__ import annotations

import math
import mmap
from collections import OrderedDict
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import torch
from torch import Tensor

from kohl import plain_file
from kohl.zoo.files import archive
from kohl.zoo.files.pickles import Budget, Named, Refused, Stream, key, loaded

LARGEST = 2**31  # bytes of a file; the largest published one, e4e's, has 1.2 billion
PICKLE = 2**24  # bytes of the one in an archive, which has no numbers in it
DIMENSIONS = 16  # of a tensor
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # how the older form begins
LOCAL_HEADER = 30  # bytes, of an entry of a zip archive

DAMAGED = (Refused, archive.BadArchive)

NUMBERS = {
    **{"Half": torch.float16, "BFloat16": torch.bfloat16, "Float": torch.float32, "Double": torch.float64},
    **{"Byte": torch.uint8, "Char": torch.int8, "Short": torch.int16, "Int": torch.int32, "Long": torch.int64},
    **{"Bool": torch.bool, "ComplexFloat": torch.complex64, "ComplexDouble": torch.complex128},
}


def read(path: Path) -> Any:
    """What the file at `path` holds; raises `OSError`, and one of `DAMAGED` for no model's."""
    with plain_file.opened(path, LARGEST) as file:
        if file.read(2) == b"PK":
            return _archive(file)
        return older(file, Budget(file.seek(0, 2)), find)


def find(name: str) -> Named:
    """What stands for a name in a file of weights; raises `Refused` for any other."""
    if name not in _KNOWN:
        raise Refused(f"a {name}")
    return Named(name, _KNOWN[name])


def older(file: IO[bytes], budget: Budget, find: Callable[[str], Named]) -> Any:
    """What the older form holds: five pickles, and then the numbers of each storage."""
    size = file.seek(0, 2)
    file.seek(0)
    stream, storages = Stream(file, size), dict[str, Tensor]()

    def storage(pid: Any) -> Tensor:
        numbers, name, count, *view = _described(pid)
        if view != [None]:
            raise Refused("a storage as no file has it")
        if name not in storages:
            dtype = _dtype(numbers)
            budget.hold(_count(count) * dtype.itemsize)
            storages[name] = torch.empty(count, dtype=dtype)
        return storages[name]

    if [loaded(stream, budget, find) for _ in range(2)] != [MAGIC, PROTOCOL]:
        raise Refused("no file of torch")
    loaded(stream, budget, find)  # about the machine that wrote it
    content = loaded(stream, budget, find, storage)
    order = loaded(stream, budget, find)
    named = isinstance(order, list) and all(isinstance(name, str) for name in order)
    if not named or sorted(order) != sorted(storages):
        raise Refused("other storages than it has tensors of")
    for name in order:
        values = storages[name]
        if int.from_bytes(stream.read(8), "little") != values.numel():
            raise Refused("a storage of another length")
        if values.numel():
            _fill(values, stream)
    return content


def _fill(values: Tensor, stream: Stream) -> None:
    """Reads the numbers of one storage into their place."""
    place = memoryview(values.view(torch.uint8).numpy())  # type: ignore[arg-type]  # numpy knows it only from Python 3.12 on
    while place:
        part = stream.read(min(len(place), plain_file.CHUNK))
        place[: len(part)] = part
        place = place[len(part) :]


def _archive(file: BinaryIO) -> Any:
    """What a zip archive holds; its pickle says which entries are whose numbers."""
    with archive.opened(file) as entries:
        pickled = [entry for entry in entries.infolist() if entry.filename.endswith("/data.pkl")]
        if len(pickled) != 1:
            raise Refused("no archive of torch")
        found = pickled[0]
        folder = found.filename.removesuffix("data.pkl")
        names = {entry.filename.removeprefix(folder): entry for entry in entries.infolist()}
        if "byteorder" in names and _content(entries, names["byteorder"]) != b"little":
            raise Refused("the numbers of another machine")
        described = _content(entries, found)
    size = file.seek(0, 2)
    pages = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY)
    storages: dict[tuple[str, torch.dtype], Tensor] = {}

    def storage(pid: Any) -> Tensor:
        numbers, name, count, *more = _described(pid)
        dtype = _dtype(numbers)
        if more or f"data/{name}" not in names:
            raise Refused("a storage that is not there")
        if (name, dtype) not in storages:
            start = _start(file, names[f"data/{name}"], _count(count) * dtype.itemsize, size)
            held = torch.frombuffer(pages, dtype=dtype, count=count, offset=start) if count else None
            storages[name, dtype] = torch.empty(0, dtype=dtype) if held is None else held
        return storages[name, dtype]

    return loaded(Stream(BytesIO(described), len(described)), Budget(0), find, storage)


def _described(pid: Any) -> tuple[Any, ...]:
    """Kind of numbers, name and length of a storage, and what the older form adds."""
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[2], str):
        raise Refused("a storage as no file has it")
    _, numbers, name, _, count, *more = pid
    return numbers, name, count, *more


def _content(entries: ZipFile, entry: ZipInfo) -> bytes:
    """What a small entry holds, however much it says or would unpack to."""
    if entry.compress_type not in archive.PLAIN:
        raise archive.BadArchive(f"{entry.filename} is compressed in an unusual way")
    with archive.sound(OSError), entries.open(entry) as file:
        content = file.read(PICKLE + 1)
    if len(content) > PICKLE:
        raise Refused("too long a pickle")
    return content


def _start(file: BinaryIO, entry: ZipInfo, length: int, size: int) -> int:
    """Where in the file the numbers in an entry begin."""
    file.seek(entry.header_offset)
    header = file.read(LOCAL_HEADER)
    start = file.tell() + int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    stored = entry.compress_type == ZIP_STORED and entry.file_size == entry.compress_size == length
    if not (stored and header.startswith(b"PK\3\4") and start + length <= size):
        raise Refused("an entry that is not simply its numbers")
    return start


def _dtype(numbers: Any) -> torch.dtype:
    """The kind of numbers in a storage, by the name of its class."""
    if not isinstance(numbers, Named):
        raise Refused("a storage of unknown numbers")
    name = numbers.name.removeprefix("torch.").removesuffix("Storage")
    if name not in NUMBERS:
        raise Refused("a storage of unknown numbers")
    return NUMBERS[name]


def _count(count: Any) -> int:
    if type(count) is not int or not 0 <= count < LARGEST:
        raise Refused("a storage of no length")
    return count


def tensor(storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object) -> Tensor:
    """A tensor of numbers in `storage`, which takes no memory; each may be in it many times: check before copying."""
    numbers = (offset, *size, *stride) if isinstance(size, tuple) and isinstance(stride, tuple) else (None,)
    if not all(type(number) is int and 0 <= number <= LARGEST for number in numbers) or len(numbers) > 2 * DIMENSIONS:
        raise Refused("a tensor of no shape")
    if not isinstance(storage, Tensor) or math.prod(size) > LARGEST:
        raise Refused("a tensor larger than any file")
    try:
        return storage.as_strided(size, stride, offset)
    except RuntimeError as error:
        raise Refused("a tensor that reaches beyond its numbers") from error


def table(pairs: Any = ()) -> OrderedDict[Any, Any]:
    """A table with an order; Python 3 leaves what is in it for later."""
    return OrderedDict((key(name), value) for name, value in pairs)


def _nothing(*_: object) -> Any:
    raise Refused("a name that is not to be called")


_KNOWN: Mapping[str, Callable[..., Any]] = {
    "collections.OrderedDict": table,
    **dict.fromkeys(("builtins.set", "__builtin__.set"), lambda items=(): set(map(key, items))),
    "torch.Size": lambda size: size,
    "torch.device": lambda *about: about,
    **{f"{dtype}": _nothing for dtype in NUMBERS.values()},
    "torch._utils._rebuild_tensor": tensor,
    "torch._utils._rebuild_tensor_v2": tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
    **{f"torch.{numbers}Storage": _nothing for numbers in NUMBERS},
}
