"""The colours that captions name: those of the colour survey of xkcd, and the words of makeup counters.

Randall Munroe, Color survey results, 2010: 949 names that most people gave to the same colour; public domain (CC0).
"""

from __future__ import annotations

import random
import zlib

import numpy as np
import torch
from matplotlib.colors import XKCD_COLORS, to_rgb
from torch import Tensor

from kohl.colour import srgb

RGB = tuple[float, float, float]  # sRGB in [0, 1]
WHITE = (0.9505, 1.0, 1.089)  # of the illuminant D65, in XYZ
TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))  # IEC 61966-2-1
HELD_OUT_SHARE = 0.17  # of the names by their hash; about 12 % remain, see `_without_parts`

VULGAR = {"poo", "poop", "shit", "puke", "snot", "piss", "barf", "vomit", "booger", "diarrhea", "bile"}
JUDGED = {
    "flesh", "indian", "ugly", "icky", "nasty", "gross", "boring", "weird", "nice", "sick", "sickly", "bland", "drab",
    "off",
}  # fmt: skip
MISSPELT = {
    "toupe", "liliac", "perrywinkle", "urple", "kelley", "forrest", "lavendar", "fluro", "ocher", "creme", "terracota",
}  # fmt: skip
OTHERS = {  # words that say something else here
    "lipstick", "blush", "rouge", "highlighter", "metallic", "velvet", "and", "with", "barney", "kermit",
}  # fmt: skip
ALONE = {"dark", "pale", "light"}  # no colour without another word

MAKEUP = {
    "nude": (203, 146, 120),
    "berry": (142, 30, 78),
    "plum": (96, 32, 82),
    "coral": (252, 98, 84),
    "burgundy": (104, 8, 36),
    "wine": (118, 12, 50),
    "rose": (214, 90, 122),
    "rosy": (222, 106, 118),
    "peach": (255, 176, 136),
    "bronze": (158, 102, 50),
    "copper": (184, 102, 56),
    "gold": (214, 172, 60),
    "rose gold": (206, 142, 128),
    "silver": (192, 194, 200),
    "taupe": (140, 118, 104),
    "champagne": (240, 214, 174),
    "mauve": (174, 112, 136),
    "terracotta": (196, 98, 66),
    "cherry": (190, 10, 42),
    "fuchsia": (224, 28, 136),
    "blonde": (196, 160, 104),
    "ginger": (176, 90, 40),
    "auburn": (122, 52, 34),
    "gray": (146, 149, 145),
    "jet black": (8, 8, 10),
    "pearl": (240, 234, 226),
    "baby pink": (255, 183, 206),
    "hot pink": (255, 40, 140),
}

FAMILY_NAMES = (
    "red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "brown", "black", "grey", "white",
)  # fmt: skip
ALSO = {  # the last word of a name that belongs to a family of another name
    "teal": "turquoise", "aqua": "turquoise", "cyan": "turquoise", "violet": "purple", "lavender": "purple",
    "lilac": "purple", "navy": "blue", "maroon": "red", "crimson": "red", "charcoal": "grey", "magenta": "pink",
    "beige": "brown", "tan": "brown",
}  # fmt: skip


MODIFIED = {  # what words before a colour do to it in the survey: L* added, times its chroma
    "light": (22, 0.84), "pale": (18, 0.6), "pastel": (13, 0.65), "soft": (13, 0.65), "baby": (24, 0.6),
    "lightish": (12, 0.85), "dark": (-21, 0.77), "deep": (-22, 0.8), "darkish": (-12, 0.7), "rich": (-6, 1.05),
    "bright": (3, 1.12), "neon": (11, 1.25), "electric": (7, 1.2), "vivid": (8, 1.3), "vibrant": (8, 1.25),
    "hot": (4, 1.3), "strong": (-5, 1.3), "fluorescent": (11, 1.25), "true": (-4, 1.15), "dusty": (2, 0.5),
    "faded": (5, 0.48), "dull": (3, 0.55), "dirty": (-6, 0.55), "muted": (3, 0.5), "flat": (4, 0.5),
    "medium": (3, 0.85), "dusky": (1, 0.5), "burnt": (-12, 0.8), "powder": (22, 0.5),
}  # fmt: skip
TINTS = {  # the first words of names such as "greenish blue" and "grey blue"
    "red": ("reddish", "red"), "orange": ("orangish", "orangey", "orange"), "pink": ("pinkish", "pinky", "pink"),
    "yellow": ("yellowish", "yellowy", "yellow"), "green": ("greenish", "greeny", "green"), "grey": ("greyish", "grey"),
    "blue": ("bluish", "bluey", "blue"), "purple": ("purplish", "purpley", "purply", "purple"),
    "brown": ("brownish", "browny", "brown"), "turquoise": ("turquoise",),
}  # fmt: skip
TINTED, HALVED = 0.36, 0.44  # how far towards the first word's colour a "greenish blue" and a "green blue" are
JOINED = 0.15  # how often two words are written as one


def shade(modifier: str, rgb: RGB) -> RGB:
    """A colour made dark, deep, light, pale or bright."""
    colour = np.array(rgb)
    mean = colour.mean()
    changed = {
        "dark": colour * 0.55,
        "deep": mean + (colour * 0.7 - mean * 0.85) * 1.15,
        "light": colour + (1 - colour) * 0.42,
        "pale": colour + (1 - colour) * 0.62,
        "bright": mean + (colour - mean) * 1.25 + 0.06,
    }[modifier]
    red, green, blue = np.clip(changed, 0, 1).round(3).tolist()
    return red, green, blue


