"""Face++ Compare: POST /facepp/v3/compare, as in Megvii's reference of version 3.0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kohl.errors import Unavailable
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

TERMS = terms.TERMS["facepp"]
KEY, SECRET = TERMS.keys
PATH = "facepp/v3/compare"
PICTURES = ("IMAGE_ERROR_UNSUPPORTED_FORMAT", "INVALID_IMAGE_SIZE", "IMAGE_FILE_TOO_LARGE")


def service(environment: Mapping[str, str], wire: Wire) -> Service:
    """The service on the account that the environment names: it compares the largest face of each picture."""
    keys, endpoint = Keys.of(TERMS, environment), address(TERMS, environment)

    def ask(first: bytes, second: bytes) -> Answer:
        fields = {"api_key": keys[KEY], "api_secret": keys[SECRET]}
        pictures = {"image_file1": first, "image_file2": second}
        return understood(wire.post(f"{endpoint}/{PATH}", fields=fields, pictures=pictures))

    return Service(TERMS, endpoint, keys, PATH, ask)


def understood(reply: Reply) -> Answer:
    """What the answer says; thresholds come with it."""
    if reply.status == 413:  # in plain text, says the reference
        raise refuses_pictures("413, too large")
    found = table(reply.body)
    if reply.status == 200 and "error_message" not in found:
        if "confidence" not in found and [] in (found.get("faces1"), found.get("faces2")):
            return Answer(None)
        thresholds = _thresholds(found)
        model = ", ".join(f"{rate:g}: {value:g}" for rate, value in thresholds.items())
        return Answer(similarity(found.get("confidence"), TERMS), f"thresholds {model}", thresholds)
    reason = said(found.get("error_message"))
    if reason.startswith("CONCURRENCY_LIMIT_EXCEEDED"):
        raise reply.busy(reason)
    if reply.status in (401, 403):
        raise refuses_keys(TERMS, reason or str(reply.status))
    if reason.startswith(PICTURES):
        raise refuses_pictures(reason)
    raise unexpected(reply.status, reason)


def _thresholds(found: Mapping[str, Any]) -> dict[float, float]:
    """Similarities by false-accept rate, `{"1e-3": 62.327, …}`."""
    rates = {rate: inside(found, "thresholds", f"1e-{-round(math.log10(rate))}") for rate in TERMS.rates}
    try:
        return {rate: similarity(value, TERMS) for rate, value in rates.items()}
    except Unavailable:
        raise Unavailable("gives no thresholds with its similarity; its answer is not as it is documented") from None
