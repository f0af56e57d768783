"""A face's own generator that wears makeup: the look at zero latents, and a little around it elsewhere."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sitters import asked, sitter, sitters, worn
from tiny import Paint, numbers

from kohl.makeup.layers import DEVIATIONS, DIALS, FURTHEST, TINTED, MadeUp, Makeup, bare
from kohl.makeup.products import NAMES, PRODUCTS

LOOK = asked("blush", "eyeliner", "lipstick")


@pytest.fixture(scope="module")
def faces():
    return sitters()


@pytest.fixture(scope="module")
def makeup(faces):
    """All products on all portraits."""
    return Makeup(faces)


@pytest.fixture(scope="module")
def made_up(faces):
    return MadeUp(Paint(faces), faces, LOOK)


def test_zero_latents_are_the_face_wearing_the_look(made_up, makeup, faces):
    images = made_up(torch.zeros(3, *made_up.latent_shape))
    assert torch.equal(images, worn(makeup, faces, LOOK))
    assert made_up.size == 256
    assert made_up.latent_shape == (8 + 3 * len(DIALS),)


def test_a_look_of_nothing_is_the_face_bit_for_bit_and_adds_no_latents(faces):
    own = Paint(faces)
    nothing = MadeUp(own, faces, bare())
    assert nothing.latent_shape == own.latent_shape
    assert torch.equal(nothing(torch.zeros(3, 8)), faces.crops)
    latents = torch.randn(3, 8, generator=numbers())
    assert torch.equal(nothing(latents), own(latents))


def test_the_face_s_own_latents_come_first_and_makeup_is_put_on_what_they_make(made_up, makeup, faces):
    latents = torch.zeros(3, *made_up.latent_shape)
    latents[:, :8] = torch.randn(3, 8, generator=numbers())
    torch.testing.assert_close(made_up(latents), worn(makeup, faces.with_crops(Paint(faces)(latents[:, :8])), LOOK))


def test_a_latent_of_one_is_about_one_deviation_of_one_dial(made_up):
    slopes = torch.autograd.functional.jacobian(made_up.dials, torch.zeros(1, 3 * len(DIALS)))[0, :, :, 0]
    expected = torch.zeros(len(PRODUCTS), len(DIALS), 3 * len(DIALS))
    for place, name in enumerate(("blush", "eyeliner", "lipstick")):
        for dial, deviation in enumerate(DEVIATIONS):
            expected[NAMES.index(name), dial, place * len(DIALS) + dial] = deviation
        colours = slice(place * len(DIALS) + 1, place * len(DIALS) + 4)  # which turn lighter and darker together
        shares = TINTED * torch.eye(3) + (1 - TINTED) / 3
        expected[NAMES.index(name), 1:4, colours] = shares * torch.tensor(DEVIATIONS[1:4])
    torch.testing.assert_close(slopes, expected)


@pytest.mark.parametrize("far", [-1e6, -9.0, 9.0, 1e6])
def test_dials_stay_near_the_look_and_in_range(faces, far):
    look = asked("blush", "lipstick", red=0.5, green=0.5, blue=0.5, opacity=0.5, width=0.5, length=0.5, gloss=0.5)
    look[:, 4] = 0.5
    dials = MadeUp(Paint(faces), faces, look).dials(torch.full((2, 16), far))
    turned = (dials - look)[:, [NAMES.index("blush"), NAMES.index("lipstick")]]
    assert (turned.sign() == np.sign(far)).all()
    assert (turned.abs() <= FURTHEST * torch.tensor(DEVIATIONS) + 1e-6).all()
    if abs(far) > 1e3:
        torch.testing.assert_close(turned.abs(), (FURTHEST * torch.tensor(DEVIATIONS)).expand_as(turned))
    others = [number for number, name in enumerate(NAMES) if name not in ("blush", "lipstick")]
    assert torch.equal(dials[:, others], look[others].expand(2, -1, -1))


@pytest.mark.parametrize(("end", "far"), [(0.02, -9.0), (0.98, 9.0)])
def test_dials_are_clipped_to_their_range(faces, end, far):
    look = asked("lipstick", opacity=end, **dict.fromkeys(DIALS[1:], end))
    dials = MadeUp(Paint(faces), faces, look).dials(torch.full((1, 8), far))[0, NAMES.index("lipstick")]
    assert torch.equal(dials, torch.full((8,), 0.0 if far < 0 else 1.0))


def test_gradients_reach_every_latent(made_up, faces):
    latents = torch.zeros(3, *made_up.latent_shape, requires_grad=True)
    weights = torch.randn(faces.crops.shape, generator=numbers())
    (gradient,) = torch.autograd.grad((made_up(latents) * weights).sum(), latents)
    assert gradient.isfinite().all()
    assert (gradient != 0).all()


def test_each_face_of_a_batch_has_its_own_latents(made_up):
    latents = torch.randn(3, *made_up.latent_shape, generator=numbers())
    together = made_up(latents)
    for index in range(3):
        one = sitter(index)
        alone = MadeUp(Paint(one), one, LOOK)(latents[index : index + 1])
        torch.testing.assert_close(alone, together[index : index + 1])


def test_another_resolution_takes_the_same_latents():
    small, large = sitter(2), sitter(2, 768)
    latents = torch.randn(1, 8 + 3 * len(DIALS), generator=numbers())
    changes = []
    for one in (small, large):
        generator = MadeUp(Paint(one), one, LOOK)
        assert generator.latent_shape == (latents.shape[1],)
        change = generator(latents) - one.crops
        changes.append(F.interpolate(change, (256, 256), mode="area"))
    assert (changes[1] - changes[0]).abs().mean() < 0.05 * changes[0].abs().mean()


def test_neither_the_look_nor_the_faces_are_changed(faces):
    look = LOOK.clone()
    before = [part.clone() for part in (look, *vars(faces).values())]
    MadeUp(Paint(faces), faces, look)(torch.ones(3, 8 + 3 * len(DIALS)))
    assert all(map(torch.equal, before, (look, *vars(faces).values())))
