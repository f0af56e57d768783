"""The pictures that are cut from a face, each a little different."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from tiny import numbers
from tiny_training import SIDE, SIZE, gallery

from kohl.train import faces
from kohl.train.faces import Gallery, Variety

USUAL = Variety()

# Views


def crops(count=2, side=SIDE, seed=0):
    return torch.rand(count, 3, side, side, generator=numbers(seed))


def matrix(*rows):
    return torch.tensor([rows], dtype=torch.float32)


UNMOVED, HERE = matrix((1, 0), (0, 1)), torch.zeros(1, 2)


def cut(images, linear=UNMOVED, shift=HERE, size=SIZE):
    return faces._cut(images, linear.expand(len(images), -1, -1), shift.expand(len(images), -1), size)


@pytest.mark.parametrize("size", [64, 80, 100])
def test_an_unmoved_view_is_the_crop_at_another_size(size):
    expected = F.interpolate(crops(), (size, size), mode="bilinear")
    torch.testing.assert_close(cut(crops(), size=size), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("linear", "expected"),
    [
        (matrix((-1, 0), (0, 1)), lambda x: x.flip(3)),
        (matrix((0, -1), (1, 0)), lambda x: x.rot90(1, (2, 3))),
        (matrix((0.5, 0), (0, 0.5)), lambda x: F.interpolate(x[..., 20:60, 20:60], (80, 80), mode="bilinear")),
    ],
    ids=["mirrored", "turned", "nearer"],
)
def test_a_moved_view_is_the_crop_moved(linear, expected):
    inner = (..., slice(2, -2), slice(2, -2))  # at the rim of the nearer one, the crop goes on
    torch.testing.assert_close(cut(crops(), linear, size=SIDE)[inner], expected(crops())[inner], atol=1e-4, rtol=0)


def test_a_shifted_view_begins_that_many_pixels_further():
    moved = cut(crops(), shift=torch.tensor([[2 * 3 / SIDE, -2 * 5 / SIDE]]), size=SIDE)
    torch.testing.assert_close(moved[..., 5:, :-3], crops()[..., :-5, 3:], atol=1e-4, rtol=0)


def test_beyond_the_crop_it_is_mirrored_not_black():
    bright = 0.5 + crops() / 2
    assert cut(bright, matrix((1.3, 0), (0, 1.3))).min() > 0.5


STILL = Variety(turn=0.0, scale=0.0, shift=0.0, light=0.0, white=0.0, contrast=0.0)


def test_half_of_the_views_are_mirrored():
    views = replace(gallery(learned=1), variety=STILL).views(200, SIZE, numbers())
    plain = cut(gallery(learned=1).learned.float() / 255)
    kinds = [[torch.allclose(view, kind, atol=1e-4) for kind in (plain[0], plain[0].flip(2))] for view in views]
    assert all(sum(each) == 1 for each in kinds)
    assert 0.4 < sum(mirrored for _, mirrored in kinds) / 200 < 0.6


def placed(count, seed=0):
    """By the pictures of two ramps, the matrix (count, 2, 3) from a view to its crop, in halves of a side."""
    axis = (torch.arange(SIDE) + 0.5) * 2 / SIDE - 1
    ramps = torch.stack([axis.expand(SIDE, SIDE), axis[:, None].expand(SIDE, SIDE), torch.zeros(SIDE, SIDE)])
    views = faces._moved(ramps.expand(count, -1, -1, -1), SIZE, USUAL, numbers(seed))
    inner = slice(16, 48)
    place = ((torch.arange(SIZE) + 0.5) * 2 / SIZE - 1)[inner]
    y, x = torch.meshgrid(place, place, indexing="ij")
    known = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3)
    found = views[:, :2, inner, inner].flatten(2).transpose(1, 2)
    solution = torch.linalg.lstsq(known.expand(count, -1, -1), found).solution
    torch.testing.assert_close(known @ solution, found, atol=1e-3, rtol=0)  # nothing is bent
    return solution.transpose(1, 2)


def test_views_are_turned_scaled_and_shifted_as_much_as_it_says():
    where = placed(1500)
    mirrored = torch.linalg.det(where[..., :2]) < 0
    linear = torch.where(
        mirrored[:, None, None], where[..., :2] @ torch.diag(torch.tensor([-1.0, 1.0])), where[..., :2]
    )
    angle, factor = torch.atan2(linear[:, 1, 0], linear[:, 0, 0]), torch.linalg.det(linear).sqrt()
    similar = factor[:, None, None] * torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(
        -1, 2, 2
    )
    torch.testing.assert_close(linear, similar, atol=1e-3, rtol=0)
    shift = where[..., 2] / 2  # in shares of the side
    for values, spread, middle in ((angle, USUAL.turn, 0), (factor, USUAL.scale, 1), (shift, USUAL.shift, 0)):
        assert float(values.std()) == pytest.approx(spread, rel=0.08)
        assert float(values.mean()) == pytest.approx(middle, abs=spread / 8)
    everything = torch.cat([angle[:, None], factor[:, None], shift, mirrored[:, None]], 1)
    assert (torch.corrcoef(everything.T) - torch.eye(5)).abs().max() < 0.1


def grey(level=0.3, count=1500):
    return torch.full((count, 3, 1, 1), level)


def test_light_and_colour_are_changed_as_much_as_it_says():
    change = (faces._lit(grey(), replace(USUAL, contrast=0.0), numbers()) / 0.3).log()[..., 0, 0]
    together = change.mean(1)
    assert float(together.std()) == pytest.approx((USUAL.light**2 + USUAL.white**2 / 3) ** 0.5, rel=0.08)
    assert float((change - together[:, None]).std()) == pytest.approx(USUAL.white * (2 / 3) ** 0.5, rel=0.08)
    assert abs(float(change.mean())) < USUAL.light / 8


def test_contrast_leaves_the_middle_alone():
    varied = replace(USUAL, light=0.0, white=0.0)
    torch.testing.assert_close(faces._lit(grey(faces.MIDDLE), varied, numbers()), grey(faces.MIDDLE))
    dark, bright = (faces._lit(grey(level), varied, numbers()) - faces.MIDDLE for level in (0.2, 0.6))
    torch.testing.assert_close(dark * (0.6 - faces.MIDDLE), bright * (0.2 - faces.MIDDLE))
    change = (bright / (0.6 - faces.MIDDLE)).log()[:, 0]
    assert float(change.std()) == pytest.approx(USUAL.contrast, rel=0.08)


def test_views_are_pictures():
    views = replace(gallery(), variety=STILL).views(5, SIZE, numbers())
    assert views.shape == (5, 3, SIZE, SIZE)
    assert views.dtype == torch.float32


def test_views_stay_within_black_and_white():
    views = replace(gallery(), variety=Variety(light=3.0)).views(20, SIZE, numbers())
    assert (float(views.min()), float(views.max())) == (0.0, 1.0)


def test_the_same_random_numbers_give_the_same_views_and_no_others_are_spent():
    state = torch.get_rng_state()
    first, second, other = (gallery().views(4, SIZE, numbers(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    rng = numbers()
    gallery().views(4, SIZE, rng)
    assert not torch.equal(gallery().views(4, SIZE, rng), first)


def test_every_learned_face_is_drawn_and_no_held_one():
    shades = torch.tensor([10, 40, 70], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 3, SIDE, SIDE)
    views = Gallery(shades, torch.full_like(shades, 250)).views(60, SIZE, numbers())
    level = views.mean((1, 2, 3)) * 255
    assert level.max() < 150
    assert {int(shade) for shade in ((level - 10) / 30).round().clamp(0, 2)} == {0, 1, 2}


def test_the_held_faces_are_shown_as_they_are():
    known = gallery()
    plain = known.plain(SIZE)
    assert plain.shape == (3, 3, SIZE, SIZE)
    torch.testing.assert_close(plain, cut(known.held.float() / 255), atol=0.02, rtol=0)
    assert torch.equal(plain, known.plain(SIZE))
    whole = known.plain(SIDE) * 255
    torch.testing.assert_close(whole, known.held.float(), atol=1e-3, rtol=0)
