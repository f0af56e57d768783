"""The doors for files of weights: published pickles, archives of torch, safetensors; nothing in them may run."""

from __future__ import annotations

import io
import json
import pickle
import pickletools
import struct
import zipfile
from functools import cache
from pathlib import Path
from random import Random

import torch
from safetensors.torch import save
from tiny import numbers

from fuzz.door import ACCEPTED, Door, check
from fuzz.mutate import ODD, mutated
from kohl.errors import BadModel
from kohl.zoo.files import checkpoints, state, store
from kohl.zoo.generators import stylegan2

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
GLOBALS = (
    *("torch._utils\n_rebuild_tensor_v2", "torch.storage\n_load_from_bytes", "torch\nFloatStorage", "os\nsystem"),
    *("collections\nOrderedDict", "torch_utils.persistence\n_reconstruct_persistent_obj", "builtins\neval"),
    *("torch._utils\n_rebuild_parameter", "builtins\ngetattr", "torch\nlegacy.load", "pathlib\nPath", "\x1b[2J\nx"),
)
OPCODES = bytes(ord(opcode.code) for opcode in pickletools.opcodes)


@cache
def pickles() -> tuple[bytes, ...]:
    """Published networks, tiny; the arrays of one of them are as large as the rest together, so they are cut."""
    return tuple(path.read_bytes() for path in sorted(GOLDEN.glob("nv_*_tiny_p*.pkl")))


@cache
def archives() -> tuple[bytes, ...]:
    """A generator of 16 pixels as torch saves it, new and old, with and without what a checkpoint has around it."""
    made = stylegan2.untrained((3, 2, 2), width=4, depth=1, rng=numbers())
    theirs = {checkpoints.rosinality_name(name): values for name, values in made.state_dict().items()}
    e4e = {f"{checkpoints.DECODER}{name}": values for name, values in theirs.items() if name != "latent_avg"}
    repeated = {"state_dict": e4e, "latent_avg": theirs["latent_avg"].repeat(6, 1)}
    contents = ({"g_ema": theirs, "latent_avg": theirs["latent_avg"]}, theirs, {"state_dict": theirs}, repeated)
    found = []
    for content in contents:
        for new in (True, False):
            buffer = io.BytesIO()
            torch.save(content, buffer, _use_new_zipfile_serialization=new)
            found.append(buffer.getvalue())
    return tuple(found)


@cache
def safetensors() -> tuple[bytes, ...]:
    """A generator of 16 pixels as kohl writes it."""
    made = stylegan2.untrained((3, 2, 2), width=4, depth=1, rng=numbers())
    return (save(made.state_dict(), {"size": "16"}), save({"x": torch.zeros(2, 3)}))


def program(rng: Random) -> bytes:
    """Opcodes of pickle, mostly with arguments of the right length, that nobody would write."""
    parts = [b"\x80" + bytes([rng.choice((2, 3, 4, 5, 0, 255))])]
    for _ in range(rng.choice((1, 3, 10, 40, 200))):
        parts.append(_operation(rng))
    if rng.random() < 0.15:  # deep, or doubled again and again
        parts.append(
            rng.choice((b"(", b"]", b"(t", b"}", b"]\x94h\0a", b"2a", b"(ll", b"\x85")) * rng.choice((50, 1000, 50_000))
        )
    return b"".join(parts) + b"."


def _operation(rng: Random) -> bytes:
    chosen = rng.randrange(12)
    if chosen == 0:
        return b"c" + rng.choice(GLOBALS).encode() + b"\n"
    if chosen == 1:
        word = rng.choice((*GLOBALS, "G_ema", "_parameters", "_buffers", "_modules", "state")).encode()
        return rng.choice((b"\x8c" + bytes([len(word) % 256]), b"X" + struct.pack("<I", len(word)))) + word
    if chosen == 2:
        return b"K" + rng.randbytes(1)
    if chosen == 3:
        return b"J" + struct.pack("<I", rng.choice(ODD) % 2**32)
    if chosen == 4:
        return rng.choice((b"\x8a\x01\x07", b"\x8b" + struct.pack("<i", rng.choice((4, -1, 2**31 - 1))) + b"abcd"))
    if chosen == 5:
        return b"I" + rng.choice((b"1", b"00", b"9" * 5000, b"-", b"1e9")) + b"\n"
    if chosen == 6:
        return rng.choice(
            (b"q\0", b"h\0", b"r\xff\xff\xff\x7f", b"j\xff\xff\xff\x7f", b"\x94", b"p9\n", b"g" + b"9" * 40 + b"\n")
        )
    if chosen == 7:
        return rng.choice((b"\x8d", b"\x8e", b"B", b"\x96", b"T")) + struct.pack("<Q", rng.choice(ODD) % 2**64)
    if chosen == 8:
        return rng.choice((b"(", b"}", b"]", b")", b"N", b"\x88", b"\x8f"))
    if chosen == 9:
        return rng.choice(
            (
                b"R",
                b"b",
                b"\x81",
                b"\x92",
                b"s",
                b"u",
                b"a",
                b"e",
                b"\x90",
                b"\x91",
                b"Q",
                b"t",
                b"\x93",
                b"2",
                b"0",
                b"1",
            )
        )
    if chosen == 10:
        return b"\x95" + struct.pack("<Q", rng.choice(ODD) % 2**64)
    return bytes([rng.choice(OPCODES)])


