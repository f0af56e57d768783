"""What torch.save wrote comes back as torch reads it, and what it never wrote is refused."""

import os
import pickle
import random
import struct
import warnings
import zipfile
from collections import OrderedDict
from contextlib import suppress
from functools import partial

import pytest
import torch
from torch import nn

from kohl.errors import BadModel
from kohl.zoo.files import archive, state, torch_files
from kohl.zoo.files.pickles import Refused

older_form = partial(torch.save, _use_new_zipfile_serialization=False)
SAVES = pytest.mark.parametrize("save", [torch.save, older_form], ids=["zip", "older"])
base = torch.arange(24.0)
CONTENTS = {
    "kinds": {f"{dtype}": torch.arange(5).to(dtype) for dtype in torch_files.NUMBERS.values()},
    "shapes": {"none": torch.tensor(3.0), "empty": torch.zeros(0, 3), "four": torch.rand(2, 3, 4, 5)},
    "shared": {"all": base, "part": base[4:10], "turned": base.view(4, 6).T, "spread": base[::5]},
    "parameters": {"a": nn.Parameter(torch.rand(3)), "b": nn.Linear(2, 2).state_dict()},
    "odd": {"where": [torch.zeros(2), {1, "b"}]},
    "plain": {"a": [1, "x", None, True, (2, 3.5)], "b": OrderedDict(c={4: 5}), "size": torch.Size([2, 3])},
    "nothing": {},
}


def assert_same(ours, theirs):
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            assert_same(ours[name], value)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for pair in zip(ours, theirs, strict=True):
            assert_same(*pair)
    elif isinstance(theirs, torch.Tensor):
        assert (ours.dtype, ours.shape, ours.stride()) == (theirs.dtype, theirs.shape, theirs.stride())
        assert torch.equal(ours, theirs)
    else:
        assert ours == theirs


@SAVES
@pytest.mark.parametrize("protocol", [2, 3])  # torch itself reads no other
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_reads_as_torch_does(tmp_path, save, content, protocol):
    save(content, tmp_path / "x", pickle_protocol=protocol)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own about protocols
        assert_same(torch_files.read(tmp_path / "x"), torch.load(tmp_path / "x", weights_only=True))


@SAVES
def test_what_an_optimizer_knows_is_read(tmp_path, save):
    moments = {"step": torch.tensor(1.0), "exp_avg": torch.rand(3), "exp_avg_sq": torch.rand(3)}
    group = {"lr": 0.1, "betas": (0.9, 0.999), "amsgrad": False, "fused": None, "params": [0]}
    save({"state": {0: moments}, "param_groups": [group]}, tmp_path / "x")  # as torch's Adam has it
    assert_same(torch_files.read(tmp_path / "x"), torch.load(tmp_path / "x", weights_only=True))


@SAVES
def test_tensors_that_share_their_numbers_still_do_and_the_file_is_left_alone(tmp_path, save):
    save({"all": base, "part": base[4:10]}, tmp_path / "x")
    before = (tmp_path / "x").read_bytes()
    found = torch_files.read(tmp_path / "x")
    found["part"].zero_()
    assert found["all"][4:10].abs().max() == 0
    assert (tmp_path / "x").read_bytes() == before


def test_a_table_of_python_2_is_read(tmp_path):
    # There OrderedDict was written as its list of pairs.
    pairs = b"ccollections\nOrderedDict\n](]U\x01aK\x01e]U\x01bK\x02ee\x85R."
    pairs = pairs.replace(b"]U", b"](U")
    head = b"".join(pickle.dumps(each, 2) for each in (torch_files.MAGIC, torch_files.PROTOCOL, {}))
    (tmp_path / "x").write_bytes(head + b"\x80\x02" + pairs + pickle.dumps([], 2))
    assert torch_files.read(tmp_path / "x") == {"a": 1, "b": 2}


def rewritten(path, change):
    """The archive at `path` with its entries changed."""
    with zipfile.ZipFile(path) as file:
        entries = {entry.filename: file.read(entry) for entry in file.infolist()}
    with zipfile.ZipFile(path, "w") as file:
        change(entries, file)


def squeezed(entries, file):
    """Numbers that are unpacked to many times their size."""
    for name, content in entries.items():
        file.writestr(name, content, zipfile.ZIP_DEFLATED)


def bomb(entries, file):
    """A pickle of a gigabyte in a megabyte."""
    (name,) = (name for name in entries if name.endswith("/data.pkl"))
    with file.open(zipfile.ZipInfo(name), "w", force_zip64=True) as entry:
        entry._compressor = zipfile._get_compressor(zipfile.ZIP_DEFLATED)
        entry._zinfo.compress_type = zipfile.ZIP_DEFLATED
        for _ in range(40):
            entry.write(bytes(2**20))


def twice(entries, file):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own about names
        for name, content in [*entries.items(), *((f"more/{name}", content) for name, content in entries.items())]:
            file.writestr(name, content)


def shorter(entries, file):
    for name, content in entries.items():
        file.writestr(name, content[:-4] if "/data/" in name else content)


def turned_round(entries, file):
    for name, content in entries.items():
        file.writestr(name, b"big" if name.endswith("byteorder") else content)


def without(part, entries, file):
    for name, content in entries.items():
        if part not in name:
            file.writestr(name, content)


def crowded(entries, file):
    """A table of contents of six megabytes, in few entries so that it is soon written."""
    for number in range(200):
        file.writestr(f"{number:030000}", b"")


