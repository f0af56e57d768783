"""The one way in which pictures leave: a POST to one host, whose answer is bounded in size and time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from ssl import SSLContext
from threading import Thread
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2 as httpx

from kohl.errors import Unavailable
from kohl.version import __version__
from kohl.zoo.services.service import Busy

AGENT = f"kohl/{__version__}"
NONE: Mapping[str, str] = MappingProxyType({})
NO_PICTURES: Mapping[str, bytes] = MappingProxyType({})
BUSY = (408, 425, 429, 500, 502, 503, 504)

T = TypeVar("T")


@dataclass(frozen=True)
class Bounds:
    """How long a service may keep kohl waiting, and how much it may say."""

    silent_s: float = 30.0  # without a byte
    whole_s: float = 90.0  # for the whole answer
    most: int = 2**20  # bytes of an answer


BOUNDS = Bounds()


@dataclass(frozen=True)
class Reply:
    """An answer, whatever its status."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # their names in small letters

    def busy(self, reason: str) -> Busy:
        """That the same request may succeed later: when the service says, if it does."""
        return Busy(f"answers {self.status}{f' ({reason})' if reason else ''}", _seconds(self.headers))


class Wire:
    """Requests to services, each on a connection of its own; redirections are refused."""

    def __init__(self, bounds: Bounds = BOUNDS) -> None:
        self.bounds = bounds

    @cached_property
    def _trust(self) -> SSLContext:
        """Whom connections believe: made once, since that takes long."""
        return httpx.create_ssl_context()

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NONE,
        content: bytes | None = None,
        fields: Mapping[str, str] = NONE,
        pictures: Mapping[str, bytes] = NO_PICTURES,
    ) -> Reply:
        """The answer to `content`, or to a form of `fields` and PNG `pictures`; raises `Busy` and `Unavailable`."""
        files = {name: (f"{name}.png", picture, "image/png") for name, picture in pictures.items()}
        sent = {"user-agent": AGENT, "accept-encoding": "identity", **headers}
        request = httpx.Request("POST", url, headers=sent, content=content, data=fields, files=files or None)
        try:
            return _within(self.bounds.whole_s, lambda: self._answer(request))
        except TimeoutError:
            raise Busy(f"gives no whole answer in {self.bounds.whole_s:g} seconds") from None

    def _answer(self, request: httpx.Request) -> Reply:
        secure = request.url.scheme == "https"  # what is not goes to this machine, and through no proxy
        try:
            with (
                httpx.Client(timeout=self.bounds.silent_s, verify=secure and self._trust, trust_env=secure) as client,
                closing(client.send(request, stream=True)) as response,
            ):
                return self._read(response)
        except httpx.TimeoutException:
            raise Busy(f"says nothing for {self.bounds.silent_s:g} seconds") from None
        except httpx.TransportError as error:
            raise Busy(f"no connection: {' '.join(str(error).split()) or type(error).__name__}") from None

    def _read(self, response: httpx.Response) -> Reply:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if 300 <= response.status_code < 400:
            host = _host(headers.get("location", ""))
            raise Unavailable(f"sends kohl on to {host}, where nothing is sent; check its address")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Unavailable("packs its answer, which nobody asked for; check its address")
        body = b""
        for part in response.iter_raw():
            body += part
            if len(body) > self.bounds.most:
                raise Unavailable(f"answers with more than {self.bounds.most} bytes; check its address")
        reply = Reply(response.status_code, body, headers)
        if reply.status in BUSY:
            raise reply.busy("")
        return reply


def _within(seconds: float, act: Callable[[], T]) -> T:
    """What `act` returns; raises `TimeoutError` once it has taken so long, wherever it is stuck."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future.result(timeout=seconds)


def _host(location: str) -> str:
    try:
        return urlsplit(location).hostname or "another page"
    except ValueError:
        return "another page"


def _seconds(headers: Mapping[str, str]) -> float | None:
    """What Retry-After says, as seconds from now; None where it says nothing that can be understood."""
    text = headers.get("retry-after", "").strip()
    try:
        found = float(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return max(found, 0.0) if math.isfinite(found) else None
