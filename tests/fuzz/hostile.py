"""Requests to the page's server: bodies, headers, paths and origins that no browser would send, whole or cut."""

from __future__ import annotations

import atexit
import json
import socket
import tempfile
import time
from contextlib import redirect_stderr, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import site_server

from fuzz import mutate, pictures
from fuzz.door import ACCEPTED, REFUSED, Door, check, check_said
from kohl.ui.patience import Patience

PATHS = (
    *("/", "/page/page.js", "/v1/health", "/v1/looks", "/v1/words?text=red+lipstick", "/v1/openapi.json"),
    *("/v1/photos", "/v1/protect", "/v1/protect", "/v1/protect", "/v1/photos", "/v1/download"),
    *("/v1/jobs/x", "/v1/jobs/x/events", "/v1/jobs/x/photo", "/v1/photos/x/faces/0?side=160", "/v1/photos/x/protect"),
)
ODD_PATHS = (
    *("/../../etc/passwd", "/page/..%2f..%2fapp.py", "/page/%00", "//", "*", "http://127.0.0.1/", "http://evil/"),
    *("/v1/jobs/%2e%2e/photo", "/v1/words?text=%ff%fe", "/v1/words?text=" + "a" * 5000, "/" + "x" * 9000),
    *("/v1/photos/x/faces/99999999999999999999", "/v1/photos/x/faces/0/preview?strength=1e999", "/v1/words?text=%00"),
)
METHODS = ("GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "get", "BREW")
HOSTS = ("127.0.0.1", "localhost", "localhost:5645", "[::1]:1")
ODD_HOSTS = ("evil.example", "127.0.0.1.evil.example", "", "a" * 400, "127.0.0.1@evil", "[::1", "127.0.0.1:99999999")
ODD_HEADERS = (
    *("origin: http://evil.example", "origin: null", "sec-fetch-site: cross-site", "transfer-encoding: chunked"),
    *("transfer-encoding: gzip", "content-length: -1", "content-length: 99999999999", "content-length: 5"),
    *("expect: 100-continue", "range: bytes=0-1", "accept: application/json", "prefer: respond-async"),
    *("authorization: Bearer \xff", "x: " + "y" * 5000, " folded", "no colon", "\x00: x", "upgrade: websocket"),
    *("content-encoding: gzip", "cookie: a=b", "x-forwarded-for: 1.2.3.4", "content-type: multipart/form-data"),
    *("content-type: application/json", "content-type: text/plain; charset=klingon", "host: evil.example"),
)
NAMES = ("me.jpg", "../../x.png", "a\x00b", "x" * 3000, "", "photo.svg", 'a"b', "\u202egpj.x", "C:\\con", "%0d%0a")
FIELDS = ("text", "style", "strength", "faces", "seed", "photo", "more")
VALUES = (
    "",
    "red lipstick",
    "nan",
    "-1",
    "1e400",
    "0,0,0",
    "9" * 400,
    "\x00",
    "a" * 9000,
    "smoky-eyes",
    "\ud83d",
    "[]",
)
JSON = (
    '{"jobs": ["x"]}',
    '{"jobs": []}',
    "[" * 2000,
    "{",
    "null",
    '{"text": NaN}',
    '{"seed": 1e400}',
    '{"faces": [true]}',
)


def make(rng: Random) -> dict[str, Any]:
    """A request as bytes, and after how many of them the client leaves or waits."""
    body, kind = _body(rng)
    method, path = rng.choice(METHODS), rng.choice(PATHS if rng.random() < 0.8 else ODD_PATHS)
    if not kind and rng.random() < 0.4:
        method = "GET"
    if kind and rng.random() < 0.85:
        method, path = "POST", rng.choice(("/v1/protect", "/v1/photos", "/v1/photos/x/protect", "/v1/download"))
    lines = [f"{method} {path} HTTP/1.1" if rng.random() < 0.97 else f"{method} {path} HTTP/{rng.choice('0129')}"]
    lines.append(f"host: {rng.choice(HOSTS if rng.random() < 0.93 else ODD_HOSTS)}")
    if kind:
        lines.append(f"content-type: {kind}")
    if body and rng.random() < 0.93:
        lines.append(f"content-length: {len(body)}")
    lines += [rng.choice(ODD_HEADERS) for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 20)))]
    lines.append("connection: close")
    raw = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body
    if rng.random() < 0.08:
        raw = mutate.mutated(rng, raw)
    cut = rng.randrange(1, len(raw) + 1) if rng.random() < 0.15 else None
    return {"raw": raw, "cut": cut, "slow": rng.random() < 0.05}


