"""Brings the file of a pulled model into the cache folder: whole, with the right hash, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, TypeAlias
from urllib.error import HTTPError
from urllib.parse import urlsplit

from kohl import __version__
from kohl.types import BadModel, BadSetting
from kohl.zoo import archive, cards, store
from kohl.zoo.card import Archive, Card

CHUNK = 2**20  # bytes
TIMEOUT_S = 30  # without a byte
HERE = ("localhost", "127.0.0.1", "::1")  # the only hosts that need no https

Watch: TypeAlias = Callable[[int, int], None]  # bytes that are here, bytes in all (0: not known)


class _Failure(Exception):
    """Why one address did not give the file; the next one may."""


def ignore(done: int, total: int) -> None:
    """The watch that does nothing."""


def check(card: Card) -> None:
    """Raises `BadModel` if the card's file cannot be downloaded, without trying: the sentence says what to do."""
    if not card.urls and not card.archive:
        raise BadModel(f"{card.name}: no address gives this file to a program; {_by_hand(card)}.")
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "TRUE", "YES"):
        raise BadModel(
            f"{card.name}: nothing is downloaded while HF_HUB_OFFLINE is set; unset it, or {_by_hand(card)}."
        )


def pull(card: Card, watch: Watch = ignore) -> None:
    """Download the card's file, from where it was cut if it was; raises `BadModel` if no address gives it."""
    check(card)
    if card.archive:
        return _pull_from(_as_a_model(card.archive, card), card, watch)
    part = cards.path(card).with_name(f"{cards.path(card).name}.part")
    failures = []
    with _writing(card, part):
        for url in card.urls:
            try:
                _fetch(url, part, card, watch)
                return _put_in_place(part, card)
            except _Failure as failure:
                failures.append(f"{urlsplit(url).hostname}: {failure}")
    raise BadModel(
        f"{card.name}: not downloaded ({'; '.join(failures)}); run the same command again, or {_by_hand(card)}."
    )


def adopt(card: Card, file: Path) -> None:
    """Copy a `file` that was fetched by hand, or the card's member of that archive, into the cache folder.

    Raises `BadModel` if it is not the card's.
    """
    copy = cards.path(card).with_name(f"{cards.path(card).name}.copy")
    try:
        source = file.open("rb")
    except OSError as error:
        raise BadSetting(f"{file}: cannot be read ({error.strerror}); name the file that you fetched.") from error
    with source, _writing(card, copy):
        try:
            _copy(source, copy, card)
            _put_in_place(copy, card)
        except _Failure as failure:
            raise BadModel(f"{file}: is not the file of {card.name}: {failure}; {_by_hand(card)}.") from failure
        finally:
            copy.unlink(missing_ok=True)


def _pull_from(around: Card, card: Card, watch: Watch) -> None:
    """Download the archive `around` the card's file, and keep only that file of it."""
    whole = cards.path(around)
    if not (cards.present(around) and store.sha256_of(whole) == around.sha256):  # else it could not be unpacked
        pull(around, watch)
    adopt(card, whole)
    whole.unlink()


def _as_a_model(published: Archive, card: Card) -> Card:
    """A card for the archive itself, under the model's name."""
    return replace(
        card,
        file=f"{card.file}.zip",
        size=published.size,
        sha256=published.sha256,
        roles={},
        urls=(published.url,),
        archive=None,
    )


def _copy(source: IO[bytes], copy: Path, card: Card) -> None:
    """Write what `source` holds of the card."""
    try:
        with copy.open("wb") as target:
            shutil.copyfileobj(archive.content(source, card.member, size=card.size), target, CHUNK)
    except archive.BROKEN as error:
        raise _Failure(str(error) or "this archive is cut off") from error


def _by_hand(card: Card) -> str:
    """How a person gets the file."""
    where = card.archive.url if card.archive else next(iter(card.urls), card.source)
    wanted = f"the archive with {card.member}" if card.member else "it"
    return f"fetch {wanted} by hand from {where} and run `kohl models pull {card.name} --from FILE`"


