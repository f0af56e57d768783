"""Text from outside cannot steer a terminal."""

import sys
import unicodedata

import pytest

from kohl.shown import LONGEST, shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", ""),
        ("photo.jpg", "photo.jpg"),
        ("Ünïcødé 写真 → “x”", "Ünïcødé 写真 → “x”"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("\x1b]8;;http://x\x07link", r"\x1b]8;;http://x\x07link"),
        ("\x9b31mred", r"\x9b31mred"),
        ("a\rb\nc\td\x7f", r"a\rb\nc\td\x7f"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("\u2066\u2069\u200e\u061c", r"\u2066\u2069\u200e\u061c"),
        ("a\u2028b\u2029c\ufeffd\u200be", r"a\u2028b\u2029c\ufeffd\u200be"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
        ("👩\u200d🔬 می\u200cخواهم", "👩\u200d🔬 می\u200cخواهم"),  # one emoji; one word
        ("[red]not markup[/]", "[red]not markup[/]"),
    ],
)
def test_controls_are_shown_and_the_rest_is_left_alone(text, seen):
    assert shown(text) == seen


def test_no_letter_at_all_gets_through_that_a_terminal_obeys():
    every = (chr(number) for number in range(sys.maxunicode + 1))
    obeyed = [letter for letter in every if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")]
    assert len(obeyed) == 65 + 2048 + 2
    assert all(shown(letter).isascii() and shown(letter).isprintable() for letter in obeyed)
    assert not {
        unicodedata.bidirectional(letter) for letter in map(shown, "\u202a\u202b\u202d\u202e\u2067") if len(letter) == 1
    }


def test_a_long_text_keeps_both_ends():
    text = shown("a" * 10**6 + "b" * 10**6)
    assert len(text) == LONGEST + 3
    assert text.startswith("a" * 2000 + " … b")
