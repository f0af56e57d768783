"""The door for stores: what somebody types as a URL, and what a store says its files are called."""

from __future__ import annotations

from pathlib import Path
from random import Random

import fsspec

from fuzz.arguments import name
from fuzz.door import ACCEPTED, REFUSED, Door, check, check_refusal
from kohl import journal, places, stores
from kohl.errors import KohlError
from kohl.job import Job
from kohl.recipe import Recipe
from kohl.stores import Url

SECRET = "s3cr3t"
SCHEMES = ("memory", "memory", "memory", "s3", "gs", "http", "file", "simplecache::memory", "zip", "MEMORY", "", "a+b")


def given(rng: Random) -> tuple[str, list[str]]:
    """A URL, and names of files; the first mostly one that can be read."""
    parts = [rng.choice((name(rng), "..", ".", "", "a", "photos", "x.jpg")) for _ in range(rng.randrange(4))]
    user = rng.choice(("", "", "", f"me:{SECRET}@", f"{SECRET}@"))
    url = f"{rng.choice(SCHEMES)}://{user}{'/'.join(parts)}"
    kept = [
        "/".join(rng.choice((name(rng), "..", ".", "", "a", "\\..\\x")) for _ in range(rng.randrange(1, 4)))
        + rng.choice((".jpg", ".png", ".gif", "", "/"))
        for _ in range(rng.randrange(5))
    ]
    return rng.choice((url, "memory://bucket/in")), kept


def laid(what: tuple[str, list[str]], folder: Path) -> str:
    """Try to find the photos, and the places for their results: all of them in the folder for those."""
    url, names = what
    memory, output = fsspec.filesystem("memory"), folder / "results" / "out"
    memory.store.clear()
    for path in names:
        memory.store[f"/bucket/in/{path}"] = memory.store.setdefault("/x", _file(memory))
    try:
        top = stores.where(url)
        if not isinstance(top, Url):
            return REFUSED
        found = places.found([top], output)
    except KohlError as error:
        check(SECRET not in str(error), "sentence", f"says a key: {error}")
        check_refusal(error)
        return REFUSED
    for photo, place in found.places:
        inside = Path(str(place)).resolve().is_relative_to(output.resolve())
        check(inside and ".." not in Path(str(place)).parts, "changed", f"{photo!r} goes to {place!r}"[:400])
        key = journal.key(Job(Path(photo.name), Path(place.name)), Recipe(), "w", photo)
        check(len(key) == 64, "contract", f"no key of {photo!r}")
    return ACCEPTED


def _file(memory: fsspec.AbstractFileSystem) -> object:
    memory.pipe_file("/y", b"x")
    return memory.store.pop("/y")


STORES = Door("stores", given, laid, share=0.3)
