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
from elsewhere import THERE, Calls, OneThread, elsewhere
from photos import SAMPLE
from sitters import sitters
from tiny import numbers
from tiny_styles import generator
from torch import nn

from kohl import device, pipeline, recipe
from kohl.align import imageio
from kohl.cli import main
from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.invert.inversions import Inversions
from kohl.invert.own_styles import OwnStyles
from kohl.job import Job
from kohl.perturb import descend, latent, pixel
from kohl.types import Faces
from kohl.zoo import cards
from kohl.zoo.distances import lpips
from kohl.zoo.generators.e4e import E4E
from kohl.zoo.recognisers import facenet, irse, mobilefacenet
from kohl.zoo.shelf import Shelf

FEW = ("search.steps=2", "search.scouts=1", "search.views.blurred=1.0", "search.views.grey=1.0")
STYLES = ("tuning.exact=true", "tuning.steps=2", "tuning.refine=1", "tuning.directions=0")
RUNS = {
    "default": ("default", FEW),
    "words": ("default", (*FEW, "text=red lipstick")),
    "mini": ("mini", (*FEW, *STYLES)),
    "pixels": ("default", ("attack=ti-dim", "pixel.steps=2")),
}
ABSENT = "torch finds no cuda here; name cpu, or auto for the best that it finds"
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")


@pytest.mark.parametrize(
    ("there", "best"), [((), "cpu"), (("mps",), "mps"), (("cuda",), "cuda"), (("cuda", "mps"), "cuda")], ids=str
)
def test_auto_is_the_first_that_is_there(monkeypatch, there, best):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in there)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in there)
    assert device.found("auto") == best
    assert device.found("cpu") == "cpu"
    for name in ("cuda", "mps"):
        if name in there:
            assert device.found(name) == name
        else:
            with pytest.raises(BadSetting, match=f"^device: torch finds no {name} here; "):
                device.found(name)


@pytest.mark.parametrize(("name", "said"), [
    ("tpu", 'must be one of auto, cpu, cuda, mps, not "tpu"'),
    ("cuda:1", 'must be one of auto, cpu, cuda, mps, not "cuda:1"'),
    ("", 'must be one of auto, cpu, cuda, mps, not ""'),
    pytest.param("cuda", ABSENT, marks=NO_CUDA),
])  # fmt: skip
@pytest.mark.parametrize("option", ["--device={}", "--set=device={}"])
def test_one_that_is_not_there_is_said_in_one_sentence(tmp_path, capsys, monkeypatch, name, said, option):
    monkeypatch.setattr(cards, "load", lambda *_: pytest.fail("a model was loaded"))
    assert main(["protect", str(SAMPLE), "-o", str(tmp_path), option.format(name)]) == 2
    assert capsys.readouterr().err == f"kohl: device: {said}\n"
    assert list(tmp_path.iterdir()) == []


def test_the_option_counts_more_than_the_recipe_and_auto_is_told_as_what_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "load", bundled.load)
    monkeypatch.setattr(device, "found", lambda name: {"auto": "cpu"}[name])
    (tmp_path / "mine.toml").write_text('device = "cuda"\nattack = "fgsm"\n')
    with redirect_stdout(StringIO()) as printed:
        main(
            [
                "protect",
                str(SAMPLE),
                "-o",
                str(tmp_path),
                "--recipe",
                str(tmp_path / "mine.toml"),
                "--device=auto",
                "--json",
            ]
        )
    assert json.loads(printed.getvalue())["recipe"]["device"] == "cpu"


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


def protected(house, output):
    """The pixels of the written photo; nobody judges it."""
    pipeline.protect(Job(SAMPLE, output), replace(house, judges=()))
    return imageio.read(output).pixels.astype(int)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        pytest.param(*run, marks=() if called in ("words", "pixels") else pytest.mark.slow, id=called)
        for called, run in RUNS.items()
    ],
)
def test_a_run_elsewhere_is_there_from_end_to_end(tmp_path, monkeypatch, name, settings):
    chosen = recipe.override(recipe.load(name), settings)
    monkeypatch.setattr(cards, "load", bundled.load)
    here = protected(pipeline.load(chosen), tmp_path / "here.png")
    monkeypatch.undo()
    with elsewhere(monkeypatch):
        house = pipeline.load(replace(chosen, device=THERE.type), inversions=Inversions())
        there = protected(house, tmp_path / "there.png")
    assert {x.device for x in house.attack.surrogates[0].encoder.parameters()} == {THERE}
    assert np.abs(here - imageio.read(SAMPLE).pixels).max() > 4
    assert np.abs(here - there).max() <= 1


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


def test_directions_are_found_elsewhere_as_here(monkeypatch):
    made, faces = generator(), Faces(*(part[:1] for part in vars(resized(sitters(), 32)).values()))
    codes = torch.randn(1, *made.latent_shape, generator=numbers())
    latents, settings = torch.ones(1, 6), {"held": 2, "noise": True, "directions": 6}
    here = OwnStyles(made, codes, faces, **settings)(latents)
    with elsewhere(monkeypatch):
        there = OwnStyles(made.to(THERE), codes.to(THERE), faces.to(THERE), **settings)(latents.to(THERE)).cpu()
    assert (here - faces.crops).abs().max() > 1e-3
    torch.testing.assert_close(there, here, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("name", "settings"), RUNS.values(), ids=RUNS)
def test_no_step_of_a_search_makes_a_tensor_without_saying_where(tmp_path, monkeypatch, name, settings):
    monkeypatch.setattr(cards, "load", bundled.load)
    calls, descended = Calls(), []

    def watched(*given, **named):
        with calls:
            descended.append(given)
            return descend.descend(*given, **named)

    for module in (latent, pixel):
        monkeypatch.setattr(module, "descend", watched)
    monkeypatch.setattr(descend, "ThreadPoolExecutor", OneThread)
    protected(pipeline.load(recipe.override(recipe.load(name), settings)), tmp_path / "out.png")
    assert descended
    assert calls.unplaced == []


def test_what_is_made_without_saying_where_is_noticed(monkeypatch):
    with elsewhere(monkeypatch) as calls:
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
