"""A few broken things through every door; a fuzzer does the rest."""

import random
import threading
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import doors
import pytest
import torch

from kohl.errors import KohlError
from kohl.zoo.files import store

GOLDEN = Path(__file__).parent / "golden"


def saved(content, **options):
    """What torch makes of it."""
    stream = BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


WEIGHTS = {"state_dict": {"encoder.styles.0.linear.bias": torch.rand(9)}, "opts": {"x": [1, 2.5, None]}, "n": 3}
TRUE = {
    "weights": saved(WEIGHTS),
    "encoder": saved(WEIGHTS, _use_new_zipfile_serialization=False),
    "perceptual": saved({"lin0.model.1.weight": torch.rand(1, 64, 1, 1)}),
    "recipe_file": Path(__file__).parents[1].joinpath("recipes", "paper.toml").read_bytes(),
    "override": b"search.views.blur=0.5",
    "pins": b'{"irse50": "' + b"0" * 64 + b'"}',
    "accepted": b'{"e4e": "' + b"0" * 64 + b'"}',
    "checkpoint": (GOLDEN / "nv_ada_tiny_p4.pkl").read_bytes(),
    "name": b"a.jpg",
    "answer": b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + b"x" * 999,
}
TENSORS = store.bundled("decoys.safetensors").read_bytes()[:30_000]


def broken(whole, rng):
    """The bytes with a few changed, left out, repeated or cut off."""
    content = bytearray(whole)
    for _ in range(rng.choice((1, 2, 8))):
        at, length = rng.randrange(len(content)), rng.choice((1, 1, 4, 30))
        match rng.randrange(4):
            case 0:
                content[at : at + length] = rng.randbytes(length)
            case 1:
                del content[at : at + length]
            case 2:
                content[at:at] = content[at : at + length] * rng.choice((1, 9))
            case _:
                content[at : at + length] = rng.choice((b"\0", b"\xff", b"9", b".", b"[")) * length
        content = content or bytearray(b"x")
    return bytes(content[: rng.choice((len(content), len(content), rng.randrange(len(content) + 1)))])


@pytest.mark.parametrize("door", doors.DOORS)
def test_what_is_broken_is_refused_or_harmless(door, monkeypatch):
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    rng = random.Random(door)
    for _ in range(30 if door in ("answer", "checkpoint") else 60):
        with suppress(KohlError):
            doors.DOORS[door](broken(TRUE.get(door, TENSORS), rng))


@pytest.mark.parametrize("door", doors.DOORS)
@pytest.mark.parametrize("content", [b"", b"\0", b"\xff" * 99, b"PK\5\6" + bytes(18), b"\x80\x02}."])
def test_nothing_and_nonsense_are_refused_or_harmless(door, content):
    with suppress(KohlError):
        doors.DOORS[door](content)


def test_no_server_goes_on_after_an_error():
    before = threading.active_count()
    with pytest.raises(KohlError):
        doors.answer(b"HTTP/1.1 what?")
    assert threading.active_count() == before
