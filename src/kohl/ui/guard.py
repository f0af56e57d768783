"""Before any request: who may ask, how much, and for how long; after it: what browsers are told."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from kohl.shown import shown
from kohl.ui.refusals import Refused, body, refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 2**28  # bytes of a body: a 64-megapixel photo in any usual format, with some to spare
LARGEST_QUESTION = 2**16  # of one without a photo
PATIENCE_S = 120.0  # for a whole body to come
LOOPBACK = ("localhost", "127.0.0.1", "::1")
HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Guard:
    """An ASGI application around `app`.

    `hosts` are the names that it answers to, besides those of the loopback; with `anywhere` any address written as
    numbers too, which no other site can make its own name lead to. With a `key` only those who have it are answered.
    """

    app: ASGIApp
    hosts: Sequence[str] = ()
    key: str | None = None
    anywhere: bool = False
    largest: int = LARGEST
    patience_s: float = PATIENCE_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, whatever it is and whatever becomes of it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no web sockets here; uvicorn closes it
        answer = _Answer(send, receive, self.largest, self.patience_s)
        try:
            self._check(scope)
            answer.expect(scope)
            await self.app(scope, answer.received, answer.sent)
        except _LeftError:
            return
        except Exception as error:  # whatever it is, it is one sentence, and nobody sees where it came from
            refused = answer.refused or refusal(error)
            if refused.code == HTTPStatus.INTERNAL_SERVER_ERROR:
                print(f"kohl: {shown(f'{type(error).__name__}: {error}')}", file=sys.stderr, flush=True)
            await answer.refuse(refused)

    def _check(self, scope: Scope) -> None:
        """Raises `Refused` for whoever may not ask."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            found = name.decode("latin-1").lower()
            if found in headers and found in ("host", "origin", "authorization"):
                raise Refused(HTTPStatus.BAD_REQUEST, f"{found}: must be there once")
            headers[found] = value.decode("latin-1")
        host = headers.get("host", "")
        if not self._answers_to(_name(host)):
            raise Refused(HTTPStatus.MISDIRECTED_REQUEST, "this server does not answer to that name")
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            raise Refused(HTTPStatus.FORBIDDEN, "this server answers its own page only, not other sites")
        site, path = headers.get("sec-fetch-site", "none"), scope["path"]
        if site not in ("none", "same-origin") and path != "/":  # a link may lead to the page, which holds nothing
            raise Refused(HTTPStatus.FORBIDDEN, "this server answers its own page only, not other sites")
        if self.key is not None and path.startswith("/v1/") and path != "/v1/health":
            scheme, _, given = headers.get("authorization", "").partition(" ")
            known = hmac.compare_digest(given.strip().encode("latin-1"), self.key.encode())
            if scheme.lower() != "bearer" or not known:
                raise Refused(HTTPStatus.UNAUTHORIZED, "this server wants its key: Authorization: Bearer KEY")

    def _answers_to(self, name: str) -> bool:
        if name in LOOPBACK or name in self.hosts:
            return True
        return self.anywhere and _is_address(name)


class _LeftError(Exception):
    """Whoever asked does not listen any more, or broke HTTP in between."""


class _Answer:
    """One request's body as it comes, and its answer as it goes."""

    def __init__(self, send: Send, receive: Receive, largest: int, patience_s: float) -> None:
        self.refused: Refused | None = None
        self._send, self._receive, self._largest, self._patience_s = send, receive, largest, patience_s
        self._begun, self._ended, self._whole, self._came = False, False, False, 0
        self._until = time.monotonic() + patience_s

    def expect(self, scope: Scope) -> None:
        """Raises `Refused` for a body that says itself that it is too large."""
        headers = dict(scope["headers"])
        if not headers.get(b"content-type", b"").lower().startswith(b"multipart/"):
            self._largest = min(self._largest, LARGEST_QUESTION)
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._largest:
            raise self._too_large()

    async def received(self) -> Message:
        """The next part of the body; raises `Refused` where it is too much, or takes too long."""
        if self._whole:
            return await self._receive()  # that whoever asked has left
        try:
            message = await asyncio.wait_for(self._receive(), max(0.001, self._until - time.monotonic()))
        except TimeoutError:
            said = f"the photo did not come within {self._patience_s:.0f} s; send it again"
            self.refused = Refused(HTTPStatus.REQUEST_TIMEOUT, said)
            raise self.refused from None
        self._came += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._came > self._largest:
            self.refused = self._too_large()
            raise self.refused
        return message

    async def sent(self, message: Message) -> None:
        """Sends on what the application answers, with what browsers are told; in its place, what was refused."""
        if self.refused is not None and not self._begun:
            await self.refuse(self.refused)
        if self._ended:
            return
        if message["type"] == "http.response.start":
            self._begun = True
            known = message["headers"]
            message = {**message, "headers": [*known, *_told(message["status"], [name for name, _ in known])]}
        await self._pass(message)

    async def refuse(self, refused: Refused) -> None:
        """Answers with the sentence, unless an answer has begun: then it is cut off."""
        if self._begun:
            return
        content = body(refused)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        headers += _told(refused.code, ())
        if not self._whole:
            headers.append((b"connection", b"close"))  # the rest of the body is not waited for
        self._begun = self._ended = True
        with suppress(_LeftError):
            await self._pass({"type": "http.response.start", "status": refused.code, "headers": headers})
            await self._pass({"type": "http.response.body", "body": content})

    async def _pass(self, message: Message) -> None:
        try:
            await self._send(message)
        except Exception as error:  # uvicorn's, whatever it is: nothing of kohl's runs in there
            self._begun = self._ended = True
            raise _LeftError from error

    def _too_large(self) -> Refused:
        said = f"must be at most {self._largest / 1e6:.4g} MB; scale the photo down first"
        return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said)


def _told(status: int, known: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """The headers that go with every answer of that status, but for those that it has."""
    more = dict(HEADERS)
    if status == HTTPStatus.UNAUTHORIZED:
        more["www-authenticate"] = "Bearer"
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        more["retry-after"] = "10"
    return [(name.encode(), value.encode()) for name, value in more.items() if name.encode() not in known]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server bound there."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _name(host: str) -> str:
    """The name in a Host header, without its port; empty where that is none."""
    if host.startswith("["):
        name, closed, port = host[1:].partition("]")
        port = port.removeprefix(":") if port.startswith(":") or not port else "?"
    else:
        name, closed, port = host.partition(":")
    sound = not port or port.isdecimal()
    return name.lower() if sound and (closed or not host.startswith("[")) else ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
