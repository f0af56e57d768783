"""The shades that each product comes in, as a make-up artist names them: where a colour word lands on this product.

A shade is CIELAB as lightness L*, chroma C* and hue in degrees, of the product as it is worn, in daylight. The colours
that are asked for are those that people give to these words (colour survey of xkcd, Randall Munroe, 2010, public
domain), or nearly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LIGHT_SKIN = (70.0, 13.0, 17.0)  # L*, a*, b* of the skin for which the shades of `Palette.through` are meant
Levels = tuple[int, int, int]  # sRGB in bytes
Shade = tuple[float, float, float]  # lightness, chroma, hue in degrees

ASKED: Mapping[str, Levels] = {  # the colour that a word stands for
    "red": (229, 0, 0), "dark red": (140, 8, 9), "crimson": (150, 4, 26), "cherry": (190, 10, 42),
    "burgundy": (101, 12, 37), "wine": (122, 10, 44), "oxblood": (118, 10, 11), "berry": (146, 28, 76),
    "plum": (98, 32, 84), "pink": (240, 112, 182), "hot pink": (255, 22, 142), "light pink": (255, 196, 216),
    "rose": (214, 90, 122), "mauve": (174, 112, 136), "fuchsia": (224, 28, 136), "magenta": (194, 0, 120),
    "coral": (246, 88, 76), "peach": (250, 176, 130), "orange": (246, 115, 12), "terracotta": (196, 98, 66),
    "nude": (209, 150, 125), "natural": (214, 126, 123), "beige": (222, 196, 160), "taupe": (136, 114, 102),
    "brown": (104, 60, 16),
    "dark brown": (52, 28, 2), "yellow": (255, 250, 30), "green": (21, 176, 26), "dark green": (3, 53, 0),
    "teal": (2, 147, 134), "turquoise": (6, 194, 172), "sky blue": (117, 187, 253), "blue": (12, 64, 222),
    "navy": (1, 21, 62), "violet": (154, 14, 234), "purple": (126, 30, 156), "lavender": (199, 159, 239),
    "black": (10, 9, 10), "grey": (146, 149, 145), "white": (250, 250, 249), "gold": (214, 173, 48),
    "silver": (197, 199, 204), "bronze": (156, 100, 48), "copper": (185, 101, 52), "rose gold": (212, 147, 134),
    "champagne": (240, 214, 174), "candy pink": (255, 99, 233), "pearl": (240, 234, 226), "own brows": (78, 56, 42),
}  # fmt: skip


@dataclass(frozen=True)
class Palette:
    """The shades of one product, and the limits of what can be mixed from them."""

    shades: Mapping[str, Shade]
    metals: Mapping[str, Shade] = field(default_factory=dict)  # which shine in their own colour
    nudes: Mapping[str, Shade] = field(default_factory=dict)  # added to the skin's own L*, and to its own tint
    deeper: float = 0.0  # how much of what a skin is darker than light skin a light shade is deeper
    through: tuple[float, float] = (
        0.0,
        0.0,
    )  # how much of what a skin is redder and yellower than light skin shows in it
    sheer: bool = False  # less of its colour on fair skin, on which it would be paint, and more on dark skin
    warmed: float = 0.0  # share of the skin's own tint in a shade that has none: the light on both is the same
    chroma: float = 60.0  # most
    light: tuple[float, float] = (9.0, 92.0)  # least and most L*


@dataclass(frozen=True)
class OnSkin:
    """A product that is the wearer's own colour, changed: lighter, darker or warmer than the skin that it lies on."""

    usual: Levels  # the colour asked for that means no wish
    light: float = 1.0  # times the light of light skin, as a factor of L* + 16
    on_dark: float = 1.0  # the same of black skin, on which less is seen
    warmth: tuple[float, float] = (0.0, 0.0)  # added to a* and b*
    shares: tuple[float, float] = (1.2, 0.5)  # of what is asked beside the usual, in lightness and in colour
    most: float = 11.0  # that it can differ for being asked, in L*, a* or b*


