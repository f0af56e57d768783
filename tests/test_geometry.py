"""Fits, maps and warps against answers that are known."""

import math

import numpy as np
import pytest
import torch
from tiny import numbers

from kohl.geometry import compose, grid, inverse, resized, similarity, transform, warp
from kohl.types import Faces


def turned(angle, scale, x, y):
    """The (1, 2, 3) map that turns, scales and then shifts."""
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    return torch.tensor([[[cosine, -sine, x], [sine, cosine, y]]], dtype=torch.float64)


MAPS = torch.cat([turned(0.3, 1.7, 5, -2), turned(-2.5, 0.2, -40, 9), turned(math.pi, 1, 0, 0)])
AFFINE = torch.tensor([[[1.2, 0.4, 3], [-0.3, 0.8, -5]], [[0.5, 0, 0], [2, 1, 7]]], dtype=torch.float64)


def points(count=2, each=5):
    return 50 * torch.rand(count, each, 2, generator=numbers(), dtype=torch.float64)


def images(height, width, count=1):
    return torch.rand(count, 3, height, width, generator=numbers(), dtype=torch.float64)


def test_a_similarity_is_recovered():
    source = points(3)
    torch.testing.assert_close(similarity(source, transform(MAPS, source)), MAPS)


def test_a_noisy_similarity_is_the_least_squares_fit():
    source = points(1)
    target = transform(MAPS[:1], source) + torch.randn(source.shape, generator=numbers(1), dtype=torch.float64)
    (x, y), (u, v) = source[0].T.numpy(), target[0].T.numpy()
    zeros, ones = np.zeros(5), np.ones(5)
    equations = np.concatenate([np.stack([x, -y, ones, zeros], 1), np.stack([y, x, zeros, ones], 1)])
    (a, b, shift_x, shift_y), *_ = np.linalg.lstsq(equations, np.concatenate([u, v]), rcond=None)
    expected = torch.tensor([[[a, -b, shift_x], [b, a, shift_y]]])
    torch.testing.assert_close(similarity(source, target), expected)


def test_a_mirror_image_is_never_fitted():
    source = points()
    linear = similarity(source, source * torch.tensor([-1, 1]))[:, :, :2]
    assert (torch.linalg.det(linear) >= 0).all()
    torch.testing.assert_close(linear @ linear.mT, torch.linalg.det(linear).view(-1, 1, 1) * torch.eye(2).double())


def test_a_point_is_moved_as_the_matrix_says():
    moved = transform(AFFINE[:1], torch.tensor([[[2.0, 10.0]]]).double())
    torch.testing.assert_close(moved, torch.tensor([[[1.2 * 2 + 0.4 * 10 + 3, -0.3 * 2 + 0.8 * 10 - 5]]]).double())


def test_composing_applies_the_first_first():
    first, then, where = AFFINE, MAPS[:2], points()
    torch.testing.assert_close(transform(compose(first, then), where), transform(then, transform(first, where)))


def test_the_inverse_undoes():
    identity = torch.eye(2, 3).double().expand(2, -1, -1)
    torch.testing.assert_close(compose(AFFINE, inverse(AFFINE)), identity)
    torch.testing.assert_close(compose(inverse(AFFINE), AFFINE), identity)


def test_the_identity_leaves_images_as_they_are():
    same = torch.eye(2, 3).double().expand(2, -1, -1)
    torch.testing.assert_close(warp(images(7, 9, 2), same, (7, 9)), images(7, 9, 2), atol=1e-12, rtol=0)


def test_a_shift_by_whole_pixels_is_exact_and_black_comes_in():
    image = images(7, 9)
    moved = warp(image, turned(0, 1, 3, -2), (7, 9))
    expected = torch.zeros_like(image)
    expected[:, :, :-2, 3:] = image[:, :, 2:, :-3]
    torch.testing.assert_close(moved, expected, atol=1e-12, rtol=0)


def test_the_border_may_be_repeated_instead():
    image = images(7, 9)
    moved = warp(image, turned(0, 1, 3, 0), (7, 9), padding="border")
    torch.testing.assert_close(moved[..., :4], image[..., :1].expand(-1, -1, -1, 4), atol=1e-12, rtol=0)


def test_a_quarter_turn_onto_another_canvas_is_exact():
    # (x, y) goes to (6 - y, x): clockwise on the screen.
    image = images(7, 9)
    matrix = torch.tensor([[[0, -1, 6], [1, 0, 0]]], dtype=torch.float64)
    torch.testing.assert_close(warp(image, matrix, (9, 7)), image.rot90(-1, (2, 3)), atol=1e-12, rtol=0)