def raised(rng: Random) -> bytes:
    """A pickle that Python itself would write: containers that are deep, shared or numbers that are vast."""
    made: object = rng.choice((1, "a", 1 << rng.choice((8, 4000, 400_000)), b"x", None, 1.5))
    for _ in range(rng.choice((1, 30, 60))):
        made = rng.choice(([made, made], {"a": made, "b": made}, (made, made), {"G_ema": made}, [made]))
    try:
        return pickle.dumps({"G_ema": made}, protocol=rng.choice((2, 3, 4, 5)))
    except (RecursionError, TypeError):
        return b"\x80\x02."


def checkpoint(rng: Random) -> bytes:
    """A checkpoint of any of the kinds, damaged or made up."""
    kind = rng.randrange(10)
    if kind < 3:
        return program(rng)
    if kind == 3:
        return raised(rng)
    if kind < 6:
        return mutated(rng, rng.choice(pickles()))
    if kind < 9:
        return in_archive(rng, rng.choice(archives()))
    return mutated(rng, rng.choice(safetensors()))


def in_archive(rng: Random, data: bytes) -> bytes:
    """One of torch's archives, with one of its members mutated or the whole."""
    if not zipfile.is_zipfile(io.BytesIO(data)) or rng.random() < 0.4:
        return mutated(rng, data)
    made, buffer = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    names = made.namelist()
    odd = rng.choice([*names, *[name for name in names if name.endswith("data.pkl")] * 3])
    with zipfile.ZipFile(
        buffer, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    ) as whole:
        for name in names:
            content = made.read(name)
            if name == odd:
                content = program(rng) if name.endswith(".pkl") and rng.random() < 0.3 else mutated(rng, content)
            whole.writestr(name, content)
    return buffer.getvalue()


def convert(data: bytes, folder: Path) -> str:
    """Try to convert these bytes; nothing but the converted file may remain, and that is one that can be loaded."""
    path, output = folder / "network.pkl", folder / "network.safetensors"
    path.write_bytes(data)
    try:
        checkpoints.convert(path, output)
    except BadModel:
        check(sorted(folder.iterdir()) == [path], "changed", f"leaves {sorted(folder.iterdir())}")
        raise
    finally:
        check(path.read_bytes() == data, "changed", "the checkpoint was written to")
    stylegan2.load(output)
    return ACCEPTED


def load(data: bytes, folder: Path) -> str:
    """Try these bytes as a file of weights that was pulled or trained."""
    path = folder / ("weights.safetensors" if data[8:9] == b"{" else "weights.pth")
    path.write_bytes(data)
    if path.suffix == ".safetensors":
        store.tensors(path)
        stylegan2.load(path)
    else:
        state.checkpoint(path)
    return ACCEPTED


def tensors(rng: Random) -> bytes:
    """A safetensors file or one of torch's, damaged; or a header of the former that says odd things."""
    chosen = rng.random()
    if chosen < 0.4:
        return mutated(rng, rng.choice(safetensors()))
    if chosen < 0.7:
        return in_archive(rng, rng.choice(archives()))
    if chosen < 0.8:
        return program(rng)
    entry = {
        "dtype": rng.choice(("F32", "F16", "I64", "BOOL", "F8_E4M3", "X")),
        "shape": [rng.choice(ODD) for _ in range(rng.choice((0, 1, 2, 9)))],
        "data_offsets": [rng.choice((0, 0, -1, 2**63)), rng.choice((0, 8, 4, 2**64))],
    }
    name = rng.choice(("average", "colours.0.weight", "\x1b[2J", "", "a" * 5000, "__metadata__"))
    header = json.dumps({name: entry, "b": 1 if rng.random() < 0.2 else entry}).encode()
    header = header.replace(b'"b"', b'"b":' * 3000 if rng.random() < 0.05 else b'"b"')
    length = rng.choice((len(header), len(header), 0, 2**63, 2**64 - 1))
    return struct.pack("<Q", length) + header + bytes(8)


CHECKPOINTS = Door("checkpoints", checkpoint, convert, share=2)
WEIGHTS = Door("weights", tensors, load)
