"""Where the models run: what may be named, and that all of a run is there."""

import json
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from io import StringIO

import bundled
import numpy as np
import pytest
import torch
from elsewhere import THERE, elsewhere
from photos import SAMPLE, portrait
from sitters import sitters
from tiny import numbers
from tiny_styles import Encoder, generator
from torch import nn

from kohl import device, pipeline, recipe
from kohl.align import imageio
from kohl.cli import main
from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.invert.inversions import Inversions
from kohl.invert.own_styles import OwnStyles
from kohl.job import Job
from kohl.types import Faces, ignore
from kohl.zoo import cards
from kohl.zoo.distances import lpips
from kohl.zoo.generators.e4e import E4E
from kohl.zoo.recognisers import facenet, irse, mobilefacenet
from kohl.zoo.recognisers.recogniser import Recogniser
from kohl.zoo.shelf import Shelf

FEW = ("search.tries=1", "search.steps=2", "search.scouts=1", "search.views.blurred=1.0", "search.views.grey=1.0")
STYLES = ("tuning.exact=true", "tuning.steps=2", "tuning.refine=1", "tuning.directions=0")
ALONE = "models.surrogates=['sface']"
RUNS = {
    "default": ("default", FEW),
    "words": ("default", (*FEW, ALONE, "search.scouts=0", "search.keep=0.0", "text=red lipstick")),
    "mini": ("mini", (*FEW, *STYLES)),
    "styles": ("mini", (*FEW, *STYLES, ALONE, "tuning.size=32", "tuning.held=2")),
    "pixels": ("default", ("attack=ti-dim", "pixel.steps=2", "search.tries=1")),
}
SLOW = ("default", "mini")
ABSENT = "torch finds no cuda here; name cpu, or auto for the best that it finds"
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")


@pytest.mark.parametrize(
    ("there", "best"), [("cpu", "cpu"), ("mps cpu", "mps"), ("cpu cuda", "cuda"), ("mps cuda cpu", "cuda")], ids=str
)
def test_auto_is_the_first_that_is_there(there, best):
    there = there.split()
    assert device.found("auto", there) == best
    assert device.found("cpu", there) == "cpu"
    for name in ("cuda", "mps"):
        if name in there:
            assert device.found(name, there) == name
        else:
            with pytest.raises(BadSetting, match=f"^device: torch finds no {name} here; "):
                device.found(name, there)


def test_what_is_there_is_what_torch_finds():
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    assert device.found("auto") == next((name for name in there if there[name]), "cpu")


@pytest.mark.parametrize(("name", "said"), [
    ("tpu", 'must be one of auto, cpu, cuda, mps, not "tpu"'),
    ("cuda:1", 'must be one of auto, cpu, cuda, mps, not "cuda:1"'),
    ("", 'must be one of auto, cpu, cuda, mps, not ""'),
    pytest.param("cuda", ABSENT, marks=NO_CUDA),
])  # fmt: skip
@pytest.mark.parametrize("option", ["--device={}", "--set=device={}"])
def test_one_that_is_not_there_is_said_in_one_sentence(tmp_path, capsys, name, said, option):
    assert main(["protect", str(SAMPLE), "-o", str(tmp_path), option.format(name)]) == 2
    assert capsys.readouterr().err == f"kohl: device: {said}\n"
    assert list(tmp_path.iterdir()) == []


def test_the_option_counts_more_than_the_recipe_and_auto_is_told_as_what_it_was(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'device = "cuda"\nattack = "fgsm"\n[models]\nsurrogates = ["sface"]\njudges = ["sface"]\n[search]\ntries = 1\n'
    )
    line = ["protect", str(SAMPLE), "-o", str(tmp_path), "--recipe", str(tmp_path / "mine.toml"), "--device=auto"]
    with redirect_stdout(StringIO()) as printed:
        main([*line, "--json"], parts=bundled.PARTS)
    assert json.loads(printed.getvalue())["recipe"]["device"] == device.found("auto")


def test_a_shelf_has_a_network_for_each_device_and_keeps_what_is_no_network():
    made = []

    def make(kind):
        made.append(kind)
        return kind()

    shelf = Shelf()
    net, thing = (shelf(make, kind) for kind in (lambda: nn.Linear(2, 2), dict))
    assert made == [made[0], dict]
    other = shelf.on("meta")
    assert other(make, made[0]).weight.device == torch.device("meta")
    assert net.weight.device == torch.device("cpu")
    assert shelf.on("cpu")(make, made[0]) is net
    assert shelf(make, dict) is thing


