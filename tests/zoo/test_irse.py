"""IR-SE50 and IR-152: the published names, what tells the two apart, and IR-152 against its original code."""

from functools import partial

import pytest
import torch
from fills import filled, given, plain
from published import golden, images, loaded, own_shapes, pooled, shapes

from kohl.errors import BadModel
from kohl.zoo.recognisers import irse

BUILDS = {
    "irse50": partial(irse.layers, irse.DEPTH_50, squeeze=True),
    "ir152": partial(irse.layers, irse.DEPTH_152, squeeze=False),
}


@pytest.fixture(scope="module")
def ir152():
    return loaded(irse.ir152, filled(shapes(golden("fr_ir152")), plain, 0.7))


@pytest.mark.parametrize("name", BUILDS)
def test_weights_have_the_published_names_and_shapes(name):
    assert own_shapes(BUILDS[name]) == shapes(golden(f"fr_{name}"))


@pytest.mark.slow
def test_ir152_gives_the_original_s_numbers(ir152):
    assert (ir152.name, ir152.size) == ("ir152", 112)
    with torch.no_grad():
        ours = ir152.descriptors(images(2, 112))
    # They go up to 14: their author left them as they come.
    torch.testing.assert_close(ours, torch.tensor(golden("fr_ir152")["embedding"]), atol=2e-4, rtol=0)


@pytest.mark.slow
def test_ir152_has_the_original_s_gradient(ir152):
    # So deep a network flips some of its rectifiers by the rounding of single precision alone.
    inputs = images(2, 112).double().requires_grad_()
    score = (ir152.double().descriptors(inputs) * given("input.cotangent", (2, 512))).sum()
    theirs = torch.tensor(golden("fr_ir152")["grad_x_pool"])
    torch.testing.assert_close(pooled(score, inputs).float(), theirs, atol=1e-3 * float(theirs.abs().max()), rtol=0)


def test_every_stage_begins_by_halving():
    _, units = irse.trunk((1, 2, 1, 1), squeeze=True)
    x = torch.zeros(1, 64, 32, 32)
    sides = [(x := unit(x)).shape[-1] for unit in units.eval()]
    assert sides == [16, 8, 8, 4, 2]


def test_squeeze_scales_whole_channels():
    squeeze = irse.Squeeze(16)
    torch.nn.init.ones_(squeeze.fc1.weight)
    torch.nn.init.zeros_(squeeze.fc2.weight)
    squeeze.fc2.weight.data[3] = 2.0
    x = torch.rand(2, 16, 5, 5, generator=torch.Generator().manual_seed(0))
    factors = torch.full((2, 16), 0.5)  # of a channel that the second matrix does not look at
    factors[:, 3] = torch.sigmoid(2 * x.mean((2, 3)).sum(1))
    torch.testing.assert_close(squeeze(x), x * factors[..., None, None])


def test_refuses_the_other_network_s_file():
    other = {name: torch.zeros(()).expand(shape) for name, shape in shapes(golden("fr_ir152")).items()}
    with pytest.raises(BadModel, match=r"lacks body\.0\.res_layer\.5\.fc1\.weight and \d+ more; fetch"):
        loaded(irse.irse50, other)