def lab(rgb: Tensor) -> Tensor:
    """CIELAB (…, 3) of sRGB colours (…, 3) in [0, 1], white point D65; with gradients, which scikit-image's has not."""
    linear = torch.where(rgb > 0.04045, ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = linear @ rgb.new_tensor(TO_XYZ).T / rgb.new_tensor(WHITE)
    x, y, z = torch.where(xyz > 0.008856, xyz.clamp_min(0.008856) ** (1 / 3), 7.787 * xyz + 4 / 29).unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def _without_parts(picked: set[str], names: set[str]) -> set[str]:
    """The picked names that no other name contains: "mustard" cannot be unknown next to "mustard yellow"."""
    while True:
        others = [f" {name} " for name in names - picked]
        kept = {name for name in picked if not any(f" {name} " in other for other in others)}
        if kept == picked:
            return kept
        picked = kept


_names = {name.removeprefix("xkcd:"): to_rgb(value) for name, value in XKCD_COLORS.items()}
_unwanted = VULGAR | JUDGED | MISSPELT | OTHERS
SURVEY: dict[str, RGB] = {
    name: rgb
    for name, rgb in _names.items()
    if not _unwanted & set(name.split()) and name not in ALONE and "/" not in name and not name.endswith(" tan")
}
FAMILIES: dict[str, RGB] = {name: SURVEY[name] for name in FAMILY_NAMES}
_words: dict[str, RGB] = {name: (red / 255, green / 255, blue / 255) for name, (red, green, blue) in MAKEUP.items()}
SHADES: dict[str, RGB] = {
    f"{modifier} {name}": shade(modifier, rgb)
    for name, rgb in _words.items()
    for modifier in ("dark", "deep", "light", "pale", "bright")
    if f"{modifier} {name}" not in SURVEY and not name.startswith(("jet", "baby", "hot", "gray", "pearl"))
}
_picked = {name for name in SURVEY if zlib.crc32(name.encode()) % 1000 < 1000 * HELD_OUT_SHARE}
_held_out = _without_parts(_picked - set(_words) - set(FAMILIES), set(SURVEY) | set(_words) | set(SHADES))

HELD_OUT_COLOURS: dict[str, RGB] = {name: rgb for name, rgb in SURVEY.items() if name in _held_out}
SURVEY_COLOURS: dict[str, RGB] = {name: _words.get(name, rgb) for name, rgb in SURVEY.items() if name not in _held_out}
COLOURS: dict[str, RGB] = {**SURVEY_COLOURS, **_words, **SHADES}
_bases = [  # "navy", too, is left out
    name for name in SURVEY_COLOURS if " " not in name and not name.endswith(("ish", "y"))
]

_heads = {name: ALSO.get(last, last) for name in SURVEY if (last := name.split()[-1]) in {*FAMILIES, *ALSO}}
_prototypes = lab(torch.tensor([SURVEY[name] for name in _heads], dtype=torch.float64))


def mixed(first: str, base: str) -> RGB:
    """What a name of two words means, in the manner of the survey: "dusty teal", "greenish blue", "grey blue"."""
    colour = lab(torch.tensor(SURVEY_COLOURS[base]))
    if first in MODIFIED:
        lighter, chroma = MODIFIED[first]
        colour = torch.stack([(colour[0] + lighter).clamp(4, 97), *(colour[1:] * chroma)])
    else:
        (hue,) = (name for name, words in TINTS.items() if first in words)
        colour = colour.lerp(lab(torch.tensor(SURVEY_COLOURS[hue])), HALVED if first == hue else TINTED)
    red, green, blue = srgb(colour[:, None, None]).clamp(0, 1).flatten().tolist()
    return red, green, blue


def composed(rng: random.Random) -> tuple[str, RGB]:
    """A name of two words, perhaps written as one; and its colour: the survey's, or one like it where that has none."""
    base = rng.choice(FAMILY_NAMES) if rng.random() < 0.6 else rng.choice(_bases)
    tints = [word for name, words in TINTS.items() if name != base for word in words]
    first = rng.choice(tuple(MODIFIED) if rng.random() < 0.5 else tints)
    value = SURVEY_COLOURS.get(f"{first} {base}") or mixed(first, base)
    return f"{first}{'' if base in FAMILY_NAMES and rng.random() < JOINED else ' '}{base}", value


def family(rgb: RGB) -> str:
    """The colour family that most of the survey's nearest names end in: the people's own borders, in CIELAB."""
    nearest = (_prototypes - lab(_prototypes.new_tensor(rgb))).norm(dim=1).topk(9, largest=False)
    votes: dict[str, float] = {}
    for index, distance in zip(nearest.indices.tolist(), nearest.values.tolist(), strict=True):
        head = list(_heads.values())[index]
        votes[head] = votes.get(head, 0) + 1 / (distance + 0.5)
    return max(votes, key=lambda name: votes[name])


def written(colours: dict[str, RGB]) -> str:
    """The colours as lines of TOML."""
    return "".join(
        f'"{name}" = "#{bytes(round(255 * level) for level in rgb).hex()}"\n' for name, rgb in colours.items()
    )


if __name__ == "__main__":  # python training/colours.py > src/kohl/makeup/words/colours.toml
    print("# Names of colours, in sRGB; written by training/colours.py, which says from where.\n")
    print("# Those that the text-image model has learned.\n[learned]\n" + written(COLOURS))
    print("# Others of the survey.\n[others]\n" + written(HELD_OUT_COLOURS), end="")
