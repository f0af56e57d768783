from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import kohl
from kohl.cli import main
from kohl.commands import Parts
from kohl.errors import BadModel, BadPhoto, KohlError, NoFace
from kohl.types import FaceRow, Judgement, Row

FACE = FaceRow(0, (2, 2, 9, 9), "protected", None, {"dlib": Judgement(1.0, 0.2, 0.4, 0.01)}, {}, 33.41, 0.951)


def picture(path: Path) -> str:
    Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(path)
    return str(path)


class Asked(list):
    """What the pipeline was asked for; the names of photos say what becomes of them."""

    def __call__(self, job, house, *, watch):
        path, output = job.photo, job.output
        self.append(SimpleNamespace(recipe=house.recipe, **vars(job)))
        watch(SimpleNamespace(index=0, total=1))
        if path.stem == "nobody":
            raise NoFace(f"{path}: no face was found")
        if not path.is_file():
            raise BadPhoto(f"{path}: no such file; check its name")
        output.parent.mkdir(exist_ok=True)
        picture(output)
        status = "not_protected" if path.stem == "known" else "protected"
        return Row(str(path), str(output), status, None, 3.1, [FACE], {"strength": 0.5}, job.seed, "0.1.0")

    def run(self, *arguments, **others):
        """The exit code; `others` replace parts of the command."""
        toys = Parts(
            load=lambda recipe: SimpleNamespace(recipe=recipe, decoys=range(9), look={}, notes=()), protect=self
        )
        return run(*arguments, parts=replace(toys, **others))


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """A folder with some photos, and what the pipeline is asked for."""
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png", "known.png", "nobody.png"):
        picture(tmp_path / name)
    return Asked()


def run(*arguments: str, parts: Parts | None = None) -> int:
    """The exit code, whether it is returned or raised."""
    try:
        return main(arguments, parts=parts)
    except SystemExit as leaving:
        return leaving.code


def test_a_photo_is_protected_beside_itself_and_said_to_be(asked, capsys):
    assert asked.run("protect", "a.png") == 0
    printed = capsys.readouterr()
    assert printed.out == (
        "a.png → a_kohl.png  protected (3.1 s)\n"
        "  face 0  protected\n"
        "    dlib no longer matches (1.00 → 0.20, threshold 0.40)\n"
        "    33.4 dB, SSIM 0.951\n"
        "This photo is protected.\n"
    )
    assert printed.err == ""


@pytest.mark.parametrize("name", ["paper", "released"])
def test_words_that_a_recipe_brings_are_used_and_told(asked, capsys, name):
    said = {}
    for others in ((), ("--text", "blue eyeshadow"), ("--style", "none")):
        assert asked.run("protect", "a.png", "--recipe", name, "--force", *others, table=()) == 0  # nothing is missing
        said[asked[-1].recipe.text] = capsys.readouterr().err.strip()
    note = "the words are the recipe's own, “red lipstick”; --text asks for others, --style none for none"
    assert {text: note in line for text, line in said.items()} == {
        "red lipstick": True,
        "blue eyeshadow": False,
        "": False,
    }
    assert asked.run("protect", "a.png", "--force") == 0
    assert capsys.readouterr().err == ""


def test_the_last_line_tells_of_a_face_that_was_skipped_and_of_one_that_was_left_out(asked, capsys):
    skipped = FaceRow(1, (2, 2, 9, 9), "skipped", "cut off", {"dlib": Judgement(1.0, 1.0, 0.4, 0.01)})
    left_out = FaceRow(2, (2, 2, 9, 9), "left_out", "left out with --faces")
    row = Row("a.png", "a_kohl.png", "not_protected", "face 1 was skipped", 1.0, [FACE, skipped, left_out])
    assert asked.run("protect", "a.png", protect=lambda *_, **__: row) == 3
    said = "This photo is not protected: 1 face was skipped and can still be recognised"
    assert capsys.readouterr().out.splitlines()[-1] == f"{said}; 1 face was left out (2), as you asked."


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_report_that_appears_during_the_run_is_not_lost(asked, capsys, force):
    def protect(*arguments, **settings):
        Path("page.html").write_text("somebody's")
        return asked(*arguments, **settings)

    code = asked.run("protect", "a.png", "--report", "page.html", *force, protect=protect)
    if force:
        assert (code, "kohl 0.1.0" in Path("page.html").read_text()) == (0, True)
    else:
        assert (code, Path("page.html").read_text()) == (2, "somebody's")
        said = "kohl: page.html: has come to be during the run and was left as it is; name another report\n"
        assert capsys.readouterr().err == said
    assert not list(Path().glob(".kohl-*"))


