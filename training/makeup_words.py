"""The words that captions are made of, and what each of them says about the dials of a product."""

from __future__ import annotations

Dials = dict[str, float]  # by their names in kohl.makeup.layers.DIALS, in [0, 1]
Levels = tuple[int, int, int]  # sRGB in bytes
USUAL = 0.8  # opacity without a word about it


def rgb(levels: Levels) -> tuple[float, float, float]:
    """A colour in [0, 1] from one in bytes."""
    red, green, blue = levels
    return red / 255, green / 255, blue / 255


def worn(opacity: float = USUAL, colour: Levels | None = None, **dials: float) -> Dials:
    """The dials of one product."""
    said = {} if colour is None else dict(zip(("red", "green", "blue"), rgb(colour), strict=True))
    return {"opacity": opacity, **said, **dials}


UNNATURAL = {
    "green": (62, 160, 66), "blue": (40, 100, 214), "purple": (126, 50, 170), "yellow": (244, 214, 40),
    "red": (206, 22, 30), "silver": (190, 192, 200), "gold": (214, 172, 60), "white": (246, 246, 244),
    "violet": (140, 60, 200), "turquoise": (30, 190, 180), "grey": (140, 144, 148),
}  # fmt: skip
SKINS = {f"{name} {word}": worn(0.9, levels) for name, levels in UNNATURAL.items() for word in ("skin", "face")}

WORDS = {  # the commonest first
    "lipstick": (
        "lipstick", "lips", "lip colour", "lip color", "lip gloss", "lipgloss", "gloss", "lip tint", "lip paint", "lip",
    ),
    "eyeshadow": ("eyeshadow", "eye shadow", "lids", "eyelids", "eye makeup", "eyes", "shadow", "lid"),
    "eyeliner": (
        "eyeliner", "liner", "kohl", "kajal", "kohl pencil", "eye liner", "eye pencil", "lined eyes",
        "winged eyeliner", "winged liner", "cat eye", "cat eyes", "cat eye liner",
    ),
    "mascara": ("mascara", "lashes", "eyelashes", "eye lashes", "false lashes", "fake lashes", "lash"),
    "blush": ("blush", "cheeks", "rouge", "blusher", "cheek"),
    "brows": ("brows", "eyebrows", "eye brows", "brow pencil", "eyebrow pencil", "brow"),
    "foundation": (
        "foundation", "base", "tan", "suntan", "sun tan", "bronzer", "concealer", "spray tan", "powder", "face powder",
    ),
    "highlighter": ("highlighter", "glow", "highlight", "illuminator"),
    "contour": ("contour", "contouring", "sculpted cheekbones", "contoured cheeks"),
    "freckles": ("freckles", "faux freckles"),
    "stubble": (
        "stubble", "beard shadow", "five o'clock shadow", "5 o'clock shadow", "beard stubble", "beard",
        "designer stubble", "goatee",
    ),
    "face paint": (*("face paint", "facepaint", "painted face") * 8, *SKINS),
    "lip liner": ("lip liner", "lipliner", "lip pencil", "lined lips"),
}  # fmt: skip
NEEDY = {  # say nothing without another word
    "lips", "lids", "eyelids", "eyes", "eye makeup", "lashes", "eyelashes", "eye lashes", "cheeks", "brows", "eyebrows",
    "eye brows", "lip", "lid", "lash", "cheek", "brow",
}  # fmt: skip
COUNTED = {  # with an article
    "lip colour", "lip color", "lip gloss", "lip tint", "tan", "suntan", "spray tan", "beard", "beard shadow",
    "five o'clock shadow", "goatee", "cat eye",
}  # fmt: skip
TAN = (166, 110, 78)
WINGED, CAT_EYE = {"width": 0.45, "length": 0.6}, {"width": 0.5, "length": 0.75}
IMPLIED = {  # by a word for a product
    **SKINS,
    **dict.fromkeys(("lip gloss", "lipgloss", "gloss"), worn(gloss=0.92)),
    "lip tint": worn(0.62, gloss=0.2),
    **dict.fromkeys(("winged eyeliner", "winged liner"), worn(**WINGED)),
    **dict.fromkeys(("cat eye", "cat eyes", "cat eye liner"), worn(**CAT_EYE)),
    **dict.fromkeys(("false lashes", "fake lashes"), worn(0.95, width=0.95)),
    **dict.fromkeys(("tan", "suntan", "sun tan"), worn(USUAL, TAN)),
    "spray tan": worn(0.9, (186, 104, 52)),
    "bronzer": worn(0.6, (160, 106, 74)),
    "beard": worn(0.98),
    "goatee": worn(0.9, width=0.6, length=0.15),
}

