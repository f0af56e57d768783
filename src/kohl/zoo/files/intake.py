"""Takes files into the cache folder: whole and with the right hash, or not at all; nothing here touches the network."""

from __future__ import annotations

import errno
import hashlib
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO

from kohl import plain_file
from kohl.errors import BadModel, BadSetting
from kohl.zoo import cards
from kohl.zoo.card import Card
from kohl.zoo.files import archive, store

LARGEST = 2**33  # bytes of an archive, or of a file that was fetched by hand; it may hold more than one model
CHUNK = 2**20  # bytes
NONE: Mapping[str, str] = MappingProxyType({})


class Failure(Exception):
    """Why this is not the file; another one may be."""


def take(card: Card, file: Path, accepted: Mapping[str, str]) -> None:
    """Copy what `file` holds of the card into the cache folder; raises `Failure`."""
    copy = cards.path(card).with_name(f".kohl-{secrets.token_hex(8)}.part")
    size, _ = expected(card, accepted)
    try:
        source = plain_file.opened(file, LARGEST)
    except OSError as error:
        raise _unreadable(file, error) from error
    with source, writing(card, copy):
        try:
            _copy(source, copy, card, size)
            put_in_place(copy, card, accepted)
        finally:
            copy.unlink(missing_ok=True)


def _copy(source: IO[bytes], copy: Path, card: Card, size: int) -> None:
    """Write what `source` holds of the card."""
    try:
        content = _content(source, card, size)
        with copy.open("xb") as target, archive.sound():
            shutil.copyfileobj(content, target, CHUNK)
    except archive.BadArchive as error:
        raise Failure(str(error)) from error


def _content(source: IO[bytes], card: Card, size: int) -> IO[bytes]:
    """What `source` holds of the card, if it has that size."""
    try:
        return archive.content(source, card.member, size=size)
    except archive.WrongSize as error:
        content = archive.content(source, card.member)
        with archive.sound():
            found = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]
        raise Failure(f"{error}, and its sha256 is {found}; {_offer(card, found)}") from error


def _offer(card: Card, found: str) -> str:
    """How a person who knows the file takes it in."""
    return f"to take in this very file knowingly, pull {card.name} with --accept-hash {found}"


def held(file: Path, asked: Sequence[Card]) -> list[Card]:
    """Those of the cards whose files are in the archive `file`; of any other file, none."""
    try:
        with plain_file.opened(file, LARGEST) as source:
            names = archive.names(source)
    except OSError as error:
        raise _unreadable(file, error) from error
    except archive.BadArchive:
        return []
    return [card for card in asked if archive.name(card.member) in names]


def _unreadable(file: Path, error: OSError) -> BadSetting:
    return BadSetting(f"{file}: cannot be read ({error.strerror}); name the file that you fetched.")


@contextmanager
def writing(card: Card, part: Path) -> Iterator[None]:
    """Where the only `OSError`s left are those of our own folder; on a full disk nothing of `part` is kept."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            part.unlink(missing_ok=True)
            raise disk_is_full(card, part) from error
        raise BadModel(
            f"{part}: cannot be written ({error.strerror}); mend this, or name another folder with KOHL_CACHE."
        ) from error


def disk_is_full(card: Card, part: Path) -> BadModel:
    """The error that says so."""
    space = f"{card.size / 1e6:.0f} MB" if card.size else "some space"
    return BadModel(
        f"{card.name}: the disk is full; free {space} in {part.parent}, or name another folder with KOHL_CACHE."
    )


def expected(card: Card, accepted: Mapping[str, str]) -> tuple[int, str]:
    """The size and the hash that the card's file must have, as far as they are known."""
    if card.name in accepted:
        return 0, accepted[card.name]
    return card.size, card.sha256 or store.pins().get(card.name, "")


def put_in_place(part: Path, card: Card, accepted: Mapping[str, str]) -> None:
    """Give the file its name if its hash is right, or pin its hash if nobody published one; else remove it."""
    found, (_, wanted) = store.sha256_of(part), expected(card, accepted)
    if wanted and found != wanted:
        part.unlink()
        pinned = "" if card.sha256 else f" as pinned in {store.pins_file()}"
        why, offer = (" by --accept-hash", "") if card.name in accepted else (pinned, f"; {_offer(card, found)}")
        raise Failure(f"sha256 is {found} but should be {wanted}{why}, so nothing of it was kept{offer}")
    if card.name in accepted or not wanted:
        _try(card, part)
    store.admit(card.name, found, published=card.sha256)
    part.replace(cards.path(card))


def _try(card: Card, part: Path) -> None:
    """Remove a file that is not the card's model: what is pinned by mistake would have to be unpinned by hand."""
    for role in card.roles.values():
        if not (role.needs or role.wants):
            try:
                role.builder()(part)
            except BadModel as error:
                part.unlink()
                raise Failure(str(error).removeprefix(f"{part}: ").split("; ")[0]) from error
