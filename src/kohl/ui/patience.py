"""Connections that neither ask nor read: each is closed after a while, so that nobody keeps the server waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S, READ_S = 15.0, 60.0  # for the head of a request to come; for anything of an answer to be taken
LOOK_S = 2.0


def patient(**given: Any) -> asyncio.Protocol:
    """uvicorn's own protocol for one connection, which is looked at now and then."""
    protocol = H11Protocol(**given)
    _Look(protocol).later()
    return protocol


@dataclass(eq=False)
class _Look:
    """What one connection was waiting for when it was last looked at."""

    protocol: H11Protocol
    head_s: float = HEAD_S
    read_s: float = READ_S
    left: int = 0  # bytes of an answer that were not taken

    def later(self) -> None:
        """Look again in a while."""
        self.protocol.loop.call_later(LOOK_S, self)

    def __call__(self) -> None:
        """Closes the connection where it has waited for too long."""
        transport = self.protocol.transport
        if transport is None or transport.is_closing():
            return
        asked = self.protocol.conn.their_state is not h11.IDLE
        self.head_s = HEAD_S if asked else self.head_s - LOOK_S
        left = transport.get_write_buffer_size()
        self.read_s = self.read_s - LOOK_S if left and left >= self.left else READ_S
        self.left = left
        if min(self.head_s, self.read_s) <= 0:
            transport.abort()
            return
        self.later()
