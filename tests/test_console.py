from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kohl.console import Bar, summary
from kohl.types import FaceRow, Judgement, Row

GONE, LOST = Judgement(1.0, 0.2, 0.4, 0.01), Judgement(1.0, None, 0.4, 0.01)
STEP = SimpleNamespace(index=4, total=10)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Makes stderr a terminal; called in the test, because pytest puts its own stderr in place before that."""

    def replace():
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setattr(sys, "stderr", Terminal())
        return sys.stderr

    return replace


def test_a_terminal_shows_which_photo_how_far_and_how_long(terminal, capsys):
    terminal = terminal()
    with Bar([Path("a[1].jpg"), Path("b.jpg")]) as bar:
        bar.loaded()
        bar.step(STEP)
        bar._progress.refresh()
        assert "1/2 a[1].jpg" in terminal.getvalue()
        assert "25%" in terminal.getvalue()
        bar.finished("a is done")
        bar._progress.refresh()
        assert "2/2 b.jpg" in terminal.getvalue()
        assert "50%" in terminal.getvalue()
        bar.finished("b is done")
    assert "loading the models" in terminal.getvalue()
    assert capsys.readouterr().out == "a is done\nb is done\n"


def test_the_bar_is_gone_in_the_end(terminal):
    terminal = terminal()
    with Bar([Path("a.jpg")]) as bar:
        bar.loaded()
    assert terminal.getvalue().endswith(("\x1b[2K", "\x1b[?25h"))


def test_later_faces_do_not_move_the_bar_back():
    bar = Bar([Path("a.jpg")])
    bar.step(STEP)
    bar.step(SimpleNamespace(index=0, total=10))
    assert bar._progress.tasks[0].completed == 0.5


def test_a_pipe_sees_nothing_but_the_text(capsys):
    with Bar([Path("a.jpg")]) as bar:
        bar.loaded()
        bar.step(STEP)
        bar.finished("done")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("done\n", "")


def test_a_note_goes_to_stderr_and_moves_nothing(capsys):
    with Bar([Path("a.jpg")]) as bar:
        bar.note("read [red] lipstik as “lipstick”")
        bar.loaded()
        bar.step(STEP)
        bar.note("again")
        assert bar._progress.tasks[0].completed == 0.5
        bar.finished("done")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("done\n", "kohl: read [red] lipstik as “lipstick”\nkohl: again\n")


def test_on_a_terminal_a_note_stands_above_the_bar(terminal, capsys):
    terminal = terminal()
    with Bar([Path("a.jpg")]) as bar:
        before = len(terminal.getvalue())
        bar.note("something to know")
        bar._progress.refresh()
        shown = terminal.getvalue()[before:]
        assert shown.count("kohl: something to know\n") == 1
        assert "\x1b[2K" in shown[: shown.index("kohl: ")]  # the bar is wiped away for it
        assert "loading the models" in shown[shown.index("to know") :]
        bar.loaded()
        bar._progress.refresh()
        assert "1/1 a.jpg" in terminal.getvalue()[before:]
    assert capsys.readouterr().out == ""


def test_a_summary_names_every_face_judge_and_reference():
    faces = [
        FaceRow(0, (1, 2, 3, 4), "protected", None, {"x": GONE}, {"in/other.jpg": {"x": GONE}}, 33.41, 0.951),
        FaceRow(1, (1, 2, 3, 4), "not_protected", "the y judge finds no face in the result", {"y": LOST}),
        FaceRow(2, (1, 2, 3, 4), "skipped", "only 9 pixels wide"),
    ]
    assert summary(Row("a.jpg", "b.jpg", "not_protected", "face 1 is not", 3.14, faces)).splitlines() == [
        "a.jpg → b.jpg  not protected (3.1 s): face 1 is not",
        "  face 0  protected",
        "    x no longer matches (1.00 → 0.20, threshold 0.40)",
        "    x against other.jpg: no longer matches (1.00 → 0.20, threshold 0.40)",
        "    33.4 dB, SSIM 0.951",
        "  face 1  not protected",
        "    the y judge finds no face in the result",
        "    y finds no face in the result, so it could not compare",
        "  face 2  skipped",
        "    only 9 pixels wide",
    ]


@pytest.mark.parametrize(
    ("chance", "tries", "lines"),
    [
        (None, 1, ["36.0 dB, SSIM 0.970, NLPD 0.120"]),
        (0.0012, 1, ["fewer than 1 in 100 recognisers like those asked would still match (estimated)"]),
        (0.0212, 2, ["about 2 in 100 recognisers like those asked would still match (estimated)", "at try 2"]),
    ],
)
def test_a_summary_says_what_to_expect_of_a_stranger(chance, tries, lines):
    face = FaceRow(0, (1, 2, 3, 4), "protected", None, {}, {}, 36.0, 0.97, 0.12, chance, tries)
    said = summary(Row("a.jpg", "b.jpg", "protected", None, 3.14, [face])).splitlines()
    assert [line for line in lines if f"    {line}" not in said] == []
    assert ("at try" in "".join(said)) == (tries > 1)