def protected(house, photo, *, watch=ignore):
    """The pixels of the written photo; nobody judges it."""
    output = photo.with_name("protected.png")
    pipeline.protect(Job(photo, output, force=True), replace(house, judges=()), watch=watch)
    return imageio.read(output).pixels.astype(int)


def styles(name):
    """A tiny StyleGAN2, or what finds its latents."""
    return {"stylegan2-mini": generator, "stylegan2-mini-encoder": lambda: Encoder(8)}[name]()


def looker(name):
    """A recogniser that sees colours at 64 places."""
    layer = nn.Linear(192, 32, bias=False).requires_grad_(False)
    layer.weight.copy_(torch.randn(32, 192, generator=numbers()))
    return Recogniser(name, nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), layer), size=32)


TOYS = {"styles": {cards.generator: styles, cards.inverter: styles}, "words": {cards.encoder: looker}}


@pytest.mark.parametrize(
    ("name", "settings", "makers"),
    [
        pytest.param(*run, TOYS.get(called, {}), marks=pytest.mark.slow if called in SLOW else (), id=called)
        for called, run in RUNS.items()
    ],
)
def test_a_run_elsewhere_is_there_from_end_to_end(tmp_path, name, settings, makers):
    chosen, marks, photo = recipe.override(recipe.load(name), settings), [], tmp_path / "photo.png"
    portrait().save(photo)
    here = protected(pipeline.load(chosen, bundled.Toys(makers)), photo)
    with elsewhere() as calls:
        house = pipeline.load(chosen, bundled.Toys(makers, THERE.type), inversions=Inversions())
        there = protected(
            house,
            photo,
            watch=lambda step: "tuning" in step.losses or marks.append(len(calls.unplaced)),
        )
    assert {x.device for x in house.attack.surrogates[0].encoder.parameters()} == {THERE}
    assert np.abs(here - imageio.read(photo).pixels).max() > 4
    assert np.abs(here - there).max() <= 1
    assert len(marks) > 1
    assert calls.unplaced[marks[0] : marks[-1]] == []  # no step makes a tensor without saying where


@pytest.mark.parametrize(
    "build",
    [
        partial(irse.layers, irse.DEPTH_152, squeeze=True),
        facenet.layers,
        mobilefacenet.layers,
        partial(E4E, 18),
        lambda: lpips.LPIPS(lpips.Trunk(), nn.ModuleDict({"lin0": lpips.Head(64)})),
    ],
    ids=["irse", "facenet", "mobile_face", "e4e", "lpips"],
)
def test_all_tensors_of_a_network_that_is_pulled_are_moved_with_it(build):
    with torch.device("meta"):
        made = build()
    assert not [name for module in made.modules() for name, x in vars(module).items() if isinstance(x, torch.Tensor)]


def test_directions_are_found_elsewhere_as_here():
    made, faces = generator(), Faces(*(part[:1] for part in vars(resized(sitters(), 32)).values()))
    codes = torch.randn(1, *made.latent_shape, generator=numbers())
    latents, settings = torch.ones(1, 6), {"held": 2, "noise": True, "directions": 6}
    here = OwnStyles(made, codes, faces, **settings)(latents)
    with elsewhere():
        there = OwnStyles(made.to(THERE), codes.to(THERE), faces.to(THERE), **settings)(latents.to(THERE)).cpu()
    assert (here - faces.crops).abs().max() > 1e-3
    torch.testing.assert_close(there, here, atol=1e-5, rtol=0)


def test_what_is_made_without_saying_where_is_noticed():
    with elsewhere() as calls:
        there = torch.ones(2, device=THERE)
        assert (there + there.new_tensor([1, 2])).cpu().tolist() == [2, 3]
        stray = torch.ones(2)
        assert calls.unplaced == ["ones"]
        with pytest.raises(AssertionError, match="left on the CPU"):
            there + stray
        with pytest.raises(RuntimeError, match="numpy"):
            there.numpy()


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["default", "mini"])
def test_a_gpu_protects_as_the_cpu_does(tmp_path, name):
    rows = []
    for where in ("cpu", "cuda"):
        with redirect_stdout(StringIO()) as printed:
            code = main(
                [
                    "protect",
                    str(SAMPLE),
                    "-o",
                    str(tmp_path / f"{where}.png"),
                    "--recipe",
                    name,
                    "--json",
                    f"--device={where}",
                ]
            )
        assert code == 0
        rows.append(json.loads(printed.getvalue()))
    here, there = (row["faces"][0] for row in rows)
    assert there["status"] == here["status"] == "protected"
    assert there["psnr"] == pytest.approx(here["psnr"], abs=0.5)
