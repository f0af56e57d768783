"""The weights in an ONNX file, without the packages that could also run it.

An ONNX file is a protocol buffer: a sequence of fields, each a number (its name) and a value. Only what leads to the
weights is read: `graph` of the model, `initializer` of the graph, and of each its shape, type, name and numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

GRAPH, INITIALIZER = 7, 5  # fields of onnx.proto: of ModelProto, of GraphProto
DIMS, KIND, FLOATS, NAME, RAW = 1, 2, 4, 8, 9  # of TensorProto
KINDS = {1: "<f4", 3: "i1", 7: "<i8"}  # its data types, those of the files that kohl reads
FIXED = {1: 8, 5: 4}  # wire types of so many bytes


def read(path: Path) -> dict[str, np.ndarray]:
    """Every weight of the ONNX file at `path`, by name; for a file whose hash is known to be right."""
    graph = next(value for field, value in _fields(path.read_bytes()) if field == GRAPH)
    return dict(_tensor(value) for field, value in _fields(graph) if field == INITIALIZER)


def _tensor(content: bytes) -> tuple[str, np.ndarray]:
    """Name and numbers of one weight."""
    shape: list[int] = []
    name, kind, numbers = "", 1, b""
    for field, value in _fields(content):
        if field == DIMS:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif field == KIND:
            kind = value
        elif field == NAME:
            name = value.decode()
        elif field in (FLOATS, RAW):
            numbers += value
    return name, np.frombuffer(numbers, KINDS[kind]).reshape(shape)


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Each field's number and value: an integer, or bytes that may hold fields in turn."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        wire = key & 7
        if wire == 0:
            value, place = _varint(content, place)
            yield key >> 3, value
            continue
        size, place = _varint(content, place) if wire == 2 else (FIXED[wire], place)
        yield key >> 3, content[place : place + size]
        place += size


def _varints(content: bytes) -> list[int]:
    """Integers one after the other."""
    found, place = [], 0
    while place < len(content):
        value, place = _varint(content, place)
        found.append(value)
    return found


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """The integer at `place`, seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
