"""What `benchmarks/paper_path.py` measures: the step, the files of the whole path, its stages, and the fixtures."""

import json
import math
import re
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path

import pytest
import torch
from published import golden, shapes

from kohl import recipe
from kohl.zoo import cards
from kohl.zoo.generators.stylegan2 import StyleGAN2
from kohl.zoo.text import clip_tokens

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import paper_files
import paper_parity
import paper_path
import paper_photo

QUICK = ("sg2_keys_64_cm1", "nv_keys_sg3_1024", "nv_ada_tiny_p4.pkl", "nv_sg3_tiny", "dlib_resnet_v1")
FOUND = {
    "size": 1024,
    "dtype": "bfloat16",
    "threads": 1,
    "trial": False,
    "exact": False,
    "asked": {"tuning": 450, "search": 50},
    "steps": {"tuning": 450, "search": 50},
    "seconds": {"loading": 10.0, "tuning": 540.0, "search": 60.0},
    "peak_gb": 5.5,
}


def test_command_prints_what_it_measured(capsys):
    paper_path.main(["step", "--size", "16", "--repeat", "1", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["seconds"].keys() == {"plain", "whole", "float32", "bfloat16"}
    assert found["times_faster"]["float32"] == found["seconds"]["plain"] / found["seconds"]["float32"]
    wanted = {"times_faster": {"float32": 9.0, "bfloat16": 14.0}}
    assert re.findall("≥ .*", paper_path.PARTS["step"].table(found | wanted)) == ["≥ 8: ok)", "≥ 15: missed)"]


# -- the files of the whole path


@pytest.fixture
def nothing(monkeypatch):
    """Weights of the right shapes that take no time and no memory."""
    monkeypatch.setattr(
        paper_files,
        "filled",
        lambda wanted, *_: {name: torch.zeros(()).expand(shape) for name, shape in wanted.items()},
    )


def test_there_is_a_file_for_every_card_of_the_recipe():
    models = recipe.load("paper").models
    wanted = [models.generator, models.encoder, models.perceptual, models.text, *models.searched, *models.judging]
    assert {card.name for card in cards.to_pull(wanted)} == set(paper_files.contents(1024))


def test_files_hold_what_the_published_ones_do(nothing):
    published = shapes(golden("e4e_1024"), "ckpt_state_dict_keys_json")
    assert {name: tuple(x.shape) for name, x in paper_files.encoder(1024)["state_dict"].items()} == published
    smaller = paper_files.encoder(64)
    assert smaller["latent_avg"].shape == (10, 512)
    assert sum(name.endswith("linear.bias") for name in smaller["state_dict"]) == 10
    assert paper_files.recogniser("facenet")["logits.weight"].shape == (8631, 512)
    assert sum(x.numel() * 4 for x in paper_files.vgg().values()) == pytest.approx(553_433_881, rel=1e-4)
    assert sum(x.nbytes for x in paper_files.text_model().values()) == pytest.approx(605_157_884, rel=1e-4)


def test_merges_are_as_many_as_the_text_model_knows(tmp_path):
    path = tmp_path / "merges.gz"
    path.write_bytes(paper_files.merges())
    tokens = clip_tokens.load(path)
    assert tokens.end + 1 == shapes(golden("clip_vit_b32"))["token_embedding.weight"][0]
    assert tokens(["red lipstick"], 77).sum() > tokens.start + tokens.end


# -- the whole path


def test_seconds_add_up():
    took = Counter()

    def refuse(seconds):
        time.sleep(seconds)
        raise ValueError

    same = paper_photo.timed(refuse, "refuse", took)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^$"):
            same(seconds=0.01)
    assert took["refuse"] >= 0.02


def test_whole_path_is_held_to_its_goals():
    lines = paper_photo.table(FOUND).splitlines()
    assert lines[-4:] == [
        "tuning: 450 steps, 1.20 s each",
        "search: 50 steps, 1.20 s each",
        "whole, with loading: 10.2 min (goal ≤ 12: ok)",
        "peak memory: 5.50 GB (goal ≤ 5: missed)",
    ]
    assert "goal ≤ 30: ok" in paper_photo.table(FOUND | {"dtype": "float32"})
    stopped = paper_photo.table(FOUND | {"steps": {"tuning": 90, "search": 50}})
    assert "STOPPED EARLY, by steps: tuning 90 of 450" in stopped
    trial = paper_photo.table(FOUND | {"trial": True})
    assert trial.startswith("A TRIAL")
    assert "goal" not in trial
    exact = paper_photo.table(FOUND | {"dtype": "float32", "exact": True})
    assert "float32, all blocks" in exact
    assert "goal" not in exact


@pytest.mark.slow
def test_trial_goes_through_the_whole_path(monkeypatch):
    monkeypatch.setenv("KOHL_CACHE", "set anew, and as before afterwards")
    parser = ArgumentParser()
    paper_photo.add(parser)
    found = paper_photo.measure(parser.parse_args(["--size", "64", "--tuning", "2", "--search", "2"]))
    assert found["trial"]
    assert found["dtype"] == "float32"
    assert found["steps"] == found["asked"] == {"tuning": 2, "search": 2}
    assert all(seconds > 0 for seconds in found["seconds"].values())
    assert 2 < found["peak_gb"] < 8


# -- the fixtures


def test_every_fixture_is_looked_at_once():
    for name in paper_parity.fixtures():
        assert sum(re.fullmatch(pattern, name) is not None for pattern in paper_parity.KINDS) == 1, name
    with pytest.raises(ValueError, match="unpack"):
        paper_parity.checks("another")


def test_fixtures_agree():
    found = [check for name in QUICK for check in paper_parity.checks(name)]
    assert [check.figure for check in found] == ["names and shapes", "names and shapes", "w", "image", "descriptor"]
    assert all(check.ok for check in found)


def test_wrong_network_is_noticed(monkeypatch):
    own = StyleGAN2.synthesis
    monkeypatch.setattr(StyleGAN2, "synthesis", lambda self, w: own(self, w.flip(1)))
    latents, images = paper_parity.checks("nv_ada_tiny_p4.pkl")
    assert latents.ok
    assert not images.ok


def test_figures_of_parity():
    theirs = torch.tensor([1.0, -4.0, 2.0]).numpy()
    assert paper_parity.apart(torch.tensor([1.0, -4.0, 2.5]), theirs) == 0.5
    assert paper_parity.share_apart(torch.tensor([1.0, -4.0, 2.5]), theirs) == 0.125
    assert paper_parity.names_apart({"a": (3, 1), "b": (2,)}, {"a": (3,), "b": (2, 2), "c": ()})[1] == 3
    assert not paper_parity.Check("x", "y", math.nan, 1.0).ok
    made = [{"fixture": "x", "figure": "y", "error": error, "tolerance": 1e-5} for error in (0.0, 1e-4)]
    found = {"checks": [check | {"ok": check["error"] < 1e-5} for check in made]}
    assert paper_parity.table(found).splitlines()[2:] == [
        "| x | y | 0 | 1.0e-05 | ok |",
        "| x | y | 1.0e-04 | 1.0e-05 | **missed** |",
    ]
