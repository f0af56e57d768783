"""What is said, and asked, before a service elsewhere is sent anything; importing it loads nothing heavy."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from kohl.parts import Parts
    from kohl.types import Verifier
    from kohl.zoo.services.judge import ServiceJudge

YES = "--yes-send"
JUDGES = (
    "by name, as onnx:PATH, or a service elsewhere, which you are asked about first: facepp, rekognition, tencent or "
    "compreface"
)
NOWHERE = (
    "protect sends a photo nowhere, and models.judges says who judges it here; a service is asked with kohl compare "
    "or kohl bench"
)


def add_to(parser: argparse.ArgumentParser) -> None:
    """The argument of commands that may ask services."""
    parser.add_argument(
        YES, action="store_true", help="send faces to the services among the judges without being asked"
    )


def refuse_on(parser: argparse.ArgumentParser) -> None:
    """Makes a command that sends nothing say so where it is given a judge."""
    parser.add_argument("--judge", action=_Refused, help=argparse.SUPPRESS)


class _Refused(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        parser.error(f"--judge: {NOWHERE}")


def judge(name: str, parts: Parts, keep: Path | None = None) -> Verifier:
    """The judge of that name, or the service, whose answers are kept in a folder; nothing is sent yet."""
    from kohl.zoo.services import terms  # late, as all that follows

    if terms.named(name) is None:
        return parts.judge(name)
    from kohl.zoo.services import judge as services

    return services.judge(name, keep)


def allow(asked: ServiceJudge, comparisons: int, *, yes: bool, kept: Path | None = None) -> None:
    """Say what would be sent, and let it be sent if somebody agrees; `kept` is where earlier answers are.

    Raises `BadSetting` where nobody can be asked, `KohlError` where the answer is no.
    """
    from kohl import pull
    from kohl.errors import KohlError

    pull.tell(*(f"kohl: {line}" for line in lines(asked, comparisons, kept)))
    if not (
        yes or pull.agreed("Do you want to send them?", f"nobody is there to agree to that; pass {YES} to send them")
    ):
        raise KohlError(f"{asked.name}: nothing was sent, as you wished")
    asked.allow(comparisons)


def lines(asked: ServiceJudge, comparisons: int, kept: Path | None = None) -> Iterator[str]:
    """What is sent, where, on whose account, and what that costs."""
    terms = asked.terms
    host = urlsplit(asked.service.endpoint).netloc
    pictures = f"{_count(comparisons, 'comparison')} of 2 pictures each"
    yield f"{asked.name}: sends at most {pictures} to {host} ({terms.maker}), on the account of {terms.keys[0]}"
    yield (
        f"a picture is the part of a photo around one face, at most {terms.longest} pixels, without metadata or name; "
        "the rest of the photo stays here"
    )
    if kept is not None:
        yield f"what it has answered before is in {kept}, and is not sent again"
    if terms.price is not None:
        price, whole = terms.price, comparisons * terms.price.dollars
        yield (
            f"cost: at most ${whole:,.{2 if whole >= 1 else 3}f}, at ${price.dollars:g} each ({price.source}, as "
            f"{terms.prices} said on {price.read}); what is tried again may cost again"
        )
    elif terms.prices:
        yield f"cost: kohl knows no price; see {terms.prices}"
    else:
        yield "cost: none but your own machine's"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
