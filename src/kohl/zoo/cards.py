"""The table of models: where each is, what it may be used for and what it becomes; importing it loads none."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kohl.errors import BadModel, BadSetting
from kohl.zoo.card import Card, Kind
from kohl.zoo.files import store
from kohl.zoo.pulled import PULLED
from kohl.zoo.services import terms
from kohl.zoo.shipped import SHIPPED

if TYPE_CHECKING:
    from kohl.types import FaceEncoder, Generator, Verifier

CARDS = (*SHIPPED, *PULLED)


def find(name: str, table: Sequence[Card] = CARDS) -> Card:
    """The card of that name; raises `BadSetting` with the nearest name if there is none."""
    for card in table:
        if card.name == name:
            return card
    raise _no_such(name, [card.name for card in table])


def named(kind: Kind, table: Sequence[Card] = CARDS) -> list[str]:
    """The names of the cards that have this role."""
    return [card.name for card in table if kind in card.roles]


def path(card: Card) -> Path:
    """Where the card's file should be."""
    return store.package_file(card.package, card.file) if card.package else store.cache() / card.file


def present(card: Card) -> bool:
    """Whether the card's file is there in its full size; its hash is checked when it is loaded."""
    if not card.package and not store.has_cache():
        return False
    where = path(card)
    return where.is_file() and (card.size in (0, where.stat().st_size) or bool(accepted(card)))


def accepted(card: Card) -> str:
    """The hash of another file than the published one that was knowingly taken in for the card; empty if none was."""
    return store.accepted().get(card.name, "") if not card.package and store.has_cache() else ""


def sha256(card: Card) -> str:
    """The hash that the card's file must have: accepted, published or pinned, in this order; empty if there is none."""
    return accepted(card) or card.sha256 or (store.pins().get(card.name, "") if store.has_cache() else "")


def checked(card: Card) -> Path:
    """The card's file, once its content is known to be the right one; raises `BadModel` for any other."""
    if card.package:
        return store.checked(path(card), card.sha256)
    remedy = f"run `kohl models pull {card.name}`"
    if not (path(card).is_file() and sha256(card)):
        raise BadModel(f"{card.name}: not here yet; {remedy}.")
    return store.checked(path(card), sha256(card), remedy)


def to_pull(names: Sequence[str], table: Sequence[Card] = CARDS) -> list[Card]:
    """The cards of those names, with the cards they need, that do not come with a package."""
    wanted = dict.fromkeys(part for name in names for part in (name, *_needs(find(name, table))))
    return [card for card in (find(name, table) for name in wanted) if card.package is None]


def missing(names: Sequence[str], table: Sequence[Card] = CARDS) -> list[Card]:
    """Those cards of `to_pull` whose files are needed and not here; a name without a card has no file."""
    spare = {name for card in table for role in card.roles.values() for name in role.wants}
    needed = [card for card in to_pull(_known(names, table), table) if card.name not in spare]
    return [card for card in needed if not (present(card) and sha256(card))]


def notes(names: Sequence[str], table: Sequence[Card] = CARDS) -> list[str]:
    """What everybody who sees results of these models should know: whose file is not the published one."""
    found = {card.name: accepted(card) for card in to_pull(_known(names, table), table)}
    return [
        f"{name}: not the published file; one with sha256 {other} was accepted"
        for name, other in found.items()
        if other
    ]


def _known(names: Sequence[str], table: Sequence[Card]) -> list[str]:
    """Those of the names that have a card."""
    known = {card.name for card in table}
    return [name for name in names if name in known]


def load(name: str, kind: Kind | None = None, *, table: Sequence[Card] = CARDS) -> Any:
    """The model of that name in its first role, or in the one given.

    Raises `BadSetting` for a name that is not in the table, `BadModel` for a file that is missing or wrong.
    """
    if kind is not None and name not in named(kind, table):
        raise _no_such(f"{kind} {name}", [f"{kind} {other}" for other in named(kind, table)])
    card = find(name, table)
    chosen = next(iter(card.roles)) if kind is None else kind
    role = card.roles[chosen]
    needs, wants = ([find(part, table) for part in parts] for parts in (role.needs, role.wants))
    files: list[Path | None] = [checked(part) for part in (card, *needs)]
    files += [checked(part) if present(part) else None for part in wants]
    build = role.builder()
    return build(*files, thresholds=role.thresholds) if chosen == "judge" else build(*files)


def encoder(name: str) -> FaceEncoder:
    """The white-box recogniser of that name."""
    model: FaceEncoder = load(name, "encoder")
    return model


def generator(name: str) -> Generator:
    """The generator of that name; `stylegan2:PATH` is the one at PATH, written by `kohl models convert`."""
    if not name.startswith("stylegan2:"):
        known: Generator = load(name, "generator")
        return known
    from kohl.zoo.generators import stylegan2  # late: it loads torch

    return stylegan2.load(Path(name.removeprefix("stylegan2:")))


def inverter(name: str) -> Any:
    """What turns crops into a generator's latents, of its `latent_shape`; `stylegan2:PATH` is one that kohl trained."""
    if not name.startswith("stylegan2:"):
        return load(name, "inverter")
    from kohl.zoo.generators import style_encoder  # late: it loads torch

    return style_encoder.load(Path(name.removeprefix("stylegan2:")))


def judge(name: str) -> Verifier:
    """The black-box judge of that name.

    `aligned:NAME` is a white-box recogniser that judges faces aligned as in the search, by thresholds once measured;
    `onnx:PATH` is the one at PATH, described by the card PATH.toml. A service elsewhere is none of them, so that no run
    that loads its judges here sends anything.
    """
    if terms.named(name):
        raise BadSetting(
            f"{name}: is a service elsewhere, and protecting a photo sends it nowhere; leave it out of models.judges, "
            "and ask it with `kohl compare` or `kohl bench`"
        )
    kind, _, which = name.partition(":")
    if name in (kind, "aligned:") or kind not in ("aligned", "onnx"):
        known: Verifier = load(name, "judge")
        return known
    detector = checked(find("yunet"))
    if kind == "aligned":
        from kohl.zoo.judges import encoded  # late: it loads torch

        return encoded.by_points(encoder(which), path(find(which)), detector)
    from kohl.zoo.judges import onnx  # late: it loads torch

    return onnx.judge(Path(which), detector)


def _needs(card: Card) -> list[str]:
    """The names of the other cards whose files its roles read, or would."""
    return [name for role in card.roles.values() for name in (*role.needs, *role.wants)]


def _no_such(name: str, known: Sequence[str]) -> BadSetting:
    """The error for a name that is not in the table."""
    near = get_close_matches(name, known, n=1, cutoff=0)
    return BadSetting(f"{name}: no such model; did you mean {near[0]}?")
