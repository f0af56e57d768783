"""A face's own generator: itself at zero latents, and changes of light that stay on its skin."""

import bundled
import cv2
import numpy as np
import pytest
import torch
from photos import SAMPLE
from tiny import numbers

from kohl.align import imageio
from kohl.align.crop import SIZE, crops
from kohl.align.detect import Detect
from kohl.colour import brightness
from kohl.makeup.facial_features import NOSE
from kohl.templates import with_forehead
from kohl.types import Faces
from kohl.zoo.generators.own_face import COMPONENTS, GLARE, OwnFace
from kohl.zoo.generators.reach import SHADOW
from kohl.zoo.generators.shading import FIELDS


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


@pytest.fixture(scope="module")
def own(model, faces):
    return OwnFace(model, faces)


@pytest.fixture(scope="module")
def grey(model, faces):
    """The same faces on mid-grey, where nothing is clipped."""
    return OwnFace(model, faces.with_crops(torch.full_like(faces.crops, 0.5)))


def drawn(own, count=2, seed=0):
    """Latents (count, components and numbers) of about the size that a search ends with."""
    return torch.randn(count, *own.latent_shape, generator=numbers(seed))


def hull(landmarks, grow):
    """Where a face with its forehead is in the crop, `grow` pixels larger; bool (SIZE, SIZE)."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(with_forehead(landmarks)).astype(np.int32)), 1)
    return cv2.dilate(mask, np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)).astype(bool)


def test_at_zero_latents_a_face_is_itself_bit_for_bit(own, faces):
    assert torch.equal(own(torch.zeros(2, *own.latent_shape)), faces.crops)


def test_nothing_changes_outside_the_face(own, faces):
    changed = own(3 * drawn(own))
    for before, after, landmarks in zip(faces.crops, changed, faces.landmarks.numpy(), strict=True):
        outside = torch.tensor(~hull(landmarks, grow=2))
        assert torch.equal(after[:, outside], before[:, outside])
        assert not torch.equal(after, before)


def test_the_faces_of_a_batch_do_not_influence_each_other(model, own, faces):
    latents = drawn(own)
    both = own(latents)
    for index in (0, 1):
        one = Faces(*(getattr(faces, n)[index : index + 1] for n in ("crops", "points", "landmarks")))
        torch.testing.assert_close(OwnFace(model, one)(latents[index : index + 1]), both[index : index + 1])


def test_changed_images_keep_the_contract(own, faces):
    changed = own(50 * drawn(own))
    assert (changed.shape, changed.dtype) == (faces.crops.shape, torch.float32)
    assert (changed.min() >= 0, changed.max() <= 1) == (True, True)


def test_irises_and_teeth_never_change(own, faces):
    changed = own(5 * drawn(own))
    for before, after, landmarks in zip(faces.crops, changed, faces.landmarks.numpy(), strict=True):
        for part in (range(36, 42), range(42, 48), range(60, 68)):
            x, y = landmarks[list(part)].mean(0).round().astype(int)
            assert (after - before)[:, y - 1 : y + 2, x - 1 : x + 2].abs().max() < 0.01


def test_a_change_of_the_lids_has_no_colour_and_one_of_the_cheeks_has(grey, faces):
    change = grey(drawn(grey)) - 0.5
    tint = (change - change.mean(1, keepdim=True)).abs().amax(1)
    for one, landmarks in zip(tint, faces.landmarks.numpy(), strict=True):
        (x, y), (u, v) = (landmarks[list(part)].mean(0).round().astype(int) for part in ((19, 37), (4, 48)))
        assert one[y, x] < 1e-3 < one[v, u]


def test_the_skin_above_the_lips_gets_no_shadow(grey, faces):
    darker = 0.5 - brightness(grey(-9 * torch.ones(2, *grey.latent_shape)))
    for one, landmarks in zip(darker, faces.landmarks.numpy(), strict=True):
        (x, y), (u, v) = (landmarks[list(part)].mean(0).round().astype(int) for part in ((33, 51), (30,)))
        assert one[y, x] <= SHADOW + 0.01
        assert one[v, u] > 5 * SHADOW  # the nose may


def test_half_the_latents_are_half_the_change(grey):
    # Where nothing is clipped, neither by [0, 1] nor above the lips.
    latents, free = 0.1 * drawn(grey), grey.shadow > 0.99
    change, half = grey(latents) - 0.5, grey(latents / 2) - 0.5
    torch.testing.assert_close(change * free, 2 * half * free, atol=1e-6, rtol=1e-3)


def test_a_component_lands_where_the_features_of_each_face_are(model, grey, faces):
    # A blot of texture on the tip of the mean nose lands on the tip of every nose.
    x, y, side = model.frame.tolist()
    texels = len(model.inside)
    nose = ((model.landmarks[30] - torch.tensor([x, y]) + 0.5) * texels / side - 0.5).round().int().tolist()
    blot = torch.zeros(texels, texels, 3)
    blot[nose[1], nose[0]] = 1
    latents = torch.zeros(2, *grey.latent_shape)
    leading = model.basis[: grey.components]
    latents[:, : grey.components] = leading @ blot[model.inside].flatten()
    share = grey.share.squeeze(1)
    change = torch.where(share > 0.1, (grey(latents) - 0.5).mean(1) / share, 0)  # as if no place were dearer
    for one, landmarks in zip(change, faces.landmarks, strict=True):
        row, column = divmod(int(one.argmax()), SIZE)
        assert np.hypot(*(landmarks[30].numpy() - (column, row))) < 3
    drawn_out = model.texture(latents[:, : grey.components]).mean(1).amax((1, 2))
    torch.testing.assert_close(change.amax((1, 2)), COMPONENTS * drawn_out, rtol=0.2, atol=0)
    assert COMPONENTS < 0.5  # damped


def test_a_number_of_the_shading_lightens_its_place(model, grey):
    # Of 24 × 24 the one in row 15, column 11 has its middle at (11.5, 15.5) parts of 24 of the crop: on the nose.
    latents = torch.zeros(2, *grey.latent_shape)
    latents[:, grey.components + 15 * 24 + 11] = 1
    change = grey(latents)[0] - 0.5
    torch.testing.assert_close(change[0], change[2])  # brightness alone
    row, column = divmod(int(change[0].argmax()), SIZE)
    assert (row + 0.5) / SIZE * 24 == pytest.approx(15.5, abs=0.3)
    assert (column + 0.5) / SIZE * 24 == pytest.approx(11.5, abs=0.3)
    assert float(change.max() * NOSE**0.5) == pytest.approx(0.05, rel=0.15)  # the nose is dear


def test_gradients_reach_every_latent_that_moves_a_pixel(own, faces):
    latents = torch.zeros(2, *own.latent_shape, requires_grad=True)
    weights = torch.randn(faces.crops.shape, generator=numbers())
    (gradient,) = torch.autograd.grad((own(latents) * weights).sum(), latents)
    components = own.components
    assert gradient.isfinite().all()
    assert (gradient[:, :components] != 0).all()
    assert 0.1 < (gradient[:, components:] != 0).float().mean() < 0.9  # the fields cover the crop, and the face a part


def test_neither_the_face_nor_the_model_is_changed(model, faces):
    before = [tensor.clone() for tensor in (*model.buffers(), *vars(faces).values())]
    own = OwnFace(model, faces)
    own(drawn(own))
    assert all(map(torch.equal, before, (*model.buffers(), *vars(faces).values())))


def test_light_has_half_the_hue_of_the_skin_that_it_falls_on(model, faces):
    skin = torch.tensor([0.8, 0.5, 0.4]).view(1, 3, 1, 1)
    own = OwnFace(model, faces.with_crops(skin.expand_as(faces.crops).contiguous()))
    latents = torch.zeros(2, *own.latent_shape)
    latents[:, own.components :] = 0.3  # light alone
    change = own(latents) - own.crops
    light = brightness(change)[:, None]
    assert (light > 0.01).any()
    wanted = light * (0.5 + 0.5 * skin / brightness(skin)[:, None])
    torch.testing.assert_close(change, wanted, atol=1e-5, rtol=0)


def test_light_goes_no_further_than_a_part_of_the_way_to_white(model, faces):
    for level in (0.5, 0.9, 0.98):
        own = OwnFace(model, faces.with_crops(torch.full_like(faces.crops, level)))
        lighter = brightness(own(9 * torch.ones(2, *own.latent_shape))) - level
        assert lighter.max() == pytest.approx(GLARE * (1 - level), rel=0.01)


def test_light_bends_towards_its_most_and_has_no_edge_there(model, faces):
    # The slope, of light over latents, falls from the knee on, and nowhere at once.
    own = OwnFace(model, faces.with_crops(torch.full_like(faces.crops, 0.9)))
    times = np.arange(0, 3, 0.05)
    light = torch.stack([brightness(own(float(at) * torch.ones(2, *own.latent_shape))) - 0.9 for at in times])
    reached = light[:, (light[-1] > 0.9 * GLARE * (1 - 0.9)) & (light[1] > 0)]
    slopes = reached.diff(dim=0) / reached[1]
    assert reached.shape[1] > 1000
    rising = reached[:-1] < 0.95 * GLARE * (1 - 0.9)
    assert (reached.diff(dim=0) > 0)[rising].all()  # a limit that cuts makes plates of equal light
    assert (slopes.diff(dim=0) < 1e-3).all()
    assert slopes.diff(dim=0).abs().max() < 0.5


def test_slopes_at_zero_latents_are_those_of_the_face(own, faces):
    # The search starts there.
    weights = torch.randn(faces.crops.shape, generator=numbers())
    latents, step = torch.zeros(2, *own.latent_shape, requires_grad=True), 1e-3 * drawn(own)
    (slope,) = torch.autograd.grad((own(latents) * weights).sum(), latents)
    moved = ((own(step) - own(-step)) * weights).sum() / 2
    assert float((slope * step).sum()) == pytest.approx(float(moved), rel=0.02)


def test_a_step_is_shorter_where_a_change_is_dear(model, faces):
    own = OwnFace(model, faces.with_crops(torch.full_like(faces.crops, 0.5)))
    latents = torch.zeros(2, *own.latent_shape)
    latents[:, own.components :][:, : 24 * 24] = 0.1  # the coarsest field, the same all over
    change = brightness(own(latents)) - 0.5
    for one, landmarks in zip(change, faces.landmarks.numpy(), strict=True):
        (x, y), (u, v) = (
            landmarks[30].round().astype(int),
            (0.6 * landmarks[4] + 0.4 * landmarks[48]).round().astype(int),
        )
        assert float(one[y, x] / one[v, u]) == pytest.approx(NOSE**-0.5, rel=0.15)


@pytest.mark.parametrize("level", range(len(FIELDS)))
def test_skin_without_texture_takes_less_of_the_fine_fields(model, faces, level):
    rough = (0.5 + 0.2 * torch.randn(faces.crops.shape, generator=numbers())).clamp(0.2, 0.8)
    calm, busy = (OwnFace(model, faces.with_crops(crops)) for crops in (torch.full_like(rough, 0.6), rough))
    latents, sizes = torch.zeros(2, *calm.latent_shape), [side * side for side, *_ in FIELDS]
    torch.split(latents[:, calm.components :], sizes, 1)[level].fill_(0.1)
    took = [
        brightness(own(latents) - own.crops).abs()[own.share[:, 0] > 0.2] / own.share[own.share > 0.2]
        for own in (calm, busy)
    ]
    share = FIELDS[level][2]
    assert float(took[0].median()) == pytest.approx(0.1 * FIELDS[level][1] * share, rel=0.1)
    assert float(took[1].median()) == pytest.approx(0.1 * FIELDS[level][1], rel=0.1)
