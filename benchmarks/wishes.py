"""What users type, and what they mean by it: 132 prompts with the products and the colours that each asks for.

The colours are those of the colour survey of xkcd (Randall Munroe, 2010; public domain). Nothing is random: the same
prompts in the same order, always.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from skimage.color import rgb2lab

COLOURS = {  # names that the text-image model learns from
    "red": "#e50000",
    "dark red": "#840000",
    "pink": "#ff81c0",
    "hot pink": "#ff028d",
    "orange": "#f97306",
    "coral": "#fc5a50",
    "peach": "#ffb07c",
    "yellow": "#ffff14",
    "gold": "#dbb40c",
    "green": "#15b01a",
    "dark green": "#033500",
    "teal": "#029386",
    "turquoise": "#06c2ac",
    "blue": "#0343df",
    "sky blue": "#75bbfd",
    "navy": "#01153e",
    "purple": "#7e1e9c",
    "violet": "#9a0eea",
    "lavender": "#c79fef",
    "plum": "#580f41",
    "burgundy": "#610023",
    "berry": "#990f4b",
    "brown": "#653700",
    "dark brown": "#341c02",
    "copper": "#b66325",
    "black": "#000000",
    "grey": "#929591",
    "silver": "#c5c9c7",
    "white": "#ffffff",
}
UNSEEN = {  # names that it does not
    "vermillion": "#f4320c",
    "tomato red": "#ec2d01",
    "wine red": "#7b0323",
    "mulberry": "#920a4e",
    "rose pink": "#f7879a",
    "candy pink": "#ff63e9",
    "hot magenta": "#f504c9",
    "burnt orange": "#c04e01",
    "golden yellow": "#fec615",
    "kelly green": "#02ab2e",
    "army green": "#4b5d16",
    "pine green": "#0a481e",
    "deep teal": "#00555a",
    "petrol": "#005f6a",
    "robin's egg blue": "#98eff9",
    "cornflower blue": "#5170d7",
    "prussian blue": "#004577",
    "electric purple": "#aa23ff",
    "bright violet": "#ad0afd",
    "chocolate brown": "#411900",
    "gunmetal": "#536267",
}
WAYS = {  # of asking for a product
    "lipstick": (
        "{} lipstick",
        "{} lips",
        "give me {} lipstick",
        "matte {} lipstick",
        "bold {} lips",
        "i want {} lipstick please",
        "glossy {} lips",
        "lipstick in {}",
    ),
    "eyeshadow": (
        "{} eyeshadow",
        "{} eye shadow",
        "bold {} eyeshadow",
        "{} lids",
        "smoky {} eyeshadow",
        "eyeshadow in {}",
        "shimmery {} eyeshadow",
    ),
    "eyeliner": ("{} eyeliner", "winged {} eyeliner", "thick {} eyeliner", "{} liner", "bold {} eyeliner"),
    "blush": ("{} blush", "{} cheeks", "bold {} blush", "{} blush on the cheeks"),
    "lip liner": ("{} lip liner", "thick {} lip liner"),
    "mascara": ("{} mascara", "thick {} mascara"),
    "brows": ("{} brows", "{} eyebrows"),
    "face paint": ("{} face paint",),
}
CHOICES = {  # what is asked for alone
    "lipstick": (
        *(
            "red",
            "pink",
            "dark red",
            "coral",
            "berry",
            "plum",
            "hot pink",
            "purple",
            "orange",
            "blue",
            "brown",
            "black",
        ),
        *("burgundy", "green", "vermillion", "tomato red", "wine red", "mulberry", "rose pink", "candy pink"),
        *("hot magenta", "burnt orange", "electric purple", "cornflower blue", "chocolate brown", "deep teal"),
    ),
    "eyeshadow": (
        *("blue", "green", "purple", "gold", "brown", "pink", "silver", "black", "teal", "sky blue", "copper", "grey"),
        *("turquoise", "violet", "yellow", "white", "dark green", "lavender", "kelly green", "army green", "petrol"),
        *(
            "robin's egg blue",
            "prussian blue",
            "bright violet",
            "golden yellow",
            "gunmetal",
            "candy pink",
            "pine green",
        ),
    ),
    "eyeliner": (
        *("black", "blue", "brown", "white", "green", "purple", "gold", "navy", "red", "kelly green"),
        *("electric purple", "cornflower blue", "deep teal", "hot magenta"),
    ),
    "blush": ("pink", "coral", "red", "plum", "orange", "berry", "rose pink", "mulberry", "tomato red", "candy pink"),
    "lip liner": ("red", "dark brown", "plum", "black", "wine red", "mulberry"),
    "mascara": ("black", "blue", "purple", "kelly green", "prussian blue"),
    "brows": ("black", "dark brown", "blue", "chocolate brown", "hot magenta"),
    "face paint": ("white", "green", "blue", "red", "pine green", "golden yellow"),
}
PAIRS = (("lipstick", "eyeshadow"), ("lipstick", "eyeliner"), ("eyeshadow", "blush"), ("eyeliner", "lipstick"))
JOINTS = ("{} and {}", "{}, {}", "{} with {}", "{} + {}", "{} & {}")
TWOS = 32


@dataclass(frozen=True)
class Wish:
    """A prompt, and the colour's name that it asks for, by product."""

    text: str
    asked: Mapping[str, str]

    @property
    def unseen(self) -> bool:
        """Whether one of its colours has a name that the text-image model did not learn from."""
        return any(colour in UNSEEN for colour in self.asked.values())


def wishes() -> list[Wish]:
    """All prompts: those of one product, then those of two."""
    return [*_ones(), *islice(_twos(), TWOS)]


def colour(name: str) -> np.ndarray:
    """CIELAB (3,) of the colour of that name."""
    code = (COLOURS | UNSEEN)[name].removeprefix("#")
    found: np.ndarray = rgb2lab(np.array([int(code[place : place + 2], 16) / 255 for place in (0, 2, 4)]))
    return found


def _ones() -> Iterator[Wish]:
    for product, colours in CHOICES.items():
        for way, colour in zip(cycle(WAYS[product]), colours):
            yield Wish(way.format(colour), {product: colour})


def _twos() -> Iterator[Wish]:
    plain = [one for one in _ones() if not one.text.startswith(("give me", "i want"))]
    ones = {product: cycle([one for one in plain if product in one.asked]) for product in CHOICES}
    for number, (first, second) in enumerate(cycle(PAIRS)):
        one, other = next(ones[first]), next(ones[second])
        yield Wish(JOINTS[number % len(JOINTS)].format(one.text, other.text), {**one.asked, **other.asked})
