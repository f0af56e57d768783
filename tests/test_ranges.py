"""Every number of every dataclass of settings is finite, of its kind and bounded."""

import math
import re
from dataclasses import dataclass, fields, is_dataclass

import pytest

from kohl import ranges
from kohl.errors import BadSetting
from kohl.invert.pivotal import Tuning
from kohl.perturb.adv_makeup import Worn
from kohl.perturb.amt_gan import Transfer
from kohl.perturb.latent import Search
from kohl.perturb.pixel import Pixel
from kohl.perturb.tip_im import Greedy
from kohl.perturb.views import Views
from kohl.recipe import Models, Recipe
from kohl.train import adv_makeup, amt_gan
from kohl.train.learner import Networks, Training
from kohl.train.mapping import Pairing

SETTINGS = (Search, Views, Pixel, Tuning, Models, Recipe, Training, Networks, Pairing)
SETTINGS += (Greedy, Worn, Transfer, adv_makeup.Training, amt_gan.Training)
WHERE = {
    **{Search: "search.", Views: "search.views.", Pixel: "pixel.", Tuning: "tuning.", Models: "models."},
    **{Networks: "networks.", Pairing: "mapping."},
    **{Greedy: "tip_im.", Worn: "adv_makeup.", Transfer: "amt_gan."},
}
NUMBERS = [
    (kind, setting.name)
    for kind in SETTINGS
    for setting in fields(kind)
    if isinstance(setting.default, int | float) and not isinstance(setting.default, bool)
]


def test_every_dataclass_of_settings_is_here():
    inside = {type(value) for kind in SETTINGS for value in vars(kind()).values() if is_dataclass(value)}
    assert inside <= set(SETTINGS)
    assert len(NUMBERS) > 40


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, 10**30, 2.5e300], ids=str)
@pytest.mark.parametrize(("kind", "name"), NUMBERS, ids=lambda part: getattr(part, "__name__", part))
def test_no_number_is_believed_that_is_none_or_out_of_range(kind, name, value):
    with pytest.raises(BadSetting, match=rf"^{re.escape(WHERE.get(kind, ''))}{name}: must (be|not be) "):
        kind(**{name: value})


@dataclass(frozen=True)
class Toy:
    count: int = 3
    rate: float = 0.5
    on: bool = False
    name: str = "x"

    def __post_init__(self):
        ranges.check(self, {"count": (1, 9)}, "toy.")


def test_what_is_within_is_taken():
    assert Toy(1, 0.0) == Toy(count=1, rate=0)
    assert Toy(9, ranges.MOST).rate == ranges.MOST


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 0}, "toy.count: must be at least 1, not 0"),
        ({"count": 10}, "toy.count: must be at most 9, not 10"),
        ({"count": 10**5000}, "toy.count: must be at most 9, not that large"),
        ({"count": 2.0}, "toy.count: must be a whole number, not 2.0"),
        ({"count": True}, "toy.count: must be a whole number, not True"),
        ({"rate": True}, "toy.rate: must be a number, not True"),
        ({"rate": "fast"}, "toy.rate: must be a number, not 'fast'"),
        ({"on": 1}, "toy.on: must be true or false, not 1"),
        ({"name": -1}, "toy.name: must be a text, not -1"),
        ({"rate": math.nan}, "toy.rate: must be a number, not nan"),
        ({"rate": -math.inf}, "toy.rate: must be a number, not -inf"),
        ({"rate": -0.5}, "toy.rate: must not be negative, not -0.5"),
        ({"rate": 1e10}, "toy.rate: must be at most 1e+09, not 10000000000.0"),
    ],
)
def test_what_is_not_is_named(settings, message):
    with pytest.raises(BadSetting) as error:
        Toy(**settings)
    assert str(error.value) == message
