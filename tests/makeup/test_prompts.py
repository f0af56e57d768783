"""What users type: slips are corrected and said so, nonsense is refused in one sentence, nothing breaks."""

import random
import sys
import unicodedata

import pytest

from kohl.errors import BadSetting
from kohl.makeup.layers import NAMES
from kohl.makeup.prompts import LONGEST, MOST, Prompt, understood
from kohl.zoo.text import makeup_clip

WORDS = {
    "products": (
        "lipstick",
        "lips",
        "eyeliner",
        "eyeshadow",
        "eye shadow",
        "blush",
        "rouge",
        "five o'clock shadow",
        "brows",
    ),
    "colours": ("red", "dark red", "blue", "black", "rose", "purple", "cherry", "pink"),
    "finishes": ("matte", "glossy"),
    "strengths": ("bold", "a touch of", "very subtle"),
    "styles": ("goth", "smoky eyes", "natural", "pin up"),
    "looks": ("no makeup", "makeup", "gothic", "50s"),
    "shapes": ("winged", "thick"),
    "connecting": (
        "with",
        "and",
        "without",
        "no",
        "a",
        "face",
        "wearing",
        "give",
        "me",
        "like",
        "i",
        "want",
        "plus",
        "please",
    ),
}


def refusal(text):
    with pytest.raises(BadSetting) as caught:
        understood(text, WORDS)
    return str(caught.value)


# Oracle


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("red lipstick", "red lipstick"),
        ("  Red\tLIPSTICK ", "red lipstick"),
        ("ｒｅｄ　ｌｉｐｓｔｉｃｋ", "red lipstick"),
        ('"red" lipstick!!!', "red lipstick"),
        ("red lipstick 💄💋", "red lipstick"),
        ("red\x00lip\u200bstick\x1b", "red lipstick"),
        ("red li\u00adpst\u00adick", "red lipstick"),
        ("red lip-stick", "red lipstick"),
        ("pin-up", "pin up"),
        ("five o’clock shadow", "five o'clock shadow"),
        ("red lipstick & blue eyeshadow + blush", "red lipstick and blue eyeshadow plus blush"),
        ("lips: red; brows: black\nblush", "lips: red, brows: black, blush"),
        ("red lipstick / blush...", "red lipstick, blush"),
        ("(matte) lipstick", "matte, lipstick"),
        ("Goth, no lipstick.", "goth, no lipstick"),
        ("no makeup", "no makeup"),
    ],
)
def test_known_words_come_out_small_and_clean_without_a_note(typed, text):
    assert understood(typed, WORDS) == Prompt(text)


@pytest.mark.parametrize(
    ("typed", "text", "note"),
    [
        ("red lipstik", "red lipstick", "read “lipstik” as “lipstick”"),
        ("red lispstick", "red lipstick", "read “lispstick” as “lipstick”"),
        ("LPISTICK", "lipstick", "read “lpistick” as “lipstick”"),
        ("blak eyeliner", "black eyeliner", "read “blak” as “black”"),
        ("pnik lips", "pink lips", "read “pnik” as “pink”"),
        ("gotic", "gothic", "read “gotic” as “gothic”"),
        ("purpel blush", "purple blush", "read “purpel” as “purple”"),
        ("goth wihtout lipstick", "goth without lipstick", "read “wihtout” as “without”"),
        ("redlipstick", "red lipstick", "read “redlipstick” as “red lipstick”"),
        ("smokyeyes", "smoky eyes", "read “smokyeyes” as “smoky eyes”"),
        ("rosé lips", "rose lips", "read “rosé” as “rose”"),
        ("50's makeup", "50s makeup", "read “50's” as “50s”"),
        ("five oclock shadow", "five o'clock shadow", "read “oclock” as “o'clock”"),
    ],
)
def test_a_slip_is_corrected_and_said(typed, text, note):
    assert understood(typed, WORDS) == Prompt(text, (note,))


def test_the_same_slip_is_said_once():
    prompt = understood("red lipstik and pink lipstik", WORDS)
    assert prompt == Prompt("red lipstick and pink lipstick", ("read “lipstik” as “lipstick”",))


@pytest.mark.parametrize("word", ["unicorn", "hat", "rde", "lovely", "crows"])
def test_a_strange_word_stays_and_is_named(word):
    assert understood(f"{word} lipstick", WORDS) == Prompt(f"{word} lipstick", (f"kohl does not know “{word}”",))


