"""Amazon Rekognition CompareFaces, signed and understood by boto3, sent by `Wire`."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from kohl.errors import BadSetting, Unavailable
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
    unexpected,
)
from kohl.zoo.services.wire import AGENT, Reply, Wire

TERMS = terms.TERMS["rekognition"]
ID, SECRET = TERMS.keys
ASKS = "CompareFaces 2016-06-27, SimilarityThreshold 0, QualityFilter NONE"
TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105  the name of the variable that holds one
NO_FACE = "InvalidParameterException"  # "if no faces are detected in the source or target images"
BUSY = (
    *("ThrottlingException", "ProvisionedThroughputExceededException", "InternalServerError"),
    *("RequestLimitExceeded", "RequestTimeout", "ServiceUnavailable"),
)
PICTURES = ("ImageTooLargeException", "InvalidImageFormatException")
ACCOUNT = (
    *("AccessDenied", "UnrecognizedClient", "InvalidSignature", "SignatureDoesNotMatch", "IncompleteSignature"),
    *("ExpiredToken", "InvalidClientTokenId", "MissingAuthenticationToken", "NotAuthorized", "OptInRequired"),
)


def service(environment: Mapping[str, str], wire: Wire) -> Service:
    """The service on the account and in the region that the environment names; no file of AWS's is read.

    It compares the largest face of one picture with the faces of the other, whatever their similarity.
    """
    keys = Keys.of(TERMS, environment, TOKEN)
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if not region:
        raise BadSetting(f"{TERMS.name}: set AWS_REGION to the region that is to answer, such as eu-west-1")
    if not all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in region):
        raise BadSetting("AWS_REGION: is no region; set it to one such as eu-west-1")
    endpoint = address(TERMS, environment, f"https://rekognition.{region}.amazonaws.com")
    logging.getLogger("botocore").setLevel(logging.WARNING)  # else whoever debugs logs faces, and the key's name
    # Without a profile, and without files that may name others' keys, hosts and proxies.
    session = Session(session_vars={"profile": (None, None, None, None)})
    for name in ("config_file", "credentials_file"):
        session.set_config_variable(name, os.devnull)
    client = boto3.session.Session(
        aws_access_key_id=keys[ID],
        aws_secret_access_key=keys[SECRET],
        aws_session_token=keys.get(TOKEN),
        region_name=region,
        botocore_session=session,
    ).client(
        "rekognition",
        endpoint_url=endpoint,
        # It would tell the system and the kernel; and `Paced` asks again.
        config=Config(user_agent=AGENT, retries={"mode": "standard", "total_max_attempts": 1}),
    )

    def send(request: Any, **_: Any) -> AWSResponse:
        headers = {
            name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
        }
        reply = wire.post(request.url, headers=headers, content=request.body)
        return AWSResponse(request.url, reply.status, dict(reply.headers), _Raw(reply.body))

    client.meta.events.register("before-send.rekognition.CompareFaces", send)

    def ask(first: bytes, second: bytes) -> Answer:
        try:
            found = client.compare_faces(
                SourceImage={"Bytes": first},
                TargetImage={"Bytes": second},
                SimilarityThreshold=0.0,
                QualityFilter="NONE",
            )
        except ClientError as error:
            return understood_error(error.response)
        except (BotoCoreError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            raise Unavailable(
                f"answers with something that boto3 does not understand ({type(error).__name__}); check its address"
            ) from None
        return understood(found)

    return Service(TERMS, endpoint, keys, ASKS, ask)


class _Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """All of it."""
        yield self.read()


def understood(found: Mapping[str, Any]) -> Answer:
    """What an answer without an error says."""
    matches = found.get("FaceMatches")
    if isinstance(matches, list) and matches:
        return Answer(max(similarity(inside(match, "Similarity"), TERMS) for match in matches))
    if isinstance(matches, list) and found.get("UnmatchedFaces"):
        return Answer(0.0)
    raise Unavailable("names no face that it compared; its answer is not as it is documented")


def understood_error(response: Mapping[str, Any]) -> Answer:
    """What an error says."""
    code = said(inside(response, "Error", "Code"))
    status = inside(response, "ResponseMetadata", "HTTPStatusCode")
    if code == NO_FACE:
        return Answer(None)
    if code.startswith(BUSY):
        headers = inside(response, "ResponseMetadata", "HTTPHeaders")
        raise Reply(status, b"", headers if isinstance(headers, dict) else {}).busy(code)
    if code.startswith(PICTURES):
        raise refuses_pictures(code)
    if code.startswith(ACCOUNT):
        raise refuses_keys(TERMS, code)
    raise unexpected(status, code)
