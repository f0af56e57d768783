"""Brings the files of pulled models into the cache folder: whole, with the right hash, or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from kohl.errors import BadModel
from kohl.zoo import cards
from kohl.zoo.card import Archive, Card
from kohl.zoo.files import archive, store
from kohl.zoo.files.answers import Answer, Page, Patience, asked, chunks
from kohl.zoo.files.intake import LARGEST, NONE, Failure, disk_is_full, expected, held, put_in_place, take, writing

FOR_PROGRAMS = ("drive.usercontent.google.com",)  # hosts whose addresses are of no use to people
PATIENCE = Patience()
Watch: TypeAlias = Callable[[int, int], None]  # bytes that are here, bytes in all (0: not known)


@dataclass(frozen=True)
class _Wanted:
    """A file that is to be fetched: that of a card, or the archive around those of some cards."""

    cards: Sequence[Card]
    path: Path
    urls: Sequence[str]
    size: int  # bytes; 0: not known
    sha256: str  # empty: not known
    at_most: int  # bytes, where the size is not known
    patience: Patience


def ignore(done: int, total: int) -> None:
    """The watch that does nothing."""


def check(card: Card) -> None:
    """Raises `BadModel` if the card's file cannot be downloaded, without trying: the sentence says what to do."""
    if not card.urls and not card.archive:
        raise BadModel(f"{card.name}: no address gives this file to a program; {_by_hand([card])}.")
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "TRUE", "YES"):
        raise BadModel(
            f"{card.name}: nothing is downloaded while HF_HUB_OFFLINE is set; unset it, or {_by_hand([card])}."
        )


def pull(
    *together: Card,
    watch: Watch = ignore,
    accepted: Mapping[str, str] = NONE,
    patience: Patience = PATIENCE,
    at_most: int = archive.LARGEST,
) -> None:
    """Download the file of a card, or the one archive that holds those of several, from where it was cut if it was.

    Of a card named in `accepted` only a file of that hash will do, be it the published one or not, and of one whose
    size nobody published only `at_most` so many bytes. Raises `BadModel` if no address gives it.
    """
    for card in together:
        check(card)
    card = together[0]
    if card.archive:
        return _pull_from(card.archive, together, watch, accepted, patience)
    size, sha256 = expected(card, accepted)
    wanted = _Wanted(together, cards.path(card), card.urls, size, sha256, at_most, patience)
    return _download(wanted, watch, partial(put_in_place, card=card, accepted=accepted))


def adopt(card: Card, file: Path, *, accepted: Mapping[str, str] = NONE) -> None:
    """Copy a `file` that was fetched by hand, or the card's member of that archive, into the cache folder.

    Raises `BadModel` if it is not the card's, or has not the hash in `accepted`.
    """
    try:
        take(card, file, accepted)
    except Failure as failure:
        raise BadModel(f"{file}: is not the file of {card.name}: {failure}; {_by_hand([card])}.") from failure


def _pull_from(
    published: Archive, together: Sequence[Card], watch: Watch, accepted: Mapping[str, str], patience: Patience
) -> None:
    """Download the archive around the cards' files once, and keep only these files of it."""
    whole = store.cache() / published.file
    if not (whole.is_file() and (not published.sha256 or store.sha256_of(whole) == published.sha256)):
        around = _Wanted(together, whole, [published.url], published.size, published.sha256, LARGEST, patience)
        _download(around, watch, partial(_keep, around=around))
    there = held(whole, together)
    failures = {card.name: Failure(f"holds no {card.member}") for card in together if card not in there}
    for card in there:
        try:
            take(card, whole, accepted)
        except Failure as failure:
            failures[card.name] = failure
    whole.unlink()  # it is still there where the disk was full
    if failed := [card for card in together if card.name in failures]:
        said = Failure("; ".join(str(failures[card.name]) for card in failed))
        raise _not_downloaded(failed, {published.url: said})


