"""What becomes of a pulled file, against a server of our own: whole and right, or one sentence and nothing."""

import errno
import gzip
import hashlib
import itertools
import os
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from served import PROXIES, resumable_from, send, serving

from kohl.errors import BadModel, BadSetting
from kohl.zoo import cards
from kohl.zoo.card import Card, Role
from kohl.zoo.files import download, intake, store
from kohl.zoo.files.answers import Patience

CONTENT = os.urandom(3 * intake.CHUNK + 17)
SHA256 = hashlib.sha256(CONTENT).hexdigest()

resumable = resumable_from(CONTENT)


def whole(handler):
    send(handler, 200, CONTENT)


def cut(handler):
    send(handler, 200, CONTENT[: 2 * intake.CHUNK], Content_Length=len(CONTENT))
    handler.close_connection = True


def endless(handler):
    """No length, and one byte too many."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(CONTENT + b"!")


def missing(handler):
    handler.send_error(404)


def another(handler):
    send(handler, 200, CONTENT[::-1])


def page(handler):
    """What file hosters like to send instead."""
    send(handler, 200, b"<html>Sign in</html>")


def shifted(handler):
    send(handler, 206, CONTENT, Content_Range=f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}")


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """An empty cache folder; no proxy and no offline mode, whatever the machine has."""
    for name in (*PROXIES, "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def card(*urls, **changes):
    known = {"name": "thing", "package": None, "file": "thing.bin", "size": len(CONTENT), "sha256": SHA256}
    known |= {"licence": "MIT", "commercial": True, "source": "https://example.org/thing", "roles": {}, "urls": urls}
    return Card(**known | changes)


@pytest.fixture
def asked_of(server):
    """A card whose addresses the server answers as told, in this order."""

    def build(*answers, **changes):
        server.says |= {str(number): answer for number, answer in enumerate(answers)}
        return card(*(server.url(number) for number in range(len(answers))), **changes)

    return build


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_file_comes_whole(asked_of, folder):
    steps = []
    thing = asked_of(whole)
    download.pull(thing, watch=lambda done, total: steps.append((done, total)))
    assert cards.path(thing).read_bytes() == CONTENT
    assert cards.checked(thing) == folder / "thing.bin"
    assert names(folder) == ["thing.bin"]
    assert steps[0] == (0, len(CONTENT))
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_cut_file_is_resumed(asked_of, folder, server):
    thing = asked_of(cut)
    with pytest.raises(
        BadModel, match=r"^thing: not downloaded .*run the same command again, or fetch it by hand from h"
    ):
        download.pull(thing)
    assert (folder / "thing.bin.part").read_bytes() == CONTENT[: 2 * intake.CHUNK]
    assert not cards.present(thing)
    server.says["0"] = resumable
    steps = []
    download.pull(thing, watch=lambda done, total: steps.append((done, total)))
    assert server.asked[-1] == ("/0", f"bytes={2 * intake.CHUNK}-")
    assert steps[0] == (2 * intake.CHUNK, len(CONTENT))
    assert cards.path(thing).read_bytes() == CONTENT
    assert names(folder) == ["thing.bin"]


def test_cut_file_is_resumed_at_a_mirror(asked_of, server):
    download.pull(asked_of(cut, resumable))
    assert server.asked == [("/0", None), ("/1", f"bytes={2 * intake.CHUNK}-")]


def test_server_that_cannot_resume_sends_all_again(asked_of, folder):
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(CONTENT[:100])
    download.pull(asked_of(whole))
    assert (folder / "thing.bin").read_bytes() == CONTENT


def test_another_part_than_asked_for_is_refused(asked_of, folder):
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(CONTENT[:100])
    with pytest.raises(BadModel, match="another part"):
        download.pull(asked_of(shifted))
    assert (folder / "thing.bin.part").read_bytes() == CONTENT[:100]


def test_whole_part_is_only_put_in_place(asked_of, folder, server):
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(CONTENT)
    download.pull(asked_of(missing))
    assert server.asked == []
    assert names(folder) == ["thing.bin"]


def test_wrong_beginning_is_thrown_away(asked_of, folder):
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(b"x" * 100)
    with pytest.raises(BadModel, match=f"sha256 is [0-9a-f]* but should be {SHA256}, so nothing of it was kept"):
        download.pull(asked_of(resumable))
    assert names(folder) == []
    download.pull(asked_of(resumable))


@pytest.mark.parametrize("more", [0, 1])
def test_part_that_is_too_long_or_wrong_is_thrown_away(asked_of, folder, server, more):
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(b"x" * (len(CONTENT) + more))
    download.pull(asked_of(resumable))
    assert server.asked == [("/0", None)]
    assert names(folder) == ["thing.bin"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (missing, "127.0.0.1: answers 404 Not Found"),
        (another, f"but should be {SHA256}, so nothing of it was kept"),
        (page, f"offers 20 bytes instead of {len(CONTENT)}"),
        (endless, f"sends more than {len(CONTENT)} bytes"),
        (lambda handler: handler.close_connection, "no connection: Remote end closed connection without response"),
    ],
    ids=["missing", "another", "page", "endless", "closed"],
)
def test_what_goes_wrong_is_said_and_nothing_is_kept(asked_of, folder, answer, said):
    with pytest.raises(BadModel, match=r"^thing: not downloaded \(") as error:
        download.pull(asked_of(answer))
    assert said in str(error.value)
    assert "kohl models pull thing --from FILE" in str(error.value)
    assert "thing.bin" not in names(folder)


def test_every_failure_leads_to_the_next_mirror(asked_of, server):
    thing = asked_of(missing, another, page, endless, whole)
    download.pull(thing)
    assert cards.path(thing).read_bytes() == CONTENT
    assert [path for path, _ in server.asked] == ["/0", "/1", "/2", "/3", "/4"]


@pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("changes", [{}, {"size": 0, "sha256": ""}], ids=["published", "pinned"])
def test_a_page_is_no_file(asked_of, folder, kind, changes):
    # As Google Drive answers: of the length of the file or of its own, by its type or only by how it begins.
    body = b" \n<!DOCTYPE html><html>Virus scan warning".ljust(len(CONTENT))
    thing = asked_of(
        lambda handler: send(handler, 200, body, Content_Type=kind), source="https://example.org/x", **changes
    )
    with pytest.raises(BadModel) as error:
        download.pull(thing)
    assert str(error.value) == (
        "thing: not downloaded (127.0.0.1: sends a web page instead of the file); fetch it by hand from "
        f"{thing.urls[0]} and run `kohl models pull thing --from FILE`."
    )
    assert not cards.present(thing)
    assert store.pins() == {}


def test_a_page_in_the_place_of_the_rest_is_not_added(asked_of, folder):
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(CONTENT[:100])
    with pytest.raises(BadModel, match="sends a web page"):
        download.pull(asked_of(lambda handler: send(handler, 200, b"<html>" + CONTENT[6:], Content_Type="text/html")))
    assert (folder / "thing.bin.part").read_bytes() == CONTENT[:100]


def test_people_are_sent_where_people_can_fetch_it():
    for name in ("stylegan2-ffhq", "e4e", "irse50"):
        drive = cards.find(name)
        with pytest.raises(BadModel, match=rf" by hand from {drive.source} and run"):
            raise download._not_downloaded([drive], {})
        assert all(drive.source.removeprefix("https://drive.google.com/file/d/") in url for url in drive.urls)


def raw(*parts, pause=0.0, forever=False):
    """An answer of just these bytes, slowly, or the last of them again and again."""

    def answer(handler):
        handler.close_connection = True
        with suppress(OSError):  # whoever asked has left
            for part in itertools.chain(parts, itertools.repeat(parts[-1]) if forever else ()):
                handler.wfile.write(part)
                time.sleep(pause)

    return answer


OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(CONTENT)
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN_ANSWERS = {
    "length of letters": (raw(OK + b"Content-Length: many\r\n\r\n", CONTENT), "says its length in a way"),
    "negative length": (raw(OK + b"Content-Length: -5\r\n\r\n", CONTENT), "says its length in a way"),
    "length of many digits": (raw(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"), "says its length in a way"),
    "two lengths": (raw(OK + LENGTH + b"Content-Length: 5\r\n\r\n", CONTENT), "says its length in a way"),
    "huge length": (raw(OK + b"Content-Length: 999999999999999\r\n\r\n"), "offers 999999999999999 bytes instead of"),
    "signed length": (raw(OK + b"Content-Length: +5\r\n\r\n"), "says its length in a way"),
    "part without being asked": (raw(b"HTTP/1.1 206 x\r\n" + LENGTH + b"\r\n", CONTENT), "another part than was asked"),
    "packed": (raw(OK + b"Content-Encoding: gzip\r\n" + LENGTH + b"\r\n", gzip.compress(CONTENT)), "sends it packed"),
    "nothing": (raw(b"HTTP/1.1 204 None\r\n\r\n"), "answers 204 None"),
    "garbage": (raw(b"\x16\x03\x01 garbage\r\n\r\n"), "no connection"),
    "garbage without end": (raw(b"x" * 9000, forever=True), "no connection"),
    "status of letters": (raw(b"HTTP/1.1 abc OK\r\n\r\n"), "no connection: HTTP/1.1 abc OK"),
    "another protocol": (raw(b"ICY 200 OK\r\n\r\n"), "no connection"),
    "long reason": (raw(b"HTTP/1.1 404 " + b"x" * 60_000 + b"\r\n\r\n"), "answers 404 " + "x" * 188 + "…"),
    "headers without end": (raw(OK, *[b"x: y\r\n"] * 9999), "no connection: got more than 100 headers"),
    "header without end": (raw(OK, b"x: " + b"y" * 2**20), "no connection"),
    "header that is none": (raw(OK + LENGTH + b"\x00\xff\x1b[2J\r\n\r\n", CONTENT[:5]), "cut off after"),
    "interim answers without end": (raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 999, forever=True), "no connection"),
    "chunks of letters": (raw(CHUNKED, b"zz\r\n"), "connection lost"),
    "negative chunk": (raw(CHUNKED, b"-5\r\n" + CONTENT[:99]), "cut off|connection lost"),
    "chunk that is cut": (raw(CHUNKED, b"ffff\r\n" + CONTENT[:99]), "connection lost"),
    "huge chunk": (raw(CHUNKED, b"f" * 15 + b"\r\n" + CONTENT[:99]), "connection lost"),
    "chunks without end": (raw(CHUNKED, b"8\r\n12345678\r\n" * 9999, forever=True), "sends more than|without end"),
    "trailers without end": (raw(CHUNKED, b"0\r\n", b"x: y\r\n" * 9999, forever=True), "sends without end"),
    "one byte too many": (raw(OK + b"\r\n", CONTENT + b"!"), "sends more than"),
    "redirection in a circle": (lambda handler: send(handler, 302, b"", Location=handler.path), "infinite loop"),
    "redirection to nowhere": (lambda handler: send(handler, 302, b"", Location="http://[::1"), "no connection"),
    "redirection to no port": (
        lambda handler: send(handler, 302, b"", Location="http://localhost:x/"),
        "no connection",
    ),
    "redirection with a body": (
        raw(b"HTTP/1.1 302 x\r\nLocation: ftp://x/\r\n\r\n", b"x" * 2**16, forever=True),
        "not allowed|not https",
    ),
    "refusal with a body": (raw(b"HTTP/1.1 404 x\r\n\r\n", b"x" * 2**16, forever=True), "answers 404 x"),
}


@pytest.mark.parametrize(("answer", "said"), BROKEN_ANSWERS.values(), ids=BROKEN_ANSWERS)
def test_a_broken_answer_is_one_sentence_and_soon(asked_of, folder, answer, said):
    started = time.process_time()
    with pytest.raises(BadModel, match=rf"^thing: not downloaded \(127\.0\.0\.1: .*({said})") as error:
        download.pull(asked_of(answer))
    assert time.process_time() - started < 10
    assert len(str(error.value)) < 600
    assert "thing.bin" not in names(folder)
    download.pull(asked_of(resumable))  # whatever is left of it does no harm


@pytest.mark.parametrize(
    "range_", ["", "bytes 0-", "bytes x-5/9", "bytes 100-5/9/9", "5-", "bytes 99-500/*", "b" * 9999]
)
def test_another_range_than_asked_for_is_refused(asked_of, folder, range_):
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(CONTENT[:100])
    with pytest.raises(BadModel, match="another part"):
        download.pull(asked_of(lambda handler: send(handler, 206, CONTENT[100:], Content_Range=range_)))
    assert (folder / "thing.bin.part").read_bytes() == CONTENT[:100]


SLOW_ANSWERS = {  # each would take a minute
    "nothing at all": (lambda handler: time.sleep(60), "timed out|no whole answer"),
    "its first line": (raw(*[b"H"] * 1200, pause=0.05), "timed out|no whole answer"),
    "its headers": (raw(OK, *[b"x: y\r\n"] * 1200, pause=0.05), "timed out|no whole answer"),
    "its bytes": (raw(OK + LENGTH + b"\r\n", *[b"x"] * 1200, pause=0.05), "less than 64 kB in"),
    "the end of its bytes": (
        raw(OK + LENGTH + b"\r\n", CONTENT[:-99], *[b"x"] * 1200, pause=0.05),
        "less than 64 kB in",
    ),
    "a redirection": (
        raw(b"HTTP/1.1 302 x\r\nLocation: /0\r\n", *[b"x: y\r\n"] * 1200, pause=0.05),
        "timed out|no whole answer",
    ),
}


@pytest.mark.parametrize(("answer", "said"), SLOW_ANSWERS.values(), ids=SLOW_ANSWERS)
def test_a_server_that_keeps_us_waiting_is_left(asked_of, answer, said):
    with pytest.raises(BadModel, match=rf"^thing: not downloaded \(127\.0\.0\.1: .*({said})"):
        download.pull(asked_of(answer), patience=Patience(timeout_s=0.4, window_s=0.4))


def test_what_nobody_says_the_size_of_is_not_read_without_end(asked_of, folder):
    for answer in (raw(OK + b"\r\n", b"x" * 2**16, forever=True), raw(OK + b"Content-Length: 9999999\r\n\r\n")):
        with pytest.raises(
            BadModel, match=r"sends more than 4194304 bytes|offers 9999999 bytes, and that is too large"
        ):
            download.pull(asked_of(answer, size=0, sha256=""), at_most=2**22)
    assert "thing.bin" not in names(folder)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("elsewhere"), lambda path: path.mkdir()])
def test_something_else_in_the_place_of_the_part_is_left_alone(asked_of, folder, make):
    folder.mkdir()
    make(folder / "thing.bin.part")
    with pytest.raises(BadModel, match=r"thing\.bin\.part: cannot be written \(something else has this name\)"):
        download.pull(asked_of(whole))
    assert names(folder) == ["thing.bin.part"]


def test_nobody_there(folder):
    with pytest.raises(BadModel, match=r"no connection: .*refused"):
        download.pull(card("http://127.0.0.1:1/thing"))
    assert names(folder) == []


def test_redirections_are_followed(asked_of, server):
    server.says["there"] = whole
    thing = asked_of(lambda handler: send(handler, 302, b"", Location="/there"))
    download.pull(thing)
    assert cards.path(thing).read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["http://example.org/thing", "ftp://example.org/thing", "file:///etc/hostname"])
def test_only_https_is_spoken(asked_of, url):
    for thing in (card(url), asked_of(lambda handler: send(handler, 302, b"", Location=url))):
        with pytest.raises(BadModel, match=r"is not https|is not allowed"):
            download.pull(thing)


def test_proxy_of_the_environment_is_used(monkeypatch, server):
    server.says["http://localhost:9/thing"] = whole
    monkeypatch.setenv("http_proxy", f"127.0.0.1:{server.server_port}")
    download.pull(card("http://localhost:9/thing"))
    assert server.asked == [("http://localhost:9/thing", None)]


@contextmanager
def full_disk(monkeypatch, name):
    """From its second chunk on, nothing more can be written to a file whose name ends so."""
    real = Path.open

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def write(self, chunk):
            if self.file.tell():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self.file.write(chunk)

    with monkeypatch.context() as patch:
        patch.setattr(
            Path,
            "open",
            lambda self, mode="r": Full(real(self, mode)) if self.name.endswith(name) else real(self, mode),
        )
        yield


def test_full_disk(asked_of, folder, monkeypatch):
    thing = asked_of(whole)
    with (
        full_disk(monkeypatch, "thing.bin.part"),
        pytest.raises(BadModel, match=r"^thing: the disk is full; free 3 MB in"),
    ):
        download.pull(thing)
    assert names(folder) == []
    download.pull(thing)


def test_too_small_disk_is_noticed_before(asked_of, folder):
    vast = 10**14  # the most that can be said, and more than any disk has
    with pytest.raises(BadModel, match="the disk is full"):
        download.pull(asked_of(raw(OK + f"Content-Length: {vast}\r\n\r\n".encode()), size=vast))
    assert names(folder) == []


def test_folder_that_cannot_be_written(asked_of, folder):
    folder.write_text("a file")
    with pytest.raises(BadModel, match=r"cannot be written .*KOHL_CACHE"):
        download.pull(asked_of(whole))


@pytest.mark.parametrize("value", ["1", "true", "ON"])
def test_offline(asked_of, server, monkeypatch, value):
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    with pytest.raises(
        BadModel,
        match=r"^thing: nothing is downloaded while HF_HUB_OFFLINE is set; .* from http://127.*/0 .*--from FILE",
    ):
        download.pull(asked_of(whole))
    assert server.asked == []


def test_not_offline(asked_of, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    download.pull(asked_of(whole))


@pytest.mark.parametrize(
    ("member", "said"), [("", "fetch it by hand"), ("a/b.pth", "fetch the archive with a/b.pth by hand")]
)
def test_file_that_only_people_can_fetch(member, said):
    with pytest.raises(
        BadModel, match=f"^thing: no address gives this file to a program; .*{said}.* from https://example.org"
    ):
        download.pull(card(member=member))


def test_unpublished_hash_is_pinned(asked_of, folder, server):
    thing = asked_of(whole, size=0, sha256="")
    download.pull(thing)
    assert store.pins() == {"thing": SHA256}
    assert cards.checked(thing) == folder / "thing.bin"
    server.says["0"] = another
    with pytest.raises(BadModel, match=f"should be {SHA256} as pinned in .*pins.json, so nothing of it was kept"):
        download.pull(thing)
    assert (folder / "thing.bin").read_bytes() == CONTENT
    assert names(folder) == ["pins.json", "thing.bin"]


@pytest.mark.parametrize("size", [0, len(CONTENT)])
def test_unpublished_hash_is_never_that_of_two_halves(asked_of, folder, server, size):
    folder.mkdir()
    (folder / "thing.bin.part").write_bytes(b"of an older version")
    download.pull(asked_of(resumable, size=size, sha256=""))
    assert server.asked == [("/0", None)]
    assert store.pins() == {"thing": SHA256}


def test_cut_file_without_a_published_size(asked_of, folder):
    with pytest.raises(BadModel, match=f"cut off after {2 * intake.CHUNK} of {len(CONTENT)} bytes"):
        download.pull(asked_of(cut, size=0, sha256=""))
    assert store.pins() == {}


def test_pins_stay_with_others(folder):
    for name, digit in (("a", "1"), ("b", "2"), ("a", "3")):
        store.pin(name, digit * 64)
    assert store.pins() == {"a": "3" * 64, "b": "2" * 64}
    assert names(folder) == ["pins.json"]


@pytest.mark.parametrize("content", ["not json", "[]"])
def test_unreadable_pins(folder, content):
    folder.mkdir()
    (folder / "pins.json").write_text(content)
    with pytest.raises(BadModel, match=r"pins\.json: .*mend or remove this file"):
        cards.sha256(card(sha256=""))


@pytest.fixture
def fetched(tmp_path):
    path = tmp_path / "fetched by hand.bin"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("changes", [{}, {"size": 0, "sha256": ""}], ids=["published", "pinned"])
def test_adopted_file_is_copied(folder, fetched, monkeypatch, changes):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    thing = card(**changes)
    download.adopt(thing, fetched)
    assert fetched.read_bytes() == CONTENT
    assert cards.checked(thing).read_bytes() == CONTENT
    assert set(names(folder)) <= {"thing.bin", "pins.json"}
    download.adopt(thing, cards.path(thing))  # itself
    assert cards.path(thing).read_bytes() == CONTENT


def test_adopted_file_must_be_the_right_one(folder, fetched):
    download.adopt(card(), fetched)
    for content, said in ((CONTENT[1:], "this file has"), (CONTENT[::-1], f"sha256 is .* should be {SHA256}")):
        fetched.write_bytes(content)
        with pytest.raises(BadModel, match=f"is not the file of thing: {said}"):
            download.adopt(card(), fetched)
    assert fetched.exists()
    assert names(folder) == ["thing.bin"]
    assert cards.path(card()).read_bytes() == CONTENT


def weights(path):
    """What the card below is for."""
    if path.read_bytes() != CONTENT:
        raise BadModel(f"{path}: holds no weights; fetch the published file.")


def test_what_nobody_published_a_hash_of_must_at_least_be_the_model(asked_of, folder, fetched, monkeypatch):
    monkeypatch.setitem(sys.modules, "toy", SimpleNamespace(weights=weights))
    thing = asked_of(another, size=0, sha256="", roles={"encoder": Role("toy:weights")})
    with pytest.raises(BadModel, match=r"^thing: not downloaded \(127\.0\.0\.1: holds no weights\); run the same"):
        download.pull(thing)
    for content in (b"", b"a cat"):
        fetched.write_bytes(content)
        with pytest.raises(BadModel, match="is not the file of thing: holds no weights; fetch it by hand from"):
            download.adopt(thing, fetched)
    assert names(folder) == []
    fetched.write_bytes(CONTENT)
    download.adopt(thing, fetched)
    assert store.pins() == {"thing": SHA256}
    fetched.write_bytes(b"a cat")
    with pytest.raises(BadModel, match="as pinned in"):
        download.adopt(thing, fetched)


def test_adopting_nothing(tmp_path, folder):
    for path in (tmp_path, tmp_path / "no such file"):
        with pytest.raises(BadSetting, match=r"cannot be read .*; name the file that you fetched"):
            download.adopt(card(), path)
    assert names(folder) == []


def sparse(path):
    with path.open("wb") as file:
        file.truncate(2**32)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, r"cannot be read \(not an ordinary file\)"),
        (lambda path: path.symlink_to("/dev/zero"), r"cannot be read \(not an ordinary file\)"),
        (lambda path: path.symlink_to(path), "cannot be read"),
        (sparse, "is not the file of thing: this file has 4294967296 bytes, and that is too large"),
    ],
    ids=["pipe", "device", "loop", "sparse"],
)
@pytest.mark.parametrize("changes", [{}, {"member": "thing.bin"}, {"size": 0, "sha256": ""}], ids=str)
def test_adopting_what_is_no_such_file_is_refused_unread(folder, tmp_path, make, said, changes):
    make(tmp_path / "x")
    with pytest.raises((BadModel, BadSetting), match=said):
        download.adopt(card(**changes), tmp_path / "x")
    assert names(folder) == []


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_adopting_a_name_that_no_file_has(name):
    with pytest.raises(BadSetting, match="cannot be read"):
        download.adopt(card(), Path(name))


def test_interrupted_copy_is_removed(folder, fetched, monkeypatch):
    def interrupted(source, target, length):
        target.write(source.read(length))
        raise KeyboardInterrupt

    monkeypatch.setattr(intake.shutil, "copyfileobj", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download.adopt(card(), fetched)
    assert names(folder) == []


def test_adopting_on_a_full_disk(folder, fetched, monkeypatch):
    with full_disk(monkeypatch, ".part"), pytest.raises(BadModel, match=r"^thing: the disk is full"):
        download.adopt(card(), fetched)
    assert names(folder) == []
    assert fetched.exists()
