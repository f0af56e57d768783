"""The bundled face model: sound components, a mean that is a face, and changes that stay inside the face."""

import bundled
import cv2
import numpy as np
import pytest
import torch
from photos import SAMPLE
from tiny import numbers

from kohl.align import imageio
from kohl.align.crop import crops
from kohl.align.detect import Detect
from kohl.templates import with_forehead
from kohl.types import Faces
from kohl.zoo import cards
from kohl.zoo.files import store
from kohl.zoo.generators.face_model import mesh_map


@pytest.fixture(scope="module")
def model():
    return bundled.load("face_model")


@pytest.fixture(scope="module")
def faces():
    """The astronaut and a decoy."""
    photo = imageio.read(SAMPLE)
    astronaut = crops(photo, Detect(bundled.load("yunet"), bundled.load("landmarks68"))(photo))
    decoy = bundled.load("decoys")[0]
    return Faces(*(torch.cat([getattr(astronaut, n), getattr(decoy, n)]) for n in ("crops", "points", "landmarks")))


def drawn(model, count, seed=0):
    """Latents spread about as those of real faces, (count, components)."""
    latents = torch.randn(count, *model.latent_shape, generator=numbers(seed))
    return 10 * latents / (1 + torch.arange(latents.shape[1]))


def pixels(image):
    return (image.permute(1, 2, 0) * 255).round().byte().numpy()


# Mesh

TRIANGLES = np.array([(0, 1, 2), (1, 3, 2)])
CORNERS = np.array([(2.0, 3.0), (20.0, 1.0), (5.0, 25.0), (28.0, 22.0)])


def test_an_affine_map_of_the_mesh_is_that_affine_map():
    linear, shift = np.array([[0.7, -0.4], [0.2, 1.3]]), np.array([5.0, -9.0])
    found = mesh_map(CORNERS, CORNERS @ linear.T + shift, TRIANGLES, 32)
    inside = ~np.isnan(found[..., 0])
    y, x = np.nonzero(inside)
    np.testing.assert_allclose(found[inside], np.stack([x, y], 1) @ linear.T + shift, atol=1e-9)
    hull = np.zeros((32, 32), np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(CORNERS.astype(np.int32)), 1)
    assert np.abs(inside.sum() - hull.sum()) < 0.1 * hull.sum()


def test_corners_go_to_corners_whatever_the_map():
    points, target = np.round(CORNERS), np.random.default_rng(0).random((4, 2))
    found = mesh_map(points, target, TRIANGLES, 32)
    for (x, y), expected in zip(points.astype(int), target, strict=True):
        np.testing.assert_allclose(found[y, x], expected, atol=1e-9)


def test_beyond_the_mesh_there_is_nothing():
    found = mesh_map(CORNERS, CORNERS, TRIANGLES, 32)
    assert np.isnan(found[[0, 31, 30], [0, 31, 2]]).all()
    assert np.isnan(mesh_map(CORNERS + 100, CORNERS, TRIANGLES, 32)).all()


def test_of_triangles_over_each_other_the_first_counts():
    points = np.array([(0.0, 0.0), (9.0, 0.0), (0.0, 9.0)] * 2)
    target = np.array([(1.0, 1.0)] * 3 + [(2.0, 2.0)] * 3)
    found = mesh_map(points, target, np.array([(3, 4, 5), (0, 1, 2)]), 10)
    assert set(found[~np.isnan(found)].tolist()) == {2.0}


def test_a_triangle_without_area_is_left_out():
    flat = np.array([(0.0, 0.0), (4.0, 4.0), (8.0, 8.0)])
    assert np.isnan(mesh_map(flat, flat, np.array([(0, 1, 2)]), 10)).all()


def test_neighbouring_triangles_leave_no_gap():
    # All pixels between integer corners belong to one triangle or another.
    square = np.array([(0.0, 0.0), (9.0, 0.0), (0.0, 9.0), (9.0, 9.0)])
    for triangles in (TRIANGLES, np.array([(0, 1, 3), (0, 3, 2)])):
        assert not np.isnan(mesh_map(square, square, triangles, 10)).any()