@contextmanager
def _writing(card: Card, part: Path) -> Iterator[None]:
    """Where the only `OSError`s left are those of our own folder; on a full disk nothing of `part` is kept."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            part.unlink(missing_ok=True)
            raise _disk_is_full(card, part) from error
        raise BadModel(
            f"{part}: cannot be written ({error.strerror}); mend this, or name another folder with KOHL_CACHE."
        ) from error


def _disk_is_full(card: Card, part: Path) -> BadModel:
    space = f"{card.size / 1e6:.0f} MB" if card.size else "some space"
    return BadModel(
        f"{card.name}: the disk is full; free {space} in {part.parent}, or name another folder with KOHL_CACHE."
    )


def _fetch(url: str, part: Path, card: Card, watch: Watch) -> None:
    """Bring `part` to its full length."""
    have = _resumable(part, card)
    if have and have == card.size:
        return
    with _opened(url, have) as response:
        start = have if response.status == 206 else 0
        if start and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _Failure("sends another part than was asked for")
        length = response.headers.get("Content-Length")
        total = start + int(length) if length else card.size
        if card.size and total != card.size:
            raise _Failure(f"offers {total} bytes instead of {card.size}")
        if shutil.disk_usage(part.parent).free < total - start:
            raise _disk_is_full(card, part)
        done = start
        watch(done, total)
        with part.open("ab" if start else "wb") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                done += len(chunk)
                watch(done, total)
                if total and done > total:
                    raise _Failure(f"sends more than {total} bytes")
    if done < total:
        raise _Failure(f"cut off after {done} of {total} bytes")


def _resumable(part: Path, card: Card) -> int:
    """How many bytes of an earlier download can be built on; a file on which nothing can is removed."""
    wanted = cards.sha256(card)
    if part.exists() and wanted:  # else nobody would notice that it became one of two halves
        have = part.stat().st_size
        if have < card.size or (have == card.size and store.sha256_of(part) == wanted):
            return have
    part.unlink(missing_ok=True)
    return 0


@contextmanager
def _opened(url: str, have: int) -> Iterator[HTTPResponse]:
    """The answer to a request for what comes after the first `have` bytes."""
    _refuse_unsafe(url)
    headers = {"User-Agent": f"kohl/{__version__}"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - https, as just checked
    try:
        response = urllib.request.build_opener(_SafeRedirects).open(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()
        raise _Failure(f"answers {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        raise _Failure(f"no connection: {getattr(error, 'reason', error)}") from error
    with response:
        yield response


def _chunks(response: HTTPResponse) -> Iterator[bytes]:
    """What comes, until it ends or is cut."""
    try:
        while chunk := response.read(CHUNK):
            yield chunk
    except (OSError, HTTPException) as error:
        raise _Failure(f"connection lost: {error}") from error


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to where others can listen or change what comes."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """The request for the new address."""
        _refuse_unsafe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refuse_unsafe(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in HERE):
        raise _Failure(f"leads to {parts.scheme}://{parts.hostname}, which is not https")


def _put_in_place(part: Path, card: Card) -> None:
    """Give the file its name if its hash is right, or pin its hash if nobody published one; else remove it."""
    found, wanted = store.sha256_of(part), cards.sha256(card)
    if wanted and found != wanted:
        part.unlink()
        pinned = "" if card.sha256 else f" as pinned in {store.pins_file()}"
        raise _Failure(f"sha256 is {found} but should be {wanted}{pinned}, so nothing of it was kept")
    if not wanted:
        _try(card, part)
        store.pin(card.name, found)
    part.replace(cards.path(card))


def _try(card: Card, part: Path) -> None:
    """Remove a file that is not the card's model: what is pinned by mistake would have to be unpinned by hand."""
    for role in card.roles.values():
        if not role.needs:
            try:
                role.builder()(part)
            except BadModel as error:
                part.unlink()
                raise _Failure(str(error).removeprefix(f"{part}: ").split("; ")[0]) from error
