"""Captions of makeup, written from what is drawn: the text a user might type, and the dials that it asks for."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import makeup_styles as styles
import makeup_words as lexicon
import torch
from colours import COLOURS, FAMILIES, HELD_OUT_COLOURS, MAKEUP, RGB, composed, family
from makeup_frames import EVERYTHING, EXCEPT, FREE, HELD_OUT, LIKE, NO, ONE_COLOUR, PAINTED, USED, Wordings
from makeup_styles import STYLES
from makeup_words import FINISHED, FINISHES, IMPLIED, NEEDY, SKINS, USUAL, WORDS, Dials, rgb
from slips import typed
from torch import Tensor

from kohl.makeup.layers import DIALS, bare
from kohl.makeup.products import NAMES

__all__ = ["COLOURS", "FAMILIES", "HELD_OUT_COLOURS", "VOCABULARY", "Scene", "family", "scene"]

AS_USUAL = 0.2  # weight of a dial of a product that was asked for without a word about that dial
JITTER = (0.08, 0.03, 0.03, 0.03, 0.08, 0.08, 0.08, 0.08)  # of the drawn dials: no two hands do the same
TYPOS = 0.03  # how often

WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")
BARE = [[round(dial, 4) for dial in row] for row in bare().tolist()]
NUMBER = {name: number for number, name in enumerate(NAMES)}
SHAPES = (lexicon.BEFORE, lexicon.AFTER)
STANDING = tuple(word for style in STYLES.values() for word in style.phrases if not word.startswith(("a ", "make me")))
SCALED = (*styles.SMOKY_EYES.phrases, "makeup", "make up")
ANY_COLOUR = {**COLOURS, **HELD_OUT_COLOURS}
SKIN_LIKE = ("brown", "black", "orange")
NO_SKINS = {name for name, value in ANY_COLOUR.items() if family(value) not in SKIN_LIKE}
COMMON = {product: (*lexicon.FAVOURITES.get(product, ()) * 2, *lexicon.PLAIN, *MAKEUP) for product in NAMES}


@dataclass(frozen=True, eq=False)
class Scene:
    """One caption, what is drawn for it, what exactly it says, and how much each dial follows from its words."""

    text: str
    dials: Tensor  # (13, 8)
    said: Tensor  # (13, 8)
    weight: Tensor  # (13, 8)


@dataclass(frozen=True)
class _Draft:
    """A text, and the dials that it says of each product; opacity 0 says that the product is not there."""

    text: str
    wears: dict[str, Dials]


def scene(rng: random.Random, *, held_out: bool = False, free: bool = False, typos: float = TYPOS) -> Scene:
    """The next caption of `rng`; held-out ones have frames, orders, joints and colours that no other caption has.

    `free` ones have more ways of saying things, and of naming colours, than the vocabulary lists.
    """
    return _drawn(rng, *caption(rng, held_out=held_out, free=free, typos=typos))


def caption(
    rng: random.Random, *, held_out: bool = False, free: bool = False, typos: float = TYPOS
) -> tuple[str, dict[str, Dials]]:
    """The text of the next caption, a share of which has slips, and the dials that it says by product."""
    while True:
        draft = _draft(rng, HELD_OUT if held_out else FREE if free else USED)
        text = typed(rng, " ".join(draft.text.split()).replace(" ,", ",").replace(" ;", ";"), typos)
        if held_out or not _names_a_held_out_colour(text):
            return text, draft.wears


def _draft(rng: random.Random, used: Wordings) -> _Draft:
    kind = rng.random()
    if kind < 0.02:
        absent = _some(rng, rng.choice((1, 1, 2)))
        text = " or ".join(_plain_word(rng, product) for product in absent)
        return _Draft(_in(rng, NO, text), _none_of(absent))
    if kind < 0.36:
        return _look(rng, used)
    draft = _items(rng, _some(rng, rng.choice((1, 1, 1, 1, 2, 2, 2, 3, 3, 4))), used)
    draft = _without(rng, draft, [product for product in NAMES if product not in draft.wears], used)
    return replace(draft, text=_in(rng, used.frames, draft.text)) if rng.random() < 0.45 or used is HELD_OUT else draft


def _items(rng: random.Random, products: Sequence[str], used: Wordings) -> _Draft:
    """Several products, joined."""
    drafts = [_item(rng, product, used) for product in products]
    listed = rng.random() < used.listed
    text = drafts[0].text
    for number, draft in enumerate(drafts[1:], 2):
        text += (" and " if number == len(drafts) else ", ") if listed else rng.choice(used.joins)
        text += draft.text
    return _Draft(text, {product: dials for draft in drafts for product, dials in draft.wears.items()})


def _item(rng: random.Random, product: str, used: Wordings) -> _Draft:
    """One product, and what is said about it."""
    word = _word(rng, product)
    said: Dials = {"opacity": USUAL, **IMPLIED.get(word, {})}
    slots = dict.fromkeys(("much", "strength", "finish", "colour", "before", "after"), "")
    if "red" not in said and rng.random() < lexicon.COLOURED[product]:
        slots["colour"], (said["red"], said["green"], said["blue"]) = _colour(rng, product, used)
    if product in FINISHED and "gloss" not in said and word not in SKINS and rng.random() < 0.25:
        slots["finish"] = rng.choice(FINISHED[product])
        said["gloss"] = FINISHES[slots["finish"]]
    if word not in IMPLIED:
        said |= _shape(rng, product, word, slots)
    if said["opacity"] == USUAL:
        said |= _strength(rng, product, word, said, slots)
    if word in NEEDY and not any(slots.values()):
        word = WORDS[product][0]
    inverted = slots["colour"] and rng.random() < used.inverted
    text = " ".join(rng.choice(used.coloured if inverted else used.orders).format(product=word, **slots).split())
    counted = 0.4 if word in lexicon.COUNTED else 0.0 if word in NEEDY or word[-1] == "s" else 0.05
    if rng.random() < counted and not slots["much"]:
        text = f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
    return _Draft(text, {product: said})


def _shape(rng: random.Random, product: str, word: str, slots: dict[str, str]) -> Dials:
    """What words of shape say, which go into their slots; mostly there are none."""
    kind = rng.random()
    if product in lexicon.BEFORE and kind < (0.45 if product in lexicon.OFTEN_SHAPED else 0.2):
        shape, dials = rng.choice(tuple(lexicon.BEFORE[product].items()))
        if "smoky" not in shape or "liner" in word or word == "eyeshadow":  # "smoky eyes" is a whole look
            slots["before"] = shape
            return dials
    if product in lexicon.AFTER and kind > 0.9 and word not in NEEDY:
        slots["after"], dials = rng.choice(tuple(lexicon.AFTER[product].items()))
        return dials
    return {}


def _strength(rng: random.Random, product: str, word: str, said: Dials, slots: dict[str, str]) -> Dials:
    """What a word of strength says, which goes into its slot; often there is none."""
    kind = rng.random()
    if kind < 0.06 and word not in NEEDY and word not in lexicon.COUNTED:
        slots["much"] = rng.choice(tuple(lexicon.MUCH))
        return {"opacity": lexicon.MUCH[slots["much"]]}
    if kind < 0.12 and product in lexicon.DARKENABLE and not slots["colour"]:
        slots["strength"], share = rng.choice(tuple(lexicon.DARKENED.items()))
        share = share**0.5 if "red" in said else share  # a dark tan is lighter than dark lipstick
        usual = zip(DIALS[1:4], BARE[NUMBER[product]][1:4], strict=True)
        return {"opacity": 0.92, **{dial: share * said.get(dial, level) for dial, level in usual}}
    if kind < 0.35:
        strengths = lexicon.STRENGTHS if slots["colour"] else lexicon.PLAIN_STRENGTHS
        slots["strength"] = rng.choice(tuple(strengths))
        soft = lexicon.QUITE_SOFT if slots["strength"] == "soft" and "softness" not in said else {}
        return {"opacity": strengths[slots["strength"]], **soft}
    return {}


def _look(rng: random.Random, used: Wordings) -> _Draft:
    """A whole look, perhaps stronger or weaker than usual, perhaps with more products or without one."""
    draft = _style(rng, used)
    kind = rng.random()
    if not draft.wears and (kind > 0.4 or " a" in f" {draft.text}" or "with" in draft.text):
        return draft
    if kind < 0.3 or not draft.wears:
        items = _items(rng, _some(rng, rng.choice((1, 1, 2))), used)
        also = used.also if draft.wears else EXCEPT
        return _Draft(_in(rng, also, draft.text) + items.text, draft.wears | items.wears)
    framed = kind < 0.6 and draft.text.endswith(STANDING)
    wears = list(draft.wears) if len(draft.wears) > 3 else [name for name in NAMES if name not in draft.wears]
    draft = _without(rng, draft, wears, used)
    frames = [frame for frame in used.frames if "make" not in frame or "make" not in draft.text] if framed else ("{x}",)
    return replace(draft, text=_in(rng, frames, draft.text))


def _style(rng: random.Random, used: Wordings) -> _Draft:
    kind = rng.random()
    if kind < 0.1:
        name, colour = _any_colour(rng, "lipstick", used)
        return _Draft(_in(rng, ONE_COLOUR, name), styles.tinted(styles.ONE_COLOUR, colour))
    if kind < 0.2:
        name, colour = _any_colour(rng, "eyeshadow", used)
        return _Draft(_in(rng, used.smoky, name), styles.tinted(styles.SMOKY_EYES, colour))
    if kind < 0.23:
        name, colour = _any_colour(rng, "face paint", used)
        return _Draft(_in(rng, PAINTED, name), styles.tinted(styles.PAINTED, colour))
    style = styles.SMOKY_EYES if kind < 0.28 else styles.NONE if kind < 0.33 else rng.choice(tuple(STYLES.values()))
    phrased = not style.adjectives or (style.phrases and rng.random() < 0.35)
    text = rng.choice(style.phrases) if phrased else _in(rng, used.looks, rng.choice(style.adjectives))
    if text.startswith("a ") and phrased and style is not styles.NONE:
        text = _in(rng, LIKE, text)
    if rng.random() < 0.25 and (not phrased or text in SCALED) and text.startswith(style.words):
        strength, opacity = rng.choice(tuple(lexicon.PLAIN_STRENGTHS.items()))
        return _Draft(f"{strength} {text}", styles.scaled(style, opacity / USUAL))
    return _Draft(text, style.wears)


def _without(rng: random.Random, draft: _Draft, products: Sequence[str], used: Wordings) -> _Draft:
    """The draft, or now and then the draft without one or two products, and saying so."""
    if rng.random() > 0.12 or not products:
        return draft
    absent = rng.sample(products, min(len(products), rng.choice((1, 1, 1, 2))))
    text = rng.choice((" or ", " and no ")).join(_plain_word(rng, product) for product in absent)
    return _Draft(draft.text + _in(rng, used.without, text), draft.wears | _none_of(absent))


def _none_of(products: Sequence[str]) -> dict[str, Dials]:
    return {product: {"opacity": 0.0} for product in products}


def _some(rng: random.Random, count: int) -> list[str]:
    """Different products, the likely ones more often."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[rng.choice(lexicon.LIKELY)] = None
        if "face paint" in found:
            found.pop("foundation", None)  # it would not be seen
    return list(found)


