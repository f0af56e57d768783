"""From a folder of photos to a protected one, as a stranger would: learn, then do what was said in the end."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace

import bundled
import numpy as np
import pytest
import torch
from photos import SAMPLE
from PIL import Image, ImageOps
from sitters import FOLDER, NAMES
from tiny_training import OPTIONS, SIZE

from kohl.cli import main
from kohl.zoo import cards
from kohl.zoo.files import store

# Too few steps for anything but seeing that each is taken.
STEPS = (
    "tuning.steps=2",
    "tuning.directions=8",
    "search.steps=2",
    "search.scouts=0",
    "models.surrogates=['sface']",
    "models.judges=['sface']",
)
SMALL = [part for step in STEPS for part in ("--set", step)]


def people(folder):
    """Eighteen photos of the three portraits: mirrored, darker, or with a wider rim, none like another."""
    folder.mkdir()
    for index, name in enumerate(NAMES):
        portrait = Image.open(FOLDER / f"{name}.jpg")
        for copy in range(6):
            photo = ImageOps.mirror(portrait) if copy % 2 else portrait
            photo = ImageOps.expand(photo, 8 * (copy // 2), (90, 90, 90))
            photo.point(lambda level, copy=copy: level * (1 - 0.03 * copy)).save(folder / f"{copy}{index}.png")
    (folder / "wall.png").write_bytes((folder / "00.png").read_bytes()[:99])
    Image.new("RGB", (64, 64), "white").save(folder / "wall.jpg")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What the command printed and wrote."""
    folder = tmp_path_factory.mktemp("learned")
    photos, output = people(folder / "photos"), folder / "out"
    small = [part for setting in (*OPTIONS, "looks=1") for part in ("--set", setting)]
    arguments = ["train", "stylegan2", str(photos), "-o", str(output), "--size", str(SIZE), "--images", "8", *small]
    with redirect_stdout(StringIO()) as printed:
        code = main([*arguments, "--batch", "2", "--seed", "3"])
    return SimpleNamespace(code=code, output=output, lines=printed.getvalue().splitlines(), arguments=arguments)


def test_faces_are_found_in_all_photos_that_have_one(run):
    assert run.code == 0
    kept = store.tensors(run.output / "faces.safetensors")
    assert kept["held"].shape == (2, 3, 80, 80)
    assert kept["learned"].shape == (16 * 2, 3, 80, 80)
    assert run.lines[0] == "2 photos without a face that can be used were left out"
    bare, made_up = kept["learned"][::2].float(), kept["learned"][1::2].float()
    assert (kept["learned"].float().std((1, 2, 3)) > 20).all()  # faces, not walls
    assert ((bare - made_up).abs().amax((1, 2, 3)) > 5).all()
    assert ((bare - made_up).abs().mean((1, 2, 3)) < 20).all()


def test_what_was_kept_is_learned_from_again_to_the_same_bytes(run, capsys):
    files = [run.output / name for name in ("generator.safetensors", "encoder.safetensors", "faces.safetensors")]
    before = [file.read_bytes() for file in files]
    assert main([*run.arguments, "--batch", "2", "--seed", "3", "--resume"]) == 0
    assert "holds the faces that were found before" in capsys.readouterr().out
    assert [file.read_bytes() for file in files] == before
    kept = (run.output / "checkpoint.pt").read_bytes()
    (run.output / "checkpoint.pt").unlink()
    assert main([*run.arguments, "--batch", "2", "--seed", "3", "--resume"]) == 2
    assert "holds generator.safetensors, but no checkpoint to go on from" in capsys.readouterr().err
    assert [file.read_bytes() for file in files] == before
    (run.output / "checkpoint.pt").write_bytes(kept)


def test_what_is_said_in_the_end_protects_a_photo_with_what_was_learned(run, capsys, tmp_path):
    assert run.lines[-1].startswith("use it with --recipe mini --set models.generator=stylegan2:")
    with Image.open(SAMPLE) as photo:
        photo.crop((112, 0, 352, 256)).save(tmp_path / "photo.png")
    said = run.lines[-1].removeprefix("use it with ").split()
    assert main(["protect", str(tmp_path / "photo.png"), *said, *SMALL], parts=bundled.PARTS) in (
        0,
        3,
    )  # too few steps to rely on
    assert capsys.readouterr().err == ""
    before, after = (np.asarray(Image.open(tmp_path / name), np.float32) for name in ("photo.png", "photo_kohl.png"))
    changed = np.abs(after - before).max(2) > 0
    assert 0.01 < changed.mean() < 0.5  # within the face
    assert not changed[:20].any()


def test_the_pair_fits_together_and_no_other_does(run):
    generator, encoder = (
        cards.generator(f"stylegan2:{run.output / 'generator.safetensors'}"),
        cards.inverter(f"stylegan2:{run.output / 'encoder.safetensors'}"),
    )
    assert generator.latent_shape == encoder.latent_shape
    photo = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    assert generator(encoder(photo)).shape == (1, 3, SIZE, SIZE)