METALS: Mapping[str, Shade] = {
    "gold": (61, 43, 73), "silver": (68, 3, 260), "bronze": (36, 33, 60), "copper": (46, 40, 52),
    "rose gold": (61, 26, 40), "champagne": (76, 18, 66), "pearl": (87, 5, 85),
}  # fmt: skip
LIPSTICK = Palette(
    {
        "red": (38, 58, 26), "dark red": (29, 46, 25), "crimson": (31, 49, 23), "cherry": (36, 56, 22),
        "burgundy": (21, 35, 16), "wine": (25, 38, 14), "oxblood": (22, 36, 25), "berry": (33, 44, 15),
        "plum": (26, 28, 3), "pink": (57, 39, 12), "hot pink": (50, 60, 6), "light pink": (71, 26, 17),
        "rose": (54, 40, 16), "mauve": (51, 23, 2), "fuchsia": (45, 60, 357), "magenta": (41, 57, 353),
        "coral": (57, 52, 32), "peach": (69, 35, 46), "orange": (56, 64, 46), "terracotta": (48, 40, 42),
        "taupe": (47, 14, 42), "brown": (34, 25, 44), "dark brown": (21, 16, 42), "yellow": (82, 58, 90),
        "green": (48, 44, 146), "dark green": (22, 22, 150), "teal": (42, 28, 195), "turquoise": (62, 32, 187),
        "sky blue": (66, 26, 255), "blue": (34, 48, 284), "navy": (16, 22, 284), "violet": (34, 52, 312),
        "purple": (31, 40, 325), "lavender": (66, 26, 314), "black": (8, 2, 10), "grey": (54, 3, 300),
        "white": (88, 3, 40), "candy pink": (58, 50, 4),
    },
    {name: METALS[name] for name in ("gold", "silver", "bronze", "copper")},
    {"nude": (-7, 10, 1), "natural": (-8, 14, 3), "beige": (1, 7, 2)},
    deeper=0.36,
    through=(0, 0.2),
    chroma=72,
)  # fmt: skip
EYESHADOW = Palette(
    {
        "red": (37, 42, 28), "dark red": (27, 32, 26), "burgundy": (23, 26, 14), "wine": (27, 28, 10),
        "berry": (34, 33, 4), "plum": (26, 24, 342), "pink": (65, 34, 358), "hot pink": (53, 46, 357),
        "light pink": (76, 18, 8), "rose": (56, 29, 16), "mauve": (51, 18, 358), "fuchsia": (47, 44, 350),
        "coral": (60, 39, 38), "peach": (72, 27, 56), "orange": (57, 47, 53), "terracotta": (46, 33, 46),
        "nude": (66, 18, 58), "beige": (77, 14, 76), "taupe": (47, 10, 58), "brown": (35, 22, 54),
        "dark brown": (22, 14, 52), "yellow": (79, 50, 89), "green": (44, 35, 142), "dark green": (23, 22, 146),
        "teal": (41, 25, 198), "turquoise": (60, 28, 190), "sky blue": (64, 25, 255), "blue": (36, 36, 275),
        "navy": (17, 20, 276), "violet": (36, 42, 310), "purple": (31, 36, 319), "lavender": (67, 22, 311),
        "black": (12, 3, 20), "grey": (49, 2, 340), "white": (88, 2, 80),
    },
    METALS,
    warmed=0.28,
    chroma=54,
)  # fmt: skip
BLUSH = Palette(
    {
        "red": (50, 46, 28), "dark red": (40, 38, 24), "cherry": (45, 48, 20), "burgundy": (38, 32, 18),
        "wine": (40, 33, 16), "berry": (45, 38, 18), "plum": (43, 30, 10), "pink": (62, 37, 14),
        "hot pink": (56, 50, 6), "light pink": (71, 25, 16), "rose": (58, 39, 19), "mauve": (52, 23, 8),
        "fuchsia": (53, 48, 358), "coral": (60, 44, 33), "peach": (69, 38, 48), "orange": (61, 48, 45),
        "terracotta": (52, 34, 44), "nude": (62, 24, 44), "brown": (44, 24, 46), "purple": (42, 34, 332),
        "violet": (44, 38, 320), "lavender": (65, 22, 328), "candy pink": (63, 42, 4), "magenta": (50, 44, 358),
    },
    METALS,
    through=(0.35, 0.75),
    sheer=True,
    chroma=54,
    light=(24, 84),
)  # fmt: skip
PAINT = Palette(  # liners, lashes and face paint: any colour that is no light
    {
        "red": (41, 62, 30), "blue": (34, 58, 288), "green": (47, 42, 143), "yellow": (82, 60, 91),
        "pink": (64, 46, 356), "hot pink": (54, 66, 357), "orange": (60, 66, 54), "violet": (36, 60, 310),
        "purple": (32, 48, 320), "turquoise": (64, 38, 188), "brown": (31, 27, 56),
        "dark brown": (19, 15, 52), "grey": (52, 3, 280), "beige": (78, 14, 75),
        "black": (8, 2, 40), "white": (91, 2, 90),
    },
    METALS,
    warmed=0.2,
    chroma=68,
)  # fmt: skip
HAIR = Palette({"black": (9, 2, 50)}, chroma=60, light=(9, 80))  # anything else is dyed as it is asked for
BROWS = Palette(
    {"black": (9, 2, 50), "dark brown": (18, 10, 50), "brown": (30, 17, 55), "grey": (50, 2, 70)},
    nudes={"own brows": (-15, 0, 0)},
    chroma=60,
    light=(9, 80),
)  # fmt: skip
PENCIL = Palette(
    LIPSTICK.shades, LIPSTICK.metals, {"nude": (-10, 13, 3), "natural": (-12, 17, 5), "beige": (-4, 9, 3)}, chroma=66
)

PALETTES: Mapping[str, Palette] = {
    "face paint": PAINT, "blush": BLUSH, "stubble": HAIR, "brows": BROWS, "eyeshadow": EYESHADOW,
    "eyeliner": PAINT, "mascara": PAINT, "lipstick": LIPSTICK, "lip liner": PENCIL,
}  # fmt: skip
ON_SKIN: Mapping[str, OnSkin] = {
    "foundation": OnSkin((190, 138, 108), shares=(1.2, 0.4)),
    "concealer": OnSkin((190, 138, 108), 1.18, 1.22, (0.5, 1.5), (0.6, 0.3), 6.0),  # a shade lighter, and warmer
    "bronzer": OnSkin((160, 106, 70), 0.81, 0.76, (5.5, 8.5), (0.3, 0.3), 7.0),
    "contour": OnSkin((120, 78, 56), 0.76, 0.67, (4.0, 6.0), (0.25, 0.3), 7.0),
    "highlighter": OnSkin((255, 236, 214), 1.17, 1.4, (-1.0, 3.0), (0.12, 0.25), 8.0),
    "freckles": OnSkin((134, 84, 54), 0.82, 0.52, (4.5, 9.0), (0.3, 0.3), 9.0),
}