def test_no_force_overwrites_the_recipe_a_reference_or_the_report(asked, capsys):
    Path("my.png").write_text("strength = 0.25")  # a recipe may have any name
    line = ["a.png", "--force", "--recipe", "my.png"]
    assert asked.run("protect", *line, "--report", "my.png") == 2
    assert asked.run("protect", *line, "-o", "my.png") == 1
    assert "my.png: would overwrite my.png, which is the recipe" in capsys.readouterr().err
    assert Path("my.png").read_text() == "strength = 0.25"
    before = Path("b.png").read_bytes()
    assert asked.run("protect", "a.png", "--force", "--reference", "b.png", "-o", "b.png") == 1
    assert Path("b.png").read_bytes() == before
    assert asked.run("protect", "a.png", "--force", "--report", "x.png", "-o", "x.png") == 2
    assert asked == []


def test_what_a_killed_run_left_is_cleaned_where_results_and_report_go(asked):
    left = [Path(folder) / ".kohl-00.part" for folder in (".", "out", "pages")]
    for part in left:
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(b"half a photo")
    assert asked.run("protect", "a.png", "-o", "out", "--report", "pages/page.html") == 0
    assert [part.exists() for part in left] == [True, False, False]


def test_the_arguments_reach_the_pipeline(asked):
    line = "protect -o out --target decoy:3 --strength 0.25 --faces 2,0 --seed 9 --set models.far=0.1 --force a.png"
    assert asked.run(*line.split(), "--reference", "b.png", "known.png", "--recipe", "strong") == 0
    (call,) = asked
    assert (call.photo, call.output) == (Path("a.png"), Path("out/a_kohl.png"))
    assert (call.decoy, call.faces, call.seed, call.force) == (3, (0, 2), 9, True)
    assert call.references == (Path("b.png"), Path("known.png"))
    assert (call.recipe.strength, call.recipe.models.far) == (0.25, 0.1)


def test_photos_of_one_person_must_not_match_each_other(asked):
    assert asked.run("protect", "a.png", "b.png", "--same-person", "--reference", "known.png") == 0
    assert [call.references for call in asked] == [
        (Path("known.png"), Path("b.png")),
        (Path("known.png"), Path("a.png")),
    ]


def test_a_photo_that_cannot_be_read_is_no_reference_for_the_others(asked):
    assert asked.run("protect", "a.png", "missing.png", "b.png", "--same-person") == 1
    assert [call.references for call in asked if call.photo.stem != "missing"] == [(Path("b.png"),), (Path("a.png"),)]


@pytest.mark.parametrize(("strength", "dial"), [("auto", 0.5), ("0.5", 0.5), ("1", 1.0)])
def test_auto_is_as_much_as_the_photo_needs(asked, strength, dial):
    assert asked.run("protect", "a.png", "--strength", strength, "--recipe", "strong") == 0
    assert asked[0].recipe.strength == dial


def test_without_arguments_the_recipe_decides(asked):
    assert asked.run("protect", "a.png", "--recipe", "strong") == 0
    (call,) = asked
    assert call.recipe.strength > 0.5
    assert (call.decoy, call.faces, call.seed, call.force, call.references) == (None, None, 0, False, ())


@pytest.mark.parametrize(
    ("photos", "code"),
    [
        (["a.png", "b.png"], 0),
        (["a.png", "known.png"], 3),
        (["nobody.png"], 3),
        (["missing.png"], 1),
        (["nobody.png", "missing.png", "a.png"], 1),
    ],
)
def test_the_exit_code_says_what_became_of_all(asked, photos, code):
    assert asked.run("protect", *photos) == code


def test_a_photo_that_fails_is_one_sentence_on_stderr_and_the_others_go_on(asked, capsys):
    assert asked.run("protect", "missing.png", "nobody.png", "a.png") == 1
    printed = capsys.readouterr()
    assert printed.err == "kohl: missing.png: no such file; check its name\n"
    assert printed.out.splitlines()[0].startswith("nobody.png  no face (0.0 s): no face was found")
    assert "a_kohl.png  protected" in printed.out


def test_json_is_one_object_per_photo_and_line(asked, capsys):
    assert asked.run("protect", "--json", "a.png", "missing.png", "nobody.png") == 1
    printed = capsys.readouterr()
    first, *others = map(json.loads, printed.out.splitlines())
    assert first["faces"][0]["judges"]["dlib"]["matches"] is False
    assert [row["status"] for row in others] == ["failed", "no_face"]
    assert all(row["recipe"]["strength"] == 0.5 for row in others)
    assert printed.err == ""