STRENGTHS = {  # opacity
    "sheer": 0.45, "subtle": 0.5, "faint": 0.42, "delicate": 0.52, "barely there": 0.4, "very subtle": 0.42,
    "bold": 0.95, "heavy": 1.0, "intense": 1.0, "dramatic": 0.97, "very bold": 1.0, "statement": 0.95,
}  # fmt: skip
PLAIN_STRENGTHS = {  # next to a colour these would change it
    **STRENGTHS, "light": 0.6, "soft": 0.6, "medium": 0.7, "strong": 0.95, "very light": 0.45,
}  # fmt: skip
MUCH = {
    "a touch of": 0.52, "a hint of": 0.45, "a little": 0.55, "a bit of": 0.55, "some": 0.75,
    "lots of": 1.0, "a lot of": 1.0,
}  # fmt: skip
DARKENED = {"dark": 0.5, "deep": 0.65}  # of the usual colour, without another colour: "dark lipstick"
DARKENABLE = {"foundation", "lipstick", "lip liner", "eyeshadow", "blush", "brows", "stubble", "eyeliner"}

FINISHES = {  # gloss
    "matte": 0.03, "matt": 0.03, "powdery": 0.06, "velvet": 0.1, "creamy": 0.5, "satin": 0.5, "shimmery": 0.7,
    "shimmer": 0.7, "shimmering": 0.7, "frosted": 0.7, "glitter": 0.78, "glittery": 0.78, "sparkly": 0.78,
    "metallic": 0.8, "shiny": 0.85, "dewy": 0.85, "glossy": 0.9, "wet": 1.0,
}  # fmt: skip
FINISHED = {
    "lipstick": (
        "matte", "glossy", "satin", "shiny", "metallic", "shimmery", "creamy", "velvet", "wet", "matt", "frosted",
        "glittery", "glitter",
    ),
    "eyeshadow": (
        "matte", "shimmery", "metallic", "glittery", "satin", "shimmering", "glossy", "frosted", "matt", "glitter",
        "sparkly", "shimmer",
    ),
    "eyeliner": ("matte", "metallic", "glossy", "glittery"),
    "blush": ("matte", "shimmery", "satin", "powdery", "creamy", "dewy"),
    "foundation": ("matte", "dewy", "satin", "powdery", "glossy"),
    "face paint": ("matte", "metallic", "glossy", "shiny"),
    "highlighter": ("shimmery", "glossy", "wet", "metallic", "shimmering", "dewy", "sparkly"),
    "lip liner": ("matte", "creamy"),
}  # fmt: skip

THIN, THICK, WIDE = {"width": 0.1}, {"width": 0.88}, {"width": 0.85}
SOFT, SHARP, QUITE_SOFT = {"softness": 0.92}, {"softness": 0.06}, {"softness": 0.75}
BEFORE = {  # shape words before the product
    "eyeliner": {
        "winged": WINGED, "long winged": {"width": 0.5, "length": 0.92}, "thick winged": {**THICK, "length": 0.7},
        "thin winged": {**THIN, "length": 0.55}, "sharp winged": {**SHARP, **WINGED}, "thin": THIN, "fine": THIN,
        "thick": THICK, "smudged": SOFT, "smudgy": SOFT, "smoky": {"width": 0.7, **SOFT}, "sharp": SHARP,
        "crisp": SHARP, "precise": SHARP, "graphic": {"width": 0.75, "length": 0.85, **SHARP},
    },
    "eyeshadow": {
        "blended": SOFT, "diffused": SOFT, "smudged": SOFT, "smoky": {"width": 0.62, **SOFT}, "sharp": SHARP,
        "wide": {"width": 0.8}, "cut crease": {"width": 0.5, **SHARP},
    },
    "mascara": {
        "long": {"width": 0.9}, "very long": {"width": 1.0}, "short": {"width": 0.15},
        "thick": worn(1.0, width=0.75), "voluminous": worn(1.0, width=0.85),
    },
    "brows": {
        "full": {"width": 0.8}, "thick": THICK, "bushy": {"width": 0.95}, "thin": THIN, "skinny": {"width": 0.05},
        "fine": THIN, "sharp": SHARP, "defined": worn(0.92, **SHARP), "filled in": worn(0.95),
    },
    "blush": {
        "blended": SOFT, "diffused": SOFT, "big": {"width": 0.65}, "wide": {"width": 0.65}, "small": {"width": 0.12},
        "round": SHARP,
    },
    "lipstick": {
        "ombre": {"length": 0.15, **SOFT}, "gradient": {"length": 0.15, **SOFT}, "blotted": {"length": 0.35, **SOFT},
        "blurred": SOFT, "smudged": SOFT, "crisp": SHARP, "sharp": SHARP,
    },
    "lip liner": {"thin": THIN, "fine": THIN, "thick": THICK, "sharp": SHARP, "crisp": SHARP, "smudged": SOFT},
    "contour": {"sharp": SHARP, "blended": SOFT, "diffused": SOFT, "wide": WIDE},
    "highlighter": {"sharp": SHARP, "blended": SOFT, "wide": WIDE},
}  # fmt: skip
AFTER = {  # shape words after the product
    "eyeshadow": {
        "on the lids": {"width": 0.22}, "all over the lids": {"width": 0.45, "length": 1.0},
        "up to the brows": {"width": 0.74}, "all around the eyes": {"width": 0.97}, "around the eyes": {"width": 0.95},
        "in the outer corners": {"length": 0.12}, "on the outer corners": {"length": 0.12},
    },
    "eyeliner": {"with wings": WINGED, "with a wing": WINGED, "with a flick": {"length": 0.4}},
    "lipstick": {"in the middle of the lips": {"length": 0.12}, "in the centre": {"length": 0.12}},
    "freckles": {"all over the face": {"width": 1.0, "length": 1.0}, "across the nose": {"width": 0.3, "length": 0.3}},
    "stubble": {"on the chin": {"width": 0.3, "length": 0.3}},
}  # fmt: skip

