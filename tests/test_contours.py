"""New lines: found where they are drawn, and nowhere else."""

import cv2
import numpy as np
import pytest
import torch
from tiny import numbers

from kohl.contours import STEEP, drawn, new_contours


def picture(*lines, shade=0.6):
    """A grey picture with soft dark lines, each from one point to another."""
    image = np.full((128, 128), shade, np.float32)
    for start, end in lines:
        mask = cv2.line(np.zeros_like(image), start, end, 1.0, 3)
        image = image - 0.3 * cv2.GaussianBlur(mask, (0, 0), 1)
    return torch.tensor(image)[None, None].expand(1, 3, -1, -1)


NOSE = (40, 30), (40, 90)


def test_a_line_that_was_not_there_is_counted_along_its_length():
    count = float(new_contours(picture(), picture(NOSE)))
    assert 100 < count < 600  # 60 pixels long, with two sides


def test_a_second_line_beside_the_first_counts():
    beside = (52, 30), (52, 90)
    assert new_contours(picture(NOSE), picture(NOSE, beside)) > 100


@pytest.mark.parametrize("after", [picture(NOSE), picture(((42, 30), (42, 90))), picture()])
def test_a_line_that_stays_moves_a_little_or_goes_does_not(after):
    assert new_contours(picture(NOSE), after) == 0


def test_soft_shade_does_not():
    shade = 0.2 * torch.linspace(-1, 1, 128).sin()
    assert new_contours(picture(NOSE), picture(NOSE) + shade) == 0


def test_steepness_is_in_levels_a_pixel():
    ramp = (torch.arange(64) * 0.01).expand(1, 3, 64, 64)
    flat = torch.zeros(1, 3, 64, 64)
    torch.testing.assert_close(drawn(flat)(ramp)[..., 4:-4, 4:-4], torch.full((1, 1, 56, 56), 0.01), atol=1e-5, rtol=0)
    assert new_contours(flat, ramp) == 0 < new_contours(flat, 2.5 * ramp)
    assert STEEP == 0.02


def test_its_gradient_takes_a_new_line_away():
    before, after = picture(), picture(NOSE).clone().requires_grad_()
    (slope,) = torch.autograd.grad(drawn(before)(after).square().sum(), after)
    assert slope.isfinite().all()
    assert (slope * (after - before)).sum() > 0


def test_pictures_of_a_batch_do_not_mix():
    before, after = torch.rand(2, 2, 3, 64, 64, generator=numbers())
    each = [new_contours(before[index : index + 1], after[index : index + 1]) for index in range(2)]
    torch.testing.assert_close(new_contours(before, after), torch.cat(each))
