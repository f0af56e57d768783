"""The tables of words: each entry keeps what the reader counts on; new ones are tested by being there."""

import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from kohl.makeup.layers import DIALS
from kohl.makeup.products import LAYERED, LAYERS, NAMES
from kohl.makeup.words import colours, grammar, phrase, reader, spelling, tables, typed
from kohl.makeup.words.tables import Role

FOLDER = Path(tables.__file__).parent
EVERY = sorted(path.stem for path in FOLDER.glob("*.toml"))


def known_words(text):
    return phrase.phrases(typed.tokens(text))


# Contract


def test_the_products_are_those_that_can_be_drawn():
    drawn = {layer for product in tables.products().values() for row in product.layers.values() for layer in row}
    whole = {layer.name for layer in LAYERS if not layer.half}
    assert {*tables.products(), *drawn} == whole
    assert {f"{side} {name}" for side in tables.HALVES.values() for name in whole} | whole == set(LAYERED)
    assert set(tables.products()) >= set(NAMES)


def test_halves_are_places_with_layers_of_their_own():
    for product in tables.products().values():
        for places in (product.halves, *product.fades.values()):
            layers = [product.reached(*(("", place) if place in tables.HALVES else (place, ""))) for place in places]
            assert all(set(one).isdisjoint(other) for one, other in pairwise(layers))


@pytest.mark.parametrize("name", tables.products())
def test_a_product_can_be_asked_for_by_every_word_of_its(name):
    product = tables.products()[name]
    assert 0 < product.opacity <= 1
    for word in (product.name, *product.words):
        assert list(reader.read(word if name != "face paint" else f"{word} in green").wears) == [name], word
    for part in product.parts:
        assert list(reader.read(f"green {part}").wears) == ["face paint" if part in ("face", "skin") else name] or (
            name == "foundation"
        )
    for flaw in product.flaws:
        assert list(reader.read(f"hide my {flaw}").wears) == [name], flaw
    for other in product.instead:
        assert other in tables.colour_names()


def test_every_dial_in_the_tables_is_one_in_its_range():
    shapes = [row for one in tables.products().values() for row in (*one.shapes.values(), *one.places.values())]
    assert {dial for row in (*shapes, *tables.more().values()) for dial in row} <= set(DIALS)
    assert all(0 <= level <= 1 for row in shapes for level in row.values())
    assert all(0 < level <= 1 for level in (*tables.strengths().values(), *tables.finishes().values()))
    bounds = {name for row in tables.limits().values() for name in row}
    assert bounds <= {*DIALS, "light", "chroma", "yellow"}


@pytest.mark.parametrize("name", tables.styles())
def test_a_style_is_made_of_known_words_and_wears_something(name):
    style = tables.styles()[name]
    unknown = [term.words for term in known_words(style.look) if term.can(Role.UNKNOWN)]
    assert unknown == []
    look, reading = grammar.look(known_words(style.look))
    assert look.wears
    assert (reading.unknown, reading.things, reading.patterns) == ((), (), ())
    assert look.notes == ()
    assert all(worn.dials["opacity"] > 0.1 for worn in look.wears.values())
    assert reader.style(reader.dashed(name)) == name


@pytest.mark.parametrize("name", tables.styles())
def test_a_style_is_the_same_by_each_of_its_names(name):
    style, look = tables.styles()[name], reader.read(name).said
    assert look == {product: worn.said for product, worn in grammar.of_style(name).items()}
    for other in (*style.also, *style.phrases):
        assert reader.read(f"{other} makeup" if other in style.also else other).said == look, other


def test_there_are_64_styles_no_two_of_which_are_the_same():
    assert len(tables.styles()) == 64
    looks = [str(grammar.of_style(name)) for name in tables.styles()]
    assert len(set(looks)) == 64
    names = [name for style in tables.styles().values() for name in {style.name, *style.also, *style.phrases}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("alias", tables.aliases())
def test_an_alias_stands_for_known_words(alias):
    found = phrase.phrases(typed.tokens(tables.aliases()[alias]), implied=True)
    assert not any(term.can(Role.UNKNOWN) for term in found)


@pytest.mark.parametrize("name", EVERY)
def test_phrases_are_in_the_form_that_tokens_have(name):
    table = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    said = [word for row in table.values() if isinstance(row, dict) for word in row]
    if name == "products":
        kinds = ("words", "parts", "flaws", "halves", "shapes", "places", "layers", "fades", "colours")
        said = [word for row in table.values() for kind in kinds for word in row.get(kind, ())]
    elif name == "phrases":
        said += [word for words in table["words"].values() for word in words]
    elif name == "styles":
        said = [*table, *(word for row in table.values() for kind in ("also", "phrases") for word in row.get(kind, ()))]
    elif name == "insults":
        said = [word for kind in ("peoples", "after", "before", "never", "coloured", "skin") for word in table[kind]]
    odd = [word for word in said if " ".join(typed.tokens(word)) != word and word != "w/o"]
    assert odd == []


# Parity


def test_the_learned_colours_are_those_of_the_text_image_model():
    from kohl.zoo import cards
    from kohl.zoo.text import makeup_clip

    vocabulary = makeup_clip.metadata(cards.path(cards.find("makeup_clip")))["vocabulary"]
    assert set(colours.learned()) <= set(vocabulary["colours"])
    learned = {name for name, style in tables.styles().items() if style.learned}
    assert learned <= {*vocabulary["styles"], *vocabulary["looks"]}


# Spelling


@pytest.mark.parametrize(
    "word", ["glass", "grass", "black", "flash", "bleach", "winter", "shadows", "brighten", "line"]
)
def test_a_word_that_is_one_already_is_not_corrected(word):
    assert spelling.corrected(word) == word


@pytest.mark.parametrize(
    ("typed_word", "meant"),
    [
        ("lipstik", "lipstick"),
        ("lispstick", "lipstick"),
        ("eyshadow", "eyeshadow"),
        ("eyelinr", "eyeliner"),
        ("mascarra", "mascara"),
        ("foundaton", "foundation"),
        ("purpel", "purple"),
        ("gothicc", "gothic"),
        ("wihtout", "without"),
        ("smokyeyes", "smoky eyes"),
    ],
)
def test_a_slip_becomes_a_word_of_makeup(typed_word, meant):
    assert spelling.corrected(typed_word) == meant


def test_real_words_would_be_taken_for_slips():
    some = sorted(spelling.real() - spelling.known())[::100]
    assert all(spelling.meant(word, spelling.cosmetic()) != word for word in some)
