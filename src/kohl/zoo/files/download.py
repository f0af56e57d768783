"""Brings the file of a pulled model into the cache folder: whole, with the right hash, or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, TypeAlias
from urllib.error import HTTPError
from urllib.parse import urlsplit

from kohl import __version__, plain_file
from kohl.errors import BadModel, BadSetting
from kohl.zoo import cards
from kohl.zoo.card import Archive, Card
from kohl.zoo.files import archive, store
from kohl.zoo.files.answers import TIMEOUT_S, Answer, Handler, SafeHandler

CHUNK = 2**20  # bytes
LARGEST = 2**33  # bytes of a file that was fetched by hand; an archive may hold more than one model
REASON = 200  # characters of what a server says
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
    copy = cards.path(card).with_name(f".kohl-{secrets.token_hex(8)}.part")
    try:
        source = plain_file.opened(file, LARGEST)
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
        with copy.open("xb") as target:
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
        start = _start(response, have)
        total = _total(response, start, card)
        if shutil.disk_usage(part.parent).free < total - start:
            raise _disk_is_full(card, part)
        done = start
        watch(done, total)
        response.patient.began((total or archive.LARGEST) - start)
        with part.open("ab" if start else "wb") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                done += len(chunk)
                watch(done, total)
                if done > (total or archive.LARGEST):
                    raise _Failure(f"sends more than {total or archive.LARGEST} bytes")
    if done < total:
        raise _Failure(f"cut off after {done} of {total} bytes")


def _start(response: Answer, have: int) -> int:
    """How many bytes come before what is sent; raises `_Failure` if nobody asked for what is."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise _Failure("sends it packed, which nobody asked for")
    if response.status == 200:
        return 0
    given = re.fullmatch(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)", response.headers.get("Content-Range", ""))
    if not (have and given and int(given[1]) == have):
        raise _Failure("sends another part than was asked for")
    return have


def _total(response: Answer, start: int, card: Card) -> int:
    """How many bytes the whole file has, or 0 if nobody says; raises `_Failure` for another number than the card's."""
    lengths = set(response.headers.get_all("Content-Length", []))
    if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,15}", length) for length in lengths):
        raise _Failure("says its length in a way that cannot be understood")
    total = start + int(lengths.pop()) if lengths else card.size
    if card.size and total != card.size:
        raise _Failure(f"offers {total} bytes instead of {card.size}")
    if total > archive.LARGEST and not card.size:
        raise _Failure(f"offers {total} bytes, and that is too large")
    return total


def _resumable(part: Path, card: Card) -> int:
    """How many bytes of an earlier download can be built on; a file on which nothing can is removed."""
    wanted = cards.sha256(card)
    if os.path.lexists(part) and not (part.is_file() and not part.is_symlink()):
        raise OSError(errno.EINVAL, "something else has this name")
    if part.exists() and wanted:  # else nobody would notice that it became one of two halves
        have = part.stat().st_size
        if have < card.size or (have == card.size and store.sha256_of(part) == wanted):
            return have
    part.unlink(missing_ok=True)
    return 0


@contextmanager
def _opened(url: str, have: int) -> Iterator[Answer]:
    """The answer to a request for what comes after the first `have` bytes."""
    _refuse_unsafe(url)
    headers = {"User-Agent": f"kohl/{__version__}"} | ({"Range": f"bytes={have}-"} if have else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - https, as just checked
    try:
        response = urllib.request.build_opener(Handler, SafeHandler, _SafeRedirects()).open(request, timeout=TIMEOUT_S)
    except HTTPError as error:
        error.close()
        raise _Failure(_short(f"answers {error.code} {error.reason}")) from error
    except (OSError, HTTPException, ValueError) as error:
        raise _Failure(_short(f"no connection: {getattr(error, 'reason', error)}")) from error
    if response.status not in (200, 206):
        raise _Failure(_short(f"answers {response.status} {response.reason}"))
    with response:
        yield response


def _chunks(response: Answer) -> Iterator[bytes]:
    """What comes, as it comes, until it ends or is cut."""
    try:
        while chunk := response.read1(CHUNK):
            yield chunk
    except (OSError, HTTPException, ValueError) as error:
        raise _Failure(_short(f"connection lost: {error}")) from error


def _short(text: str) -> str:
    """What a server says, on one line and no longer than anybody would read."""
    text = " ".join(text.split())
    return text if len(text) <= REASON else f"{text[:REASON]}…"


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to where others can listen or change what comes, and none for longer than a minute."""

    def __init__(self) -> None:
        self.until = time.monotonic() + 2 * TIMEOUT_S

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """The request for the new address."""
        if time.monotonic() > self.until:
            raise _Failure("leads elsewhere again and again")
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
