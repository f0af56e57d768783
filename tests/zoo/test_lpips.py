"""LPIPS against its original code, by a fixture of random weights."""

import copy
import json

import pytest
import torch
import torch.nn.functional as F
from fills import filled, lpips
from published import golden, images, loaded, pooled, shapes

from kohl.errors import BadModel
from kohl.zoo.distances.lpips import load


@pytest.fixture(scope="module")
def fixture():
    return golden("lpips_vgg")


@pytest.fixture(scope="module")
def files(fixture):
    """The contents of torchvision's file and of the one with the heads."""
    weights = filled(shapes(fixture), lpips)
    torchvision = {theirs: weights[name] for name, theirs in json.loads(str(fixture["tv_map_json"])).items()}
    classifier = {"classifier.0.weight": torch.zeros(1)}
    return torchvision | classifier, {name: weights[name] for name in shapes(fixture, "heads_keys_json")}


@pytest.fixture(scope="module")
def distance(files):
    return loaded(load, *files)


def test_distance_is_the_original_s(distance, fixture):
    ours = distance(images(2, 64), images(2, 64, "input.image2"))
    torch.testing.assert_close(ours, torch.tensor(fixture["distance"]), atol=1e-6, rtol=0)


def test_gradient_is_the_original_s(distance, fixture):
    inputs = images(2, 64, "input.image2").requires_grad_()
    ours, theirs = pooled(distance(images(2, 64), inputs).sum(), inputs), torch.tensor(fixture["grad_pool"])
    torch.testing.assert_close(ours, theirs, atol=1e-3 * float(theirs.abs().max()), rtol=0)
    assert not any(weight.requires_grad for weight in distance.parameters())


def test_bfloat16_is_near_float32(distance):
    first, second = images(2, 64), images(2, 64, "input.image2").requires_grad_()

    def found(distance):
        scores = distance(first, second)
        return scores.detach(), torch.autograd.grad(scores.sum(), second)[0]

    coarse = copy.copy(distance)  # of the same weights
    coarse.dtype = torch.bfloat16
    exact, slope = found(distance)
    rounded, rounded_slope = found(coarse)
    assert rounded.dtype == rounded_slope.dtype == torch.float32
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, atol=0, rtol=0.01)
    assert F.cosine_similarity(rounded_slope.flatten(1), slope.flatten(1)).min() > 0.9  # rectifiers turn over
    assert torch.equal(coarse(first, first), torch.zeros(2))


def test_equal_images_have_no_distance(distance):
    assert torch.equal(distance(images(2, 32), images(2, 32)), torch.zeros(2))


def test_a_reference_is_looked_at_once_and_serves_many_images(distance):
    reference, others = images(1, 32), images(2, 32, "input.image2")
    wanted = distance(others, reference.expand(2, -1, -1, -1))
    seen = []
    hook = distance.trunk.register_forward_pre_hook(lambda trunk, inputs: seen.append(len(inputs[0])))
    from_reference = distance.to_reference(reference)
    torch.testing.assert_close(from_reference(others), wanted)
    torch.testing.assert_close(from_reference(others[1:]), wanted[1:])
    hook.remove()
    assert seen == [1, 2, 1]


def test_names_the_file_that_is_wrong(files):
    vgg, heads = files
    with pytest.raises(BadModel, match=r"0\.pth: this file lacks features\.0\.weight and 25 more"):
        loaded(load, heads, vgg)
    with pytest.raises(BadModel, match=r"1\.pth: this file lacks lin4\.model\.1\.weight;"):
        loaded(load, vgg, {name: x for name, x in heads.items() if not name.startswith("lin4")})
