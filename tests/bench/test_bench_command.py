"""`kohl bench` as it is typed."""

import json
from dataclasses import replace

import pytest
import tiny

from kohl.bench.arguments import _names
from kohl.cli import main
from kohl.parts import Parts


def judge(name):
    return tiny.MeanColour(name)


def house(recipe, shelf):
    return tiny.house(recipe=replace(tiny.house().recipe, models=recipe.models, strength=recipe.strength))


PARTS = Parts(load_with=house, judge=judge)


@pytest.fixture
def people(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for person in ("ann", "bob", "cat"):
        (tmp_path / "people" / person).mkdir(parents=True)
        for index in range(2):
            tiny.picture(tmp_path / "people" / person / f"{index}.png", seed=10 * ord(person[0]) + index)
    return tmp_path


def bench(*options):
    return main(["bench", *options], parts=PARTS)


def test_list_names_attacks_data_and_what_becomes_of_files(capsys):
    assert bench("--list") == 0
    said = capsys.readouterr().out
    for name in ("clean", "inverted", "ti-dim", "default", "paper", "celeba-hq", "ladn", "half, jpeg 75"):
        assert f"\n{name} " in said or f"\n{name}\n" in said


def test_a_folder_of_people_becomes_tables_in_all_forms(people, capsys):
    command = ("people", "--attack", "clean", "--attack", "pgd", "--judge", "facenet", "-o", "out", "--seeds", "2")
    assert bench(*command, "--people", "ann,bob", "--every", "2", "--gallery", "people") == 0
    said, notes = capsys.readouterr()
    assert "Verification at a false-accept rate of 0.01" in said
    assert "Identification among 5 people" in said
    assert "people: 2 photos of 2 people, 2 seeds; thresholds from the judge's card" in said
    assert "kohl: pgd, seed 1: photo 2 of 2" in notes
    assert (people / "out" / "tables.txt").read_text() == said
    assert (people / "out" / "figures.csv").read_text().startswith("set,table,row,column,value")
    assert "\\begin{table}" in (people / "out" / "tables.tex").read_text()
    kept = sorted((people / "out" / "cells").iterdir())
    assert len(kept) == 8
    assert bench(*command, "--people", "ann,bob", "--every", "2", "--gallery", "people") == 0
    again, quiet = capsys.readouterr()
    assert (again, quiet) == (said, "")
    assert bench("--cells", "out/cells", "-o", "other") == 0
    assert capsys.readouterr().out == said


def test_the_strength_for_a_psnr_is_a_row_of_its_own(people, capsys):
    assert bench("people", "--attack", "pgd", "--judge", "facenet", "--photos", "1", "--psnr", "50") == 0
    said, notes = capsys.readouterr()
    assert "\npgd at 50 dB" in said
    assert "the nearest that its strength reaches is" in notes  # a toy's change has no strength


@pytest.mark.parametrize(
    ("attack", "setting", "said"),
    [
        ("amt-gan", "amt_gan.weights=", "amt-gan needs weights; name them with --set amt_gan.weights=FILE"),
        ("adv-makeup", "adv_makeup.weights=", "adv-makeup needs weights; name them with"),
        ("amt-gan", "amt_gan.weights=G.pth", "amt_gan.weights: G.pth: there is no such file"),
    ],
)
def test_an_attack_without_its_weights_is_refused_before_any_work(people, capsys, attack, setting, said):
    assert bench("people", "--attack", "pgd", "--attack", attack, "--set", setting, "--judge", "facenet") == 2
    told = capsys.readouterr().err
    assert said in told
    assert "pgd" not in told  # nothing was made


def test_a_photo_of_makeup_must_be_there(people, capsys):
    (people / "g.safetensors").touch()
    setting = ("--set", "amt_gan.weights=g.safetensors", "--set", "amt_gan.reference=ann.jpg")
    assert bench("people", "--attack", "amt-gan", *setting, "--judge", "facenet") == 2
    assert "amt_gan.reference: ann.jpg: there is no such photo" in capsys.readouterr().err


def test_thresholds_are_of_others(people, capsys):
    command = ("people", "--attack", "clean", "--judge", "facenet", "--people", "ann")
    assert bench(*command, "--calibrate", "people") == 0
    assert "thresholds from 4 pairs of people who are not measured on" in capsys.readouterr().out


def test_each_surrogate_judges_in_turn(people, capsys):
    two = 'models.surrogates=["sface", "sface", "dlib"]'
    assert bench("people", "--attack", "pgd", "--leave-one-out", "--photos", "1", "-o", "out", "--set", two) == 0
    assert "PSR % sface  PSR % dlib" in capsys.readouterr().out
    cells = [json.loads(path.read_text()) for path in (people / "out" / "cells").iterdir()]
    assert {(cell["judge"], *cell["surrogates"]) for cell in cells if cell["kind"] == "scores"} == {
        ("sface", "dlib"),
        ("dlib", "sface"),
    }


def test_files_that_cannot_be_used_are_told(people, capsys):
    (people / "people" / "ann" / "2.jpg").write_text("no picture")
    assert bench("people", "--attack", "clean", "--judge", "facenet") == 0
    said, notes = capsys.readouterr()
    assert "people/ann/2.jpg: left out: people/ann/2.jpg" in said
    assert "people/ann/2.jpg: left out" in notes


def test_targets_are_named_in_the_report(people, capsys):
    command = ("people", "--attack", "pgd", "--judge", "facenet", "--people", "ann", "--photos", "1")
    assert bench(*command, "--target", "people/cat") == 0
    said = capsys.readouterr().out
    assert "targets: cat" in said
    assert "kohl ships none" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("people",), "--judge: name one that no attack looks into"),
        (("people", "--judge", "dlib"), "--judge: dlib: default looks into it"),
        (("people", "--judge", "dlib", "--leave-one-out"), "leave the judges out"),
        ((), "DATA: name a folder"),
        (("gone", "--judge", "facenet"), "gone: cannot be read"),
        (("people", "--judge", "facenet", "--attack", "nothing"), "no such attack"),
        (("people", "--judge", "facenet", "--post", "sepia"), "--post: sepia"),
        (("people", "--judge", "facenet", "--target", "people/none"), "is no folder"),
        (("people", "--judge", "facenet", "--as", "lfw"), "--as lfw: takes PAIRS.txt IMAGES"),
        (("people", "--judge", "facenet", "--far", "0.05"), "has no threshold at 0.05"),
        (("people", "--judge", "facenet", "--far", "2"), "must be a rate between 0 and 1"),
        (("people", "--judge", "facenet", "--psnr", "5"), "must be a PSNR from 10 to 60 dB"),
        (("--cells", "people"), "holds no cells"),
        (("people", "--judge", "facenet", "--attack", "paper"), "not here yet; run `kohl models pull"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_sentence(people, monkeypatch, capsys, options, said):
    monkeypatch.setenv("KOHL_CACHE", str(people / "cache"))
    try:
        code = bench(*options)
    except SystemExit as ended:  # of the parser
        code = ended.code
    assert code in (1, 2)
    errors = capsys.readouterr().err
    assert said in errors
    assert len(errors.splitlines()) == 1


def test_names_with_a_comma_inside():
    assert _names("half, jpeg 75,blur") == ["half, jpeg 75", "blur"]


def test_the_weights_of_the_fid_are_a_file(people, capsys):
    command = ("people", "--attack", "clean", "--judge", "facenet", "--fid")
    assert bench(*command, "gone.pth") == 2
    assert "--fid: gone.pth: there is no such file" in capsys.readouterr().err
    (people / "other.pth").write_bytes(b"no weights")
    assert bench(*command, "other.pth") == 1
    assert "other.pth" in capsys.readouterr().err
