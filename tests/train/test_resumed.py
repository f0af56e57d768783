"""The same seed learns the same, however often it is stopped; and what a run refuses to go on from."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from learned import GALLERY, Watched, contents, learn, learn_until, names, table
from scarce import full_disk
from tiny_training import PAIRING, gallery, same, weights

from kohl.errors import BadModel, BadSetting, KohlError
from kohl.train.learner import Training
from kohl.train.mapping import Pairing
from kohl.zoo import cards


def test_the_same_seed_writes_the_same_bytes_and_spends_no_other_random_numbers(run, tmp_path):
    state = torch.get_rng_state()
    assert contents(learn(tmp_path / "again")) == contents(run.paths)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    other = contents(learn(tmp_path / "other", seed=1))
    torch.set_rng_state(state)
    assert not set(other) & set(contents(run.paths))


def test_every_step_of_every_seed_has_random_numbers_of_its_own(tmp_path):
    drawn = []
    for seed in (0, 1):
        watched = Watched(8)  # stopped once every step is taken
        with pytest.raises(KeyboardInterrupt):
            learn(tmp_path / str(seed), known=watched, seed=seed)
        drawn += watched.seeds
    assert len(drawn) == len(set(drawn)) == 16


def test_the_largest_seed_is_a_seed(tmp_path):
    learn(tmp_path, images=2, seed=2**63 - 1)
    assert (tmp_path / "generator.safetensors").exists()


@pytest.mark.parametrize("number", [1, 5])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(run, tmp_path, number):
    learn_until(number, tmp_path, save_s=0.0)
    assert not (tmp_path / "generator.safetensors").exists()
    assert contents(learn(tmp_path, save_s=0.0)) == contents(run.paths)
    states = [torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (tmp_path, run.folder)]
    assert same(*([*state["learner"].values()] for state in states))
    assert [int(row["pictures"]) for row in table(tmp_path / "held_out.csv")] == [2, 4, 6, 8, 10, 12, 14, 16]


def test_a_run_that_is_at_its_end_writes_the_same_once_more(run):
    before = contents(run.paths)
    assert contents(learn(run.folder, features=None)) == before  # no step would do without


def test_the_log_of_a_run_that_was_stopped_has_each_line_once(run, tmp_path):
    learn_until(5, tmp_path)
    assert len(table(tmp_path / "log.csv")) == 1  # and a checkpoint from before the first step: it will begin again
    learn(tmp_path)
    assert (tmp_path / "log.csv").read_bytes() == (run.folder / "log.csv").read_bytes()


def test_without_a_checkpoint_being_due_only_the_first_is_saved(tmp_path):
    learn_until(5, tmp_path)
    assert names(tmp_path) == ["checkpoint.pt", "log.csv"]
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["done"] == 0


WRITTEN = ["log.csv", "held_out.csv", "samples.png", "generator.safetensors", "encoder.safetensors"]


@pytest.mark.parametrize("name", WRITTEN)
def test_somebody_else_s_files_are_never_overwritten(tmp_path, name):
    (tmp_path / name).write_bytes(b"theirs")
    with pytest.raises(BadSetting) as error:
        learn(tmp_path)
    said = f"{tmp_path}: holds {name}, but no checkpoint to go on from; choose another folder with -o"
    assert str(error.value) == said
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_bytes() == b"theirs"


def test_what_has_nearly_these_names_is_left_alone(tmp_path):
    theirs = [f"{Path(name).stem}.part" for name in [*WRITTEN, "checkpoint.pt"]] + ["log.csv.part", "notes.txt"]
    for name in theirs:
        (tmp_path / name).write_bytes(b"theirs")
    learn(tmp_path)
    assert names(tmp_path) == sorted([*{*theirs}, *WRITTEN, "checkpoint.pt"])
    assert {(tmp_path / name).read_bytes() for name in theirs} == {b"theirs"}


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_text("pictures,psnr\nmany,5\n"),
        lambda path: path.write_text("pictures\n" + "9" * 5000),
        lambda path: path.write_bytes(b"\xff\xfe"),
        os.mkfifo,
        lambda path: path.mkdir(),
    ],
    ids=["words", "digits", "bytes", "pipe", "folder"],
)
def test_a_table_that_is_none_of_this_run_is_named(run, tmp_path, make):
    (tmp_path / "checkpoint.pt").write_bytes((run.folder / "checkpoint.pt").read_bytes())
    make(tmp_path / "log.csv")
    with pytest.raises(BadSetting, match=r"log\.csv: is no table of this run; remove it, or choose another folder"):
        learn(tmp_path)


def test_a_link_in_the_place_of_a_table_is_not_followed(run, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes((run.folder / "checkpoint.pt").read_bytes())
    (tmp_path / "theirs").write_text("pictures\n1000\n")
    (tmp_path / "log.csv").symlink_to(tmp_path / "theirs")
    learn(tmp_path)
    assert (tmp_path / "theirs").read_text() == "pictures\n1000\n"


def test_more_pictures_and_another_discriminator_may_follow(run, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes((run.folder / "checkpoint.pt").read_bytes())
    watched = Watched()
    learn(tmp_path, known=watched, images=20, adversarial=0.1, adversarial_from=0.0)
    assert watched.seeds == [8, 9, 0]  # the last is the mapping's


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"batch": 4}, "batch 2"),
        ({"rate": 0.5}, f"rate {Training().rate}"),
        ({"seed": 3}, "seed 0"),
        ({"size": 128}, "size 64"),
        ({"mapping": Pairing()}, f"mapping {asdict(PAIRING)}"),
    ],
    ids=str,
)
def test_another_setting_is_refused_by_name_and_the_checkpoint_stays(run, settings, said):
    path, before = run.folder / "checkpoint.pt", contents([run.folder / "checkpoint.pt", *run.paths])
    with pytest.raises(BadSetting) as error:
        learn(run.folder, **settings)
    assert str(error.value) == f"{path}: was learned with {said}; choose another folder"
    assert contents([path, *run.paths]) == before


@pytest.fixture
def kept(run):
    """What the checkpoint holds; its tables may be changed."""
    whole = run.kept
    optimizers = [{"state": {n: {**each} for n, each in part["state"].items()}} for part in whole["optimizers"]]
    return {**whole, "learner": {**whole["learner"]}, "optimizers": optimizers}


def broken(path: Path, kind: str, kept: dict[str, Any]) -> None:
    """Spoils a good checkpoint, which holds what is kept."""
    whole = path.read_bytes()
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "cut off":
            path.write_bytes(whole[: len(whole) // 2])
        case "no checkpoint":
            path.write_bytes(b"a checkpoint, in so many words\n" * 50)
        case "a list":
            torch.save([1, 2, 3], path)
        case "a weight missing":
            kept["learner"].popitem()
            torch.save(kept, path)
        case "an optimizer missing":
            torch.save({**kept, "optimizers": kept["optimizers"][:1]}, path)
        case "a moment of another shape":
            kept["optimizers"][0]["state"][0]["exp_avg"] = torch.zeros(1, 1, 7)
            torch.save(kept, path)
        case "a moment missing":
            kept["optimizers"][0]["state"][0].pop("exp_avg")
            torch.save(kept, path)
        case "a moment of another precision":
            state = kept["optimizers"][0]["state"][0]
            state["exp_avg"] = state["exp_avg"].half()
            torch.save(kept, path)
        case "steps that differ":
            kept["optimizers"][0]["state"][1]["step"] += 1
            torch.save(kept, path)
        case "steps before the first":
            torch.save({**kept, "done": -1}, path)
        case "half a step":
            torch.save({**kept, "done": 0.5}, path)
        case _:
            kept.pop(kind)
            torch.save(kept, path)


KINDS = ["empty", "cut off", "no checkpoint", "a list", "a weight missing", "an optimizer missing"]
KINDS += ["a moment of another shape", "a moment of another precision", "a moment missing"]
KINDS += ["steps that differ", "steps before the first", "half a step"]


@pytest.mark.parametrize("kind", [*KINDS, "learner", "optimizers", "done", "settings"])
def test_a_checkpoint_that_cannot_be_read_is_named_and_stays(run, kept, tmp_path, kind):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes((run.folder / "checkpoint.pt").read_bytes())
    broken(path, kind, kept)
    before = path.read_bytes()
    with pytest.raises(BadModel) as error:
        learn(tmp_path)
    assert str(error.value) == f"{path}: this checkpoint cannot be read; remove it to begin again."
    assert path.read_bytes() == before


class Intruder:
    """What a checkpoint must not be able to run."""

    def __reduce__(self):
        return os.mkdir, ("intruder",)


def test_a_checkpoint_runs_no_code(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    torch.save({"learner": Intruder()}, tmp_path / "checkpoint.pt")
    with pytest.raises(BadModel, match="this checkpoint cannot be read"):
        learn(tmp_path)
    assert names(tmp_path) == ["checkpoint.pt"]


def test_a_full_disk_is_one_sentence_and_the_checkpoint_stays_as_it_was(run, tmp_path):
    said = r"checkpoint\.pt: cannot be written .*; free some space and go on with --resume"
    with full_disk(1000), pytest.raises(KohlError, match=said):
        learn(tmp_path)
    assert names(tmp_path) == []
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(before := (run.folder / "checkpoint.pt").read_bytes())
    with full_disk(1000), pytest.raises(KohlError, match=said):
        learn(tmp_path, images=20)
    assert path.read_bytes() == before
    assert not [name for name in names(tmp_path) if "part" in name]


def test_nobody_who_is_held_out_is_learned_from(tmp_path):
    # Other held-out faces change no weight, only the figure.
    others = gallery(seed=5)
    mixed = type(GALLERY)(GALLERY.learned, others.held)
    first, second = learn(tmp_path / "a", images=4), learn(tmp_path / "b", images=4, known=mixed)
    assert contents(first) == contents(second)
    figures = [table(tmp_path / name / "held_out.csv")[0]["psnr"] for name in "ab"]
    assert figures[0] != figures[1]


def test_the_learned_faces_matter(run, tmp_path):
    assert not set(contents(learn(tmp_path, known=gallery(seed=5)))) & set(contents(run.paths))


def test_learning_goes_in_bfloat16_where_that_is_asked_for(tmp_path):
    generator = cards.generator(f"stylegan2:{learn(tmp_path, images=8, precision='bfloat16')[0]}")
    assert all(values.isfinite().all() for values in weights(generator))
