"""What is no ordinary file, or a larger one than was said, is refused before anything of it is read."""

import os
import stat
from pathlib import Path

import pytest
from heard import heard

from kohl import plain_file

LIMIT = 10


def test_a_file_comes_whole_up_to_the_last_byte(tmp_path):
    path = tmp_path / "file"
    for length in (0, 1, LIMIT):
        path.write_bytes(b"x" * length)
        assert plain_file.content(path, LIMIT) == b"x" * length
        with plain_file.opened(path, LIMIT) as file:
            assert file.read() == b"x" * length


def test_more_bytes_than_that_are_refused_unread(tmp_path):
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: a terabyte of nothing
    for read in (plain_file.content, plain_file.opened):
        with pytest.raises(OSError, match=r"larger than 1e-05 MB, the most that kohl reads here"):
            read(path, LIMIT)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_a_file_that_says_it_is_empty_is_read_no_further_than_that():
    assert Path("/proc/self/status").stat().st_size == 0
    with pytest.raises(OSError, match="larger than"):
        plain_file.content(Path("/proc/self/status"), LIMIT)


def pipe(path):
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (pipe, "not an ordinary file"),
        (lambda path: path.symlink_to("/dev/zero"), "not an ordinary file"),
        (lambda path: path.symlink_to("/dev/stdin"), "not an ordinary file"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.symlink_to(path), "symbolic links"),
        (lambda path: None, "No such file"),
    ],
    ids=["pipe", "endless", "stdin", "folder", "loop", "nothing"],
)
def test_anything_else_is_refused_at_once(tmp_path, monkeypatch, make, said):
    reading, writing = os.pipe()
    before = os.dup(0)
    os.dup2(reading, 0)
    try:
        make(tmp_path / "x")
        with pytest.raises(OSError, match=said) as error:
            plain_file.content(tmp_path / "x", LIMIT)
        assert error.value.strerror
    finally:
        os.dup2(before, 0)
        for number in (reading, writing, before):
            os.close(number)


@pytest.mark.parametrize(("name", "said"), [("a\0b", "no file can have this name"), ("a" * 300, "name too long")])
def test_a_name_that_no_file_has_is_an_error_of_the_system(name, said):
    with pytest.raises(OSError, match=said):
        plain_file.content(Path(name), LIMIT)


def test_what_is_swapped_while_it_is_opened_is_refused(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"a file")

    def swapped(name, *_):
        if str(name) == str(path) and path.is_file():
            path.unlink()
            os.mkfifo(path)

    with heard("open", swapped), pytest.raises(OSError, match="not an ordinary file"):
        plain_file.content(path, LIMIT)
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_nothing_stays_open_after_a_refusal(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"")

    def grown(name, *_):
        if str(name) == str(path) and not path.stat().st_size:
            os.truncate(path, LIMIT + 1)

    with heard("open", grown), pytest.raises(OSError, match="larger than"):
        plain_file.opened(path, LIMIT)
    assert path.stat().st_size == LIMIT + 1
    assert str(path) not in [str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
