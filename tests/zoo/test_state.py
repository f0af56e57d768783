"""Reading published weights: every kind of file, nothing is run, and the folded network is the network."""

import os
import warnings
import zipfile
from collections import OrderedDict
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from kohl.errors import BadModel
from kohl.zoo.files import state


def toy():
    """A network with every kind of layer that is folded or replaced."""
    return nn.Sequential(
        OrderedDict(
            first=nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.PReLU(4)),
            norm=nn.BatchNorm2d(4),
            conv=nn.Conv2d(4, 5, 1),
            bn=nn.BatchNorm2d(5, eps=1e-3),
            flat=nn.Flatten(),
            matrix=nn.Sequential(nn.Linear(5 * 36, 6), nn.BatchNorm1d(6)),
            last=nn.Linear(6, 2),
        )
    )


@pytest.fixture
def network():
    """The toy with random weights."""
    made, rng = toy().eval(), torch.Generator().manual_seed(0)
    for name, x in made.state_dict().items():
        if x.is_floating_point():
            x.uniform_(0.5 if name.endswith("running_var") else -0.5, 1.5, generator=rng)
    return made


def inputs():
    return torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("save", [torch.save, partial(torch.save, _use_new_zipfile_serialization=False), save_file])
def test_the_folded_network_says_the_same(tmp_path, network, save):
    path = tmp_path / ("x.safetensors" if save is save_file else "x.pth")
    save(network.state_dict(), path)
    made = state.network(toy, state.checkpoint(path), path)
    assert not any(isinstance(layer, nn.modules.batchnorm._NormBase | nn.PReLU) for layer in made.modules())
    assert not any(layer.training for layer in made.modules())
    assert not any(weight.requires_grad for weight in made.parameters())
    torch.testing.assert_close(made(inputs()), network(inputs()))
    torch.testing.assert_close(made.double()(inputs().double()).float(), network(inputs()))


def test_old_files_count_no_batches_and_half_precision_is_read(network):
    weights = {name: x.half() for name, x in network.state_dict().items() if x.is_floating_point()}
    made = state.network(toy, weights, Path("x.pth"))
    torch.testing.assert_close(made(inputs()), network(inputs()), atol=0.05, rtol=0.05)


def test_what_was_read_stays_as_it_was(network):
    weights = network.state_dict()
    before = {name: x.clone() for name, x in weights.items()}
    state.network(toy, weights, Path("x.pth"))
    assert all(torch.equal(weights[name], x) for name, x in before.items())


class Code:
    """Something that only running code could read."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def archive(path):
    """A TorchScript archive: such a file carries code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own advice about TorchScript
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)


def cut(path):
    """A download that stopped halfway."""
    torch.save({"x": torch.zeros(999)}, path)
    path.write_bytes(path.read_bytes()[:2000])


def another_zip(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x", "y")


@pytest.mark.parametrize(
    "write",
    [
        partial(torch.save, {"x": Code()}),
        partial(torch.save, {"x": Code()}, _use_new_zipfile_serialization=False),
        partial(torch.save, nn.Linear(2, 2)),
        partial(torch.save, [torch.zeros(2)]),
        partial(torch.save, {1: torch.zeros(2)}),
        archive,
        cut,
        another_zip,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"<html>Too many have downloaded this file.</html>"),
        lambda path: path.write_bytes(bytes(range(256)) * 9),
        lambda path: path.write_bytes(b"\x80\x02G\x00"),  # a number that is cut off
        lambda path: path.mkdir(),
    ],
)
def test_what_is_not_weights_alone_is_refused(tmp_path, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.pth"
    write(path)
    with pytest.raises(BadModel, match=r"x\.pth: this is not a file of weights alone.*; fetch the published file"):
        state.checkpoint(path)
    assert not (tmp_path / "ran").exists()


ODD = {  # tensors that are more, or less, than fractions in their places
    "sparse": lambda x: x.to_sparse(),
    "no numbers": lambda x: x.to("meta"),
    "complex": lambda x: x.to(torch.complex64),
    "whole": lambda x: x.long(),
    "eight bits": lambda x: x.to(torch.float8_e4m3fn),
    "nested": lambda x: torch.nested.nested_tensor([*x]),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
def test_odd_tensors_are_refused(network, odd):
    weights = network.state_dict()
    assert state.plain(weights["last.weight"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own about nested tensors
        weights["last.weight"] = odd(weights["last.weight"])
    with pytest.raises(BadModel, match=r"x\.pth: this file is for another network, by the shape of last\.weight;"):
        state.network(toy, weights, Path("x.pth"))


def test_missing_and_broken_files_are_named(tmp_path):
    with pytest.raises(BadModel, match=r"none\.pth: this model file is missing; fetch"):
        state.checkpoint(tmp_path / "none.pth")
    (tmp_path / "x.safetensors").write_bytes(b"no")
    with pytest.raises(BadModel, match="not a readable safetensors file"):
        state.checkpoint(tmp_path / "x.safetensors")
