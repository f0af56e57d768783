"""Random views: their spread is the one that was asked for, and nothing else changes."""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from tiny import STILL, faces, numbers

from kohl.errors import BadSetting
from kohl.geometry import transform
from kohl.perturb.views import Views, perspective

IMAGES = faces(2).crops


def test_a_still_view_changes_nothing():
    assert torch.equal(STILL.restyle(IMAGES, numbers()), IMAGES)
    assert torch.equal(STILL.realign(3, 112, numbers()), torch.eye(2, 3).expand(3, -1, -1))


def test_views_spread_as_they_should():
    views = replace(STILL, shift=0.02, rotation=0.05, scale=0.04)
    maps = views.realign(20_000, 100, numbers())
    scale, angle = maps[:, :, 0].norm(dim=1), torch.atan2(maps[:, 1, 0], maps[:, 0, 0])
    centre = torch.full((20_000, 1, 2), 49.5)
    shift = (transform(maps, centre) - centre)[:, 0]
    for drawn, spread in ((scale, 0.04), (angle, 0.05), (shift[:, 0], 2.0), (shift[:, 1], 2.0)):
        assert drawn.std().item() == pytest.approx(spread, rel=0.03)
    assert scale.mean().item() == pytest.approx(1, abs=0.002)
    assert max(map(abs, [angle.mean().item(), *shift.mean(0).tolist()])) < 0.05
    torch.testing.assert_close(maps[:, 0, 0], maps[:, 1, 1])  # a similarity, no shear
    torch.testing.assert_close(maps[:, 0, 1], -maps[:, 1, 0])


def test_light_changes_contrast_and_brightness():
    # Black becomes the brightness, white that plus the contrast.
    views, rng = replace(STILL, light=0.1), numbers()
    ends = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2).expand(1, 3, 4, 2)
    black, white = torch.stack([views.restyle(ends, rng)[0, 0, 0] for _ in range(4000)]).T
    assert (white - black).std().item() == pytest.approx(0.1, rel=0.05)
    assert (white - black).mean().item() == pytest.approx(1, abs=0.01)
    assert black.std().item() == pytest.approx(0.05, rel=0.05)
    assert abs(black.mean().item()) < 0.005


def test_grey_views_have_the_mean_of_the_channels():
    grey = replace(STILL, grey=1.0).restyle(IMAGES, numbers())
    torch.testing.assert_close(grey, IMAGES.mean(1, keepdim=True).expand(-1, 3, -1, -1))


@pytest.mark.parametrize("setting", ["blurred", "grey"])
def test_a_share_of_the_views_is(setting):
    views, rng = replace(STILL, **{"blur": 1.5, setting: 0.3}), numbers()
    changed = [not torch.equal(views.restyle(IMAGES[:1], rng), IMAGES[:1]) for _ in range(1000)]
    assert 0.24 < np.mean(changed) < 0.36


