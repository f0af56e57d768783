"""What somebody types, as text or style, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path

import bundled
import pytest
from tiny import house, picture

from kohl import commands
from kohl.cli import main, parser
from kohl.commands import Parts

# `kohl protect`


@pytest.fixture
def photos(monkeypatch, tmp_path):
    """A folder with two photos."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        picture(Path(name))


def run(*arguments, parts=None):
    """The exit code, whether it is returned or raised."""
    try:
        return main(arguments, parts=parts)
    except SystemExit as leaving:
        return leaving.code


def refused(recipe):
    pytest.fail("models were loaded")


def chosen_text(*arguments):
    """The text of the recipe that such a line asks for."""
    return commands.settings(parser().parse_args(["protect", "a.png", *arguments])).text


def test_text_reaches_the_pipeline_as_it_was_typed():
    assert chosen_text() == ""
    assert chosen_text("--text", " Red  lipstick ") == " Red  lipstick "
    assert chosen_text("--set", "text=blue lips") == "blue lips"
    assert chosen_text("--set", "text=blue lips", "--text", "red lips") == "red lips"
    assert chosen_text("--set", "text=blue lips", "--text", "") == ""


@pytest.mark.parametrize("name", ["smoky-eyes", "smoky eyes", "Smoky-Eyes", " smoky--eyes "])
def test_a_style_reaches_the_pipeline_as_its_words(name):
    assert chosen_text("--style", name) == "smoky eyes"


@pytest.mark.parametrize("name", ["none", "None", " NONE "])
def test_the_style_none_is_no_words(name):
    assert chosen_text("--style", name, "--set", "text=blue lips") == ""


@pytest.mark.parametrize("name", ["smokey", "", "-", "lipstick"])
def test_an_unknown_style_lists_those_that_there_are(photos, capsys, name):
    assert run("protect", "a.png", "--style", name, parts=Parts(load=refused)) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"kohl: {name}: no such style; ")
    assert "there are none, natural, no-makeup-makeup, " in said
    assert said.endswith(", or say it in your own words with --text\n")
    assert said.count("\n") == 1
    assert not Path("a_kohl.png").exists()


def test_text_and_style_are_one_or_the_other(photos, capsys):
    assert run("protect", "a.png", "--text", "red lips", "--style", "goth", parts=Parts(load=refused)) == 2
    said = capsys.readouterr().err
    assert said == "kohl: argument --style: not allowed with argument --text; see kohl protect --help\n"


@pytest.mark.parametrize("as_json", [False, True], ids=["", "json"])
def test_the_look_as_it_was_understood_is_said_once_and_stands_in_every_row(photos, capsys, as_json):
    toys = house(look={"lipstick": "deep red, matte", "eyeshadow": "soft brown"})
    line = ["protect", "a.png", "b.png", *(["--json"] if as_json else [])]
    assert run(*line, parts=Parts(load=lambda chosen: toys)) == 0
    printed = capsys.readouterr()
    assert printed.err == "kohl: the look: lipstick: deep red, matte; eyeshadow: soft brown\n"
    if as_json:
        rows = [json.loads(row) for row in printed.out.splitlines()]
        assert [row["look"] for row in rows] == [toys.look, toys.look]


@pytest.mark.parametrize("as_json", [False, True], ids=["", "json"])
def test_notes_are_said_beside_the_results(photos, capsys, as_json):
    toys = house(notes=("read “lipstik” as “lipstick”", "second"))
    line = ["protect", "a.png", "b.png", *(["--json"] if as_json else [])]
    assert run(*line, parts=Parts(load=lambda chosen: toys)) == 0
    printed = capsys.readouterr()
    assert printed.err == "kohl: read “lipstik” as “lipstick”\nkohl: second\n"  # once, however many photos
    assert as_json or "lipst" not in printed.out
    assert printed.out.count("a_kohl.png") + printed.out.count("b_kohl.png") == 2


def test_words_that_say_nothing_are_a_wrong_usage_and_nothing_is_written(photos, capsys):
    assert run("protect", "a.png", "--text", "a spaceship", parts=bundled.PARTS) == 2
    said = capsys.readouterr().err
    assert said.startswith("kohl: text: “a spaceship” names no makeup")
    assert said.count("\n") == 1
    assert not Path("a_kohl.png").exists()
