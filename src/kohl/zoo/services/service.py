"""What a service must offer, and what it may answer: one similarity of two pictures of faces."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from kohl.errors import BadSetting, Unavailable
from kohl.zoo.services.terms import Terms

LONGEST_KEY = 4096  # characters
SLACK = 1e-3  # of the scale: a similarity of itself may be a hair above 1
REASON = 120  # characters of what a service says


class Answer(NamedTuple):
    """What a service says of two pictures."""

    similarity: float | None  # None: it finds no face in one of them
    model: str = ""  # which recogniser it is, as far as the service says
    thresholds: Mapping[float, float] = {}  # by false-accept rate, where answers bring them


class Busy(Exception):
    """Nothing was wrong with the request: the same one may succeed later."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.after_s = reason, after_s  # seconds until the service wants to be asked again


@dataclass(frozen=True)
class Keys:
    """Keys by the names of their environment variables; nothing that is printed shows them."""

    values: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, terms: Terms, environment: Mapping[str, str], *more: str) -> Keys:
        """The service's keys, and those of `more` that are there; raises `BadSetting` that never quotes one."""
        missing = [name for name in terms.keys if not environment.get(name)]
        if missing:
            raise BadSetting(f"{terms.name}: needs {' and '.join(terms.keys)} in the environment; set {missing[0]}")
        found = {name: environment[name] for name in (*terms.keys, *more) if environment.get(name)}
        for name, value in found.items():
            if len(value) > LONGEST_KEY or not all("!" <= letter <= "~" for letter in value):
                raise BadSetting(f"{name}: is no key; set it to one line without spaces")
        return cls(found)

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def get(self, name: str) -> str | None:
        """The key of that name, if there is one."""
        return self.values.get(name)

    def hidden(self, text: str) -> str:
        """The text without any of the keys."""
        for value in sorted(self.values.values(), key=len, reverse=True):
            text = text.replace(value, "…")
        return text


@dataclass(frozen=True)
class Service:
    """One service, at one address, on one account."""

    terms: Terms
    endpoint: str
    keys: Keys
    asks: str  # which version of which interface: answers to other questions are other answers
    # What it says of two PNG files, after one request; raises `Busy` and `Unavailable`.
    ask: Callable[[bytes, bytes], Answer] = field(repr=False)


def address(terms: Terms, environment: Mapping[str, str], usual: str = "") -> str:
    """Where the service is asked, without a slash at its end; raises `BadSetting` for where others could listen."""
    from kohl.zoo.files.answers import HERE  # late: it loads a client of its own

    found = environment.get(terms.endpoint) or usual or terms.address
    if not found:
        raise BadSetting(f"{terms.name}: set {terms.endpoint} to its address, such as http://localhost:8000")
    try:
        parts = urlsplit(found)
        plain = parts.hostname and not (parts.username or parts.password or parts.query or parts.fragment)
        known = parts.port != 0
    except ValueError:
        plain = known = False
    if not (plain and known and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE))):
        raise BadSetting(
            f"{terms.endpoint}: must be an https address, or http on this machine alone, since keys and pictures of "
            "faces go there"
        )
    return found.rstrip("/")


def table(body: bytes) -> Mapping[str, Any]:
    """The JSON object that was sent; raises `Unavailable` for anything else."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unavailable("answers with something else than a JSON object; check its address")
    return found


def inside(value: Any, *path: str | int) -> Any:
    """What stands at that place of nested tables and lists; None if nothing does."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and len(value) > step else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def similarity(value: Any, terms: Terms) -> float:
    """The value as a similarity on the service's scale; raises `Unavailable` for what is none."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and -SLACK * terms.top <= value <= (1 + SLACK) * terms.top):  # which no NaN is
        raise Unavailable(f"gives no similarity from 0 to {terms.top:g}; its answer is not as it is documented")
    return float(value)


def said(value: Any) -> str:
    """What a service says about an error, on one line and no longer than anybody would read."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= REASON else f"{text[:REASON]}…"


def refuses_keys(terms: Terms, reason: str) -> Unavailable:
    """The error for an account that may not ask."""
    return Unavailable(f"refuses the account ({reason}); check {' and '.join(terms.keys)}")


def refuses_pictures(reason: str) -> Unavailable:
    """The error for pictures that it does not take."""
    return Unavailable(f"does not take the pictures ({reason}); leave these photos out")


def unexpected(status: int, reason: str) -> Unavailable:
    """The error for all that is not documented."""
    return Unavailable(f"answers {status}{f' ({reason})' if reason else ''}; see what it says of that")
