"""Tencent Cloud CompareFace of version 2020-03-03, asked for the recogniser of FaceModelVersion 3.0."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from kohl.errors import Unavailable
from kohl.zoo.services import tc3, terms
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

TERMS = terms.TERMS["tencent"]
ID, SECRET = TERMS.keys
VERSION, MODEL = "2020-03-03", "3.0"
CONTENT = "application/json; charset=utf-8"
NO_FACE = ("InvalidParameterValue.NoFaceInPhoto", "FailedOperation.ImageFacedetectFailed")
BUSY = (
    *("RequestLimitExceeded", "FailedOperation.RequestLimitExceeded", "InternalError"),
    *("FailedOperation.RequestTimeout", "FailedOperation.ServerError"),
)
ACCOUNT = ("AuthFailure", "UnauthorizedOperation", "ResourceUnavailable", "ResourcesSoldOut", "LimitExceeded")
PICTURES = ("FailedOperation.Image", "FailedOperation.Face", "InvalidParameterValue.Image")


def service(environment: Mapping[str, str], wire: Wire) -> Service:
    """The service on the account that the environment names: of each picture it compares the face it is surest of."""
    keys, endpoint = Keys.of(TERMS, environment), address(TERMS, environment)

    def ask(first: bytes, second: bytes) -> Answer:
        pictures = {"ImageA": first, "ImageB": second}
        encoded = {name: base64.b64encode(picture).decode() for name, picture in pictures.items()}
        body = json.dumps({**encoded, "FaceModelVersion": MODEL}).encode()
        timestamp, signed = int(time.time()), {"content-type": CONTENT, "host": urlsplit(endpoint).netloc}
        headers = {
            **signed,
            **{"x-tc-action": "CompareFace", "x-tc-version": VERSION, "x-tc-timestamp": str(timestamp)},
            "authorization": tc3.authorization(
                signed, body, service="iai", secret_id=keys[ID], secret_key=keys[SECRET], timestamp=timestamp
            ),
        }
        return understood(wire.post(f"{endpoint}/", headers=headers, content=body))

    return Service(TERMS, endpoint, keys, f"CompareFace {VERSION}, FaceModelVersion {MODEL}", ask)


def understood(reply: Reply) -> Answer:
    """What the answer says; errors come with status 200, too."""
    found = inside(table(reply.body), "Response")
    code = said(inside(found, "Error", "Code"))
    if not code:
        if reply.status != 200:
            raise unexpected(reply.status, "")
        model = said(inside(found, "FaceModelVersion"))
        if model != MODEL:
            raise Unavailable(f"answers as FaceModelVersion {model or 'unknown'}, and thresholds of {MODEL} are known")
        return Answer(similarity(inside(found, "Score"), TERMS), f"FaceModelVersion {model}")
    if code in NO_FACE:
        return Answer(None)
    if code.startswith(BUSY):
        raise reply.busy(code)
    if code.startswith(ACCOUNT):
        raise refuses_keys(TERMS, code)
    if code.startswith(PICTURES):
        raise refuses_pictures(code)
    raise unexpected(reply.status, code)
