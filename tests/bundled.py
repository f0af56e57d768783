"""The models that come with kohl, loaded once in each process, for tests in which nothing changes them."""

from functools import cache

from kohl.zoo import cards

_LOAD, _ROLES = cards.load, {card.name: next(iter(card.roles)) for card in cards.CARDS if card.package}
_once = cache(_LOAD)


def load(name, kind=None):
    """What `cards.load` returns; of a model that comes with kohl it is always the same one."""
    return _once(name, kind or _ROLES[name]) if name in _ROLES else _LOAD(name, kind)