def test_the_same_random_numbers_give_the_same_view():
    views = replace(STILL, shift=0.1, rotation=0.1, scale=0.1, blur=2.0, blurred=1.0, grey=0.5, light=0.2)
    first, same, other = (views.restyle(IMAGES, numbers(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(views.realign(2, 16, numbers(3)), views.realign(2, 16, numbers(3)))


def test_each_face_of_a_batch_is_seen_in_a_view_of_its_own():
    same = IMAGES[:1].expand(2, -1, -1, -1)
    first, second = replace(STILL, light=0.2).restyle(same, numbers())
    assert not torch.equal(first, second)
    both = [replace(STILL, mirrored=0.5).reflect(same, numbers(seed)) for seed in range(20)]
    assert any(not torch.equal(one, other) for one, other in both)


def test_a_view_keeps_shape_and_type_and_its_argument():
    views, before = replace(STILL, blur=2.0, blurred=1.0, grey=1.0, light=0.2), IMAGES.clone()
    view = views.restyle(IMAGES, numbers())
    assert (view.shape, view.dtype) == (IMAGES.shape, torch.float32)
    assert torch.equal(IMAGES, before)


def test_gradients_pass_through_a_view():
    images = IMAGES.clone().requires_grad_()
    view = replace(STILL, blur=1.0, blurred=1.0, light=0.1).restyle(images, numbers())
    (gradient,) = torch.autograd.grad(view.sum(), images)
    assert (gradient > 0).all()


@pytest.mark.parametrize("name", [setting.name for setting in fields(Views)])
def test_what_is_out_of_range_is_refused(name):
    with pytest.raises(BadSetting, match=r"search\.views"):
        Views(**{name: -0.1})


def test_a_share_of_the_views_is_mirrored():
    views, rng = replace(STILL, mirrored=0.3), numbers()
    seen = [(view, image) for _ in range(250) for view, image in zip(views.reflect(IMAGES, rng), IMAGES, strict=True)]
    mirrored = [torch.equal(view, image.flip(-1)) for view, image in seen]
    assert all(flipped or torch.equal(view, image) for flipped, (view, image) in zip(mirrored, seen, strict=True))
    assert 0.22 < np.mean(mirrored) < 0.38
    assert torch.equal(STILL.reflect(IMAGES, rng), IMAGES)


@pytest.mark.parametrize("name", ["blurred", "grey", "mirrored"])
def test_a_share_is_at_most_one(name):
    with pytest.raises(BadSetting, match=r"search\.views\.\w+: must "):
        Views(**{name: 1.1})


# Perspective

CORNERS = np.array([(-1.0, -1.0), (1, -1), (1, 1), (-1, 1)])  # of a picture, as in `grid_sample`


def ramp(count, height=33, width=41):
    """Pictures whose first two channels say where they are, from −1 to 1: bilinear sampling of them is exact."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return torch.stack([x, y, 0 * x]).expand(count, -1, -1, -1)


def homography(source, target):
    """The (3, 3) map that takes four points to four others: eight equations in eight unknowns."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(rows, values), 1).reshape(3, 3)


def test_a_perspective_of_nothing_is_the_picture_itself():
    torch.testing.assert_close(perspective(IMAGES, 0.0, numbers()), IMAGES, atol=1e-5, rtol=0)


def looked_at(view):
    """The homography from places in a view of `ramp` (33, 41, 2) to what is seen there, by four well inside it."""
    rows, columns = np.array([12, 12, 20, 20]), np.array([15, 25, 25, 15])
    return homography(np.c_[columns / 20 - 1, rows / 16 - 1], view[rows, columns])


@pytest.mark.parametrize("amount", [0.05, 0.5])
def test_the_corners_of_a_perspective_move_inwards_and_the_border_fills_the_frame(amount):
    seen = perspective(ramp(200), amount, numbers())[:, :2].permute(0, 2, 3, 1).double().numpy()
    back = np.stack([np.linalg.inv(looked_at(view)) for view in seen])
    moved = np.c_[CORNERS, np.ones(4)] @ back.transpose(0, 2, 1)
    corners = moved[..., :2] / moved[..., 2:] * CORNERS  # the rim is at 1
    assert corners.min() >= 1 - amount - 1e-3
    assert corners.max() <= 1 + 1e-3
    assert corners.min((0, 2)).max() < 1 - 0.95 * amount  # each of them goes nearly all the way now and then
    assert corners.max((0, 2)).min() > 1 - 0.05 * amount
    assert corners.mean() == pytest.approx(1 - amount / 2, abs=0.03 * amount)
    outside = np.abs(seen[:, [0, 0, -1, -1], [0, -1, -1, 0]]).max(-1)
    np.testing.assert_allclose(outside, 1, atol=2e-3)


def test_a_perspective_is_the_homography_of_its_corners():
    seen = perspective(ramp(3), 0.5, numbers(5))
    y, x = np.mgrid[-1:1:33j, -1:1:41j]
    where = np.stack([x, y, np.ones_like(x)], -1)
    for view in seen.permute(0, 2, 3, 1).double().numpy():
        map_ = looked_at(view[..., :2])
        expected = where @ map_.T
        np.testing.assert_allclose(view[..., :2], np.clip(expected[..., :2] / expected[..., 2:], -1, 1), atol=1e-3)
        assert np.abs(map_[2, :2]).max() > 0.01  # lines do not stay parallel


def test_beyond_the_rim_of_a_picture_is_its_edge_or_black():
    bright = torch.full((50, 3, 33, 41), 0.7)
    torch.testing.assert_close(perspective(bright, 0.5, numbers()), bright)
    tilted = perspective(bright, 0.5, numbers(), beyond="black")
    # The share of the frame that the corners span, by the shoelace formula, and by what is still bright.
    corners = torch.tensor(CORNERS).float() * (1 - 0.5 * torch.rand(50, 4, 2, generator=numbers()))
    (x, y), (u, v) = corners.unbind(-1), corners.roll(-1, 1).unbind(-1)
    share = ((x * v - u * y).sum(1) / 2).abs() / 4
    rim = torch.tensor([1 / 32, 1 / 40]).sum()  # pixels stand at the corners: half of each outermost one is missing
    torch.testing.assert_close(tilted.mean((1, 2, 3)) / 0.7, share, atol=float(rim), rtol=0)
    assert not tilted[:, :, 0, 0].all()


def test_every_picture_is_seen_from_another_side_and_the_seed_decides_from_where():
    views = perspective(ramp(4), 0.2, numbers(3))
    assert all((one - other).abs().max() > 0.01 for i, one in enumerate(views) for other in views[:i])
    assert torch.equal(perspective(ramp(4), 0.2, numbers(3)), views)
    assert not torch.equal(perspective(ramp(4), 0.2, numbers(4)), views)


def test_gradients_pass_through_a_perspective():
    images, before = IMAGES.clone().requires_grad_(), IMAGES.clone()
    view = perspective(images, 0.2, numbers())
    assert (view.shape, view.dtype) == (IMAGES.shape, torch.float32)
    (gradient,) = torch.autograd.grad(view.sum(), images)
    assert gradient[..., 4:-4, 4:-4].min() > 0
    assert torch.equal(IMAGES, before)
