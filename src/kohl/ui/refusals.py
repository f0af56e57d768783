"""What the server refuses: a status code, and one sentence."""

from __future__ import annotations

import errno
import json
from http import HTTPStatus

from kohl.batch import OUT_OF_MEMORY
from kohl.errors import BadModel, BadPhoto, BadSetting, Cancelled, KohlError, NoFace
from kohl.shown import shown

CODES = {
    BadSetting: HTTPStatus.BAD_REQUEST,
    BadPhoto: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoFace: HTTPStatus.UNPROCESSABLE_ENTITY,
    Cancelled: HTTPStatus.CONFLICT,
    BadModel: HTTPStatus.INTERNAL_SERVER_ERROR,
}


class Refused(Exception):
    """A request that is answered with `code` and the sentence `said`."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code, self.said = int(code), said


def refusal(error: BaseException) -> Refused:
    """Any error as what is answered: kohl's own in its words, and of others nothing but their kind."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, KohlError):
        code = next((code for kind, code in CODES.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
        return Refused(code, " ".join(str(error).split()))
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in OUT_OF_MEMORY):
        return Refused(HTTPStatus.INSUFFICIENT_STORAGE, "there is not enough memory for this; try a smaller photo")
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refused(HTTPStatus.INSUFFICIENT_STORAGE, "the disk is full; free some space and try again")
    said = f"kohl itself failed ({type(error).__name__}); please report this sentence, without the photo"
    return Refused(HTTPStatus.INTERNAL_SERVER_ERROR, said)


def body(refused: Refused) -> bytes:
    """The sentence as JSON; what would steer a terminal is written out."""
    return json.dumps({"error": shown(refused.said)}).encode()
