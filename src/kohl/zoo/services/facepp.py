"""Face++ Compare: POST /facepp/v3/compare, as in Megvii's reference of version 3.0."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kohl.errors import Unavailable
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

KEY, SECRET = TERMS["facepp"].keys
PICTURES = ("IMAGE_ERROR_UNSUPPORTED_FORMAT", "INVALID_IMAGE_SIZE", "IMAGE_FILE_TOO_LARGE")


@dataclass(frozen=True)
class FacePP:
    """Compares the largest face of each picture; its thresholds come with each answer."""

    endpoint: str
    keys: Keys
    wire: Wire = field(repr=False)
    terms: Terms = TERMS["facepp"]
    asks: str = "facepp/v3/compare"

    def ask(self, first: bytes, second: bytes) -> Answer:
        """As in `Service`."""
        fields = {"api_key": self.keys[KEY], "api_secret": self.keys[SECRET]}
        pictures = {"image_file1": first, "image_file2": second}
        return understood(self.wire.post(f"{self.endpoint}/{self.asks}", fields=fields, pictures=pictures), self.terms)


def service(environment: Mapping[str, str], wire: Wire) -> FacePP:
    """The service on the account that the environment names."""
    terms = TERMS["facepp"]
    return FacePP(address(terms, environment), Keys.of(terms, environment), wire)


def understood(reply: Reply, terms: Terms) -> Answer:
    """What the answer says."""
    if reply.status == 413:  # in plain text, says the reference
        raise refuses_pictures("413, too large")
    found = table(reply.body)
    if reply.status == 200 and "error_message" not in found:
        if "confidence" not in found and [] in (found.get("faces1"), found.get("faces2")):
            return Answer(None)
        thresholds = _thresholds(found)
        model = ", ".join(f"{rate:g}: {value:g}" for rate, value in thresholds.items())
        return Answer(similarity(found.get("confidence"), terms), f"thresholds {model}", thresholds)
    reason = said(found.get("error_message"))
    if reason.startswith("CONCURRENCY_LIMIT_EXCEEDED"):
        raise reply.busy(reason)
    if reply.status in (401, 403):
        raise refuses_keys(terms, reason or str(reply.status))
    if reason.startswith(PICTURES):
        raise refuses_pictures(reason)
    raise unexpected(reply.status, reason)


def _thresholds(found: Mapping[str, Any]) -> dict[float, float]:
    """Similarities by false-accept rate, `{"1e-3": 62.327, …}`."""
    rates = {rate: inside(found, "thresholds", f"1e-{-round(math.log10(rate))}") for rate in TERMS["facepp"].rates}
    try:
        return {rate: similarity(value, TERMS["facepp"]) for rate, value in rates.items()}
    except Unavailable:
        raise Unavailable("gives no thresholds with its similarity; its answer is not as it is documented") from None
