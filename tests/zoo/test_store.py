"""Where model files are, and that a wrong one is refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from kohl.types import BadModel
from kohl.zoo import store


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
