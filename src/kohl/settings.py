"""TOML ↔ frozen dataclasses of settings; an unknown name or a wrong value is an error that says where."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from kohl import plain_file, toml
from kohl.errors import BadSetting

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

LARGEST = 2**16  # bytes of a file; ours have hundreds
SHOWN = 200  # characters of a wrong value
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def load(cls: type[T], path: Path) -> T:
    """The dataclass `cls` with the values in a TOML file; raises `OSError` for a file that cannot be read."""
    content = plain_file.content(path, LARGEST)
    try:
        table = toml.parsed(content.decode("utf-8"))
    except ValueError as error:  # not UTF-8, or not TOML
        raise BadSetting(f"{path}: not a TOML file ({error})") from None
    try:
        return build(cls, table)
    except BadSetting as error:
        raise BadSetting(f"{path}: {error}") from None


def build(cls: type[T], mapping: Mapping[str, Any], where: str = "") -> T:
    """The dataclass `cls` with the values of `mapping`, a table of tables; `where` is the dotted name of `cls`.

    A range is the dataclass's own affair: its `__post_init__` raises a `BadSetting` that begins with the dotted name.
    """
    types = get_type_hints(cls)
    known = [setting.name for setting in fields(cls)]
    for key in mapping:
        if key not in known:
            raise BadSetting(f"{_dotted(where, key)}: no such setting; {_advice(cls, key, where)}")
    for setting in fields(cls):
        if setting.name not in mapping and setting.default is setting.default_factory is MISSING:
            raise BadSetting(f"{_dotted(where, setting.name)}: this setting is missing")
    return cls(**{name: _converted(types[name], value, _dotted(where, name)) for name, value in mapping.items()})


def to_toml(settings: DataclassInstance) -> str:
    """The settings as a file that `load` reads; TOML cannot say "nothing", so a setting without a value is left out."""
    return "\n".join(_lines(asdict(settings))) + "\n"


def _dotted(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def names(cls: type[DataclassInstance]) -> Iterator[str]:
    """The dotted name of every setting and table in `cls`."""
    for name, annotation in get_type_hints(cls).items():
        yield name
        if is_dataclass(annotation) and isinstance(annotation, type):
            yield from (f"{name}.{inner}" for inner in names(annotation))


def _advice(cls: type[DataclassInstance], key: str, where: str) -> str:
    """The nearest name; a setting may also have been looked for one table too high."""
    known = list(names(cls))
    nearest = get_close_matches(key, known, n=1) or [name for name in known if name.endswith(f".{key}")]
    if nearest:
        return f"did you mean {_dotted(where, nearest[0])}?"
    return "there are " + ", ".join(_dotted(where, setting.name) for setting in fields(cls))


def _converted(annotation: Any, value: Any, where: str) -> Any:
    """`value` as the type that the dataclass asks for."""
    for kind in _choices(annotation):
        if is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
            return build(kind, value, where)
        if get_origin(kind) is tuple and isinstance(value, list | tuple):
            first, *rest = get_args(kind)
            kinds = [first] * len(value) if rest == [...] else [first, *rest]
            if len(kinds) == len(value):
                return tuple(_converted(each, item, where) for each, item in zip(kinds, value, strict=True))
        if get_origin(kind) is Mapping and isinstance(value, Mapping):
            _, inner = get_args(kind)
            return {name: _converted(inner, each, _dotted(where, name)) for name, each in value.items()}
        if get_origin(kind) is Literal and value in get_args(kind):
            return value
        if type(value) is kind and (kind is not float or math.isfinite(value)):
            return value
        if kind is float and type(value) is int:
            return float(value)
    expected = " or ".join(_expected(kind) for kind in _choices(annotation) if kind is not NoneType)
    raise BadSetting(f"{where}: must be {expected}, not {_shown(value)}")


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type."""
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _expected(kind: Any) -> str:
    if is_dataclass(kind) or get_origin(kind) is Mapping:
        return "a table of settings"
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind)))
    if get_origin(kind) is tuple:
        first, *rest = get_args(kind)
        return f"a list [ ] of {'any number' if rest == [...] else 1 + len(rest)}, each {_expected(first)}"
    return WORDS.get(kind, str(kind))


def _shown(value: Any) -> str:
    """The value as its file has it, or what kind of value it is."""
    if isinstance(value, Mapping | list | tuple) and (isinstance(value, Mapping) or any(map(_nests, value))):
        return "a table" if isinstance(value, Mapping) else "a list of lists or tables"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _nests(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _lines(settings: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """TOML: a table's own settings come before the tables inside it."""
    for name, value in settings.items():
        if value is not None and not isinstance(value, Mapping):
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield f"\n[{_dotted(where, name)}]"
            yield from _lines(value, _dotted(where, name))