def _body(rng: Random) -> tuple[bytes, str]:
    """A body and its type."""
    draw = rng.random()
    if draw < 0.35:
        return b"", ""
    if draw < 0.5:
        return rng.choice(JSON).encode(), "application/json"
    mark = rng.choice(("b", "b", "b" * 70, "----x", "b c"))
    parts = []
    for _ in range(rng.choice((1, 1, 1, 2, 3, 60))):
        name, value = rng.choice(FIELDS), rng.choice(VALUES).encode("utf-8", "surrogatepass")
        head = f'content-disposition: form-data; name="{name}"'
        if name == "photo" or rng.random() < 0.5:
            head = f'content-disposition: form-data; name="photo"; filename="{rng.choice(NAMES)}"'
            value = pictures.PHOTOS.make(rng) if rng.random() < 0.8 else rng.randbytes(rng.randrange(300))
        parts.append(f"--{mark}\r\n{head}\r\n\r\n".encode("utf-8", "surrogatepass") + value + b"\r\n")
    end = f"--{mark}--\r\n" if rng.random() < 0.9 else ""
    return b"".join(parts) + end.encode(), f"multipart/form-data; boundary={mark}"


@cache
def server() -> SimpleNamespace:
    """One for the whole process, which never waits for long."""
    folder = Path(tempfile.mkdtemp(prefix="kohl-fuzz-serve-"))
    made = site_server.studio(folder)
    patience = Patience(head_s=1.0, read_s=1.0, look_s=0.2)
    context = site_server.running(made, patience=patience, guard={"patience_s": 1.0})
    running = context.__enter__()
    running.folder, running.studio = folder, made
    atexit.register(context.__exit__, None, None, None)
    return running


def attempt(given: dict[str, Any], folder: Path) -> str:
    """What the server answers; raises `Wrong` for what is no answer of HTTP and of kohl, and for a file left."""
    with redirect_stderr(StringIO()) as said:
        outcome = _outcome(server(), given)
    check(not said.getvalue(), "traceback", said.getvalue()[-2000:])
    return outcome


def _outcome(found: SimpleNamespace, given: dict[str, Any]) -> str:
    raw = given["raw"] if given["cut"] is None else given["raw"][: given["cut"]]
    answer = _answer(found.address, raw, slow=given["slow"], whole=given["cut"] is None)
    code = _checked(answer, str(found.folder)) if answer else 0
    _checked(
        _answer(found.address, b"GET /v1/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"),
        str(found.folder),
    )
    until = time.monotonic() + 5
    while (left := [*found.folder.iterdir()]) and time.monotonic() < until:
        for kept in found.studio.tray.all():
            kind = "photos" if kept.work is None else "jobs"
            asked = f"DELETE /v1/{kind}/{kept.id} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
            _answer(found.address, asked.encode())
        time.sleep(0.01)
    check(not left, "contract", f"left behind: {left[:5]}")
    return ACCEPTED if 200 <= code < 300 else REFUSED


def _answer(
    address: tuple[str, int], raw: bytes, *, slow: bool = False, whole: bool = True, patience_s: float = 20
) -> bytes:
    """What comes back until the server closes, or nothing more comes."""
    parts = []
    with socket.create_connection(address, timeout=patience_s) as connection, suppress(OSError):
        half = len(raw) // 2 if slow else len(raw)
        connection.sendall(raw[:half])
        if slow:
            time.sleep(0.05)
            connection.sendall(raw[half:])
        if not whole:
            return b""  # cut off
        while part := connection.recv(2**16):
            parts.append(part)
    return b"".join(parts)


def _checked(answer: bytes, secret: str) -> int:
    """The status of an answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line = head.partition(b"\r\n")[0].split()
    check(len(line) >= 2 and line[0] == b"HTTP/1.1" and line[1].isdigit(), "contract", f"no HTTP: {answer[:200]!r}")
    code = int(line[1])
    check(code < 500 or code == 503, "contract", f"answers {answer[:600]!r}")
    check(secret.encode() not in answer, "contract", f"tells its folder: {answer[:600]!r}")
    check(b"Traceback" not in answer, "traceback", f"{answer[:600]!r}")
    if code >= 400 and b"application/json" in head and body:
        first, _ = json.JSONDecoder().raw_decode(body.decode())  # another answer may follow
        check_said(f"{first['error']}\n")
    return code


REQUESTS = Door("requests", make, attempt)
