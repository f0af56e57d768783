"""CompreFace, which people run themselves: POST /api/v1/verification/verify of its face verification service."""

from __future__ import annotations

from collections.abc import Mapping

from kohl.zoo.services import terms
from kohl.zoo.services.service import (
    Answer,
    Keys,
    Service,
    address,
    inside,
    refuses_keys,
    refuses_pictures,
    said,
    similarity,
    table,
    unexpected,
)
from kohl.zoo.services.wire import Reply, Wire

TERMS = terms.TERMS["compreface"]
(KEY,) = TERMS.keys
PATH = "api/v1/verification/verify?limit=1&status=true"
NO_FACE, TOO_MANY_FACES, BAD_FILE, NO_MODEL, NO_HEADER = 28, 31, 21, 10, 20  # of its CommonExceptionCode


def service(environment: Mapping[str, str], wire: Wire) -> Service:
    """The service at the address that the environment names: it compares the largest face of each picture."""
    keys, endpoint = Keys.of(TERMS, environment), address(TERMS, environment)

    def ask(first: bytes, second: bytes) -> Answer:
        pictures = {"source_image": first, "target_image": second}
        return understood(wire.post(f"{endpoint}/{PATH}", headers={"x-api-key": keys[KEY]}, pictures=pictures))

    return Service(TERMS, endpoint, keys, PATH, ask)


def understood(reply: Reply) -> Answer:
    """What the answer says."""
    found = table(reply.body)
    if reply.status == 200:
        model = said(inside(found, "result", 0, "plugins_versions", "calculator"))
        return Answer(similarity(inside(found, "result", 0, "face_matches", 0, "similarity"), TERMS), model)
    code, reason = inside(found, "code"), said(inside(found, "message"))
    if code == NO_FACE:
        return Answer(None)
    if reply.status in (401, 403) or code in (NO_MODEL, NO_HEADER):
        raise refuses_keys(TERMS, reason)
    if code in (TOO_MANY_FACES, BAD_FILE) or reply.status == 413:
        raise refuses_pictures(reason)
    raise unexpected(reply.status, reason)
