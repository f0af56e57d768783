"""What `kohl models pull` does: which models are missing and under which licences, and bringing them here."""

from __future__ import annotations

import shlex
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence

from kohl import files, recipe
from kohl.console import downloading
from kohl.errors import BadModel, BadSetting, KohlError
from kohl.recipe import Recipe
from kohl.shown import shown
from kohl.zoo import cards
from kohl.zoo.card import Card
from kohl.zoo.files import intake, store

QUESTION = "Do you accept the licences?"
ALONE = "nobody is there to accept the licences; pass --yes to accept them"


def pull(arguments: Namespace, table: Sequence[Card] = cards.CARDS) -> list[Card]:
    """Bring the named models, those of a recipe and what they need, if they are not here; the cards of all of them."""
    names = list(dict.fromkeys(arguments.names))
    of_recipe = recipe.names(recipe.load(arguments.recipe), words=True, table=table) if arguments.recipe else []
    if not names and not of_recipe:
        raise BadSetting("name a model to pull, or a recipe with --recipe; `kohl models` lists the models")
    if arguments.accept_hash and (of_recipe or len(names) > 1):
        raise BadSetting(
            f"--accept-hash {arguments.accept_hash}: is the hash of one file; name the one model it is for"
        )
    accepted = {name: arguments.accept_hash for name in names if arguments.accept_hash}
    named = [cards.find(name, table) for name in names]
    for card in named:
        if card.package and (arguments.file or accepted):
            raise BadSetting(f"{card.name}: comes with kohl; leave it as it is")
    wanted = cards.to_pull([*names, *of_recipe], table)
    missing = [card for card in wanted if not _is_right(card, accepted)]
    bringing = _from_file(arguments, named, missing) if arguments.file else [*missing, *_beside(missing, table)]
    if bringing:
        _bring(bringing, arguments, accepted)
    elif of_recipe:
        tell(f"--recipe {arguments.recipe}: every model that it names is here")
    left = [card for card in missing if not cards.present(card)]
    if left and of_recipe:
        tell(f"still missing: {_listed(left)}; run `kohl models pull --recipe {shlex.quote(arguments.recipe)}`")
    return [card for card in table if card in [*wanted, *bringing] or card.name in names]


def check(chosen: Recipe, named: str, table: Sequence[Card] = cards.CARDS) -> None:
    """Raises `BadModel` that says all that a run with `chosen`, made of the recipe `named`, lacks, and what to do."""
    missing = cards.missing(recipe.names(chosen, words=bool(chosen.text.strip()), table=table), table)
    if not missing:
        return
    as_written = cards.missing(recipe.names(recipe.load(named), words=True, table=table), table)
    wanted = " ".join(card.name for card in missing)
    if len(missing) > 1 and all(card in as_written for card in missing):
        wanted = f"--recipe {shlex.quote(named)}"
    raise BadModel(f"{_listed(missing)}: not here yet; run `kohl models pull {wanted}`.")


def size(card: Card) -> str:
    """The size of its file, for people."""
    return f"{card.size / 1e6:.1f} MB" if card.size else "size not published"


def licence(card: Card) -> str:
    """Its name, and whether commercial use is allowed, or on what condition."""
    if isinstance(card.commercial, str):
        return f"{card.licence}, {card.commercial}"
    return f"{card.licence}, {'commercial use allowed' if card.commercial else 'no commercial use'}"


def tell(*lines: str) -> None:
    """Say something that is no result."""
    print(*map(shown, lines), sep="\n", file=sys.stderr, flush=True)


def agreed(question: str, alone: str) -> bool:
    """Whether somebody at the terminal says yes; raises `BadSetting` that says `alone` where nobody is there."""
    if not (sys.stdin and sys.stdin.isatty()):
        raise BadSetting(alone)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _is_right(card: Card, accepted: Mapping[str, str]) -> bool:
    """Whether the file is here and has the right hash."""
    wanted = accepted.get(card.name, cards.sha256(card))
    return cards.present(card) and store.sha256_of(cards.path(card)) == wanted


