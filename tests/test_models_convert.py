"""`kohl models convert`, and the generator that is then named by its file."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch
from heard import heard
from tiny import numbers
from tiny_styles import generator

from kohl import recipe
from kohl.cli import main
from kohl.errors import BadModel, BadSetting
from kohl.recipe import Recipe
from kohl.zoo import cards
from kohl.zoo.files import checkpoints
from kohl.zoo.generators.stylegan2 import StyleGAN2

CHECKPOINT = Path(__file__).parent / "golden" / "nv_ada_tiny_p4.pkl"


@pytest.fixture
def checkpoint(monkeypatch, tmp_path):
    """A published checkpoint in the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copyfile(CHECKPOINT, "ffhq.pkl"))


def convert(*arguments):
    return main(["models", "convert", *map(str, arguments)])


def files():
    return sorted(path.name for path in Path().iterdir())


def assert_alike(name):
    """The generator of that name draws what the checkpoint's does."""
    found, original = cards.generator(name), checkpoints.generator(CHECKPOINT)
    latents = torch.randn(1, *original.latent_shape, generator=numbers())
    torch.testing.assert_close(found(latents), original(latents))


def test_what_is_said_to_be_set_names_the_same_generator(checkpoint, capsys):
    before = checkpoint.read_bytes()
    assert convert(checkpoint) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    said = re.fullmatch(r"ffhq\.safetensors: use it with --set (models\.generator=\S+)\n", printed.out)
    assert_alike(recipe.override(Recipe(), [said[1]]).models.generator)
    assert files() == ["ffhq.pkl", "ffhq.safetensors"]
    assert checkpoint.read_bytes() == before


def test_the_output_may_be_anywhere(checkpoint, capsys):
    Path("in here").mkdir()
    assert convert(checkpoint, "-o", "in here/mine") == 0
    assert capsys.readouterr().out.startswith("in here/mine: use it with ")
    assert_alike("stylegan2:in here/mine")
    assert_alike(f"stylegan2:{Path('in here/mine').resolve()}")


def test_a_checkpoint_in_another_folder_is_written_beside_it(checkpoint):
    Path("there").mkdir()
    checkpoint.rename("there/v1.2.pkl")
    assert convert("there/v1.2.pkl") == 0
    assert_alike("stylegan2:there/v1.2.safetensors")


def test_what_exists_is_overwritten_only_by_force(checkpoint, capsys):
    Path("ffhq.safetensors").write_bytes(b"mine")
    assert convert(checkpoint) == 2
    assert capsys.readouterr().err == (
        "kohl: ffhq.safetensors: already exists; pass --force to overwrite it, or choose another name with -o\n"
    )
    assert Path("ffhq.safetensors").read_bytes() == b"mine"
    assert convert(checkpoint, "--force") == 0
    assert_alike("stylegan2:ffhq.safetensors")


def test_a_file_beside_the_output_is_left_alone(checkpoint):
    Path("ffhq.safetensors.part").write_bytes(b"theirs")
    assert convert(checkpoint) == 0
    assert convert(checkpoint, "-o", "no/folder/here") == 1
    assert files() == ["ffhq.pkl", "ffhq.safetensors", "ffhq.safetensors.part"]
    assert Path("ffhq.safetensors.part").read_bytes() == b"theirs"


def test_an_output_that_appears_meanwhile_is_not_overwritten(checkpoint, capsys):
    with heard("os.link", lambda *_: Path("ffhq.safetensors").write_bytes(b"theirs")):
        assert convert(checkpoint) == 1
    assert "ffhq.safetensors: cannot be written (File exists)" in capsys.readouterr().err
    assert (files(), Path("ffhq.safetensors").read_bytes()) == (["ffhq.pkl", "ffhq.safetensors"], b"theirs")


@pytest.mark.parametrize("name", ["ffhq.pkl", "./ffhq.pkl", "link.pkl"])
def test_the_checkpoint_itself_is_never_overwritten(checkpoint, capsys, name):
    Path("link.pkl").symlink_to(checkpoint)
    assert convert(checkpoint, "-o", name, "--force") == 2
    assert capsys.readouterr().err.endswith(": is the checkpoint itself; choose another name with -o\n")
    assert checkpoint.read_bytes() == CHECKPOINT.read_bytes()


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "force"])
def test_a_folder_is_no_output(checkpoint, capsys, force):
    Path("here").mkdir()
    assert convert(checkpoint, "-o", "here", *force) == 2
    assert capsys.readouterr().err == "kohl: here: is a folder; name a file with -o\n"
    assert list(Path("here").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.pt"], r"missing\.pt: cannot be read \(No such file or directory\)"),
        (["."], r"\.: cannot be read \(Is a directory\)"),
        (["notes.txt"], r"notes\.txt: neither a \.pt of torch nor an NVIDIA \.pkl"),
        (["cut.pkl"], r"cut\.pkl: damaged"),
        (["ffhq.pkl", "-o", "no/folder/here"], r"no/folder/here: cannot be written"),
    ],
    ids=["missing", "a folder", "a text", "cut off", "no folder"],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(checkpoint, capsys, arguments, message):
    Path("notes.txt").write_text("weights")
    Path("cut.pkl").write_bytes(CHECKPOINT.read_bytes()[:5000])
    before = files()
    assert convert(*arguments) == 1
    printed = capsys.readouterr()
    assert re.fullmatch(rf"kohl: {message}.*\n", printed.err)
    assert printed.out == ""
    assert files() == before


# The generator by its file


def test_the_converted_generator_is_ready_to_be_searched(checkpoint):
    convert(checkpoint)
    found = cards.generator("stylegan2:ffhq.safetensors")
    assert isinstance(found, StyleGAN2)
    assert not found.training
    assert not any(weight.requires_grad for weight in found.parameters())


@pytest.mark.parametrize("name", ["", "missing.safetensors", ".", "notes.txt", "ffhq.pkl"])
def test_a_file_that_holds_none_is_a_bad_model(checkpoint, name):
    Path("notes.txt").write_text("weights")
    with pytest.raises(BadModel, match=re.escape(name or ".")):
        cards.generator(f"stylegan2:{name}")


@pytest.mark.parametrize("name", ["stylegan2", "StyleGAN2:x", "sface", "lpips"])
def test_any_other_name_is_that_of_a_card(name):
    with pytest.raises(BadSetting, match=rf"^generator {name}: no such model; did you mean generator "):
        cards.generator(name)


def test_a_file_of_a_toy_comes_back(tmp_path):
    from safetensors.torch import save_file

    toy = generator()
    save_file(toy.state_dict(), tmp_path / "a: b.safetensors")
    latents = torch.randn(1, *toy.latent_shape, generator=numbers())
    torch.testing.assert_close(cards.generator(f"stylegan2:{tmp_path / 'a: b.safetensors'}")(latents), toy(latents))