def test_strange_words_share_a_note_after_the_slips():
    prompt = understood("unicorn lipstik with sparkles, unicorn of", WORDS)
    assert prompt.notes == ("read “lipstik” as “lipstick”", "kohl does not know “unicorn”, “sparkles”")


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u200b\x00", "\u3000"])
def test_nothing_is_no_makeup(text):
    assert understood(text, WORDS) == Prompt("")


# Failure


@pytest.mark.parametrize(("text", "colour"), [("red", "red"), ("Dark Red!", "dark red"), ("blue hair", "blue")])
def test_a_colour_alone_asks_what_to_put_it_on(text, colour):
    assert refusal(text).endswith(
        f"“{text}” has a colour but no makeup to put it on; say for example “{colour} lipstick”"
    )


@pytest.mark.parametrize(
    "text", ["asdf qwer", "a pony", "roter Lippenstift", "labial", "💄", "!!!", "matte", "without a"]
)
def test_nonsense_is_told_what_kohl_understands(text):
    message = refusal(text)
    assert message.startswith(f"text: “{text}” names no makeup")
    assert "English" in message
    assert "“red lipstick” or “goth”" in message
    assert all(name in message for name in NAMES)
    assert "`kohl models pull clip-vit-b32`" in message
    assert "`--set models.text=clip-vit-b32`" in message
    assert "perhaps" not in message
    assert "\n" not in message


def test_the_nearest_product_or_style_is_asked_about():
    assert "perhaps you mean “eyeliner”; " in refusal("a layliner")


@pytest.mark.parametrize(
    "text", ["rouge à lèvres", "помада", "口紅", "lápiz de labios rojo", "läppstift", "أحمر شفاه", "лак goth"]
)
def test_other_languages_are_named_as_such(text):
    if text == "лак goth":  # one word in two: the rest is understood
        assert understood(text, WORDS).notes == ("kohl does not know “лак”",)
    else:
        assert (
            refusal(text) == f"text: “{text}” is not English, all that the bundled text model reads; say “red lipstick”"
        )


@pytest.mark.parametrize("extra", [0, 1, 1000])
def test_a_text_has_at_most_300_characters(extra):
    text = "red lipstick".ljust(LONGEST + extra)
    if extra:
        assert refusal(text) == f"text: must be at most 300 characters long, not {LONGEST + extra}"
    else:
        assert understood(text, WORDS).text == "red lipstick"


def test_a_text_has_no_more_words_than_the_model_reads():
    assert makeup_clip.LONGEST == MOST
    assert understood("lips " * MOST, WORDS).text.count("lips") == MOST
    assert refusal("lips " * (MOST + 1)) == "text: must be at most 48 words and commas long, not 49"


def test_a_long_text_is_quoted_in_part():
    message = refusal("incomprehensible " * 17)
    assert "“incomprehensible incomprehensible incomprehensible …” names no makeup" in message


@pytest.mark.parametrize(
    "text",
    ["\ud800 lipstick", "lipstick\u0300\u0301\u0302", "İ lipstick", "👩🏽‍🦰 lipstick", "ß lipstick"],
)
def test_odd_characters_do_not_break_it(text):
    assert "lipstick" in understood(text, WORDS).text


def test_any_text_is_understood_or_refused():
    rng = random.Random(0)
    signs = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) != "Cn"]
    refused = 0
    for number in range(200):
        noise = "".join(rng.choice(signs if number % 2 else "abc ,:'-&\n\"") for _ in range(30))
        try:
            prompt = understood(noise + rng.choice(("", " red lipstick")), WORDS)
        except BadSetting:
            refused += 1
        else:
            assert prompt.text == " ".join(prompt.text.split())
    assert refused > 60


def test_an_empty_vocabulary_understands_nothing():
    with pytest.raises(BadSetting, match="names no makeup"):
        understood("red lipstick", {})
    assert understood("", {}) == Prompt("")


# Invariant


@pytest.mark.parametrize(
    "text", ["Red lipstik & gothic", "unicorn lips: red; brows", "smokyeyes with a touch of blush"]
)
def test_what_is_understood_once_is_understood_again(text):
    prompt = understood(text, WORDS)
    again = understood(prompt.text, WORDS)
    assert again.text == prompt.text
    assert not any(note.startswith("read") for note in again.notes)


def test_the_order_of_the_vocabulary_does_not_matter():
    backwards = {kind: words[::-1] for kind, words in reversed(WORDS.items())}
    for text in ("red lipstik", "blak eyelinr", "purpel blsh", "gotic"):
        assert understood(text, backwards) == understood(text, WORDS)
