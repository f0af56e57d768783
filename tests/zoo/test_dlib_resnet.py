"""dlib's ResNet in torch against dlib itself: descriptors, a published fixture, and the alignment."""

from pathlib import Path

import bundled
import dlib
import numpy as np
import pytest
import torch
from photos import SAMPLE
from PIL import Image

from kohl.geometry import inverse, warp
from kohl.types import Faces
from kohl.zoo import cards
from kohl.zoo.recognisers.dlib_resnet import LANDMARKS, MEAN_FACE

GOLDEN = Path(__file__).parents[1] / "golden" / "dlib_resnet_v1.npz"


@pytest.fixture(scope="module")
def encoder():
    return bundled.SHELF(cards.encoder, "dlib")


@pytest.fixture(scope="module")
def recogniser():
    return dlib.face_recognition_model_v1(str(cards.path(cards.find("dlib"))))


@pytest.fixture(scope="module")
def sample():
    """The sample portrait, and its face as dlib finds it."""
    with Image.open(SAMPLE) as photo:
        pixels = np.asarray(photo.convert("RGB"))
    predictor = dlib.shape_predictor(str(cards.path(cards.find("landmarks68"))))
    return pixels, predictor(pixels, dlib.get_frontal_face_detector()(pixels, 1)[0])


def tensor(pixels):
    """uint8 (n, height, width, 3) as a batch of images."""
    return torch.tensor(np.asarray(pixels)).permute(0, 3, 1, 2) / 255


def faces(landmarks):
    """One face with these landmarks (68, 2)."""
    return Faces(torch.zeros(1, 3, 8, 8), torch.zeros(1, 5, 2), torch.tensor(landmarks)[None])


def test_agrees_with_the_published_fixture(encoder):
    golden = np.load(GOLDEN)
    pixels = np.random.RandomState(0).randint(0, 256, (4, 150, 150, 3), dtype=np.uint8)
    theirs = torch.tensor(golden["dlib_descriptor"], dtype=torch.float32)
    torch.testing.assert_close(encoder.descriptors(tensor(pixels)), theirs, atol=1e-5, rtol=0)


def test_agrees_with_dlib_on_a_face(encoder, recogniser, sample):
    chip = dlib.get_face_chip(*sample, 150, 0.25)
    theirs = torch.tensor(np.array(recogniser.compute_face_descriptor(chip)), dtype=torch.float32)
    torch.testing.assert_close(encoder.descriptors(tensor([chip]))[0], theirs, atol=1e-5, rtol=0)


def test_embedding_is_the_descriptor_at_unit_length(encoder):
    images = torch.rand(2, 3, 150, 150, generator=torch.Generator().manual_seed(0))
    descriptors = encoder.descriptors(images)
    torch.testing.assert_close(encoder(images), descriptors / descriptors.norm(dim=1, keepdim=True))


@pytest.mark.parametrize("turn", [0.0, 0.3, -0.2])
@pytest.mark.parametrize("scale", [90, 150])
def test_aligns_as_dlib_does(encoder, turn, scale):
    # dlib cuts chips from a photo of its own coordinates: the chip shows where each of its pixels came from. Twice the
    # chip's resolution and more would go through dlib's image pyramid, which shifts by up to half a pixel.
    rng = np.random.default_rng(0)
    landmarks = np.full((68, 2), 0.5)
    landmarks[list(LANDMARKS)] = MEAN_FACE
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    landmarks = np.round((landmarks - 0.5) @ rotation.T * scale + 300 + rng.normal(0, 2, (68, 2)))
    shape = dlib.full_object_detection(
        dlib.rectangle(0, 0, 9, 9), [dlib.point(*map(int, point)) for point in landmarks]
    )
    rows, columns = np.mgrid[:600, :600].astype(np.float32)
    theirs = np.stack([dlib.get_face_chip(grid, shape, 150, 0.25) for grid in (columns, rows)], -1)
    to_photo = inverse(encoder.to_input(faces(landmarks)))[0].numpy()
    y, x = np.mgrid[:150, :150]
    ours = np.stack([x, y, np.ones_like(x)], -1) @ to_photo.T
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_a_face_straight_from_the_photo_is_nearly_the_same_to_it(encoder, recogniser, sample):
    pixels, shape = sample
    landmarks = np.array([(point.x, point.y) for point in shape.parts()], np.float32)
    chip = warp(tensor([pixels]), encoder.to_input(faces(landmarks)), (150, 150))
    theirs = np.array(recogniser.compute_face_descriptor(pixels, shape))
    assert np.linalg.norm(encoder.descriptors(chip)[0].numpy() - theirs) < 0.05  # 0.6 is another person
