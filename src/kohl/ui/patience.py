"""Connections that neither ask nor read: each is closed after a while, so that nobody keeps the server waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


@dataclass(frozen=True)
class Patience:
    """uvicorn's own protocol for one connection, which is looked at now and then."""

    head_s: float = 15.0  # for the head of a request to come
    read_s: float = 60.0  # for anything of an answer to be taken
    look_s: float = 2.0

    def __call__(self, **given: Any) -> asyncio.Protocol:
        """The protocol of a new connection; called as its class would be."""
        protocol = H11Protocol(**given)
        _Look(protocol, self, self.head_s, self.read_s).later()
        return protocol


@dataclass(eq=False)
class _Look:
    """What one connection was waiting for when it was last looked at."""

    protocol: H11Protocol
    patience: Patience
    head_s: float  # that are left
    read_s: float
    left: int = 0  # bytes of an answer that were not taken

    def later(self) -> None:
        """Look again in a while."""
        self.protocol.loop.call_later(self.patience.look_s, self)

    def __call__(self) -> None:
        """Closes the connection where it has waited for too long."""
        transport, patience = self.protocol.transport, self.patience
        if transport is None or transport.is_closing():
            return
        asked = self.protocol.conn.their_state is not h11.IDLE
        self.head_s = patience.head_s if asked else self.head_s - patience.look_s
        left = transport.get_write_buffer_size()
        self.read_s = self.read_s - patience.look_s if left and left >= self.left else patience.read_s
        self.left = left
        if min(self.head_s, self.read_s) <= 0:
            transport.abort()
        else:
            self.later()
