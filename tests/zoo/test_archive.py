"""One file out of an archive: its bytes or a refusal, whatever the archive says of itself."""

import io
import re
import tracemalloc
import zipfile

import pytest

from kohl.zoo.files import archive

CONTENT = b"some weights, " * 40
MEMBER = "model.onnx"


def zipped(*names, method=zipfile.ZIP_DEFLATED, content=CONTENT):
    """An archive with a file of each name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name in names:
            made.writestr(name, content)
    return file.getvalue()


def read(content, member=MEMBER, **settings):
    """What is taken out of an archive with this content."""
    with archive.sound():
        return archive.content(io.BytesIO(content), member, **settings).read()


@pytest.mark.parametrize("method", archive.PLAIN)
@pytest.mark.parametrize("name", [MEMBER, f"pack/{MEMBER}", f"../../{MEMBER}", f"/etc/{MEMBER}"])
def test_member_is_found_in_any_folder(name, method):
    assert read(zipped("other.onnx", name, "pack/", method=method), size=len(CONTENT)) == CONTENT


def test_names_are_those_of_files_in_any_folder():
    assert archive.names(io.BytesIO(zipped("a/b.pth", "c.pth", "../d.pth"))) == {"b.pth", "c.pth", "d.pth"}
    assert archive.names(io.BytesIO(b"weights")) == set()


@pytest.mark.parametrize("content", [b"", b"weights", zipped("data.pkl"), zipped(f"{MEMBER}/data.pkl")])
def test_what_has_no_such_member_is_the_file_itself(content):
    assert read(content) == content


def test_the_file_itself_must_have_the_size_too():
    assert read(CONTENT, size=len(CONTENT)) == CONTENT
    with pytest.raises(archive.BadArchive, match="this file has 559 bytes instead of 560"):
        read(CONTENT[1:], size=len(CONTENT))


def test_an_archive_may_be_the_model():
    assert read(zipped(MEMBER), member="") == zipped(MEMBER)


def locked(content):
    """The same archive, marked as encrypted."""
    start = content.index(b"PK\x01\x02")
    return b"".join([content[:6], b"\x01", content[7 : start + 8], b"\x01", content[start + 9 :]])


@pytest.mark.parametrize(
    ("content", "size", "said"),
    [
        (zipped(MEMBER), len(CONTENT) + 1, f"model.onnx would have {len(CONTENT)} bytes instead of {len(CONTENT) + 1}"),
        (zipped(f"a/{MEMBER}", f"b/{MEMBER}"), 0, "this archive holds 2 files named model.onnx"),
        (zipped(MEMBER, method=zipfile.ZIP_BZIP2), 0, "model.onnx is compressed in an unusual way"),
        (zipped(MEMBER, method=zipfile.ZIP_LZMA), 0, "model.onnx is compressed in an unusual way"),
        (locked(zipped(MEMBER)), 0, "is encrypted"),
    ],
    ids=["size", "two", "bzip2", "lzma", "locked"],
)
def test_what_is_not_unpacked(content, size, said):
    with pytest.raises(archive.BadArchive, match=re.escape(said)):
        read(content, size=size)


def test_what_nobody_published_a_size_of_has_a_limit():
    assert read(zipped(MEMBER), at_most=len(CONTENT)) == CONTENT
    with pytest.raises(archive.BadArchive, match="561 bytes and that is too large"):
        read(zipped(MEMBER, content=CONTENT + b"!"), at_most=len(CONTENT))


def test_no_more_is_unpacked_than_was_said():
    # A bomb: 10 MB of zeros in 10 kB, said to be 100 bytes.
    bomb = zipped(MEMBER, content=bytes(10**7))
    for place in (bomb.index(b"PK\x03\x04") + 22, bomb.index(b"PK\x01\x02") + 24):
        bomb = bomb[:place] + (100).to_bytes(4, "little") + bomb[place + 4 :]
    tracemalloc.start()
    with pytest.raises(archive.BadArchive, match="CRC"), archive.sound():
        archive.content(io.BytesIO(bomb), MEMBER).read(2**16)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10**6


def test_damage_anywhere_is_noticed():
    whole = zipped("first", MEMBER)
    assert read(whole) == CONTENT
    for place in range(len(whole)):
        for content in (whole[:place], whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]):
            try:
                found = read(content)
            except archive.BadArchive:
                continue
            assert found in (CONTENT, content)  # unharmed, or no longer an archive with that member


def test_a_bomb_in_another_method_is_not_even_opened():
    # Its content is damaged, which nobody notices.
    whole = bytearray(zipped(MEMBER, method=zipfile.ZIP_BZIP2))
    whole[whole.index(b"BZh") :][:3] = b"xxx"
    with pytest.raises(archive.BadArchive, match="is compressed in an unusual way"):
        read(bytes(whole))