def test_a_report_shows_every_photo(asked, capsys):
    assert asked.run("protect", "a.png", "missing.png", "--report", "deep/page.html") == 1
    page = Path("deep/page.html").read_text(encoding="utf-8")
    assert "1 of 2 photos is protected" in page
    assert "a_kohl.png" in page
    assert "Apache-2.0, commercial use allowed" in page


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--strength", "2"],
            "argument --strength: must be a number from 0 to 1, or auto, not '2'; see kohl protect --help",
        ),
        (["--strength", "nan"], "argument --strength: must be a number from 0 to 1, or auto, not 'nan'; see"),
        (
            ["--target", "obama.jpg"],
            "argument --target: must be decoy:N, a synthetic person by number, not 'obama.jpg'",
        ),
        (["--faces", "x"], "argument --faces: must be the numbers of faces, such as 0,2, not 'x'"),
        (["--faces", "-1"], "argument --faces: must be the numbers of faces, such as 0,2, not '-1'"),
        (["--seed", "abc"], "argument --seed: must be a whole number from 0 to"),
        (["--seed", "9223372036854775808"], "argument --seed: must be a whole number from 0 to 9223372036854775807"),
        (["--stren", "0.5"], "unrecognized arguments: --stren"),
        (["--recipe", "stronk"], "stronk: no such recipe; name one of default"),
        (["--set", "search.stesp=8"], "search.stesp: no such setting; did you mean search.steps?"),
        (["--set", "strength=2"], "strength: must be between 0 and 1, not 2.0"),
        (["--set", "strength"], "strength: not a setting; write it as NAME=VALUE, such as search.steps=80"),
        (["--report", "."], ".: is a folder; name a file for the report"),
        (["--report", "a.png", "--force"], "a.png: is a photo, a result or a recipe of this run; choose another name"),
        (["--report", "b.png"], "b.png: already exists; pass --force to overwrite it"),
        (["b.png", "-o", "out.png"], "out.png: is one file for 2 photos; name a folder with -o"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(asked, capsys, arguments, sentence):
    assert asked.run("protect", "a.png", *arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"kohl: {sentence}")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert asked == []


def test_a_bad_reference_stops_before_the_work(asked, capsys):
    Path("broken.jpg").write_bytes(b"")
    assert asked.run("protect", "a.png", "--reference", "broken.jpg") == 1
    assert capsys.readouterr().err.startswith("kohl: broken.jpg: is empty")
    assert asked == []


@pytest.mark.parametrize("line", ["", "dance", "protect", "compare a.png"])
def test_a_command_is_needed(capsys, line):
    assert run(*line.split()) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "kohl: interrupted\n"),
        (BadModel("sface: has\nthe wrong hash"), 1, "kohl: sface: has the wrong hash\n"),
        (KohlError("no"), 1, "kohl: no\n"),
        (OSError(28, "No space left on device", "x.html"), 1, "kohl: x.html: No space left on device\n"),
        (ImportError("No module named 'dlib'"), 1, "kohl: No module named 'dlib'; install kohl again\n"),
        (MemoryError(), 1, "kohl: there is not enough memory for this; try a smaller photo\n"),
    ],
)
def test_whatever_goes_wrong_is_one_sentence(asked, capsys, error, code, said):
    def fail(recipe):
        raise error

    assert asked.run("protect", "a.png", load=fail) == code
    assert capsys.readouterr().err == said


def python(code: str, **settings) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(Path(kohl.__file__).parents[1]), "PYTHONUNBUFFERED": ""}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, **settings)


@pytest.mark.parametrize("argument", ["--help", "--version", "protect --help", "protect --strength 2 a.png"])
def test_help_and_usage_errors_import_nothing_heavy(argument):
    code = f"""
import sys
from kohl.cli import main
try:
    main({argument.split()!r})
except SystemExit:
    print(sorted({{"torch", "numpy", "cv2", "PIL", "rich", "jinja2", "onnxruntime", "dlib"}} & set(sys.modules)))
"""
    done = python(code)
    assert done.stdout.endswith("[]\n")
    assert "Traceback" not in done.stderr


def test_nobody_reading_the_output_is_no_accident():
    code = """
import os, sys
reading, writing = os.pipe()
os.close(reading)
os.dup2(writing, 1)
from kohl.cli import main
sys.exit(main(["--help"]))
"""
    done = python(code)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_output_that_cannot_be_written_is_one_sentence():
    code = """
import os, sys
os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
from kohl.cli import main
sys.exit(main(["--version"]))
"""
    done = python(code)
    assert (done.returncode, done.stderr) == (1, "kohl: the output cannot be written (No space left on device)\n")


def test_a_terminal_that_knows_few_letters_is_no_accident():
    code = """
import sys
sys.stdout.reconfigure(encoding="ascii")
from kohl.cli import main
try:
    main(["protect", "--help"])
except SystemExit:
    pass
"""
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u00b7" in done.stdout or "\\xb7" in done.stdout
