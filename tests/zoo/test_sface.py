"""SFace in torch and in OpenCV against the same file in onnxruntime, and its alignment."""

import bundled
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from photos import SAMPLE
from PIL import Image

from kohl.geometry import transform
from kohl.templates import ARCFACE
from kohl.types import Faces
from kohl.zoo import cards
from kohl.zoo.files.dnn import network
from kohl.zoo.files.runtime import Session


@pytest.fixture(scope="module")
def sface():
    return bundled.SHELF(cards.encoder, "sface")


def images():
    """Two pictures of noise and two pieces of the sample portrait, (4, 3, 112, 112)."""
    noise = np.random.default_rng(0).random((2, 112, 112, 3))
    with Image.open(SAMPLE) as photo:
        face = np.asarray(photo.convert("RGB").crop((170, 55, 282, 167))) / 255
    return torch.tensor(np.stack([*noise, face, face[:, ::-1]]), dtype=torch.float32).permute(0, 3, 1, 2)


@pytest.fixture(scope="module")
def published():
    """What onnxruntime makes of the images."""
    model = Session(cards.path(cards.find("sface")), 112, threads=1)
    return F.normalize(torch.tensor(np.stack([model(image[None].numpy() * 255) for image in images()])))


def test_agrees_with_onnxruntime(sface, published):
    torch.testing.assert_close(sface(images()), published, atol=1e-5, rtol=0)


def test_opencv_agrees_with_onnxruntime(published):
    net = network(cards.path(cards.find("sface")))
    found = []
    for image in images():
        net.setInput(image[None].numpy() * 255, "data")
        found.append(net.forward()[0].copy())
    torch.testing.assert_close(F.normalize(torch.tensor(np.stack(found))), published, atol=1e-5, rtol=0)


def test_puts_the_points_on_the_template(sface):
    # A turned, scaled and shifted template is fitted exactly.
    points = torch.tensor([ARCFACE]) @ torch.tensor([[1.2, 0.5], [-0.5, 1.2]]) + 40
    faces = Faces(torch.zeros(1, 3, 8, 8), points, torch.zeros(1, 68, 2))
    torch.testing.assert_close(transform(sface.to_input(faces), points), torch.tensor([ARCFACE]))