@pytest.mark.parametrize(
    "change",
    [squeezed, bomb, twice, shorter, turned_round, partial(without, "/data/"), partial(without, "data.pkl"), crowded],
    ids=lambda change: getattr(change, "__name__", "without"),
)
def test_an_archive_that_torch_would_not_write_is_refused(tmp_path, change):
    torch.save({"x": torch.rand(1000)}, tmp_path / "x.pt")
    rewritten(tmp_path / "x.pt", change)
    with pytest.raises(BadModel, match=r"x\.pt: this is not a file of weights alone"):
        state.checkpoint(tmp_path / "x.pt")


def test_the_directory_of_an_archive_is_not_believed_before_it_is_small(tmp_path):
    with zipfile.ZipFile(tmp_path / "x", "w") as file:
        crowded({}, file)
    with (tmp_path / "x").open("rb") as file, pytest.raises(archive.BadArchive, match="too many entries"):
        archive.opened(file)


def older(tmp_path, described, keys=(), numbers=b""):
    head = b"".join(pickle.dumps(each, 2) for each in (torch_files.MAGIC, torch_files.PROTOCOL, {}))
    (tmp_path / "x.pt").write_bytes(head + described + pickle.dumps(list(keys), 2) + numbers)
    return tmp_path / "x.pt"


def stored(kind=b"ctorch\nFloatStorage\n", count=4, view=b"N"):
    """A pickle of a table with one storage."""
    about = b"(X\x07\0\0\0storage" + kind + b"X\x01\0\0\0kX\x03\0\0\0cpu\x8a\x08" + struct.pack("<q", count) + view
    return b"\x80\x02}X\x01\0\0\0x" + about + b"tQs."


def test_the_numbers_of_the_older_form_come_in_their_order(tmp_path):
    path = older(tmp_path, stored(), ["k"], struct.pack("<q4f", 4, 1, 2, 3, 4))
    assert state.checkpoint(path)["x"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("described", "keys", "numbers"),
    [
        (stored(count=2**30), ["k"], struct.pack("<q", 2**30)),
        (stored(count=2**60), ["k"], struct.pack("<q", 2**60)),
        (stored(count=-1), ["k"], struct.pack("<q", -1)),
        (stored(), ["k"], struct.pack("<q4f", 3, 1, 2, 3, 4)),
        (stored(), ["k"], struct.pack("<q3f", 4, 1, 2, 3)),
        (stored(), [], b""),
        (stored(), ["other"], struct.pack("<q4f", 4, 1, 2, 3, 4)),
        (stored(kind=b"cos\nsystem\n"), ["k"], struct.pack("<q4f", 4, 1, 2, 3, 4)),
        (stored(kind=b"ccollections\nOrderedDict\n"), ["k"], struct.pack("<q4f", 4, 1, 2, 3, 4)),
        (stored(kind=b"K\x05"), ["k"], struct.pack("<q4f", 4, 1, 2, 3, 4)),
        (stored(view=b"K\x05"), ["k"], struct.pack("<q4f", 4, 1, 2, 3, 4)),
        (stored(), [("k",) * 9], struct.pack("<q4f", 4, 1, 2, 3, 4)),
    ],
)
def test_numbers_that_are_not_there_are_refused(tmp_path, described, keys, numbers):
    with pytest.raises(BadModel, match=r"x\.pt: this is not a file of weights alone"):
        state.checkpoint(older(tmp_path, described, keys, numbers))


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        ((5,), (1,), 0),
        ((4,), (1,), 1),
        ((-4,), (1,), 0),
        ((1,) * 65, (1,) * 65, 0),
        ((2**70,), (0,), 0),
        ((2**32, 2**32), (0, 0), 0),
        ((2**31, "xx"), (0, 0), 0),
        (((4,),), (1,), 0),
        ((4,), (-1,), 0),
        ((2,), (2**62,), 0),
        ((4,), (1,), -1),
    ],
)
def test_a_tensor_takes_no_numbers_but_those_that_are_there(size, stride, offset):
    with pytest.raises(Refused):
        torch_files.tensor(torch.arange(4.0), offset, size, stride)
    assert torch_files.tensor(torch.arange(4.0), 0, (2, 2), (1, 2)).tolist() == [[0, 2], [1, 3]]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path, make):
    make(tmp_path / "x.pt")
    with pytest.raises(BadModel, match=r"x\.pt: this is not a file of weights alone"):
        state.checkpoint(tmp_path / "x.pt")


@SAVES
def test_damage_anywhere_is_refused_or_harmless(tmp_path, save):
    save({"x": torch.rand(50), "y": {"z": [1, 2, torch.rand(3)]}}, tmp_path / "x.pt")
    rng, whole = random.Random(0), (tmp_path / "x.pt").read_bytes()
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(rng.choice((1, 3, 20))):
            content[rng.randrange(len(content))] = rng.randrange(256)
        (tmp_path / "x.pt").write_bytes(content[: rng.choice((len(content), rng.randrange(len(content))))])
        with suppress(BadModel):
            state.checkpoint(tmp_path / "x.pt")


def test_a_storage_that_says_more_than_any_does_is_refused(tmp_path):
    pid = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0aX\x03\0\0\0cpuK\x01NtQ"
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as made:
        made.writestr("x/data.pkl", b"\x80\x02" + pid + b".")
        made.writestr("x/data/a", bytes(4))
    with pytest.raises(BadModel, match="not a file of weights alone"):
        state.checkpoint(tmp_path / "x.pt")
