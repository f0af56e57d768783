"""The published recognisers against their original code, by fixtures of random weights, and what they all promise."""

import copy

import pytest
import torch
import torch.nn.functional as F
from fills import filled, given, plain
from published import golden, images, loaded, pooled, shapes
from torch import nn

from kohl.geometry import transform
from kohl.templates import ARCFACE
from kohl.types import Faces
from kohl.zoo.recognisers import facenet, irse, mobilefacenet
from kohl.zoo.recognisers.recogniser import Recogniser

# How each is loaded, and the gain of its fixture's weights. IR-SE50 has more weights than the others together: CI runs
# its tests, the default run does not. The slow IR-152 is in test_irse.py.
MODELS = {"mobile_face": (mobilefacenet.load, 1.0), "facenet": (facenet.load, 1.4), "irse50": (irse.irse50, 1.0)}


@pytest.fixture(
    scope="module", params=["mobile_face", "facenet", pytest.param("irse50", marks=pytest.mark.slow, id="irse50")]
)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def fixture(name):
    return golden(f"fr_{name}")


@pytest.fixture(scope="module")
def encoder(name, fixture):
    load, gain = MODELS[name]
    return loaded(load, filled(shapes(fixture), plain, gain))


@pytest.fixture(scope="module")
def seen(encoder):
    """The test images, and their embeddings."""
    inputs = images(2, encoder.size).requires_grad_()
    return inputs, encoder(inputs)


def test_embeddings_are_the_original_s(fixture, seen):
    torch.testing.assert_close(seen[1], torch.tensor(fixture["embedding"]), atol=2e-6, rtol=0)


def test_gradient_is_the_original_s(encoder, fixture):
    # In float64: rounding turns rectifiers over, and differently on every machine.
    inputs = images(2, encoder.size).double().requires_grad_()
    embeddings = copy.deepcopy(encoder).double()(inputs)
    gradient = pooled((embeddings * given("input.cotangent", (2, 512))).sum(), inputs).float()
    theirs = torch.tensor(fixture["grad_x_pool"])
    torch.testing.assert_close(gradient, theirs, atol=1e-3 * float(theirs.abs().max()), rtol=0)


def test_keeps_the_contract(name, fixture, encoder, seen):
    inputs, embeddings = seen
    assert encoder.name == name
    assert encoder.size == fixture["input_size"]
    assert not any(module.training for module in encoder.modules())
    assert not any(weight.requires_grad for weight in encoder.parameters())
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))
    with torch.no_grad():
        torch.testing.assert_close(encoder(inputs[1:]), embeddings[1:])  # alone, an image is what it is in a batch


def test_embedding_is_the_descriptor_at_unit_length():
    recogniser = Recogniser("toy", nn.Flatten(), size=2)
    white_and_black = torch.tensor([1.0, 0.0]).view(2, 1, 1, 1).expand(2, 3, 2, 2)
    assert torch.equal(recogniser.descriptors(white_and_black), torch.tensor([[1.0], [-1.0]]).expand(2, 12))
    torch.testing.assert_close(recogniser(white_and_black), F.normalize(recogniser.descriptors(white_and_black)))


@pytest.mark.parametrize(("size", "margin"), [(112, 0), (160, 16), (160, 0)])
def test_puts_the_points_on_the_template_inside_the_margin(size, margin):
    # A turned, scaled and shifted template is fitted exactly, and the template's corners are the margin's.
    recogniser = Recogniser("toy", nn.Identity(), size=size, margin=margin)
    turn = torch.tensor([[1.2, 0.5], [-0.5, 1.2]])
    points, corners = (torch.tensor([x]) @ turn + 40 for x in (ARCFACE, ((-0.5, -0.5), (111.5, 111.5))))
    to_input = recogniser.to_input(Faces(torch.zeros(1, 3, 8, 8), points, torch.zeros(1, 68, 2)))
    wanted = torch.tensor([[[margin - 0.5] * 2, [size - margin - 0.5] * 2]])
    torch.testing.assert_close(transform(to_input, corners), wanted, atol=1e-3, rtol=0)
