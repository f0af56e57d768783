"""Stores by way of fsspec: one in memory, in which a file is there at once, and a folder, in which it is renamed."""

import hashlib
import logging
import os
from pathlib import Path

import crew
import fsspec
import pytest
from fsspec.registry import known_implementations

from kohl import stores
from kohl.errors import BadPhoto, BadSetting
from kohl.stores import Url, where


@pytest.fixture(params=["memory", "shelf"])
def folder(request, tmp_path):
    """An empty folder in each."""
    if request.param == "memory":
        fsspec.filesystem("memory").store.clear()
        return where("memory://bucket/photos")
    return where(f"shelf://{tmp_path}/photos")


def filled(folder, *names):
    for name in names:
        stores.put(folder / name, name.encode())
    return folder


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://host/a.jpg", "is no store that kohl reads from"),
        ("simplecache::memory://a/b", "is no store"),  # it would keep photos on the disk
        ("memory://a::memory://b", "is no store"),
        ("S3://bucket/a", "is no store"),
        ("nosuch://a/b", "fsspec knows no such store"),
        ("smb://me:word@host/share/a.jpg", "a user or a key has no place in a URL"),
        ("memory://", "name a bucket or a folder in it"),
        ("memory://a\0b", "name a bucket"),
        ("memory://a/../b", "without dots"),
        ("memory://a/./b", "without dots"),
    ],
)
def test_what_is_no_place_in_a_store_is_refused_without_its_keys(text, said):
    with pytest.raises(BadSetting, match=said) as error:
        where(text)
    assert "word" not in str(error.value)


def test_a_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(known_implementations, "gs", {"class": "nowhere.at.All", "err": "no"})
    with pytest.raises(BadSetting, match="install gcsfs"):
        where("gs://bucket/a.jpg")


def test_a_path_is_a_path(tmp_path):
    assert where("a/b.jpg") == Path("a/b.jpg")
    assert where(f"file://{tmp_path}/a.jpg") == tmp_path / "a.jpg"  # as safe as without file://
    assert where("C:/a:b.jpg") == Path("C:/a:b.jpg")


def test_parts_of_a_place():
    place = where("memory://bucket/a/b.c.jpg/")
    assert (str(place), place.name, place.suffix) == ("memory://bucket/a/b.c.jpg", "b.c.jpg", ".jpg")
    assert str(place.parent / "x" / ".") == "memory://bucket/a/x"
    assert place == Url(place.store, place.path, mark="another version")
    assert where("memory:///bucket/a/b.c.jpg").path == place.path
    assert stores.identity(where("memory:///bucket/a/b.c.jpg")) == stores.identity(place)
    assert stores.identity(place) != stores.identity(place.parent)


def test_files_are_found_in_the_order_of_their_names_and_odd_ones_left(folder):
    filled(folder, "b/y.jpg", "a.jpg", "b/.hidden.jpg", ".trash/z.jpg", "b/c/x.png")
    if folder.store.startswith("memory"):  # where a name is any text
        fsspec.filesystem("memory").pipe_file("/bucket/photos/b/../../../etc/passwd.jpg", b"x")
        fsspec.filesystem("memory").pipe_file("/bucket/photos/b\\..\\z.jpg", b"x")
    found = list(stores.walked(folder))
    assert [file.path.removeprefix(folder.path) for file in found] == ["/a.jpg", "/b/c/x.png", "/b/y.jpg"]
    assert stores.is_folder(folder)
    assert not stores.is_folder(found[0])
    assert not stores.is_folder(folder / "nothing")


def test_the_mark_changes_with_the_content(folder):
    filled(folder, "a.jpg")
    listed, *_ = stores.walked(folder)
    asked = stores.marked(folder / "a.jpg")
    assert listed.mark == asked.mark != ""
    stores.put(folder / "a.jpg", b"another content", force=True)
    assert stores.marked(folder / "a.jpg").mark != asked.mark
    assert stores.marked(asked) is asked


def test_what_is_put_is_read(folder):
    filled(folder, "b/a.jpg")
    assert stores.read(folder / "b/a.jpg", 7) == b"b/a.jpg"
    assert stores.size(folder / "b/a.jpg") == 7
    assert stores.sizes(folder / "b") == {"a.jpg": 7}
    assert stores.sha256(folder / "b/a.jpg", 7) == hashlib.sha256(b"b/a.jpg").hexdigest()
    assert (stores.size(folder / "none.jpg"), stores.size(folder / "b"), stores.sizes(folder / "c")) == (None, None, {})


def test_too_much_and_nothing_are_refused(folder):
    filled(folder, "a.jpg")
    with pytest.raises(BadPhoto, match=r"a\.jpg: is larger than 4e-06 MB"):
        stores.read(folder / "a.jpg", 4)
    with pytest.raises(BadPhoto, match="there is no such file"):
        stores.read(folder / "none.jpg", 4)


def test_nothing_is_written_over_unless_asked(folder):
    filled(folder, "a.jpg")
    with pytest.raises(BadPhoto, match="already exists"):
        stores.put(folder / "a.jpg", b"new")
    assert stores.read(folder / "a.jpg", 99) == b"a.jpg"
    stores.put(folder / "a.jpg", b"new", force=True)
    assert stores.read(folder / "a.jpg", 99) == b"new"
    assert [file.name for file in stores.walked(folder)] == ["a.jpg"]


def test_a_file_that_is_cut_off_has_no_name(tmp_path, monkeypatch):
    folder = filled(where(f"shelf://{tmp_path}/photos"), "a.jpg")

    def cut(self, path, value, **more):
        Path(path).write_bytes(value[:2])
        raise OSError(28, os.strerror(28), "a secret")

    monkeypatch.setattr(crew.Shelf, "pipe_file", cut)
    with pytest.raises(BadPhoto, match=r"b\.jpg: the store refuses \(No space left on device\)"):
        stores.put(folder / "b.jpg", b"content")
    assert [path.name for path in tmp_path.rglob("*.*")] == ["a.jpg"]


def test_what_a_store_s_package_says_is_not_repeated(folder, monkeypatch, capfd):
    def refuse(self, *arguments, **more):
        logging.getLogger("package").error("a traceback with key=secret")
        raise RuntimeError("the key 'secret' is wrong")

    filled(folder, "a.jpg")
    monkeypatch.setattr(type(fsspec.core.url_to_fs(str(folder))[0]), "info", refuse)
    with pytest.raises(BadPhoto, match=r"the store cannot be asked \(RuntimeError\); see whether its keys"):
        stores.read(folder / "a.jpg", 99)
    assert "secret" not in capfd.readouterr().err


@pytest.mark.network
def test_s3():
    """Needs s3fs, and an empty folder to write into: KOHL_TESTS_S3=s3://bucket/folder, keys where s3fs looks."""
    folder = filled(where(os.environ["KOHL_TESTS_S3"]), "b/a.jpg")
    listed, *_ = stores.walked(folder)
    assert "ETag" in listed.mark
    with pytest.raises(BadPhoto, match="already exists"):
        stores.put(folder / "b/a.jpg", b"new")
    stores.put(folder / "b/a.jpg", b"new", force=True)
    assert stores.read(listed, 99) == b"new"
    store, path = fsspec.core.url_to_fs(str(listed))
    assert store.metadata(path) == {}
    assert stores.identity(where(str(listed).replace("s3://", "s3a://"))) == stores.identity(listed)
