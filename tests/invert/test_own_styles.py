"""A face's own StyleGAN2: the face itself at the start, and nothing but the face changes."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sitters import sitters
from tiny import numbers
from tiny_styles import WIDTH, Encoder, generator

from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.invert import own_styles
from kohl.invert.own_styles import STEP, OwnStyles
from kohl.types import Faces
from kohl.zoo.generators import stylegan2

FACES = resized(sitters(), 32)
HELD = 2


def own(size=32, *, faces=FACES, made=None, held=HELD, **settings):
    """A generator of `size` pixels that draws on the faces, with the latents that it starts from."""
    made = made or generator(size)
    codes = Encoder(made.latent_shape[0])(faces.crops)
    return OwnStyles(made, codes, faces, held=held, **settings), codes


def moved(latents, amount=0.5):
    return latents + amount * torch.randn(latents.shape, generator=numbers(2))


@pytest.mark.parametrize("noise", [False, True], ids=["styles", "noise"])
@pytest.mark.parametrize("size", [16, 32, 64])
def test_starts_as_the_faces_bit_for_bit(size, noise):
    personal, _ = own(size, noise=noise)
    assert torch.equal(personal(personal.start), FACES.crops)
    with torch.no_grad():
        assert torch.equal(personal(personal.start), FACES.crops)
    assert personal.start.shape == (3, *personal.latent_shape)
    assert personal.size == 32


@pytest.mark.parametrize("noise", [False, True], ids=["styles", "noise"])
@pytest.mark.parametrize("size", [16, 32, 64])
def test_nothing_outside_the_face_changes(size, noise):
    personal, _ = own(size, noise=noise)
    changed = personal(moved(personal.start, 3.0))
    outside = (personal.mask == 0).expand_as(changed)
    assert outside.float().mean() > 0.2
    assert torch.equal(changed[outside], FACES.crops[outside])
    assert ((changed - FACES.crops).abs().amax((1, 2, 3)) > 0.05).all()
    assert changed.min() >= 0
    assert changed.max() <= 1


@pytest.mark.parametrize("noise", [False, True], ids=["styles", "noise"])
def test_the_change_is_what_the_generator_draws_beyond_what_it_drew(noise):
    made = generator()
    personal, codes = own(made=made, noise=noise)
    latents = moved(personal.start)
    rows, flat = latents[:, : (8 - HELD) * WIDTH].view(3, -1, WIDTH), latents[:, (8 - HELD) * WIDTH :]
    maps = torch.split(flat, [side * side for side in (4, 8, 8, 16, 16, 32, 32)], 1) if noise else ()
    other = [x.view(3, 1, round(x.shape[1] ** 0.5), -1) for x in maps] or None
    drawn = made.synthesis(torch.cat([codes[:, :HELD], rows], 1), noise=other)
    change = personal.mask * (drawn - made.synthesis(codes))
    torch.testing.assert_close(personal(latents), (FACES.crops + change).clamp(0, 1))


@pytest.mark.parametrize("held", [0, 1, 6])
def test_held_rows_do_not_move_and_the_others_are_the_latents(held):
    made, rows = generator(), []
    personal, codes = own(made=made, held=held)
    for layer in (*made.layers, made.colours[-1]):  # each is given one row
        layer.register_forward_pre_hook(lambda layer, inputs: rows.append(inputs[1]))
    assert torch.equal(personal.start, codes[:, held:].flatten(1))
    latents = moved(personal.start)
    personal(latents)
    seen = torch.stack(rows[:8], 1)
    assert torch.equal(seen[:, :held], codes[:, :held])
    assert torch.equal(seen[:, held:].flatten(1), latents)


@pytest.mark.parametrize(("size", "layers"), [(16, 5), (32, 7), (64, 7)])
def test_with_noise_the_latents_are_longer_by_the_noise_of_every_layer_that_draws(size, layers):
    made = generator(size)
    (without, _), (personal, _) = own(made=made), own(made=made, noise=True)
    sides = [4, 8, 8, 16, 16, 32, 32][:layers]
    assert personal.latent_shape[0] == without.latent_shape[0] + sum(side * side for side in sides)
    expected = torch.cat([layer.flatten() for layer in made.noise[:layers]])
    assert torch.equal(personal.start[:, without.latent_shape[0] :], expected.expand(3, -1))


def test_gradients_reach_every_row_that_is_free_and_the_noise_of_every_layer():
    personal, codes = own(noise=True)
    latents = personal.start.clone().requires_grad_()
    personal(latents).square().sum().backward()
    styles, *noise = torch.split(latents.grad, [personal.styles, *(layer[0].numel() for layer in personal.noises)], 1)
    assert (styles.view(3, -1, WIDTH).abs().amax(2) > 0).all()
    assert len(noise) == 7
    assert all((layer.abs().amax(1) > 0).all() for layer in noise)
    assert not codes.requires_grad
    assert all(weight.grad is None for weight in personal.parameters())


def test_a_generator_smaller_than_the_crop_changes_it_smoothly():
    made = generator(16)
    personal, codes = own(made=made)
    latents = moved(personal.start)
    rows = torch.cat([codes[:, :HELD], latents.view(3, -1, WIDTH)], 1)
    change = F.interpolate(made.synthesis(rows) - made.synthesis(codes), (32, 32), mode="bicubic")
    expected = (FACES.crops + personal.mask * change).clamp(0, 1)
    torch.testing.assert_close(personal(latents), expected, atol=1e-5, rtol=0)


def test_of_a_larger_generator_only_the_blocks_up_to_the_crop_are_run():
    made = generator(64)
    for weight in (*made.layers[-1].parameters(), *made.layers[-2].parameters(), *made.colours[-1].parameters()):
        weight.fill_(torch.nan)
    personal, _ = own(made=made, noise=True)
    assert personal(moved(personal.start)).isfinite().all()


@pytest.mark.parametrize("noise", [False, True], ids=["styles", "noise"])
def test_the_whole_picture_of_a_larger_generator_may_be_drawn_and_made_smaller(noise):
    made = generator(64)
    personal, codes = own(made=made, noise=noise, drawn=64)
    latents = moved(personal.start)
    rows = latents[:, : (10 - HELD) * WIDTH].view(3, -1, WIDTH)
    maps = torch.split(latents[:, (10 - HELD) * WIDTH :], [x.numel() for x in made.noise], 1) if noise else ()
    other = [x.view(3, 1, round(x.shape[1] ** 0.5), -1) for x in maps] or None
    drawn = made.synthesis(torch.cat([codes[:, :HELD], rows], 1), noise=other) - made.synthesis(codes)
    change = drawn.unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1))
    torch.testing.assert_close(personal(latents), (FACES.crops + personal.mask * change).clamp(0, 1))
    assert torch.equal(personal(personal.start), FACES.crops)


def test_the_finest_noise_stays_as_it_is():
    made = stylegan2.untrained((4,) * 8, width=WIDTH, depth=1, rng=numbers())  # of 512 pixels
    for layer in made.layers:
        layer.strength.fill_(0.3)
    face = Faces(*(part[:1] for part in vars(FACES).values()))
    personal, codes = own(made=made, faces=face, noise=True, drawn=512)
    assert personal.noisy == 4 * 4 + 2 * sum(side * side for side in (8, 16, 32, 64, 128, 256))
    latents = personal.start.clone()
    latents[:, personal.styles :] += 1
    other = [layer + (layer.shape[-1] < own_styles.FINEST) for layer in made.noise]
    drawn = made.synthesis(codes, noise=other) - made.synthesis(codes)
    change = drawn.unfold(2, 16, 16).unfold(3, 16, 16).mean((-2, -1))
    torch.testing.assert_close(personal(latents), (face.crops + personal.mask * change).clamp(0, 1))


@pytest.mark.parametrize("noise", [False, True], ids=["styles", "noise"])
def test_each_face_is_drawn_as_if_alone(noise):
    personal, _ = own(noise=noise)
    latents = moved(personal.start)
    together = personal(latents)
    for index in range(3):
        alone, _ = own(faces=Faces(*(part[index : index + 1] for part in vars(FACES).values())), noise=noise)
        torch.testing.assert_close(alone(latents[index : index + 1]), together[index : index + 1])


def test_changes_none_of_its_arguments():
    made = generator()
    codes = Encoder(made.latent_shape[0])(FACES.crops)
    parts = [*made.state_dict().values(), codes, *vars(FACES).values()]
    before = [part.clone() for part in parts]
    personal = OwnStyles(made, codes, FACES, noise=True, held=HELD)
    personal(moved(personal.start))
    assert all(map(torch.equal, before, parts))


@pytest.mark.parametrize("size", [128, 256])
def test_the_mask_is_the_face_from_chin_to_forehead_softly_ending(size):
    faces = resized(sitters(), size)
    mask = own(faces=faces)[0].mask
    assert mask.shape == (3, 1, size, size)
    for face, landmarks in zip(mask[:, 0].numpy(), faces.landmarks.numpy(), strict=True):
        assert 0 == face.min() < face.max() == 1
        assert 0.2 < face.mean() < 0.6
        nose, chin, brow = (landmarks[index].round().astype(int) for index in (30, 8, 19))
        assert face[nose[1], nose[0]] == 1
        assert face[brow[1], brow[0]] > 0.5  # the forehead above it belongs to the face
        assert not face[chin[1] + 2 :].any()
        hull = cv2.convexHull(landmarks.astype(np.float32))
        inside = np.argwhere(face > 0)[:, ::-1]
        below = inside[inside[:, 1] > landmarks[33, 1]]  # the forehead widens what is above
        depths = [cv2.pointPolygonTest(hull, tuple(map(float, point)), True) for point in below]
        assert min(depths) > -1.5
        steps = max(np.abs(np.diff(face, axis=axis)).max() for axis in (0, 1))
        assert 0.8 < steps / (1.5 / (0.03 * size)) < 1.1  # the steepest of a cubic that rises within 3 % of the side
    assert np.array_equal(mask, own(faces=faces, size=16)[0].mask)  # whatever draws there


@pytest.mark.parametrize(("size", "held"), [(16, 6), (32, 8), (32, 9), (64, 8)])
def test_refuses_to_hold_every_row_that_a_picture_of_this_size_depends_on(size, held):
    rows = min(8, 2 * (size.bit_length() - 2))
    with pytest.raises(BadSetting, match=rf"^tuning\.held: must be below {rows}.*, not {held}$"):
        own(size, held=held)


@pytest.mark.parametrize("noise", [False, True], ids=["styles", "noise"])
@pytest.mark.parametrize("size", [16, 32])
def test_as_a_whole_it_is_what_the_generator_draws_from_corner_to_corner(size, noise):
    personal, codes = own(size, noise=noise, whole=True)
    latents = moved(personal.start)
    for place in (personal.start, latents):
        torch.testing.assert_close(personal(place), personal.made(place).clamp(0, 1))
    drawn = F.interpolate(generator(size).synthesis(codes), (32, 32), mode="bicubic" if size == 16 else "nearest")
    torch.testing.assert_close(personal(personal.start), drawn.clamp(0, 1), atol=1e-5, rtol=0)


# Directions of equal effect


@pytest.mark.parametrize("noise", [False, True], ids=["styles", "noise"])
@pytest.mark.parametrize("size", [16, 32])
def test_a_step_along_any_direction_changes_the_face_as_much(size, noise):
    personal, _ = own(size, noise=noise, directions=6)
    assert personal.latent_shape == (6,)
    assert not personal.start.any()
    mask = F.interpolate(personal.mask, (size, size), mode="area")
    drawn = personal.picture(personal.start)
    for index in range(6):
        step = torch.zeros(3, 6)
        step[:, index] = small = 0.01
        change = mask * (personal.picture(step) - drawn) / small
        level = (change.square().sum((1, 2, 3)) / (3 * mask.square().sum((1, 2, 3)))).sqrt()
        # A sketch of few slopes: it is right to a factor, and the numbers themselves differ a hundredfold.
        assert ((level > STEP / 2) & (level < 2 * STEP)).all()


def test_the_directions_are_those_in_which_the_face_changes_most():
    # Drawn by the last colours alone, the picture is linear in the last row: its Jacobian is known.
    made = generator(16)
    for layer in made.layers:
        layer.strength.zero_()
    face = Faces(*(part[:1] for part in vars(FACES).values()))
    personal, _ = own(16, made=made, faces=face, held=5, directions=4)
    plain, _ = own(16, made=made, faces=face, held=5)
    mask = F.interpolate(plain.mask, (16, 16), mode="area")
    steps = torch.cat([plain.start, plain.start + torch.eye(plain.start.shape[1])])
    drawn = torch.cat([(mask * plain.picture(step[None])).flatten(1) for step in steps]).detach()
    jacobian = (drawn[1:] - drawn[0]).T
    _, gains, best = torch.linalg.svd(jacobian)
    found = F.normalize(personal.axes[0], dim=1)
    assert (found @ best[:3].T).abs().square().sum(1)[:2] == pytest.approx(1, abs=0.1)
    lengths = personal.axes[0].norm(dim=1)
    assert (lengths.diff() > 0).all()  # a weaker direction takes a longer step
    assert float(lengths[1] / lengths[0]) == pytest.approx(float(gains[0] / gains[1]), rel=0.35)


@pytest.mark.parametrize("noise", [False, True], ids=["styles", "noise"])
def test_directions_start_as_the_faces_and_are_the_same_every_time(noise):
    face = Faces(*(part[1:2] for part in vars(FACES).values()))
    personal, again = (own(faces=face, noise=noise, directions=5)[0] for _ in range(2))
    assert torch.equal(personal(personal.start), face.crops)
    assert torch.equal(personal.axes, again.axes)
    changed = personal(moved(personal.start, 20.0))
    outside = (personal.mask == 0).expand_as(changed)
    assert torch.equal(changed[outside], face.crops[outside])
    assert not torch.equal(changed, face.crops)


@pytest.mark.parametrize("count", [2, 24])
def test_a_face_is_drawn_once_for_all_its_directions(count):
    made, drawn = generator(), []
    made.layers[0].register_forward_pre_hook(lambda layer, inputs: drawn.append(len(inputs[1])))
    own(made=made, directions=count)
    assert drawn == [1, 1, 1, 3]  # once for each face, and all of them as they are reproduced


def test_there_are_no_more_directions_than_numbers():
    with pytest.raises(BadSetting, match="at most 48"):
        own(directions=49)
