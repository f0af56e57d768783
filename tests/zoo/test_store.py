"""Where model files are, and that a wrong one is refused."""

import json
import os
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from kohl.errors import BadModel
from kohl.zoo import cards
from kohl.zoo.files import store
from kohl.zoo.generators import stylegan2


def test_cache_is_where_the_user_says(monkeypatch, tmp_path):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    assert store.cache() == tmp_path


def test_cache_is_in_the_home_folder_otherwise(monkeypatch):
    monkeypatch.delenv("KOHL_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert Path.home() in store.cache().parents
    assert "kohl" in store.cache().parts


def test_bundled_files_are_inside_the_package():
    assert store.bundled("face.safetensors").parts[-4:] == ("kohl", "zoo", "weights", "face.safetensors")


def test_tensors_come_back(tmp_path):
    tensors = {"a": torch.rand(3), "b": torch.tensor([1, 2], dtype=torch.int8)}
    save_file(tensors, tmp_path / "some.safetensors")
    found = store.tensors(tmp_path / "some.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


@pytest.mark.parametrize("content", [None, b"", b"not tensors"])
def test_a_file_without_tensors_is_refused(tmp_path, content):
    path = tmp_path / "some.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadModel, match=r"some\.safetensors"):
        store.tensors(path)


# Hostile files


def written(path, header, data=b""):
    """A safetensors file with that header, as it is or as JSON."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


def about(kind="F32", shape=(1,), end=4):
    return {"dtype": kind, "shape": list(shape), "data_offsets": [0, end]}


ONE = b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'


@pytest.mark.parametrize(
    "write",
    [
        lambda path: written(path, b"{" + ONE + b"," + ONE + b"}", b"abcd"),
        lambda path: written(path, b"[" * 100_000),
        lambda path: written(path, b'{"a":' * 100_000),
        lambda path: written(path, {"a": about(end=9)}, b"abcd"),
        lambda path: written(path, {"a": about(shape=(2**63, 2))}, b"abcd"),
        lambda path: written(path, {"a": about(shape=(-1,))}, b"abcd"),
        lambda path: written(path, {"a": about(shape=(1,) * 1000)}, b"abcd"),
        lambda path: written(path, {"a": about("F8_E4M3", (4,))}, b"abcd"),
        lambda path: written(path, {"a": about("C64", (1,), 8)}, b"abcdabcd"),
        lambda path: written(path, {"a": about("F99")}, b"abcd"),
        lambda path: written(path, {"__metadata__": {"a": 5}}),
        lambda path: path.write_bytes(struct.pack("<Q", 2**63) + b"{}"),
        lambda path: path.write_bytes(struct.pack("<Q", 2**23) + b" " * 2**23),
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to(path),
    ],
)
def test_a_hostile_file_of_tensors_is_one_sentence(tmp_path, write):
    write(tmp_path / "x.safetensors")
    with pytest.raises(BadModel, match=r"x\.safetensors: not a readable safetensors file \(.+\)\.$"):
        store.tensors(tmp_path / "x.safetensors")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, ""])
def test_a_name_that_no_file_has_is_one_sentence(name):
    with pytest.raises(BadModel, match="not a readable safetensors file"):
        store.tensors(Path(name))


@pytest.mark.parametrize("name", ["colours.{}.weight", "mapping.{}.weight"])
def test_a_generator_of_absurdly_many_parts_is_one_sentence(tmp_path, name):
    tensors = {name.format(number): about(shape=(0,), end=0) for number in range(2000)}
    written(tmp_path / "x.safetensors", {**tensors, "average": about(shape=(0,), end=0)})
    with pytest.raises(BadModel, match="no StyleGAN2 that kohl has converted or trained"):
        stylegan2.load(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_text('{"thing": NaN}'),
        lambda path: path.write_text('{"thing": 5}'),
        lambda path: path.write_text('{"thing": "sha"}'),
        lambda path: path.write_text("[" * 100_000),
        lambda path: path.write_text('{"thing": ' + "9" * 5000 + "}"),
        lambda path: path.write_text('{"thing": "' + "a" * 2**20 + '"}'),
        lambda path: path.write_bytes(b"\xff\xfe"),
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to(path),
    ],
)
def test_hostile_pins_are_one_sentence(monkeypatch, tmp_path, write):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    write(tmp_path / "pins.json")
    for ask in (store.pins, lambda: store.pin("other", "0" * 64)):
        with pytest.raises(BadModel, match=r"pins\.json: .*; mend or remove this file\.$"):
            ask()
    assert [path.name for path in tmp_path.iterdir()] == ["pins.json"]


# Nobody's home


@pytest.fixture
def homeless(monkeypatch):
    """A user whom the machine does not know, without a home."""
    for name in ("HOME", "KOHL_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA", "USERPROFILE", "HOMEDRIVE", "HOMEPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 5)


def test_without_a_home_the_cache_is_a_sentence_and_what_is_in_it_is_missing(homeless, monkeypatch, tmp_path):
    with pytest.raises(BadModel, match=r"^the cache folder: .*; name one with KOHL_CACHE\.$"):
        store.cache()
    pulled = [card for card in cards.CARDS if not card.package]
    assert not any(map(cards.present, pulled))
    assert [cards.sha256(card) for card in pulled] == [card.sha256 for card in pulled]
    assert cards.present(cards.find("sface"))
    with pytest.raises(BadModel, match="KOHL_CACHE"):
        cards.checked(pulled[0])
    monkeypatch.setenv("KOHL_CACHE", "~nobody-of-that-name/kohl")
    with pytest.raises(BadModel, match="KOHL_CACHE"):
        store.cache()
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    assert store.cache() == tmp_path


def test_a_cache_that_is_a_file_holds_nothing(monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path / "cache"))
    assert store.pins() == {}
    assert not any(cards.present(card) for card in cards.CARDS if not card.package)
