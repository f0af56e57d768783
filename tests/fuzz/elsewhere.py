"""The door for services: answers that are damaged, odd or something else, and answers that were kept."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import cloud

from fuzz.benches import spoil
from fuzz.door import ACCEPTED, REFUSED, Door, check, check_refusal
from fuzz.mutate import mutated
from kohl.errors import Unavailable
from kohl.zoo.services.service import Answer, Busy, Service
from kohl.zoo.services.terms import TERMS

SIDES = {"left": 1, "top": 1, "width": 9, "height": 9}
BOX = {"probability": 0.99, "x_max": 205, "y_max": 167, "x_min": 48, "y_min": 0}
WHOLE: dict[str, list[tuple[int, Any]]] = {
    "facepp": [
        (200, {"confidence": 96.46, "thresholds": cloud.THRESHOLDS, "faces1": [{"face_rectangle": SIDES}]}),
        (200, {"faces1": [], "faces2": [{"face_rectangle": SIDES}]}),
        (403, {"error_message": "CONCURRENCY_LIMIT_EXCEEDED"}),
        (400, {"error_message": "INVALID_IMAGE_SIZE:image_file1"}),
    ],
    "rekognition": [
        (200, {"FaceMatches": [{"Similarity": 12.5, "Face": {"Confidence": 99.9}}], "UnmatchedFaces": []}),
        (200, {"FaceMatches": [], "UnmatchedFaces": [{"Confidence": 99.9}]}),
        (400, {"__type": "ThrottlingException", "message": "Rate exceeded"}),
        (400, {"__type": "InvalidParameterException", "message": "Request has invalid parameters"}),
    ],
    "tencent": [
        (200, {"Response": {"Score": 41.5, "FaceModelVersion": "3.0", "RequestId": "x"}}),
        (200, cloud.of_tencent("RequestLimitExceeded")),
        (200, cloud.of_tencent("InvalidParameterValue.NoFaceInPhoto")),
    ],
    "compreface": [
        (
            200,
            {"result": [{"face_matches": [{"box": BOX, "similarity": 0.97}], "plugins_versions": {"calculator": "x"}}]},
        ),
        (400, {"message": "No face is found in the given image", "code": 28}),
    ],
}


def missing() -> str:
    """Why there are no services here, if so."""
    absent = [name for name in ("boto3", "httpx2") if find_spec(name) is None]
    return f"{' and '.join(absent)} not installed" if absent else ""


def answer(rng: Random) -> tuple[str, int, bytes, str]:
    """Which service, and a status, a body and a Retry-After that may be anything."""
    name = rng.choice(list(WHOLE))
    status, content = rng.choice(WHOLE[name])
    made = json.loads(json.dumps(content))
    for _ in range(rng.choice((0, 1, 1, 3))):
        spoil(rng, made)
    body = json.dumps(made).encode("utf-8", "surrogatepass")
    if rng.random() < 0.4:
        body = mutated(rng, body)
    if rng.random() < 0.1:
        status = rng.choice((200, 204, 400, 401, 403, 404, 413, 500, 599, 999))
    after = rng.choice(("", "5", "-1", "1e999", "nan", "Wed, 21 Oct 2015 07:28:00 GMT", "\u0663", "9" * 500, "x" * 999))
    return name, status, body, after


class Said:
    """A wire at whose other end somebody says always the same."""

    def __init__(self) -> None:
        self.reply: Any = None

    def post(self, *_: Any, **__: Any) -> Any:
        """What was to be said."""
        return self.reply


@cache
def asked(name: str) -> tuple[Service, Said]:
    """The service, and what it hears."""
    from importlib import import_module

    said: Any = Said()
    environment = {**cloud.ENVIRONMENT, "COMPREFACE_ENDPOINT": "http://localhost"}
    return import_module(TERMS[name].module).service(environment, said), said


def understand(given: tuple[str, int, bytes, str], folder: Path) -> str:
    """Try an answer; what is understood is a similarity on the scale or none, and is the same once it was kept."""
    from kohl.zoo.services.kept import Kept
    from kohl.zoo.services.wire import Reply

    name, status, body, after = given
    service, said = asked(name)
    said.reply = Reply(status, body, {"content-type": "application/json", "retry-after": after})
    try:
        found = service.ask(b"", b"")
    except Busy as busy:
        check(busy.after_s is None or 0 <= busy.after_s < float("inf"), "contract", f"to wait {busy.after_s} s")
        check_refusal(Unavailable(f"{busy.reason}; ask later"))
        return REFUSED
    check(isinstance(found, Answer), "contract", f"no answer: {found!r}")
    top = 1.001 * TERMS[name].top
    check(found.similarity is None or abs(found.similarity) <= top, "contract", f"a similarity of {found.similarity}")
    kept = Kept(folder / "kept", TERMS[name])
    kept["ab" * 32] = found
    check(kept.get("ab" * 32) == found, "contract", f"{found!r} is another answer once it was kept")
    (file,) = (folder / "kept").iterdir()
    file.write_bytes(body)
    kept.get("ab" * 32)
    return ACCEPTED


SERVICES = Door("services", answer, understand, missing=missing)
