"""A service as a judge like any other, which sends no more than it was allowed to."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from kohl.errors import BadSetting, Broken, Unavailable
from kohl.reader import read
from kohl.types import Box
from kohl.zoo import cards
from kohl.zoo.detectors.yunet import Detection, YuNet
from kohl.zoo.judges.judge import chosen, state
from kohl.zoo.judges.onnx import recognisable
from kohl.zoo.services import terms
from kohl.zoo.services.again import Paced
from kohl.zoo.services.kept import Answers, Kept
from kohl.zoo.services.picture import CUT, cut
from kohl.zoo.services.service import Answer, Service

if TYPE_CHECKING:
    from kohl.zoo.services.wire import Bounds

REMEMBERED = 4096  # pictures whose hashes are kept
AT_HAND = 4  # pictures that are kept themselves
PACKAGES = ("httpx2", "httpcore2", "boto3", "botocore")  # of the extra

Place: TypeAlias = tuple[Path, Box | None]  # a photo, and which face of it: the one at a box, or the largest


class ServiceJudge:
    """A `Verifier` that asks a service about two faces at a time, one of each photo.

    The face is the one that YuNet finds at the box, or the largest; the part of the photo around it is all that is
    sent. In the gallery's photos it is one face, too, where other judges look at all: each is a request, and costs.
    """

    def __init__(
        self,
        name: str,
        service: Service,
        find: Callable[[np.ndarray], Sequence[Detection]],
        paced: Paced,
        *,
        limit: float | None = None,
        answers: Answers | None = None,
    ) -> None:
        self.name, self.service, self.find, self.paced = name, service, find, paced
        self.terms = service.terms
        self.limit = limit  # the similarity that whoever named the judge calls enough
        self.thresholds: Mapping[float, float] = dict(service.terms.thresholds)
        self.model = ""  # which recogniser has answered so far
        self.allowed = 0  # comparisons that may still be sent
        self.asked = 0  # how many were
        self.answers: Answers = {} if answers is None else answers
        self._picture = lru_cache(AT_HAND)(self._cut)
        self._digest = lru_cache(REMEMBERED)(self._hashed)

    @property
    def identity(self) -> Mapping[str, str]:
        """What its answers depend on, beside the photos; no key is among it."""
        return {"service": self.terms.name, "at": self.service.endpoint, "asks": self.service.asks, "cut": CUT}

    def allow(self, comparisons: int) -> None:
        """From now on so many more may be sent: somebody has agreed to that."""
        self.allowed += comparisons

    def compare(
        self, probe: Path, gallery: Sequence[Path], *, box: Box | None = None, at: Box | None = None
    ) -> list[float | None]:
        """As in `Verifier`; raises `Unavailable` where the service does not answer as it should."""
        return [self._similarity((probe, box), (path, at)) for path in gallery]

    def _similarity(self, first: Place, second: Place) -> float | None:
        digests = [self._digest(*state(path), box) for path, box in (first, second)]
        if None in digests:
            return None
        key = hashlib.sha256(repr([sorted(self.identity.items()), *digests]).encode()).hexdigest()
        answer = self.answers.get(key)
        if answer is None:
            answer = self._asked(first, second)
            self._agrees(answer)
            self.answers[key] = answer
        else:
            self._agrees(answer)
        return answer.similarity

    def _asked(self, first: Place, second: Place) -> Answer:
        pictures = [self._picture(*state(path), box) for path, box in (first, second)]
        if self.allowed <= 0:
            raise Broken(f"{self.name}: nobody has agreed to send more pictures; run the command again, and agree")
        self.allowed -= 1
        self.asked += 1
        one, other = (picture or b"" for picture in pictures)
        try:
            return self.paced(lambda: self.service.ask(one, other))
        except Unavailable as error:  # a service may repeat what it was sent
            raise Unavailable(f"{self.name}: {self.service.keys.hidden(str(error))}") from None

    def _agrees(self, answer: Answer) -> None:
        """Remembers what the answer says of the recogniser; raises `Unavailable` if it is another one than before."""
        if not answer.model:
            return
        if self.model not in ("", answer.model):
            raise Unavailable(
                f"{self.name}: is another recogniser than before ({answer.model}; it was {self.model}), whose answers "
                "cannot be compared; start a new folder"
            )
        self.model = answer.model
        self.thresholds = {**self.thresholds, **answer.thresholds}

    def _cut(self, path: Path, _time: int, _size: int, box: Box | None) -> bytes | None:
        """What is sent of a photo; None if YuNet finds no such face in it."""
        pixels = read(path).pixels
        face = chosen(recognisable(self.find(pixels)), box)
        return None if face is None else cut(pixels, face.box, self.terms.longest)

    def _hashed(self, path: Path, time: int, size: int, box: Box | None) -> str | None:
        picture = self._picture(path, time, size, box)
        return None if picture is None else hashlib.sha256(picture).hexdigest()


def judge(
    name: str,
    folder: Path | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
    paced: Paced | None = None,
    bounds: Bounds | None = None,
) -> ServiceJudge:
    """The service of that name, `NAME` or `NAME:SIMILARITY`; its answers are kept in `folder`, if there is one.

    Nothing is sent before `allow`. Raises `BadSetting` for a name or an environment that will not do.
    """
    found = terms.named(name)
    if found is None:
        raise BadSetting(f"{name}: no such service; there are {', '.join(terms.TERMS)}")
    limit = _limit(name, found)
    try:
        wire = import_module("kohl.zoo.services.wire")
        service: Service = import_module(found.module).service(environment, wire.Wire(bounds or wire.BOUNDS))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        raise BadSetting(f"{name}: needs {error.name}, which is not here; run `pip install 'kohl[cloud]'`") from None
    made = ServiceJudge(
        name,
        service,
        YuNet(cards.checked(cards.find("yunet"))),
        paced or Paced(found.every_s),
        limit=limit,
    )
    if folder is not None:
        made.answers = Kept(
            folder / hashlib.sha256(repr(sorted(made.identity.items())).encode()).hexdigest()[:16], found
        )
    return made


def _limit(name: str, found: terms.Terms) -> float | None:
    """The similarity that is part of a judge's name, if one is."""
    _, colon, text = name.partition(":")
    if not colon:
        return None
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 <= limit <= found.top:
        raise BadSetting(f"{name}: name a similarity from 0 to {found.top:g}, such as {found.name}:{0.8 * found.top:g}")
    return limit
