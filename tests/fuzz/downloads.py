"""The doors for what is fetched: archives given by hand, and what a server answers; the latter is ours, on loopback."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import threading
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from served import PROXIES

from fuzz.door import ACCEPTED, Door, check
from fuzz.mutate import ODD, mutated
from kohl.errors import KohlError
from kohl.zoo import cards
from kohl.zoo.card import Card
from kohl.zoo.files import download, intake

CONTENT = Random(0).randbytes(3000)
MEMBER = "model.onnx"
CODES = (
    *("200 OK", "200", "206 Partial Content", "301 Moved", "302 Found", "307 x", "308 x", "404 Not Found", "416 x"),
    *("500 x", "099 x", "999 x", "abc"),
)
LINES = (
    *("Content-Length: 3000", "Content-Length: 3001", "Content-Length: -1", "Content-Length: 1e3", "Content-Length: ٣"),
    *("Content-Length: " + "9" * 5000, "Content-Length: 99999999999999", "Content-Length: +3000", "Content-Length:"),
    *(
        "Content-Range: bytes 0-2999/3000",
        "Content-Range: bytes 1500-2999/3000",
        "Content-Range: bytes */0",
        "Content-Range: x",
    ),
    *(
        "Transfer-Encoding: chunked",
        "Content-Encoding: gzip",
        "Connection: close",
        "Content-Type: text/html",
        "X: \x1b]0;title\x07",
        "X: " + "a" * 70_000,
    ),
    *(
        "Location: /thing",
        "Location: file:///etc/passwd",
        "Location: http://[::1",
        "Location: ftp://127.0.0.1/x",
        "Location:",
    ),
    *(
        "Location: https://127.0.0.1:1/",
        "Location: http://127.0.0.1:99999/",
        "Location: //\x1b[2J",
        "no colon",
        ": no name",
    ),
)


class Answer(NamedTuple):
    """What the server sends to each connection in turn, and what lies in the cache folder before."""

    sent: tuple[bytes, ...]
    part: bytes
    size: int
    sha256: str


def card(size: int, sha256: str, *urls: str, member: str = "", name: str = "thing") -> Card:
    """A model that is to be pulled."""
    return Card(
        name=name,
        package=None,
        file=f"{name}.bin",
        size=size,
        sha256=sha256,
        licence="MIT",
        commercial=True,
        source="https://example.org/thing",
        roles={},
        urls=urls,
        member=member,
    )


@cache
def archives() -> tuple[bytes, ...]:
    """Archives with the member, stored and deflated, alone and among others, and one with other methods."""
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.writestr("pack/", b"")
            archive.writestr(f"pack/{MEMBER}", CONTENT)
            archive.writestr("other.onnx", CONTENT[::-1])
            archive.comment = b"a comment"
        made.append(buffer.getvalue())
    return tuple(made)


def archive(rng: Random) -> bytes:
    """An archive, mostly damaged at its end, where the list of its members is."""
    data = rng.choice(archives())
    if rng.random() < 0.6:  # the list is short, so it is mutated alone
        start = (
            data.rindex(b"PK\x01\x02", 0, data.rindex(b"PK\x01\x02") - 50)
            if rng.random() < 0.7
            else data.rindex(b"PK\x05\x06")
        )
        return data[:start] + mutated(rng, data[start:])
    return mutated(rng, data)


def adopt(data: bytes, folder: Path) -> str:
    """Try an archive given with --from; only the very content may come into the cache folder."""
    file = folder / "fetched.zip"
    file.write_bytes(data)
    sized = data[-1] % 2 * len(CONTENT) if data else 0
    wanted = card(sized, hashlib.sha256(CONTENT).hexdigest(), member=MEMBER)
    try:
        intake.held(file, [wanted])
        download.adopt(wanted, file)
    finally:
        check(file.read_bytes() == data, "changed", "the archive was written to")
        _check_cache(wanted, may_stay=())
    return ACCEPTED


def answers(rng: Random) -> Answer:
    """Up to four answers, of which each may be broken anywhere."""
    sent = tuple(_answer(rng) for _ in range(rng.choice((1, 1, 2, 4))))
    part = CONTENT[: rng.choice((0, 0, 1500, 2999, 3000))] if rng.random() < 0.9 else b"x" * rng.choice((10, 4000))
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return Answer(sent, part, rng.choice((len(CONTENT), len(CONTENT), 0)), rng.choice((sha256, sha256, sha256, "")))


def _answer(rng: Random) -> bytes:
    start = rng.choice((0, 0, 1500))
    code = rng.choice(CODES[:3]) if rng.random() < 0.6 else rng.choice(CODES)
    lines = [f"HTTP/1.{rng.choice((0, 1, 1, 9))} {code}"] + [rng.choice(LINES) for _ in range(rng.choice((0, 1, 2, 4)))]
    if rng.random() < 0.5:
        lines.append(f"Content-Length: {len(CONTENT) - start}")
    if rng.random() < 0.02:
        lines += ["X: y"] * 300
    body = (
        CONTENT[start:]
        if rng.random() < 0.8
        else rng.choice((b"", CONTENT + b"!", CONTENT[::-1], b"<html>", b"\n <!DOCTYPE x"))
    )
    if "Transfer-Encoding: chunked" in lines:
        size = rng.choice((f"{len(body):x}", f"{rng.choice(ODD):x}", "zz", "9" * 5000, "", "-1"))
        body = f"{size}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    data = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body
    return mutated(rng, data) if rng.random() < 0.3 else data


def pull(given: Answer, folder: Path) -> str:
    """Try to pull from a server that answers so; what comes in is the very content, or pinned where none is known."""
    for name in (*PROXIES, "HF_HUB_OFFLINE"):
        os.environ.pop(name, None)
    with _Server(given.sent) as port:
        wanted = card(given.size, given.sha256, f"http://127.0.0.1:{port}/thing", f"http://127.0.0.1:{port}/other")
        part = cards.path(wanted).with_name("thing.bin.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(given.part)
        try:
            download.pull(wanted)
        except KohlError:
            check(not cards.path(wanted).exists(), "contract", "a file that was refused is there")
            raise
        finally:
            part.unlink(missing_ok=True)
            _check_cache(wanted, may_stay=("pins.json",))
    return ACCEPTED


def _check_cache(wanted: Card, *, may_stay: tuple[str, ...]) -> None:
    """Raise `Wrong` for a wrong file, or a leftover, in the cache folder; it is empty afterwards."""
    path = cards.path(wanted)
    left = sorted(path.parent.iterdir()) if path.parent.exists() else []
    content = path.read_bytes() if path.exists() else None
    for each in left:
        each.unlink()
    check(content is None or not wanted.sha256 or content == CONTENT, "contract", "another file came in")
    others = [each.name for each in left if each != path and each.name not in may_stay]
    check(not others, "changed", f"leaves {others} in the cache folder")


class _Server:
    """Sends one answer after the other, whatever is asked, then closes; never slower than loopback is."""

    def __init__(self, sent: tuple[bytes, ...]) -> None:
        self.sent = sent
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> int:
        self.thread.start()
        port: int = self.socket.getsockname()[1]
        return port

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)

    def _serve(self) -> None:
        count = 0
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(65_536)
                    connection.sendall(self.sent[min(count, len(self.sent) - 1)])
                except OSError:
                    pass
            count += 1


ARCHIVES = Door("archives", archive, adopt)
HTTP = Door("http", answers, pull)