def _beside(missing: Sequence[Card], table: Sequence[Card]) -> list[Card]:
    """Other cards whose files are not here either, and come in the same archives."""
    archives = [card.archive for card in missing if card.archive]
    return [card for card in table if card.archive in archives and card not in missing and not _is_right(card, {})]


def _from_file(arguments: Namespace, named: Sequence[Card], missing: Sequence[Card]) -> list[Card]:
    """The cards whose files are to be taken out of the one that was fetched by hand: the named ones, or all missing."""
    if len(named) == 1 and not arguments.recipe:
        return [*named]
    if not all(card.member for card in named):
        raise BadSetting(f"--from {arguments.file}: is one file for {len(named)} models; name one of them")
    asked = [*named, *(card for card in missing if card.member and card not in named)]
    held = intake.held(arguments.file, asked)
    for card in named:
        if card not in held:
            raise BadSetting(f"--from {arguments.file}: holds no {card.member}; leave {card.name} out")
    if missing and not held:
        raise BadSetting(f"--from {arguments.file}: no archive with a model that is missing; name the model that it is")
    return held


def _bring(bringing: Sequence[Card], arguments: Namespace, accepted: Mapping[str, str]) -> None:
    """Download these files, or copy what was fetched by hand, once their licences are accepted."""
    from kohl.zoo.files import download  # late: no other command may reach a network

    if arguments.file is None:
        for card in bringing:
            download.check(card)
    _accept(bringing, arguments)
    files.clean(store.cache())
    failures = []
    for together in [[card] for card in bringing] if arguments.file else _together(bringing):
        try:
            if arguments.file:
                download.adopt(together[0], arguments.file, accepted=accepted)
            else:
                with downloading(_listed(together)) as watch:
                    download.pull(*together, watch=watch, accepted=accepted)
        except BadModel as error:  # the others can be had all the same
            failures.append(error)
            together = [card for card in together if _is_right(card, accepted)]
        _say_where(together)
    for failure in failures[:-1]:
        tell(f"kohl: {failure}")
    if failures:
        raise failures[-1]


def _together(bringing: Sequence[Card]) -> list[list[Card]]:
    """The cards, those in one archive together."""
    groups: dict[object, list[Card]] = {}
    for card in bringing:
        groups.setdefault(card.archive or card.name, []).append(card)
    return list(groups.values())


def _say_where(brought: Sequence[Card]) -> None:
    for card in brought:
        tell(f"{card.name}: now in {cards.path(card)}")
        if cards.accepted(card):
            tell(f"{card.name}: not the published file; {cards.sha256(card)} is accepted in {store.accepted_file()}")
        elif not card.sha256:
            tell(f"{card.name}: nobody publishes its sha256; {cards.sha256(card)} is pinned in {store.pins_file()}")


def _accept(bringing: Sequence[Card], arguments: Namespace) -> None:
    """Show the licences, and ask for consent where somebody can answer."""
    lines = [f"--recipe {arguments.recipe}: not here yet, {_sum(bringing)}"] if arguments.recipe else []
    for first, *others in _together(bringing):
        for card in (first, *others):
            place = f", in the archive of {first.name}" if card in others else ""
            lines += [f"{card.name}  {size(card)}{place}", f"  {licence(card)}", f"  {card.source}"]
    tell(*lines)
    if not (arguments.yes or agreed(QUESTION, ALONE)):
        raise KohlError("the licences were not accepted, so nothing was fetched")


def _sum(bringing: Sequence[Card]) -> str:
    """How many files these are, and how large all of them together, as far as that is published."""
    unknown = sum(not card.size for card in bringing)
    beside = f" and {unknown} whose size is not published" if unknown else ""
    files = f"{len(bringing)} file{'s' if len(bringing) > 1 else ''}"
    return f"{files}: {sum(card.size for card in bringing) / 1e6:.1f} MB{beside}"


def _listed(listed: Sequence[Card]) -> str:
    """Their names, as in a sentence."""
    *first, last = (card.name for card in listed)
    return f"{', '.join(first)} and {last}" if first else last
