"""Whole looks by one word: the dials of each product that makes a face read as what the word says."""

from __future__ import annotations

from dataclasses import dataclass

from makeup_words import SHARP, SOFT, TAN, USUAL, Dials, worn


@dataclass(frozen=True)
class Style:
    """One look: adjectives go before "makeup" or "look", phrases stand alone."""

    wears: dict[str, Dials]
    adjectives: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All that it is called."""
        return self.adjectives + self.phrases


def tinted(style: Style, colour: tuple[float, float, float]) -> dict[str, Dials]:
    """What the style wears, its eyeshadow and whatever has no colour of its own in this one."""
    levels = dict(zip(("red", "green", "blue"), colour, strict=True))
    return {
        name: {**dials, **levels} if name == "eyeshadow" or "red" not in dials else dials
        for name, dials in style.wears.items()
    }


def scaled(style: Style, factor: float) -> dict[str, Dials]:
    """What the style wears, all of it stronger or weaker."""
    return {
        name: {**dials, "opacity": min(1.0, max(0.3, dials["opacity"] * factor))} for name, dials in style.wears.items()
    }


BLACK, WHITE, SKIN, ROSE = (14, 12, 14), (246, 246, 244), (202, 152, 122), (220, 98, 116)

SMOKY_EYES = Style(
    {
        "eyeshadow": worn(0.95, (38, 34, 36), width=0.66, **SOFT),
        "eyeliner": worn(0.95, BLACK, width=0.75, **SOFT),
        "mascara": worn(0.95, BLACK, width=0.8),
    },
    ("smoky", "smokey"),
    ("smoky eyes", "smokey eyes", "smoky eye", "smokey eye", "smoky eye makeup", "smoldering eyes"),
)
PAINTED = Style({"face paint": worn(0.9)})
ONE_COLOUR = Style({"lipstick": worn(0.85), "blush": worn(0.75), "eyeshadow": worn(0.8)})
NONE = Style(
    {},
    phrases=(
        *("no makeup", "without makeup", "no make up", "without any makeup", "makeup free", "bare face", "a bare face"),
        *("a face without makeup", "a face with no makeup", "clean face", "nothing", "none"),
    ),
)

STYLES = {  # by the words that stand for them best
    "smoky eyes": SMOKY_EYES,
    "natural": Style(
        {
            "foundation": worn(0.35, SKIN),
            "blush": worn(0.4, ROSE, **SOFT),
            "mascara": worn(0.55, (40, 28, 24), width=0.5),
            "brows": worn(0.4),
            "lipstick": worn(0.5, (204, 116, 112), gloss=0.3),
        },
        ("natural", "everyday", "daytime", "minimal", "office"),
        ("barely there makeup", "clean girl makeup"),
    ),
    "made up": Style(
        {
            "foundation": worn(0.55, SKIN),
            "blush": worn(0.65, ROSE),
            "eyeshadow": worn(0.6, (156, 104, 88)),
            "eyeliner": worn(0.75, BLACK),
            "mascara": worn(0.85, BLACK),
            "brows": worn(0.6),
            "lipstick": worn(0.8, (196, 52, 74)),
        },
        ("classic", "pretty", "beautiful"),
        ("makeup", "make up", "some makeup", "full face of makeup", "made up", "make me up", "full makeup"),
    ),
    "evening": Style(
        {
            "foundation": worn(0.6, SKIN),
            "contour": worn(0.7),
            "highlighter": worn(0.75, gloss=0.7),
            "blush": worn(0.65, (206, 84, 96)),
            "eyeshadow": worn(0.9, (92, 60, 50), width=0.6, gloss=0.65),
            "eyeliner": worn(0.95, BLACK, width=0.5, length=0.55),
            "mascara": worn(0.95, BLACK, width=0.9),
            "brows": worn(0.7),
            "lipstick": worn(0.92, (160, 14, 40), gloss=0.6),
        },
        ("evening", "party", "prom", "night out", "glam", "glamorous", "red carpet", "hollywood"),
        ("full glam", "glamour makeup"),
    ),
    "goth": Style(
        {
            "foundation": worn(0.85, (240, 226, 220)),
            "eyeshadow": worn(0.97, (20, 16, 20), width=0.8, **SOFT),
            "eyeliner": worn(1.0, BLACK, width=0.8, length=0.5),
            "mascara": worn(0.95, BLACK, width=0.8),
            "brows": worn(0.8, (24, 20, 22)),
            "lipstick": worn(0.97, (22, 8, 14), gloss=0.1),
        },
        ("goth", "gothic", "dark goth"),
        ("dark makeup", "dark look"),
    ),
    "emo": Style(
        {
            "foundation": worn(0.6, (234, 216, 206)),
            "eyeshadow": worn(0.85, (44, 36, 44), width=0.5, **SOFT),
            "eyeliner": worn(1.0, BLACK, width=0.95, **SOFT),
            "mascara": worn(0.9, BLACK),
        },
        ("emo", "grunge"),
    ),
    "punk": Style(
        {
            "eyeshadow": worn(0.95, (214, 20, 120), width=0.8, **SHARP),
            "eyeliner": worn(1.0, BLACK, width=0.9, length=0.85, **SHARP),
            "mascara": worn(0.9, BLACK),
            "brows": worn(0.85, (26, 22, 24), **SHARP),
            "lipstick": worn(0.95, (74, 10, 60), gloss=0.1),
        },
        ("punk", "punk rock"),
    ),
    "clown": Style(
        {
            "face paint": worn(0.95, WHITE),
            "blush": worn(1.0, (224, 16, 28), width=0.35, **SHARP),
            "eyeshadow": worn(0.95, (30, 90, 220), width=0.85),
            "eyeliner": worn(0.9, BLACK, width=0.6),
            "brows": worn(0.95, BLACK, width=0.5),
            "lipstick": worn(1.0, (226, 8, 22), gloss=0.5),
            "lip liner": worn(1.0, (226, 8, 22), width=0.95),
        },
        ("clown", "circus clown"),
        ("a clown", "clown face"),
    ),
    "sunburn": Style(
        {"foundation": worn(0.55, (208, 98, 84)), "blush": worn(0.8, (204, 62, 58), width=0.6)},
        phrases=("sunburn", "a sunburn", "sunburnt", "sunburned", "sunburnt skin"),
    ),
    "sun tan": Style({"foundation": worn(USUAL, TAN)}, phrases=("sun tan", "suntan", "tan")),
    "sun kissed": Style(
        {
            "foundation": worn(0.65, TAN),
            "highlighter": worn(0.85, (250, 212, 160), gloss=0.8),
            "blush": worn(0.6, (216, 112, 84)),
            "lipstick": worn(0.65, (222, 112, 92), gloss=0.85),
        },
        ("sun kissed", "bronzed", "beach", "summer", "bronzed goddess"),
        ("sun kissed skin",),
    ),
    "pin up": Style(
        {
            "foundation": worn(0.6, (224, 178, 152)),
            "blush": worn(0.6, (224, 100, 108)),
            "eyeshadow": worn(0.45, (226, 204, 180)),
            "eyeliner": worn(1.0, BLACK, width=0.5, length=0.75, **SHARP),
            "mascara": worn(0.95, BLACK, width=0.9),
            "brows": worn(0.8, (60, 42, 34), **SHARP),
            "lipstick": worn(1.0, (196, 6, 24), gloss=0.05, **SHARP),
        },
        ("pin up", "pinup", "vintage", "retro", "fifties", "50s", "old hollywood", "rockabilly"),
    ),
    "bridal": Style(
        {
            "foundation": worn(0.5, SKIN),
            "highlighter": worn(0.75, (255, 232, 212)),
            "blush": worn(0.6, (232, 128, 136), **SOFT),
            "eyeshadow": worn(0.65, (234, 200, 172), gloss=0.7),
            "eyeliner": worn(0.6, (52, 36, 32)),
            "mascara": worn(0.85, BLACK, width=0.8),
            "lipstick": worn(0.75, (218, 112, 128), gloss=0.4),
        },
        ("bridal", "wedding", "bride", "romantic"),
        ("a bride",),
    ),
    "korean": Style(
        {
            "foundation": worn(0.6, (240, 208, 188), gloss=0.85),
            "highlighter": worn(0.7, gloss=0.9),
            "blush": worn(0.5, (250, 150, 136), **SOFT),
            "eyeshadow": worn(0.45, (238, 172, 142), gloss=0.7),
            "brows": worn(0.6, (94, 66, 50), width=0.6, **SOFT),
            "lipstick": worn(0.9, (226, 52, 70), length=0.12, gloss=0.75, **SOFT),
        },
        ("korean", "k beauty", "kpop", "k pop"),
    ),
    "zombie": Style(
        {
            "face paint": worn(0.7, (142, 158, 126)),
            "contour": worn(1.0, (52, 50, 46), width=0.8),
            "eyeshadow": worn(0.97, (46, 26, 40), width=0.97, **SOFT),
            "lipstick": worn(0.85, (84, 78, 84), gloss=0.05),
        },
        ("zombie", "undead"),
        ("a zombie",),
    ),
    "vampire": Style(
        {
            "face paint": worn(0.6, (236, 230, 230)),
            "contour": worn(0.8, (96, 84, 92)),
            "eyeshadow": worn(0.9, (70, 6, 18), width=0.9, **SOFT),
            "eyeliner": worn(0.95, BLACK),
            "lipstick": worn(1.0, (130, 0, 14), gloss=0.7),
        },
        ("vampire", "dracula"),
        ("a vampire",),
    ),
    "witch": Style(
        {
            "face paint": worn(0.85, (88, 158, 60)),
            "eyeshadow": worn(0.95, (74, 24, 100), width=0.85),
            "eyeliner": worn(0.95, BLACK, length=0.5),
            "brows": worn(0.95, BLACK, width=0.7),
            "lipstick": worn(0.97, (26, 10, 26), gloss=0.2),
        },
        ("witch", "wicked witch"),
        ("a witch",),
    ),
    "ghost": Style(
        {
            "face paint": worn(0.97, (238, 240, 244)),
            "eyeshadow": worn(0.75, (120, 124, 140), width=0.95, **SOFT),
            "lipstick": worn(0.8, (172, 176, 188), gloss=0.05),
        },
        ("ghost", "ghostly"),
        ("a ghost",),
    ),
    "doll": Style(
        {
            "foundation": worn(0.75, (246, 218, 202)),
            "blush": worn(0.95, (250, 120, 150), width=0.4),
            "eyeshadow": worn(0.6, (246, 178, 200)),
            "eyeliner": worn(0.85, BLACK, width=0.5),
            "mascara": worn(1.0, BLACK, width=1.0),
            "lipstick": worn(0.95, (238, 70, 120), length=0.3, gloss=0.6),
        },
        ("doll", "porcelain doll", "barbie"),
        ("a doll",),
    ),
    "eighties": Style(
        {
            "blush": worn(0.9, (230, 44, 130), width=0.5),
            "eyeshadow": worn(1.0, (36, 120, 232), width=0.8, gloss=0.7),
            "eyeliner": worn(0.85, (20, 40, 140)),
            "mascara": worn(0.9, BLACK),
            "lipstick": worn(0.97, (236, 20, 132), gloss=0.75),
        },
        ("eighties", "80s", "disco"),
    ),
    "cleopatra": Style(
        {
            "eyeshadow": worn(0.95, (20, 92, 170), width=0.7, gloss=0.6),
            "eyeliner": worn(1.0, BLACK, width=0.95, length=0.97, **SHARP),
            "mascara": worn(0.9, BLACK),
            "brows": worn(0.95, BLACK, width=0.4, **SHARP),
            "highlighter": worn(0.5, (232, 190, 90), gloss=0.8),
            "lipstick": worn(0.8, (150, 60, 48)),
        },
        ("cleopatra", "egyptian", "ancient egyptian"),
    ),
    "drag": Style(
        {
            "foundation": worn(0.9, (226, 174, 144)),
            "contour": worn(1.0, width=0.8),
            "highlighter": worn(1.0, width=0.8, gloss=0.9),
            "blush": worn(1.0, (226, 60, 120), width=0.6),
            "eyeshadow": worn(1.0, (150, 40, 190), width=0.9, gloss=0.7),
            "eyeliner": worn(1.0, BLACK, width=0.97, length=0.9, **SHARP),
            "mascara": worn(1.0, BLACK, width=1.0),
            "brows": worn(1.0, (40, 26, 22), width=0.5, **SHARP),
            "lipstick": worn(1.0, (216, 10, 90), gloss=0.9),
            "lip liner": worn(1.0, (120, 6, 48), width=0.7),
        },
        ("drag", "drag queen"),
        ("a drag queen",),
    ),
    "robot": Style(
        {
            "face paint": worn(0.97, (150, 153, 164), gloss=0.95),
            "eyeshadow": worn(0.8, (96, 98, 108), gloss=0.9),
            "lipstick": worn(0.9, (112, 115, 126), gloss=0.9),
        },
        ("robot", "tin man", "silver statue"),
        ("a robot",),
    ),
}
