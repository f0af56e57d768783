"""MobileFaceNet: the published names, its blocks, and files that are not the published one."""

import pytest
import torch
from published import golden, loaded, own_shapes, shapes

from kohl.errors import BadModel
from kohl.zoo.recognisers import mobilefacenet


def weights():
    """The published names with a zero of the right shape for each."""
    return {name: torch.zeros(shape) for name, shape in shapes(golden("fr_mobile_face")).items()}


def test_weights_have_the_published_names_and_shapes():
    assert own_shapes(mobilefacenet.layers) == shapes(golden("fr_mobile_face"))


def test_residual_adds_what_went_in():
    block = mobilefacenet.Residual(4, 8, 2).eval()
    for bottleneck in block.model:
        torch.nn.init.zeros_(bottleneck.project.bn.weight)
        torch.nn.init.constant_(bottleneck.project.bn.bias, 0.5)
    x = torch.rand(1, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(x), x + 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bn.weight": None}, "this file lacks bn.weight; fetch the published file"),
        ({"extra": torch.zeros(1)}, "this file is for another network, for it has extra;"),
        ({"linear.weight": torch.zeros(256, 512)}, "this file is for another network, by the shape of linear.weight;"),
        ({"linear.weight": "a name"}, "this file is for another network, by the shape of linear.weight;"),
        ({"bn.bias": torch.full((512,), torch.nan)}, "there are numbers that are not finite in bn.bias;"),
        ({"bn.bias": torch.full((512,), torch.inf)}, "there are numbers that are not finite in bn.bias;"),
    ],
)
def test_refuses_a_file_that_is_not_the_published_one(change, message):
    changed = {name: x for name, x in {**weights(), **change}.items() if x is not None}
    with pytest.raises(BadModel) as refusal:
        loaded(mobilefacenet.load, changed)
    assert message in str(refusal.value)