def test_a_ramp_stays_a_ramp():
    # Bilinear sampling of a linear function is exact: each pixel tells where it came from.
    y, x = torch.meshgrid(torch.arange(30.0), torch.arange(40.0), indexing="ij")
    ramp = torch.stack([x, y, x + 2 * y])[None].double()
    matrix = turned(0.2, 0.6, 4, -3)
    out = torch.stack(torch.meshgrid(torch.arange(8.0), torch.arange(6.0), indexing="xy"), -1).double()
    came_from = transform(inverse(matrix), out.view(1, -1, 2)).view(6, 8, 2)
    inside = ((came_from >= 0) & (came_from <= torch.tensor([39, 29]))).all(-1)
    assert inside.sum() > 20
    found = warp(ramp, matrix, (6, 8))[0].permute(1, 2, 0)
    torch.testing.assert_close(found[inside][:, :2], came_from[inside])
    torch.testing.assert_close(found[inside][:, 2], came_from[inside] @ torch.tensor([1.0, 2.0]).double())


def test_each_image_of_a_batch_has_its_own_map():
    image = images(7, 9, 2)
    together = warp(image, AFFINE, (5, 6))
    torch.testing.assert_close(together, torch.cat([warp(image[i : i + 1], AFFINE[i : i + 1], (5, 6)) for i in (0, 1)]))


def test_a_grid_spans_minus_one_to_one():
    where = grid(torch.eye(2, 3)[None], (4, 5), (4, 5))
    assert where.shape == (1, 4, 5, 2)
    torch.testing.assert_close(where[0, 0, 0], torch.tensor([-1.0, -1.0]))
    torch.testing.assert_close(where[0, -1, -1], torch.tensor([1.0, 1.0]))


def test_gradients_reach_the_pixels_and_the_map():
    image = images(6, 7).requires_grad_()
    matrix = turned(0.1, 1.1, 0.3, 0.2).requires_grad_()
    assert torch.autograd.gradcheck(lambda i, m: warp(i, m, (5, 5)), (image, matrix))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_number_type_is_kept(dtype):
    image, matrix = images(6, 7).to(dtype), AFFINE[:1].to(dtype)
    assert warp(image, matrix, (5, 5)).dtype == inverse(matrix).dtype == compose(matrix, matrix).dtype == dtype


# Crops of another size


def crops(size, count=2):
    """Noise with points all over it."""
    return Faces(images(size, size, count), points(count), points(count, 68))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_a_smaller_crop_is_the_mean_of_the_pixels_that_become_one(factor):
    large = crops(24)
    small = resized(large, 24 // factor)
    tiles = large.crops.unfold(2, factor, factor).unfold(3, factor, factor)
    torch.testing.assert_close(small.crops, tiles.mean((-2, -1)))


@pytest.mark.parametrize("size", [6, 8, 48, 36])
def test_points_stay_where_they_are_in_a_crop_of_another_size(size):
    # Measured from the crop's corner, half a pixel before the first centre, in shares of its side.
    faces = crops(24)
    found = resized(faces, size)
    for before, after in ((faces.points, found.points), (faces.landmarks, found.landmarks)):
        torch.testing.assert_close((after + 0.5) / size, (before + 0.5) / 24)
    assert found.crops.shape == (2, 3, size, size)


def test_a_dot_and_its_landmark_meet_at_any_size():
    # The centre of four equal pixels, whatever becomes of them.
    dot, where = torch.zeros(1, 3, 32, 32), torch.full((1, 68, 2), 13.5)
    dot[:, :, 12:16, 12:16] = 1
    for size in (16, 8, 64):
        found = resized(Faces(dot, where[:, :5], where), size)
        y, x = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
        centre = (found.crops[0, 0] * torch.stack([x, y])).sum((1, 2)) / found.crops[0, 0].sum()
        torch.testing.assert_close(found.landmarks[0, 0], centre)


def test_crops_of_that_size_are_not_touched():
    faces = crops(24)
    assert resized(faces, 24) is faces


def test_there_and_back_leaves_the_points_where_they_were():
    faces = crops(24)
    back = resized(resized(faces, 8), 24)
    torch.testing.assert_close(back.points, faces.points)
    torch.testing.assert_close(back.landmarks, faces.landmarks)
