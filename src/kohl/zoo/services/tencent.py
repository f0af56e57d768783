"""Tencent Cloud CompareFace of version 2020-03-03, asked for the recogniser of FaceModelVersion 3.0."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from kohl.errors import Unavailable
from kohl.zoo.services import tc3
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

ID, SECRET = TERMS["tencent"].keys
VERSION, MODEL = "2020-03-03", "3.0"
CONTENT = "application/json; charset=utf-8"
NO_FACE = ("InvalidParameterValue.NoFaceInPhoto", "FailedOperation.ImageFacedetectFailed")
BUSY = (
    *("RequestLimitExceeded", "FailedOperation.RequestLimitExceeded", "InternalError"),
    *("FailedOperation.RequestTimeout", "FailedOperation.ServerError"),
)
ACCOUNT = ("AuthFailure", "UnauthorizedOperation", "ResourceUnavailable", "ResourcesSoldOut", "LimitExceeded")
PICTURES = ("FailedOperation.Image", "FailedOperation.Face", "InvalidParameterValue.Image")


@dataclass(frozen=True)
class Tencent:
    """Compares the face of each picture that it is surest of."""

    endpoint: str
    keys: Keys
    wire: Wire = field(repr=False)
    terms: Terms = TERMS["tencent"]
    asks: str = f"CompareFace {VERSION}, FaceModelVersion {MODEL}"
    clock: Callable[[], float] = time.time

    def ask(self, first: bytes, second: bytes) -> Answer:
        """As in `Service`."""
        pictures = {"ImageA": first, "ImageB": second}
        encoded = {name: base64.b64encode(picture).decode() for name, picture in pictures.items()}
        body = json.dumps({**encoded, "FaceModelVersion": MODEL}).encode()
        timestamp = int(self.clock())
        signed = {"content-type": CONTENT, "host": urlsplit(self.endpoint).netloc}
        headers = {
            **signed,
            "x-tc-action": "CompareFace",
            "x-tc-version": VERSION,
            "x-tc-timestamp": str(timestamp),
            "authorization": tc3.authorization(
                signed,
                body,
                service="iai",
                secret_id=self.keys[ID],
                secret_key=self.keys[SECRET],
                timestamp=timestamp,
            ),
        }
        return understood(self.wire.post(f"{self.endpoint}/", headers=headers, content=body), self.terms)


def service(environment: Mapping[str, str], wire: Wire) -> Tencent:
    """The service on the account that the environment names."""
    terms = TERMS["tencent"]
    return Tencent(address(terms, environment), Keys.of(terms, environment), wire)


def understood(reply: Reply, terms: Terms) -> Answer:
    """What the answer says; errors come with status 200, too."""
    found = inside(table(reply.body), "Response")
    code = said(inside(found, "Error", "Code"))
    if not code:
        if reply.status != 200:
            raise unexpected(reply.status, "")
        model = said(inside(found, "FaceModelVersion"))
        if model != MODEL:
            raise Unavailable(f"answers as FaceModelVersion {model or 'unknown'}, and thresholds of {MODEL} are known")
        return Answer(similarity(inside(found, "Score"), terms), f"FaceModelVersion {model}")
    if code in NO_FACE:
        return Answer(None)
    if code.startswith(BUSY):
        raise reply.busy(code)
    if code.startswith(ACCOUNT):
        raise refuses_keys(terms, code)
    if code.startswith(PICTURES):
        raise refuses_pictures(code)
    raise unexpected(reply.status, code)
