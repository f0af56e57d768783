"""CompreFace, which people run themselves: POST /api/v1/verification/verify of its face verification service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kohl.zoo.services.service import (
    Answer,
    Keys,
    address,
    inside,
    refuses_keys,
    refuses_pictures,
    said,
    similarity,
    table,
    unexpected,
)
from kohl.zoo.services.terms import TERMS, Terms
from kohl.zoo.services.wire import Reply, Wire

(KEY,) = TERMS["compreface"].keys
NO_FACE, TOO_MANY_FACES, BAD_FILE, NO_MODEL, NO_HEADER = 28, 31, 21, 10, 20  # of its CommonExceptionCode


@dataclass(frozen=True)
class CompreFace:
    """Compares the largest face of each picture; how well depends on the recogniser it was installed with."""

    endpoint: str
    keys: Keys
    wire: Wire = field(repr=False)
    terms: Terms = TERMS["compreface"]
    asks: str = "api/v1/verification/verify?limit=1&status=true"

    def ask(self, first: bytes, second: bytes) -> Answer:
        """As in `Service`."""
        pictures = {"source_image": first, "target_image": second}
        headers = {"x-api-key": self.keys[KEY]}
        return understood(
            self.wire.post(f"{self.endpoint}/{self.asks}", headers=headers, pictures=pictures), self.terms
        )


def service(environment: Mapping[str, str], wire: Wire) -> CompreFace:
    """The service at the address that the environment names."""
    terms = TERMS["compreface"]
    return CompreFace(address(terms, environment), Keys.of(terms, environment), wire)


def understood(reply: Reply, terms: Terms) -> Answer:
    """What the answer says."""
    found = table(reply.body)
    if reply.status == 200:
        model = said(inside(found, "result", 0, "plugins_versions", "calculator"))
        return Answer(similarity(inside(found, "result", 0, "face_matches", 0, "similarity"), terms), model)
    code, reason = inside(found, "code"), said(inside(found, "message"))
    if code == NO_FACE:
        return Answer(None)
    if reply.status in (401, 403) or code in (NO_MODEL, NO_HEADER):
        raise refuses_keys(terms, reason)
    if code in (TOO_MANY_FACES, BAD_FILE) or reply.status == 413:
        raise refuses_pictures(reason)
    raise unexpected(reply.status, reason)
