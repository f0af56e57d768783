"""Whatever is printed, by any command: names and answers from outside are shown, not obeyed; paths are paths."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import bundled
import pytest
import tiny
from photos import portrait

from kohl import commands, pull
from kohl.cli import main
from kohl.commands import Parts
from kohl.console import Bar, downloading, summary
from kohl.types import FaceRow, Judgement, Row

EVIL = "\x1b]0;owned\x07\x1b[2J\r\u202egpj.x"
SEEN = r"\x1b]0;owned\x07\x1b[2J\r\u202egpj.x"


TOYS = Parts(load=lambda recipe: tiny.house())


def run(*arguments, parts=None):
    """The exit code, whether it is returned or raised; with toys for models where none is named."""
    line = [str(argument) for argument in arguments]
    try:
        return main(line, parts=parts or (bundled.PARTS if any("models." in part for part in line) else TOYS))
    except SystemExit as leaving:
        return leaving.code


def assert_tame(printed):
    text = printed.out + printed.err
    assert all(line.isprintable() for line in text.splitlines())
    assert "\r" not in text
    return text


def complaints(capsys):
    """The lines that say what is wrong; there is nothing else but licences."""
    lines = assert_tame(capsys.readouterr()).splitlines()
    lines = [line for line in lines if line != "This photo is not protected."]
    said = [line for line in lines if line.startswith("kohl: ")]
    assert len(lines) - len(said) in (0, 3)
    return said


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path / f"cache{EVIL}"))


LINES = [
    ["protect", EVIL],
    ["protect", "x.png", "-o", EVIL + ".gif"],
    ["protect", "x.png", "--report", "."],
    ["protect", "x.png", "--reference", EVIL],
    ["protect", "x.png", "--recipe", EVIL],
    ["protect", "x.png", "--style", EVIL],
    ["protect", "x.png", "--set", EVIL],
    ["protect", "x.png", "--set", f"models.generator=stylegan2:{EVIL}"],
    ["protect", "x.png", "--set", f"models.judges=['{SEEN}']".replace(r"\x", r"\\x")],
    ["protect", "x.png", "--set", 'models.judges=["\\u001b[2J\\u202e"]'],
    ["protect", "x.png", "--strength", EVIL],
    ["protect", "x.png", "--faces", EVIL],
    ["protect", f"--{EVIL}"],
    ["looks", EVIL],
    ["looks", "x.png", "--style", EVIL],
    ["looks", "x.png", "--text", EVIL],
    ["looks", "x.png", "-o", EVIL + ".gif"],
    ["compare", EVIL, "x.png"],
    ["compare", "x.png", "x.png", "--judge", EVIL],
    ["models", "pull", EVIL],
    ["models", "pull", "clip-tokens", "--from", EVIL, "--yes"],
    ["models", "pull", "sface", "--from", EVIL],
    ["models", "convert", EVIL],
    ["models", "convert", "x.png", "-o", EVIL],
    ["train", "stylegan2", EVIL, "-o", "out"],
    [EVIL],
]


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_no_command_line_makes_a_terminal_do_anything(capsys, line):
    portrait().resize((60, 64)).save("x.png")
    assert run(*line) in (1, 2)
    assert len(complaints(capsys)) == 1


def test_what_is_said_of_a_photo_is_shown(capsys):
    faces = [
        FaceRow(
            0,
            (1, 2, 3, 4),
            "skipped",
            EVIL,
            {EVIL: Judgement(1.0, None, 0.4, 0.01)},
            {EVIL: {EVIL: Judgement(1.0, 0.1, 0.4, 0.01)}},
        )
    ]
    text = summary(Row(EVIL, EVIL, "not_protected", f"{EVIL}\n{EVIL}", 1.0, faces))
    assert len(text.splitlines()) == 5
    assert all(line.isprintable() for line in text.split("\n"))
    assert text.count(SEEN) == 8
    with Bar([Path(EVIL)]) as bar:
        bar.loaded()
        bar.note(EVIL)
        assert bar._progress.tasks[0].description == f"1/1 {SEEN}"
        commands._say(Row(EVIL, None, "failed", EVIL), bar, as_json=False)
        commands._say(Row(EVIL, None, "failed", EVIL), bar, as_json=True)
    with downloading(EVIL) as watch:
        watch(1, 2)
    assert_tame(capsys.readouterr())


def test_where_models_are_is_shown(capsys):
    pull.tell(f"x: now in {EVIL}", "  [link=http://x]y[/link]")
    assert capsys.readouterr().err == f"x: now in {SEEN}\n  [link=http://x]y[/link]\n"


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf"), None, 0.5])
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_what_a_judge_says_is_json_whatever_it_says(capsys, score, form):
    portrait().resize((60, 64)).save("x.png")
    judge = SimpleNamespace(name=f"a{EVIL}", thresholds={0.01: 0.4}, compare=lambda a, b, **places: [score])
    code = run("compare", "x.png", "x.png", "--judge", "x", *form, parts=Parts(judge=lambda name: judge))
    out = capsys.readouterr().out
    assert all(line.isprintable() for line in out.splitlines())
    number = score is not None and score == score
    assert code == (0 if number else 3)
    if form:
        (found,) = json.loads(out, parse_constant=pytest.fail)["judges"].values()
        assert found["score"] == (score if score == 0.5 else None)
        assert (found["matches"] is None) == (not number)
    elif score is not None and not number:
        assert out == f"a{SEEN}  gives no number\n"


def test_a_row_with_nonsense_in_it_is_still_json(capsys):
    nonsense = {"dlib": Judgement(float("nan"), float("inf"), 0.4, 0.01)}
    with Bar([Path("a")]) as bar:
        row = Row(
            "a", None, "failed", seconds=float("nan"), faces=[FaceRow(0, (1, 2, 3, 4), "skipped", judges=nonsense)]
        )
        commands._say(row, bar, as_json=True)
    found = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert (found["seconds"], found["faces"][0]["judges"]["dlib"]["after"]) == (None, None)


# Paths


PLACES = {  # every argument that is a path
    "photo": ["protect", "{}"],
    "output": ["protect", "x.png", "-o", "{}"],
    "report": ["protect", "x.png", "--report", "{}"],
    "reference": ["protect", "x.png", "--reference", "{}"],
    "a": ["compare", "{}", "x.png"],
    "b": ["compare", "x.png", "{}"],
    "from": ["models", "pull", "clip-tokens", "--yes", "--from", "{}"],
    "convert": ["models", "convert", "{}"],
    "converted": ["models", "convert", "x.png", "-o", "{}"],
    "faces": ["train", "stylegan2", "{}", "-o", "out"],
    "learned": ["train", "stylegan2", "x", "-o", "{}"],
}
SETTINGS = {  # and every setting that may be one
    "recipe": ["protect", "x.png", "--recipe", "{}"],
    "generator": ["protect", "x.png", "--set", "models.generator=stylegan2:{}"],
    "encoder": ["protect", "x.png", "--recipe", "mini", "--set", "models.encoder=stylegan2:{}"],
}


@pytest.mark.parametrize("path", ["", "a\0b"], ids=["empty", "NUL"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_what_is_no_path_is_a_usage_error(capsys, place, path):
    assert run(*(part.replace("{}", path) for part in place)) == 2
    text = assert_tame(capsys.readouterr())
    assert f"must be a path, not {path!r}; see kohl" in text
    assert text.count("\n") == 1


def long(path):
    return "x" * 300 + ".png"


def deep(path):
    return "/".join(["x" * 200] * 30)


def loop(path):
    path.symlink_to(path)
    return path


def pipe(path):
    os.mkfifo(path)
    return path


def beneath_a_file(path):
    path.write_text("a file")
    return path / "b" / "c.png"


@pytest.mark.parametrize("make", [long, deep, loop, pipe, beneath_a_file])
@pytest.mark.parametrize("line", [*PLACES.values(), *SETTINGS.values()], ids=[*PLACES, *SETTINGS])
def test_a_path_that_leads_nowhere_is_one_sentence(capsys, tmp_path, line, make):
    portrait().resize((60, 64)).save("x.png")
    path = str(make(tmp_path / "odd.png"))
    assert run(*(part.replace("{}", path) for part in line)) in (1, 2)
    assert len(complaints(capsys)) == 1


@pytest.mark.parametrize("line", [["models.", "generator"], ["models.", "encoder"]], ids=lambda line: line[1])
def test_a_name_with_a_nul_in_a_recipe_is_one_sentence(capsys, line):
    portrait().resize((60, 64)).save("x.png")
    named = {"generator": "stylegan2-mini", line[1]: "stylegan2:a\0b"}
    Path("evil.toml").write_text(
        "[models]\n" + "\n".join(f"{name} = {json.dumps(each)}" for name, each in named.items())
    )
    assert run("protect", "x.png", "--recipe", "evil.toml", parts=bundled.PARTS) == 1
    assert len(complaints(capsys)) == 1