NATURAL = {  # colours that are something else on these products
    "brows": {
        "black": (24, 20, 20), "dark": (40, 30, 26), "dark brown": (58, 40, 30), "brown": (92, 62, 42),
        "light brown": (132, 94, 64), "blonde": (176, 142, 96), "auburn": (120, 62, 40), "ginger": (170, 96, 50),
        "grey": (128, 124, 120),
    },
    "stubble": {
        "black": (34, 30, 30), "dark": (38, 32, 30), "dark brown": (58, 42, 34), "brown": (84, 60, 44),
        "blonde": (170, 134, 90), "ginger": (158, 88, 48), "red": (158, 80, 46), "grey": (136, 132, 128),
    },
    "freckles": {
        "dark": (88, 52, 34), "dark brown": (88, 52, 34), "brown": (134, 84, 54), "light brown": (160, 112, 78),
    },
    "foundation": {
        "porcelain": (242, 216, 200), "pale": (236, 206, 186), "ivory": (236, 208, 184), "fair": (230, 194, 170),
        "beige": (212, 170, 136), "warm": (206, 146, 104), "golden": (206, 150, 96), "honey": (204, 148, 98),
        "medium": (196, 146, 112), "orange": (214, 126, 66), "caramel": (176, 116, 74), "tanned": (176, 112, 74),
        "bronzed": (166, 102, 62), "dark": (112, 72, 50), "deep": (88, 54, 40),
    },
    "contour": {
        "brown": (120, 78, 56), "taupe": (126, 98, 82), "cool brown": (110, 82, 70), "dark brown": (84, 52, 38),
    },
    "mascara": {"black": (16, 12, 12), "brown": (70, 46, 34), "dark brown": (48, 32, 24)},
}  # fmt: skip
FAVOURITES = {  # the more often, the more likely
    "lipstick": (
        "red", "red", "red", "pink", "pink", "nude", "dark red", "bright red", "hot pink", "light pink", "berry",
        "plum", "coral", "burgundy", "wine", "cherry", "rose", "mauve", "fuchsia", "peach", "black", "brown", "purple",
        "orange", "blue", "green",
    ),
    "eyeshadow": (
        "blue", "dark blue", "light blue", "green", "purple", "violet", "brown", "gold", "silver", "bronze", "copper",
        "rose gold", "champagne", "taupe", "pink", "peach", "black", "grey", "white", "turquoise", "burgundy", "plum",
        "red", "orange", "yellow",
    ),
    "eyeliner": (
        "black", "black", "black", "black", "brown", "white", "blue", "dark blue", "green", "purple", "gold", "silver",
        "red", "pink",
    ),
    "mascara": ("black", "black", "black", "brown", "blue", "purple", "green", "white"),
    "blush": (
        "pink", "pink", "light pink", "rosy", "rose", "peach", "coral", "red", "orange", "plum", "mauve", "berry",
        "purple",
    ),
    "lip liner": ("red", "pink", "nude", "brown", "dark red", "plum", "berry", "black", "burgundy", "mauve"),
    "highlighter": ("gold", "champagne", "silver", "pink", "pearl", "rose gold", "white", "peach"),
    "face paint": ("white", "white", "green", "blue", "red", "yellow", "purple", "silver", "gold", "pink"),
}  # fmt: skip
PLAIN = (
    "red", "orange", "yellow", "green", "turquoise", "teal", "blue", "navy", "purple", "violet", "pink", "magenta",
    "brown", "maroon", "beige", "bronze", "copper", "gold", "silver", "black", "grey", "gray", "white",
)  # fmt: skip
COLOURED = {  # how often a product comes with a colour
    "lipstick": 0.82, "lip liner": 0.75, "eyeshadow": 0.85, "eyeliner": 0.7, "blush": 0.7, "face paint": 0.92,
    "brows": 0.45, "mascara": 0.4, "foundation": 0.5, "contour": 0.3, "highlighter": 0.45, "freckles": 0.3,
    "stubble": 0.35,
}  # fmt: skip
LIKELY = (  # products, as often as users are expected to name them
    *["lipstick"] * 7, *["eyeshadow"] * 6, *["eyeliner"] * 5, *["blush"] * 4,
    *("mascara", "brows", "foundation", "stubble", "face paint") * 3,
    *("highlighter", "contour", "freckles", "lip liner") * 2,
)  # fmt: skip
OFTEN_SHAPED = ("eyeliner", "brows", "mascara")
