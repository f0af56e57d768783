"""Answers of servers that may be broken or hostile: none keeps kohl waiting, and none is read beyond what it offers."""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from kohl.version import __version__
from kohl.zoo.files.intake import CHUNK, Failure

SLOWEST = 64 * 2**10  # bytes in a window
HEADERS = 8 * 2**20  # bytes; http.client reads up to 100 of 64 kB
SLACK = 2**20  # bytes around a file: the lengths of its chunks
REASON = 200  # characters of what a server says
HERE = ("localhost", "127.0.0.1", "::1")  # the only hosts that need no https
PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml")  # how what people look at begins, and no model

BROKEN = (OSError, http.client.HTTPException, ValueError)  # what a server can make Python's library trip over


@dataclass(frozen=True)
class Patience:
    """How long a server may keep kohl waiting."""

    timeout_s: float = 30.0  # without a byte, and until the last line of the headers
    window_s: float = 60.0  # in which at least `SLOWEST` bytes must come


class Page(Failure):
    """The address leads to something that a person must read."""

    def __init__(self) -> None:
        super().__init__("sends a web page instead of the file")


@contextmanager
def asked(url: str, have: int, patience: Patience) -> Iterator[Answer]:
    """The answer to a request for what comes after the first `have` bytes; raises `Failure`."""
    _refuse_unsafe(url)
    headers = {"User-Agent": f"kohl/{__version__}"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - https, as just checked
    handlers = Handler(patience), SafeHandler(patience), SafeRedirects(patience)
    try:
        response = urllib.request.build_opener(*handlers).open(request, timeout=patience.timeout_s)
    except HTTPError as error:
        error.close()
        raise Failure(_short(f"answers {error.code} {error.reason}")) from error
    except BROKEN as error:
        raise Failure(_short(f"no connection: {getattr(error, 'reason', error)}")) from error
    if response.status not in (200, 206):
        raise Failure(_short(f"answers {response.status} {response.reason}"))
    with response:
        if response.headers.get_content_type() == "text/html":
            raise Page
        yield response


def chunks(response: Answer) -> Iterator[bytes]:
    """What comes, as it comes, until it ends or is cut; raises `Failure`, also for a page that calls itself no page."""
    begun = False
    while True:
        try:
            chunk = response.read1(CHUNK)
        except BROKEN as error:
            raise Failure(_short(f"connection lost: {error}")) from error
        if not chunk:
            return
        if not begun and response.status == 200 and chunk.lstrip()[:9].lower().startswith(PAGES):
            raise Page
        begun = True
        yield chunk


def _short(text: str) -> str:
    """What a server says, on one line and no longer than anybody would read."""
    text = " ".join(text.split())
    return text if len(text) <= REASON else f"{text[:REASON]}…"


def _refuse_unsafe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in HERE):
        raise Failure(f"leads to {parts.scheme}://{parts.hostname}, which is not https")


class SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to where others can listen or change what comes, and none for longer than a minute."""

    def __init__(self, patience: Patience) -> None:
        self.until = time.monotonic() + 2 * patience.timeout_s

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request for the new address."""
        if time.monotonic() > self.until:
            raise Failure("leads elsewhere again and again")
        _refuse_unsafe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Slow(TimeoutError):
    """A server that sends, but so little that it would never end."""


class Patient(io.RawIOBase):
    """The bytes of a connection, as long as they come fast enough and are no more than so many.

    Until `began` is called they are headers, which must all come within `patience.timeout_s`.
    """

    def __init__(self, source: io.RawIOBase, connection: socket.socket, patience: Patience) -> None:
        self.source, self.connection, self.patience = source, connection, patience
        self.deadline: float | None = time.monotonic() + patience.timeout_s
        self.since, self.fresh, self.left = 0.0, 0, HEADERS

    def began(self, at_most: int) -> None:
        """The body begins; more than `at_most` bytes are too many."""
        self.deadline, self.left = None, 2 * at_most + SLACK
        self.since, self.fresh = time.monotonic(), 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """The next bytes."""
        now, longest = time.monotonic(), self.patience.timeout_s
        if self.deadline is not None and now >= self.deadline:
            raise Slow(f"no whole answer in {longest:.0f} seconds")
        self.connection.settimeout(longest if self.deadline is None else min(longest, self.deadline - now))
        count = self.source.readinto(buffer)
        self._count(count or 0)
        return count

    def close(self) -> None:
        """Lets go of the connection."""
        self.source.close()
        super().close()

    def _count(self, count: int) -> None:
        self.left -= count
        self.fresh += count
        if self.left < 0:
            raise http.client.HTTPException("sends without end")
        window = self.patience.window_s
        if self.deadline is None and time.monotonic() - self.since > window:
            if self.fresh < SLOWEST:
                raise Slow(f"less than {SLOWEST // 1024} kB in {window:.0f} seconds")
            self.since, self.fresh = time.monotonic(), 0


class Answer(http.client.HTTPResponse):
    """An answer that is read patiently, but not for ever; of a redirection or a refusal only the headers are."""

    def __init__(self, sock: socket.socket, *arguments: Any, patience: Patience, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.patient = Patient(self.fp.detach(), sock, patience)
        self.fp = io.BufferedReader(self.patient)

    def begin(self) -> None:
        """Reads the headers."""
        super().begin()
        if self.status not in (200, 206):
            self.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, *arguments: Any, patience: Patience, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.response_class = partial(Answer, patience=patience)  # type: ignore[assignment]


class _SafeConnection(http.client.HTTPSConnection):
    def __init__(self, *arguments: Any, patience: Patience, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.response_class = partial(Answer, patience=patience)  # type: ignore[assignment]


class Handler(urllib.request.HTTPHandler):
    """Opens http addresses so."""

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self.patience = patience

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """The answer."""
        return self.do_open(partial(_Connection, patience=self.patience), req)


class SafeHandler(urllib.request.HTTPSHandler):
    """Opens https addresses so."""

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self.patience = patience

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """The answer."""
        return self.do_open(partial(_SafeConnection, patience=self.patience), req)
