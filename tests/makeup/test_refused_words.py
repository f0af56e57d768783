"""Words of which nothing is drawn: each is refused in one sentence that says what to type instead."""

import pytest

from kohl.errors import BadSetting
from kohl.makeup.words import insults, tables
from kohl.makeup.words.reader import read, style
from kohl.makeup.words.typed import LONGEST, MOST

INSULTS = (
    "blackface", "BLACKFACE", "black-face", "black face", "black face paint",
    "white and black face paint", "the left half of my face black",
    "blue and brown face paint", "b l a c k f a c e",
    "b.l.a.c.k.f.a.c.e", "bl4ckface", "blaaackface", "blackfacé", "blackfaced", "blak face", "paint my face black",
    "my face painted black", "face paint in brown", "dark brown face paint", "brown face", "yellow face", "redface",
    "black skin", "make me look black", "look black", "make me look like a chinese woman", "like an asian girl",
    "as a native american", "make me asian", "turn me into an african", "indian chief", "arab man", "a geisha",
    "a gypsy woman", "slanted eyes", "minstrel makeup", "golliwog", "hitler moustache", "a nazi", "retarded clown",
    "slut makeup", "coal black face", "caramel skin", "golden brown face paint", "black foundation", "paint me brown",
    "red lipstick and blackface", "zwarte piet",
)  # fmt: skip
WELCOME = (
    "black lipstick and black eyeliner", "black eyes", "brown brows", "goth", "korean makeup", "indian bridal makeup",
    "japanese makeup", "egyptian", "red lipstick for black women", "blush that suits dark skin",
    "red lips on my brown skin", "white face paint", "green face", "a tan", "dark foundation",
    "terracotta face paint", "brown foundation", "the black liner, a white base", "yellow eyeshadow",
    "like a korean star", "lips black, cheeks pink",
)  # fmt: skip


def refusal(text):
    with pytest.raises(BadSetting) as caught:
        read(text)
    said = str(caught.value)
    assert said.startswith("text: ")
    assert "\n" not in said
    return said


# Insults


@pytest.mark.parametrize("text", INSULTS)
def test_what_could_be_an_insult_is_refused_whatever_its_wording(text):
    assert refusal(text) == insults.REFUSED


@pytest.mark.parametrize("text", INSULTS)
def test_it_is_refused_for_a_model_of_free_words_too(text):
    with pytest.raises(BadSetting, match="mock people"):
        read(text, free=True)


@pytest.mark.parametrize("text", WELCOME)
def test_what_only_sounds_like_one_is_drawn(text):
    assert read(text).wears


@pytest.mark.parametrize("text", ["darken my skin", "make my skin lighter", "dark skin", "whiten my skin"])
def test_nobody_s_skin_is_made_another(text):
    assert refusal(text) == insults.SKIN


# Shapes


@pytest.mark.parametrize(
    "text", ["tiger", "a skull", "clown makeup", "spiderman face paint", "leopard print", "cat", "rainbow"]
)
def test_paint_has_no_shapes(text):
    said = refusal(text)
    assert "paint has no shapes here" in said
    assert "“orange face paint”" in said


# Nothing to go by


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("red", "“red” has a colour but no makeup to put it on; say for example “red lipstick”"),
        ("Dark Red!", "“Dark Red!” has a colour but no makeup to put it on; say for example “dark red lipstick”"),
        ("grass", "“grass” has a colour but no makeup to put it on; say for example “grass lipstick”"),
        ("lips", "“lips” does not say what to wear on the lips; say for example “lipstick”, or a colour of it"),
        ("my eyes", "“my eyes” does not say what to wear on the eyes; say for example “eyeshadow”, or a colour of it"),
        (
            "left eye only",
            "“left eye only” does not say what to wear on the eye; say for example “eyeshadow”, or a colour of it",
        ),
        ("my blue eyes", "“my blue eyes” says how you look; say what you want to wear, for example “gold eyeshadow”"),
        ("blue hair", "kohl makes up faces, and leaves out “hair”; say for example “red lipstick”"),
        ("помада", "“помада” is not English, all that kohl reads without CLIP; say “red lipstick”"),
        ("口紅", "“口紅” is not English, all that kohl reads without CLIP; say “red lipstick”"),
    ],
)
def test_what_is_missing_is_said(text, said):
    assert refusal(text) == f"text: {said}"


@pytest.mark.parametrize(
    "text", ["asdf qwer", "a pony", "💄", "!!!", "matte", "not too bold", "more", "euphoria makeup"]
)
def test_nonsense_is_told_what_kohl_understands(text):
    said = refusal(text)
    assert said.startswith(f"text: “{text}” names no makeup that kohl knows; say it in English")
    assert all(name in said for name in tables.products())
    assert "`kohl models pull clip-vit-b32`" in said
    assert "`--set models.text=clip-vit-b32`" in said


def test_the_nearest_product_or_style_is_asked_about():
    assert "perhaps you mean “eyeliner”; " in refusal("a layliner")


def test_a_long_text_is_quoted_in_part():
    assert "“incomprehensible incomprehensible incomprehensible …” names no makeup" in refusal("incomprehensible " * 17)


@pytest.mark.parametrize("extra", [1, 1000])
def test_a_text_has_at_most_300_characters(extra):
    assert read("red lipstick".ljust(LONGEST)).wears
    said = refusal("red lipstick".ljust(LONGEST + extra))
    assert said == f"text: must be at most 300 characters long, not {LONGEST + extra}"


def test_a_text_has_a_bounded_number_of_words():
    assert read("red " * 3 + "lips").wears
    assert refusal("a, " * 80) == f"text: must be at most {MOST} words and commas long, not 160"


@pytest.mark.parametrize("text", ["a pony", "a, " * 80, "x" * 400, "помада", "tiger"])
def test_a_model_of_free_words_is_left_what_kohl_cannot_read(text):
    found = read(text, free=True)
    assert (found.wears, found.left_over) == ({}, True)


# Styles by name


def test_an_unknown_style_lists_all_and_asks_about_the_nearest():
    with pytest.raises(BadSetting) as caught:
        style("smoky-eye")
    said = str(caught.value)
    assert said.startswith(
        "smoky-eye: no such style; did you mean smoky-eyes? there are none, natural, no-makeup-makeup, "
    )
    assert said.endswith(", or say it in your own words with --text")