def test_the_forehead_is_above_the_brows(faces):
    for landmarks in faces.landmarks.double().numpy():
        whole = with_forehead(landmarks)
        assert whole.shape == (73, 2)
        np.testing.assert_array_equal(whole[:68], landmarks)
        assert (whole[69:72, 1] < landmarks[17:27, 1].min() - 20).all()
        assert (whole[[68, 72], 1] < landmarks[[0, 16], 1]).all()  # the temples
        assert (np.diff(whole[68:, 0]) > 0).all()


def test_the_forehead_turns_with_the_face(faces):
    landmarks, turn = faces.landmarks[0].double().numpy(), np.array([[0.6, -0.8], [0.8, 0.6]])
    np.testing.assert_allclose(with_forehead(landmarks @ turn * 2 + 7), with_forehead(landmarks) @ turn * 2 + 7)


# Model


def test_components_are_orthonormal_but_for_rounding(model):
    gram = model.basis @ model.basis.T
    torch.testing.assert_close(gram, torch.eye(len(gram)), atol=3e-3, rtol=0)


def test_eight_bits_cost_less_than_a_twentieth_of_any_component(model):
    # A stored number is off by at most half a step of its component's scale, evenly spread: a twelfth of the step's
    # square is the variance. A component has length one.
    tensors = store.tensors(cards.path(cards.find("face_model")))
    assert tensors["basis"].dtype == torch.int8
    assert (tensors["basis"].int().abs().amax(1) == 127).all()  # no step is coarser than it must be
    assert (tensors["scale"] * (tensors["basis"].shape[1] / 12) ** 0.5).max() < 0.05


def test_the_mean_is_a_face(model):
    (mean,) = model(torch.zeros(1, *model.latent_shape))
    (found,) = bundled.load("yunet")(pixels(mean))
    eyes = torch.stack([model.landmarks[36:42].mean(0), model.landmarks[42:48].mean(0)])
    np.testing.assert_allclose(found.points[:2], eyes, atol=5)


def test_random_people_are_faces_and_differ(model):
    people = model(drawn(model, 4))
    assert all(len(bundled.load("yunet")(pixels(person))) == 1 for person in people)
    assert (people[1:] - people[:-1]).abs().mean() > 0.01


def test_images_keep_the_contract(model):
    images = model(5 * drawn(model, 2))
    assert (images.shape, images.dtype) == ((2, 3, model.size, model.size), torch.float32)
    assert (images.min() >= 0, images.max() <= 1) == (True, True)
    assert images.isfinite().all()


def test_components_live_inside_the_face_only(model):
    texture = model.texture(drawn(model, 2))
    assert not texture[:, :, ~model.inside].any()
    assert texture[:, :, model.inside].any()
    assert not model.texture(torch.zeros(1, *model.latent_shape)).any()


def test_a_texture_is_the_sum_of_its_components(model):
    latents = drawn(model, 2)
    torch.testing.assert_close(
        model.texture(2 * latents[:1] - latents[1:]), 2 * model.texture(latents[:1]) - model.texture(latents[1:])
    )


def test_the_mean_shape_is_laid_out_as_the_frame_says(model):
    # The mean shape's own map is the one from its place in the crop to the texture: no triangle bends it.
    where = model.grids(model.landmarks[None, :68], model.size)[0]
    y, x = torch.nonzero(where[..., 0] >= -1).T
    left, top, side = model.frame.tolist()
    texels = len(model.inside)
    expected = (torch.stack([x - left, y - top], 1) + 0.5) * texels / side - 0.5
    torch.testing.assert_close(where[y, x], expected * 2 / (texels - 1) - 1, atol=1e-4, rtol=0)


def test_the_model_has_nothing_to_learn(model):
    assert list(model.parameters()) == []
