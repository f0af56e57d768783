"""Every way in for settings, models and answers, as a function of bytes: it comes back, or raises a `KohlError`.

For a fuzzer, and for the finds of one. Whatever else is raised, hangs, fills the memory or prints is a fault.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from served import serving

from kohl import recipe
from kohl.recipe import Recipe
from kohl.shown import shown
from kohl.zoo.card import Card
from kohl.zoo.distances import lpips
from kohl.zoo.files import checkpoints, download, state, store
from kohl.zoo.generators import e4e, style_encoder, stylegan2

SIZE = 999  # bytes of the file that the server below is asked for


@contextmanager
def file(content: bytes, suffix: str) -> Iterator[Path]:
    """A file with that content, for a moment."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{suffix}"
        path.write_bytes(content)
        yield path


@contextmanager
def cache() -> Iterator[Path]:
    """An empty cache folder, for a moment."""
    before = os.environ.get("KOHL_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KOHL_CACHE"] = folder
        try:
            yield Path(folder)
        finally:
            os.environ.pop("KOHL_CACHE") if before is None else os.environ.update(KOHL_CACHE=before)


def recipe_file(content: bytes) -> None:
    """A recipe that a user names."""
    with file(content, ".toml") as path:
        recipe.load(path)


def override(content: bytes) -> None:
    """The text after `--set`."""
    recipe.override(Recipe(), [content.decode("utf-8", "surrogateescape")])


def pins(content: bytes) -> None:
    """`pins.json` in the cache folder."""
    with cache() as folder:
        (folder / "pins.json").write_bytes(content)
        store.pins()


def accepted(content: bytes) -> None:
    """`accepted.json` in the cache folder."""
    with cache() as folder:
        (folder / "accepted.json").write_bytes(content)
        store.accepted()


def checkpoint(content: bytes) -> None:
    """The file given to `kohl models convert`, and what is written of it."""
    with file(content, ".pkl") as path:
        checkpoints.convert(path, path.with_suffix(".safetensors"))
        stylegan2.load(path.with_suffix(".safetensors"))


def weights(content: bytes) -> None:
    """A published file of weights, in whatever form."""
    with file(content, ".pth") as path:
        state.checkpoint(path)


def encoder(content: bytes) -> None:
    """e4e's published file."""
    with file(content, ".pt") as path:
        e4e.load(path)


def perceptual(content: bytes) -> None:
    """The two files of LPIPS."""
    with file(content, ".pth") as path:
        lpips.load(path, path)


def tensors(content: bytes) -> None:
    """A safetensors file."""
    with file(content, ".safetensors") as path:
        store.tensors(path)


def generator(content: bytes) -> None:
    """`--set models.generator=stylegan2:PATH`."""
    with file(content, ".safetensors") as path:
        stylegan2.load(path)


def inverter(content: bytes) -> None:
    """`--set models.encoder=stylegan2:PATH`."""
    with file(content, ".safetensors") as path:
        style_encoder.load(path)


def fetched(content: bytes) -> None:
    """The file after `kohl models pull NAME --from`, of a model that may be in an archive."""
    with cache(), file(content, ".zip") as path:
        download.adopt(card(member="x.pth", size=0, sha256="", source="https://example.org"), path)


def answer(content: bytes) -> None:
    """All bytes that a server sends to `kohl models pull`, instead of an answer."""

    def say(handler) -> None:
        handler.close_connection = True
        handler.wfile.write(content)

    with cache(), serving() as server:
        server.says["x"] = say
        download.pull(card(urls=(server.url("x"),)))


def name(content: bytes) -> None:
    """Any text that is printed; comes back only if a terminal would obey none of it."""
    text = shown(content.decode("utf-8", "surrogateescape"))
    assert text.encode("utf-8").decode("utf-8") == text
    assert not any(letter < " " or "\x7f" <= letter < "\xa0" for letter in text)


def card(**known: object) -> Card:
    """A model that nobody publishes."""
    made: dict = {"name": "x", "package": None, "file": "x.bin", "size": SIZE, "sha256": "0" * 64, "licence": "MIT"}
    return Card(**{**made, "commercial": True, "source": "", "roles": {}, **known})


DOORS: dict[str, Callable[[bytes], None]] = {
    door.__name__: door
    for door in (
        *(recipe_file, override, pins, accepted, checkpoint, weights),
        *(encoder, perceptual, tensors, generator, inverter),
        *(fetched, answer, name),
    )
}
