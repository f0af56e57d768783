"""The whole published path on the bundled small StyleGAN2: encode, tune, search, restore, score; without a network."""

import json
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace

import bundled
import numpy as np
import pytest
import torch
from photos import SAMPLE
from sitters import sitter, sitters

from kohl import recipe
from kohl.align import imageio
from kohl.cli import main
from kohl.geometry import resized
from kohl.invert.pivotal import pivotal
from kohl.score.quality import psnr
from kohl.zoo import cards

GENERATOR, ENCODER = (cards.generator, "stylegan2-mini"), (cards.inverter, "stylegan2-mini-encoder")
# Too few steps to rely on, enough to see an effect.
FEW = ("tuning.steps=12", "tuning.directions=48", "search.steps=4", "search.rate=0.8", "search.change=100.0")
FEWEST = ("tuning.steps=3", "tuning.directions=0", "search.steps=3", "search.scouts=0")
FEWEST += ("search.tries=1", "search.rate=0.05", "search.change=10.0")


@pytest.fixture(scope="module", params=[FEWEST, pytest.param(FEW, marks=pytest.mark.slow)], ids=["fewest", "few"])
def run(request, tmp_path_factory):
    """One photo with words, as the command protects it."""
    output = tmp_path_factory.mktemp("mini") / "out.png"
    settings = [word for setting in request.param for word in ("--set", setting)]
    arguments = ["protect", str(SAMPLE), "-o", str(output), "--recipe", "mini", "--text", "red lipstick", "--json"]
    with redirect_stdout(StringIO()) as printed:
        code = main([*arguments, *settings], parts=bundled.PARTS)
    return SimpleNamespace(output=output, code=code, row=json.loads(printed.getvalue()))


def test_every_judge_sees_less_of_the_person(run):
    (face,) = run.row["faces"]
    assert run.code in (0, 3)  # protected or not, but done
    assert face["judges"].keys() == {"sface", "dlib", "facelib"}
    for judgement in face["judges"].values():
        assert judgement["after"] < judgement["before"] - 0.02
    assert 15 < face["psnr"] < 45


def test_only_the_face_changes(run):
    before, after = imageio.read(SAMPLE).pixels, imageio.read(run.output).pixels
    (face,) = run.row["faces"]
    left, top, width, height = face["box"]
    changed = (before != after).any(2)
    rows, columns = np.nonzero(changed)
    assert changed.any()
    assert rows.min() > top - height / 2
    assert rows.max() < top + 1.5 * height
    assert columns.min() > left - width / 2
    assert columns.max() < left + 1.5 * width


def test_encoder_and_generator_give_faces_back_roughly():
    generator, encode = (bundled.SHELF(*each) for each in (GENERATOR, ENCODER))
    faces = resized(sitters(), generator.size).crops
    with torch.no_grad():
        back = generator(encode(sitters().crops))
        others = generator(encode(sitters().crops.roll(1, 0)))
    assert (psnr(back, faces) > 16).all()
    assert (psnr(back, faces) > psnr(others, faces) + 2).all()  # each its own


def test_noise_becomes_faces_that_differ_but_stay_near_the_mean_face():
    generator = bundled.SHELF(*GENERATOR)
    with torch.no_grad():
        drawn = generator(generator.latents(torch.randn(16, 256, generator=torch.Generator().manual_seed(1))))
        mean = generator(generator.average[None])
    assert (drawn.std(0).mean() > 0.03) & (drawn.std(0).mean() < 0.25)
    assert (psnr(drawn, mean.expand_as(drawn)) > 9).all()


@pytest.mark.parametrize(("steps", "gain"), [(7, 1.0), pytest.param(25, 4, marks=pytest.mark.slow)])  # in dB
def test_tuning_brings_the_face_nearer(steps, gain):
    few = (f"tuning.steps={steps}", "tuning.rate=0.002", "tuning.directions=0")  # its own rate takes more steps
    house = bundled.house(recipe.override(recipe.load("mini"), few))
    face = sitter(0)
    wanted = resized(face, 128).crops
    found = []
    house.attack.invert(face, watch=lambda step: found.append(float(psnr(step.candidate.images.clamp(0, 1), wanted))))
    assert len(found) == steps
    assert found[-1] > found[0] + gain
    assert house.attack.invert.func is pivotal


def test_both_files_are_small():
    assert sum(cards.find(name).size for name in ("stylegan2-mini", "stylegan2-mini-encoder")) <= 20_000_000
