"""A file that is placed is whole or not there, and no other file is touched."""

import errno
import os

import pytest

from kohl.beside import placed


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write(path, text, *, force, other=None, error=None):
    """Places a file of that text, while another may appear or an error happen."""
    with placed(path, force=force) as part:
        part.write_text(text)
        if other:
            path.write_text(other)
        if error:
            raise error


def test_it_takes_its_name_in_the_end(tmp_path):
    path = tmp_path / "a.png"
    with placed(path, force=False) as part:
        part.write_text("new")
        assert names(tmp_path) == [part.name]
        assert part.name.startswith(".kohl-")
    assert (path.read_text(), names(tmp_path)) == ("new", ["a.png"])


def test_what_has_appeared_meanwhile_is_overwritten_only_by_force(tmp_path):
    path = tmp_path / "a.png"
    with pytest.raises(FileExistsError):
        write(path, "new", force=False, other="theirs")
    assert (path.read_text(), names(tmp_path)) == ("theirs", ["a.png"])
    write(path, "new", force=True)
    assert (path.read_text(), names(tmp_path)) == ("new", ["a.png"])


@pytest.mark.parametrize("force", [False, True])
def test_after_an_error_nothing_remains_and_nothing_is_lost(tmp_path, force):
    (tmp_path / "a.png").write_text("old")
    (tmp_path / "a.png.part").write_text("somebody's")
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.png", "half", force=force, error=KeyboardInterrupt())
    assert names(tmp_path) == ["a.png", "a.png.part"]
    assert (tmp_path / "a.png").read_text() == "old"


def test_without_hard_links_too(tmp_path, monkeypatch):
    def link(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "a.png"
    write(path, "new", force=False)
    with pytest.raises(FileExistsError):
        write(path, "newer", force=False)
    assert (path.read_text(), names(tmp_path)) == ("new", ["a.png"])
