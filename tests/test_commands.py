from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import tiny_training
import torch
from PIL import Image
from safetensors.torch import save_file
from sitters import sitters

from kohl import recipe
from kohl.cli import main, parser
from kohl.commands import Parts
from kohl.geometry import resized
from kohl.house import load
from kohl.learning import training
from kohl.train.learner import Training
from kohl.types import Goal
from kohl.zoo import cards

SMALL = " ".join(f"--set {setting}" for setting in tiny_training.OPTIONS)


@pytest.fixture
def photos(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(name)


class Judge:
    thresholds = {0.01: 0.4}  # noqa: RUF012

    def __init__(self, name):
        self.name = name

    def compare(self, probe, gallery, *, box=None, at=None):
        return [{"yes": 0.5, "no": 0.1, "blind": None}[self.name] for _ in gallery]


def test_compare_notes_a_judge_that_is_not_the_published_file(photos, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    (tmp_path / "accepted.json").write_text(json.dumps({"yes": "ab" * 32}))
    card = replace(cards.find("clip-tokens"), name="yes")
    parts = Parts(judge=Judge, table=(card, *cards.CARDS))
    assert main(["compare", "a.png", "b.png", "--judge", "yes", "--judge", "no", "--json"], parts=parts) == 0
    said = f"kohl: yes: not the published file; one with sha256 {'ab' * 32} was accepted\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("judges", "code", "said"),
    [
        (["yes"], 0, "yes  0.50, threshold 0.40: same person\n"),
        (["no", "blind"], 0, "no  0.10, threshold 0.40: not the same person\nblind  finds no face in one of them\n"),
        (["blind"], 3, "blind  finds no face in one of them\n"),
    ],
)
def test_compare_asks_every_judge(photos, capsys, judges, code, said):
    assert (
        main(["compare", "a.png", "b.png", *(f"--judge={judge}" for judge in judges)], parts=Parts(judge=Judge)) == code
    )
    assert capsys.readouterr().out == said


def test_compare_in_json(photos, capsys):
    assert main(["compare", "a.png", "b.png", "--judge", "yes", "--json"], parts=Parts(judge=Judge)) == 0
    judges = {"yes": {"score": 0.5, "threshold": 0.4, "far": 0.01, "matches": True}}
    assert json.loads(capsys.readouterr().out) == {"a": "a.png", "b": "b.png", "judges": judges}


def test_compare_refuses_what_is_no_photo(photos, capsys):
    assert main(["compare", "a.png", "missing.png"]) == 1
    assert capsys.readouterr().err == "kohl: missing.png: no such file; check its name\n"
    assert main(["compare", "a.png", "b.png", "--judge", "dlbi"]) == 2
    assert "dlbi: no such model; did you mean" in capsys.readouterr().err


def test_models_are_listed_with_their_licences(capsys):
    assert main(["models", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [model["name"] for model in listed] == [card.name for card in cards.CARDS]
    fields = {"name", "size", "sha256", "licence", "commercial", "source", "present", "accepted"}
    assert all(set(model) == fields for model in listed)
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert all(card.sha256 in printed and card.source in printed for card in cards.CARDS)


# `kohl train stylegan2`


@pytest.fixture
def people(monkeypatch, tmp_path):
    """A folder with the photos of sixteen people, and one in which their faces were found before."""
    monkeypatch.chdir(tmp_path)
    for number in range(16):
        (tmp_path / "photos" / str(number)).mkdir(parents=True)
        (tmp_path / "photos" / str(number) / "a.jpg").touch()
    (tmp_path / "known").mkdir()
    found = tiny_training.gallery(2, 2)
    save_file({"learned": found.learned, "held": found.held}, tmp_path / "known" / "faces.safetensors")


def run(line):
    """The exit code, whether it is returned or raised."""
    try:
        return main(line.split())
    except SystemExit as leaving:
        return leaving.code


def test_a_folder_of_faces_is_learned_from_and_the_use_of_it_is_said(people, capsys):
    asked = "--images 8 --size 64 --batch 4 --seed 7 --set report=4"
    assert run(f"train stylegan2 photos -o known {asked} {SMALL}") == 0
    settings = torch.load("known/checkpoint.pt", weights_only=True)["settings"]
    assert settings == asdict(Training(**tiny_training.SMALL, images=8, batch=4, seed=7, report=4))
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].startswith("known/faces.safetensors: holds the faces that were found before")
    assert [line.split("  ")[0] for line in lines if " of 8" in line] == ["4 of 8", "8 of 8"]
    assert lines[-1] == (
        "use it with --recipe mini --set models.generator=stylegan2:known/generator.safetensors "
        "--set models.encoder=stylegan2:known/encoder.safetensors"
    )
    assert printed.err == ""


def test_without_settings_the_defaults_are_taken_and_told_in_the_help(capsys):
    assert training(parser().parse_args(["train", "stylegan2", "photos", "-o", "out"])) == Training()
    assert run("train stylegan2 --help") == 0
    said = " ".join(capsys.readouterr().out.split())
    for name in ("images", "size", "batch", "seed"):
        assert f"(default: {getattr(Training(), name)})" in said


def test_a_checkpoint_is_gone_on_from_only_if_that_is_asked_for(people, capsys):
    Path("known/checkpoint.pt").write_bytes(b"months of work")
    assert run("train stylegan2 photos -o known") == 2
    said = "kohl: known: holds a checkpoint; pass --resume to go on, or choose another folder with -o\n"
    assert capsys.readouterr().err == said
    assert run(f"train stylegan2 photos -o known --resume --size 64 {SMALL}") == 1
    said = "kohl: known/checkpoint.pt: this checkpoint cannot be read; remove it to begin again.\n"
    assert capsys.readouterr().err == said
    assert Path("known/checkpoint.pt").read_bytes() == b"months of work"


def test_going_on_without_a_checkpoint_is_beginning(people):
    assert run(f"train stylegan2 photos -o known --resume --images 1 --size 64 {SMALL}") == 0
    assert Path("known/generator.safetensors").exists()


@pytest.fixture
def sitting(people, tmp_path):
    """Beside the photos, faces with makeup that were found in them before."""
    faces, rng = resized(sitters(), 64), torch.Generator().manual_seed(0)
    which = torch.arange(18) % 3
    worn = (faces.crops[which] * 255).byte()
    kept = {"bare": worn, "worn": (worn[:, None] * torch.rand(18, 1, 3, 1, 1, generator=rng)).byte()}
    kept |= {"points": faces.points[which], "landmarks": faces.landmarks[which], "groups": which}
    kept = {name: values.contiguous() for name, values in kept.items()}
    save_file(kept | {"held": torch.tensor(3)}, tmp_path / "known" / "faces.safetensors")


@pytest.mark.parametrize(
    ("kind", "setting"), [("adv-makeup", "--set batch=1 --set channels=2"), ("amt-gan", "--set channels=2")]
)
def test_makeup_is_learned_from_a_folder_and_the_use_of_it_is_said(sitting, capsys, kind, setting):
    asked = f"--surrogate sface --surrogate dlib --steps 1 --target decoy:3 --set size=64 {setting}"
    assert run(f"train {kind} photos -o known {asked}") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("1 of 1  ")
    assert [line.split(":")[0] for line in lines[-3:-1]] == ["sface", "dlib"]
    name = kind.replace("-", "_")
    assert lines[-1] == f"use it with --set attack={kind} --set {name}.weights=known/{name}.safetensors"
    chosen = recipe.override(recipe.load("default"), [f"attack={kind}", f"{name}.weights=known/{name}.safetensors"])
    attack = load(chosen).attack
    faces = sitters()
    changed = attack(faces, Goal.dodge(faces, faces), rng=torch.Generator().manual_seed(0))
    assert changed.shape == faces.crops.shape
    assert not torch.equal(changed, faces.crops)


def test_makeup_is_learned_by_recognisers_that_exist_and_gone_on_with_only_if_that_is_asked_for(sitting, capsys):
    assert run("train adv-makeup photos -o known --surrogate sfase") == 2
    assert capsys.readouterr().err == "kohl: encoder sfase: no such model; did you mean encoder sface?\n"
    assert run("train amt-gan photos -o known --target decoy:99999") == 2
    assert "decoy:99999: no such decoy" in capsys.readouterr().err
    Path("known/checkpoint.pt").write_bytes(b"months of work")
    assert run("train amt-gan photos -o known") == 2
    assert "known: holds a checkpoint; pass --resume to go on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("train", "the following arguments are required: stylegan2|adv-makeup|amt-gan; see kohl train --help"),
        ("train pix2pix photos -o out", "argument stylegan2|adv-makeup|amt-gan: invalid choice: 'pix2pix'"),
        ("train stylegan2 photos", "the following arguments are required: -o/--output; see kohl train stylegan2"),
        ("train stylegan2 -o out", "the following arguments are required: FACES; see kohl train stylegan2 --help"),
        ("train stylegan2 photos -o out --images 0", "argument --images: must be a whole number above 0, not '0'"),
        ("train stylegan2 photos -o out --batch 1.5", "argument --batch: must be a whole number above 0, not '1.5'"),
        ("train stylegan2 photos -o out --size -64", "argument --size: must be a whole number above 0, not '-64'"),
        ("train stylegan2 photos -o out --seed -1", "argument --seed: must be a whole number from 0 to"),
        ("train stylegan2 photos -o out --resum", "unrecognized arguments: --resum"),
        ("train stylegan2 photos -o out --size 100", "size: must be 64, 128, 256, 512 or 1024, not 100"),
        ("train stylegan2 photos -o out --set network.width=8", "network: no such setting; did you mean networks?"),
        ("train stylegan2 photos -o out --set mapping.rounds=0", "mapping.rounds: must be at least 1, not 0"),
        ("train stylegan2 nowhere -o out", "nowhere: no such folder"),
        ("train stylegan2 photos nowhere -o out", "nowhere: no such folder"),
        ("train stylegan2 photos/0/a.jpg -o out", "photos/0/a.jpg: no such folder"),
        ("train stylegan2 empty -o out", "empty: holds photos of 0 people; at least 16 are needed"),
        ("train stylegan2 photos/0 -o out", "photos/0: holds photos of 1 people; at least 16 are needed"),
        ("train stylegan2 photos -o photos/0/a.jpg", "photos/0/a.jpg: is a file; name a folder"),
    ],
)
def test_a_wrong_line_for_learning_is_one_sentence_and_leaves_nothing(people, capsys, line, sentence):
    Path("empty").mkdir()
    assert run(line) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"kohl: {sentence}")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not Path("out").exists()