def _in(rng: random.Random, frames: Sequence[str], text: str) -> str:
    return rng.choice(frames).replace("{x}", text)


def _word(rng: random.Random, product: str) -> str:
    words = WORDS[product]
    return words[0] if rng.random() < 0.4 else rng.choice(words)


def _plain_word(rng: random.Random, product: str) -> str:
    """A word for the product itself: nobody asks for "no lips"."""
    word = _word(rng, product)
    return WORDS[product][0] if word in NEEDY or word in SKINS else word


def _colour(rng: random.Random, product: str, used: Wordings) -> tuple[str, RGB]:
    """A colour that suits the product, most of the time."""
    if product in lexicon.NATURAL and rng.random() < 0.8:
        name, value = rng.choice(tuple(lexicon.NATURAL[product].items()))
        return name, rgb(value)
    if product in ("mascara", "highlighter") and rng.random() < 0.8:
        name = rng.choice(lexicon.FAVOURITES[product])
        return name, ANY_COLOUR[name]
    return _any_colour(rng, product, used)


def _any_colour(rng: random.Random, product: str, used: Wordings) -> tuple[str, RGB]:
    """A common colour of the product, or any other; face paint never has a skin's colour."""
    while True:
        if used.composed and rng.random() < used.composed:
            name, value = composed(rng)
            if product != "face paint" or family(value) not in SKIN_LIKE:
                return name, value
            continue
        name = rng.choice(COMMON[product]) if rng.random() < used.common else rng.choice(used.names)
        if name in (NO_SKINS if product == "face paint" else ANY_COLOUR):
            return name, ANY_COLOUR[name]


