"""A settings file (TOML) ↔ frozen dataclasses; an unknown name or a wrong value is an error that says where."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from kohl import plain_file, toml
from kohl.device import DeviceName
from kohl.errors import BadSetting
from kohl.invert.pivotal import Tuning
from kohl.perturb.latent import Search
from kohl.perturb.pixel import Pixel
from kohl.zoo import cards
from kohl.zoo.card import Card, Role

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    T = TypeVar("T", bound=DataclassInstance)

LARGEST = 2**16  # bytes of a recipe; ours have hundreds
MOST = 32  # models of a kind
SHOWN = 200  # characters of a wrong value
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True)
class Models:
    """Which models a run uses, by the names of their cards."""

    generator: str = "face_model"
    encoder: str = "e4e"  # of a generator that is no linear model: what finds its latents
    alignment: Literal["points", "ffhq"] = "points"  # how it wants faces cut: `align.crop.ALIGNMENTS`
    perceptual: str = "lpips"  # and what says whether it gives the face back
    surrogates: tuple[str, ...] = (
        "sface",
        "sface",
        "dlib",
    )  # named twice: two views at each step, and twice the weight
    leave_out: str = ""  # the one of them that the search does not see, and that judges
    shown: Literal["aligned", "squeezed"] = "aligned"  # faces, to the published recognisers: as each likes, or as a box
    text: str = "makeup_clip"  # what sees whether a face looks like the words
    judges: tuple[str, ...] = ("sface", "dlib")
    far: float = 0.01  # false-accept rate of the threshold that every judge is held to

    def __post_init__(self) -> None:
        if not 0 < self.far < 1:
            raise BadSetting(f"far: must be between 0 and 1, not {self.far}")
        for name in ("surrogates", "judges"):
            if not getattr(self, name):
                raise BadSetting(f"{name}: name at least one; `kohl models` lists them")
            if len(getattr(self, name)) > MOST:
                raise BadSetting(f"{name}: must be at most {MOST} names, not {len(getattr(self, name))}")
        if self.leave_out and (self.leave_out not in self.surrogates or not self.searched):
            raise BadSetting(
                f"leave_out: must be one of several surrogates, {', '.join(self.surrogates)}, not {self.leave_out}"
            )

    @property
    def searched(self) -> tuple[str, ...]:
        """The recognisers that the search sees."""
        return tuple(name for name in self.surrogates if name != self.leave_out)

    @property
    def judging(self) -> tuple[str, ...]:
        """Who judges: with the one that was left out."""
        return tuple(dict.fromkeys([*self.judges, *([self.leave_out] if self.leave_out else [])]))


@dataclass(frozen=True)
class Recipe:
    """Every setting of a run."""

    models: Models = field(default_factory=Models)
    tuning: Tuning = field(default_factory=Tuning)
    search: Search = field(default_factory=Search)
    pixel: Pixel = field(default_factory=Pixel)
    attack: str = "latent"  # or one that changes pixels, to compare with: a name of `perturb.attacks`
    text: str = ""  # the look, in words; none is without visible makeup
    strength: float = 0.5  # 0 is the faintest change, 1 the strongest
    device: DeviceName = "cpu"  # where the models run; auto: CUDA, MPS or the CPU, the first that is there

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise BadSetting(f"strength: must be between 0 and 1, not {self.strength}")


def load(name_or_path: str | Path) -> Recipe:
    """The recipe that kohl ships under that name, or the one in that TOML file."""
    shipped = {path.stem: path for path in _folder().glob("*.toml")}
    path = shipped.get(str(name_or_path), Path(name_or_path))
    try:
        mapping = toml.parsed(plain_file.content(path, LARGEST).decode("utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(shipped))
        raise BadSetting(f"{name_or_path}: no such recipe; name one of {known}, or a TOML file") from None
    except OSError as error:
        raise BadSetting(f"{path}: this recipe cannot be read ({error.strerror})") from None
    except ValueError as error:  # not UTF-8, or not TOML
        raise BadSetting(f"{path}: not a TOML file ({error})") from None
    try:
        return build(Recipe, mapping)
    except BadSetting as error:
        raise BadSetting(f"{path}: {error}") from None


def override(settings: T, assignments: Sequence[str]) -> T:
    """`settings` with some such as `search.steps=80` changed; a value that is not TOML is taken as a text."""
    mapping: Mapping[str, Any] = as_dict(settings)
    for assignment in assignments:
        mapping = _merged(mapping, _parsed(assignment))
    return build(type(settings), mapping)


def own_words(recipe: Recipe, *asked: str | None) -> Sequence[str]:
    """A note that the words are those that the recipe brings, where none were `asked` for and it brings some."""
    if not recipe.text or any(words is not None for words in asked):
        return ()
    return (f"the words are the recipe's own, “{recipe.text}”; --text asks for others, --style none for none",)


def build(cls: type[T], mapping: Mapping[str, Any], where: str = "") -> T:
    """The dataclass `cls` with the values of `mapping`, a table of tables; `where` is the dotted name of `cls`.

    A range is the dataclass's own affair: its `__post_init__` raises a BadSetting that begins with the field's name,
    dotted or not.
    """
    types = get_type_hints(cls)
    names = [setting.name for setting in fields(cls)]
    for key in mapping:
        if key not in names:
            raise BadSetting(f"{_dotted(where, key)}: no such setting; {_advice(cls, key, where)}")
    values = {name: _converted(types[name], value, _dotted(where, name)) for name, value in mapping.items()}
    try:
        return cls(**values)
    except BadSetting as error:
        text = str(error)
        raise BadSetting(text if text.startswith((f"{where}.", f"{where}:")) else _dotted(where, text)) from None


def as_dict(recipe: DataclassInstance) -> dict[str, Any]:
    """The settings as a table of tables: what `build` takes, and what a row of results shows."""
    return asdict(recipe)


def names(recipe: Recipe, *, words: bool, table: Sequence[Card] = cards.CARDS) -> list[str]:
    """The names of the models that a run uses; with `words`, also of the one that sees them.

    What is named by a path is left out.
    """
    models = recipe.models
    known = {card.name: card for card in table}
    alone = models.generator in known and known[models.generator].roles.get("generator", Role("")).alone
    found = [
        models.generator,
        *(() if alone else (models.encoder, models.perceptual)),
        *((models.text,) if words else ()),
        *models.searched,
        *models.judging,
    ]
    plain = (name.removeprefix("aligned:") for name in found)
    return list(dict.fromkeys(name for name in plain if ":" not in name))


def to_toml(recipe: DataclassInstance) -> str:
    """The settings as a file that `load` reads; TOML cannot say "nothing", so a setting without a value is left out."""
    return "\n".join(_lines(as_dict(recipe))) + "\n"


def _folder() -> Path:
    """Where the shipped recipes are: inside an installed package, or at the top of the repository."""
    installed = Path(__file__).parent / "recipes"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "recipes"


def _dotted(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _names(cls: type[DataclassInstance]) -> Iterator[str]:
    """The dotted name of every setting and table in `cls`."""
    for name, annotation in get_type_hints(cls).items():
        yield name
        if is_dataclass(annotation) and isinstance(annotation, type):
            yield from (f"{name}.{inner}" for inner in _names(annotation))


def _advice(cls: type[DataclassInstance], key: str, where: str) -> str:
    """The nearest name; a setting may also have been looked for one table too high."""
    names = list(_names(cls))
    nearest = get_close_matches(key, names, n=1) or [name for name in names if name.endswith(f".{key}")]
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
    if is_dataclass(kind):
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


def _parsed(assignment: str) -> dict[str, Any]:
    name, equals, value = assignment.partition("=")
    for text in (value, json.dumps(value.strip(), ensure_ascii=False)) if equals else ():
        try:
            return toml.parsed(f"{name} = {text}")
        except ValueError:
            continue
    raise BadSetting(f"{assignment}: not a setting; write it as NAME=VALUE, such as search.steps=80")


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`old` with the leaves of `new` laid over it."""
    both = {key: _merged(old[key], value) for key, value in new.items() if _tables(old.get(key), value)}
    return {**old, **new, **both}


def _tables(*values: Any) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _lines(settings: Mapping[str, Any], where: str = "") -> Iterator[str]:
    """TOML: a table's own settings come before the tables inside it."""
    for name, value in settings.items():
        if value is not None and not isinstance(value, Mapping):
            yield f"{name} = {json.dumps(value, ensure_ascii=False)}"
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield f"\n[{_dotted(where, name)}]"
            yield from _lines(value, _dotted(where, name))
