"""What is known of a model file: where it comes from, what it may be used for and what it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "detector",
    "landmarks",
    "generator",
    "inverter",
    "perceptual",
    "encoder",
    "text",
    "tokenizer",
    "part",
    "decoys",
    "impressions",
    "judge",
    "parser",
    "transfer",
]


@dataclass(frozen=True)
class Role:
    """One thing that a model file becomes."""

    build: str  # "module:function", called with the file's path and those of `needs`; a judge's with its thresholds too
    needs: Sequence[str] = ()  # other cards whose files it reads
    wants: Sequence[str] = ()  # cards whose files it is also given, or None for those that are not here
    thresholds: Mapping[float, float] = field(default_factory=dict)  # false-accept rate → similarity
    calibration: str = ""  # how the thresholds were obtained
    alone: bool = False  # of a generator: whether it gives a face back without an encoder and a perceptual model

    def builder(self) -> Callable[..., Any]:
        """The function that `build` names."""
        module, function = self.build.split(":")
        build: Callable[..., Any] = getattr(import_module(module), function)
        return build


@dataclass(frozen=True)
class Archive:
    """A zip file that models' files are published in."""

    file: str  # its name in the cache folder, until it is unpacked
    url: str  # https
    size: int = 0  # bytes; 0: not published
    sha256: str = ""  # empty: not published


@dataclass(frozen=True)
class Card:
    """One model file; the first of its roles is the one it is loaded in unless another is named."""

    name: str
    package: str | None  # the installed package that ships the file; None: it is pulled into the cache folder
    file: str  # its path inside that package or folder
    size: int  # bytes; 0: not published
    sha256: str  # empty: not published, so what is pulled first is pinned
    licence: str
    commercial: bool | str  # whether the licence allows commercial use, or on what condition
    source: str  # for people to look at; of a pulled file without `urls`, where they fetch it by hand
    roles: Mapping[Kind, Role]
    urls: Sequence[str] = ()  # https addresses of the very file: the official one, then mirrors
    member: str = ""  # its name inside the zip archive that it is published in, if it is
    archive: Archive | None = None  # that archive, if a program can try to fetch it; without one, people do so by hand