def _names_a_held_out_colour(text: str) -> bool:
    words = WORD.findall(text.lower())
    spans = (words[i : i + size] for size in (1, 2, 3) for i in range(len(words) - size + 1))
    return any(" ".join(span) in HELD_OUT_COLOURS for span in spans)


def _drawn(rng: random.Random, text: str, wears: dict[str, Dials]) -> Scene:
    """The scene of a text: its dials, those of a hand that draws them, and their weights."""
    said, dials = [row.copy() for row in BARE], [row.copy() for row in BARE]
    weight = [[1.0] + [0.0] * 7 for _ in NAMES]
    for product, words in wears.items():
        if words["opacity"]:
            number = NUMBER[product]
            row = [words.get(dial, usual) for dial, usual in zip(DIALS, BARE[number], strict=True)]
            moved = (level + rng.uniform(-jitter, jitter) for level, jitter in zip(row, JITTER, strict=True))
            said[number], dials[number] = row, [min(1.0, max(0.0, level)) for level in moved]
            weight[number] = [1.0, *(1.0 if dial in words else AS_USUAL for dial in DIALS[1:])]
    return Scene(text, torch.tensor(dials), torch.tensor(said), torch.tensor(weight))


def _vocabulary() -> dict[str, tuple[str, ...]]:
    """Every word and phrase of the captions that are not held out, by kind; `looks` are other words for the styles."""
    texts = " ".join((*USED.patterns, *NO, *EXCEPT, *LIKE, *ONE_COLOUR, *PAINTED))
    kinds = {
        "products": [word for words in WORDS.values() for word in words],
        "colours": [*COLOURS, *(name for names in lexicon.NATURAL.values() for name in names)],
        "finishes": [*FINISHES],
        "strengths": [*lexicon.PLAIN_STRENGTHS, *lexicon.DARKENED, *lexicon.MUCH],
        "styles": [*STYLES],
        "looks": [*(word for style in (*STYLES.values(), styles.NONE) for word in style.words), *EVERYTHING],
        "shapes": [word for table in SHAPES for words in table.values() for word in words],
        "connecting": [*WORD.findall(re.sub("{.*?}", " ", texts)), "an", "or"],
    }
    return {kind: tuple(dict.fromkeys(words)) for kind, words in kinds.items()}


VOCABULARY = _vocabulary()
