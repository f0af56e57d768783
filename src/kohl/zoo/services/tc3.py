"""Tencent Cloud's signature of requests, TC3-HMAC-SHA256 ("Signature v3"), for a POST to /."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

ALGORITHM = "TC3-HMAC-SHA256"


def authorization(
    headers: Mapping[str, str], body: bytes, *, service: str, secret_id: str, secret_key: str, timestamp: int
) -> str:
    """The header `Authorization` of a request with these headers, all of which are signed, by lower-case name."""
    date = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    scope = f"{date}/{service}/tc3_request"
    signed = ";".join(sorted(headers))
    canonical = "\n".join(
        [
            *("POST", "/", ""),
            *(f"{name}:{headers[name].strip().lower()}" for name in sorted(headers)),
            *("", signed, hashlib.sha256(body).hexdigest()),
        ]
    )
    text = "\n".join([ALGORITHM, str(timestamp), scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"TC3{secret_key}".encode()
    for part in (date, service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={signed}, Signature={signature}"