def _by_hand(together: Sequence[Card]) -> str:
    """How a person gets the file."""
    card = together[0]
    url = card.archive.url if card.archive else next(iter(card.urls), card.source)
    where = card.source if urlsplit(url).hostname in FOR_PROGRAMS else url
    wanted = f"the archive with {' and '.join(card.member for card in together)}" if card.member else "it"
    names = " ".join(card.name for card in together)
    return f"fetch {wanted} by hand from {where} and run `kohl models pull {names} --from FILE`"


def _download(wanted: _Wanted, watch: Watch, place: Callable[[Path], None]) -> None:
    """Bring the file to where `place` takes it, from the first address that gives it."""
    part = wanted.path.with_name(f"{wanted.path.name}.part")
    failures = dict[str, Failure]()
    with writing(wanted.cards[0], part):
        for url in wanted.urls:
            try:
                _fetch(url, part, wanted, watch)
                return place(part)
            except Failure as failure:
                failures[url] = failure
    raise _not_downloaded(wanted.cards, failures)


def _not_downloaded(together: Sequence[Card], failures: dict[str, Failure]) -> BadModel:
    """The error that says why each address did not give the file."""
    names = ", ".join(card.name for card in together)
    said = "; ".join(f"{urlsplit(url).hostname}: {failure}" for url, failure in failures.items())
    again = "" if all(isinstance(each, Page) for each in failures.values()) else "run the same command again, or "
    return BadModel(f"{names}: not downloaded ({said}); {again}{_by_hand(together)}.")


def _fetch(url: str, part: Path, wanted: _Wanted, watch: Watch) -> None:
    """Bring `part` to its full length."""
    have = _resumable(part, wanted)
    if have and have == wanted.size:
        return
    with asked(url, have, wanted.patience) as response:
        start = _start(response, have)
        total = _total(response, start, wanted)
        if shutil.disk_usage(part.parent).free < total - start:
            raise disk_is_full(wanted.cards[0], part)
        done = start
        watch(done, total)
        response.patient.began((total or wanted.at_most) - start)
        with part.open("ab" if start else "wb") as file:
            for chunk in chunks(response):
                file.write(chunk)
                done += len(chunk)
                watch(done, total)
                if done > (total or wanted.at_most):
                    raise Failure(f"sends more than {total or wanted.at_most} bytes")
    if done < total:
        raise Failure(f"cut off after {done} of {total} bytes")


def _start(response: Answer, have: int) -> int:
    """How many bytes come before what is sent; raises `Failure` if nobody asked for what is."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Failure("sends it packed, which nobody asked for")
    if response.status == 200:
        return 0
    given = re.fullmatch(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)", response.headers.get("Content-Range", ""))
    if not (have and given and int(given[1]) == have):
        raise Failure("sends another part than was asked for")
    return have


def _total(response: Answer, start: int, wanted: _Wanted) -> int:
    """How many bytes the whole file has, or 0 if nobody says; raises `Failure` for another number than is wanted."""
    lengths = set(response.headers.get_all("Content-Length", []))
    if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,15}", length) for length in lengths):
        raise Failure("says its length in a way that cannot be understood")
    total = start + int(lengths.pop()) if lengths else wanted.size
    if wanted.size and total != wanted.size:
        raise Failure(f"offers {total} bytes instead of {wanted.size}")
    if total > wanted.at_most and not wanted.size:
        raise Failure(f"offers {total} bytes, and that is too large")
    return total


def _resumable(part: Path, wanted: _Wanted) -> int:
    """How many bytes of an earlier download can be built on; a file on which nothing can is removed."""
    if os.path.lexists(part) and not (part.is_file() and not part.is_symlink()):
        raise OSError(errno.EINVAL, "something else has this name")
    if part.exists() and wanted.sha256:  # else nobody would notice that it became one of two halves
        have = part.stat().st_size
        if have < wanted.size or (have == wanted.size and store.sha256_of(part) == wanted.sha256):
            return have
    part.unlink(missing_ok=True)
    return 0


def _keep(part: Path, around: _Wanted) -> None:
    """Give an archive its name if its hash is right, or if nobody published one; else remove it."""
    found = store.sha256_of(part)
    if around.sha256 and found != around.sha256:
        part.unlink()
        raise Failure(f"sha256 is {found} but should be {around.sha256}, so nothing of it was kept")
    part.replace(around.path)
