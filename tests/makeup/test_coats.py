"""Coats: what goes on a part of a product's place is there, and nowhere else."""

import numpy as np
import pytest
import torch
from sitters import NAMES as SITTERS
from sitters import sitter, worn

from kohl.makeup.coats import PLACES, half_of
from kohl.makeup.face_map import EYES, FaceMap
from kohl.makeup.layers import DIALS, EVERYWHERE, Makeup, bare
from kohl.makeup.products import COATS, HALVES, LAYERED, LAYERS, NAMES, ORDER
from kohl.makeup.words.reader import read
from kohl.perturb.looks import dressed


def mapped(index):
    """A portrait."""
    one = sitter(index)
    return FaceMap(one.crops[0].permute(1, 2, 0).numpy(), one.landmarks[0].double().numpy())


FACES = [mapped(index) for index in range(len(SITTERS))]


@pytest.fixture(params=FACES, ids=SITTERS)
def face(request):
    """Each portrait."""
    return request.param


def whole(face, name):
    """A field's maps of the whole crop; across and along are far where there is no cover."""
    field = EVERYWHERE[name](face)
    (top, left), (height, width) = field.corner, field.cover.shape
    maps = [np.full((face.size, face.size), fill) for fill in (0.0, 9.0, 9.0)]
    for large, part in zip(maps, (field.cover, field.across, field.along), strict=True):
        large[top : top + height, left : left + width] = part
    return maps


def shown(face, name):
    """How much it covers with its dials as usual, without soft edges."""
    cover, across, along = whole(face, name)
    layer = LAYERS[LAYERED.index(name)]
    return cover * (across < layer.width[1]) * (along < layer.length[1])


def centre(weight):
    """The middle of what is covered, (x, y)."""
    rows, columns = np.indices(weight.shape)
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


# Contract


def test_coats_have_places_and_follow_what_they_go_on():
    assert tuple(PLACES) == tuple(coat.name for coat in COATS)
    assert LAYERED[: len(NAMES)] == NAMES
    assert sorted(ORDER) == list(range(len(LAYERS)))
    order = [LAYERED[number] for number in ORDER]
    for coat in COATS:
        assert coat.after in NAMES
        assert order.index(coat.after) < order.index(coat.name)


@pytest.mark.parametrize("name", PLACES)
def test_a_coat_fits_into_the_crop_and_covers_something(face, name):
    field = PLACES[name](face)
    assert all(np.array(field.corner) + field.cover.shape <= face.size)
    assert (field.cover.min() >= 0, field.cover.max() <= 1) == (True, True)
    for part in (field.cover, field.across, field.along):
        assert part.dtype == np.float32
        assert np.isfinite(part).all()
    assert shown(face, name).max() > 0.25


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("away", [(0, 0), (110, 90)], ids=["in the dark", "overhanging"])
def test_an_odd_face_has_coats_too(name, away):
    pixels = np.zeros((256, 256, 3), np.float32) if away == (0, 0) else FACES[0].pixels
    field = PLACES[name](FaceMap(pixels, FACES[0].landmarks + np.array(away)))
    assert all(np.array(field.corner) + field.cover.shape <= 256)
    assert all(np.isfinite(part).all() for part in (field.cover, field.across, field.along))


@pytest.mark.parametrize("name", PLACES)
def test_a_coat_changes_the_face_with_gradients_at_every_dial(name):
    one, number = sitter(1), LAYERED.index(name)
    look = bare(LAYERS)
    look[number, 0] = 0.8
    look[number, 1:4] = torch.tensor((0.1, 0.9, 0.1))
    look = look[None].requires_grad_()
    images = Makeup(one, [name])(one.crops, look)
    assert (images - one.crops).abs().max() > 0.025
    (gradient,) = torch.autograd.grad((images * torch.linspace(0, 1, 256)).sum(), look)
    assert gradient.isfinite().all()
    assert (gradient[0, number] != 0).sum() >= len(DIALS) - 1
    assert not gradient[0, :number].any()


# Places


def test_two_lips_are_the_lips(face):
    upper, lower, lips = (whole(face, name)[0] for name in ("upper lipstick", "lower lipstick", "lipstick"))
    np.testing.assert_allclose(upper + lower, lips, atol=0.01)
    assert (centre(lower) - centre(upper)) @ face.down > 0.1 * face.unit


def test_two_halves_of_a_face_are_the_face(face):
    left, right = (half_of(face, way) for way in HALVES.values())
    np.testing.assert_allclose(left + right, 1, atol=0.01)
    assert centre(left)[0] < face.landmarks[27][0] < centre(right)[0]


@pytest.mark.parametrize(
    "name", ["eyeshadow", "inner eyeshadow", "eyeliner", "mascara", "brows", "blush", "face paint"]
)
@pytest.mark.parametrize("side", HALVES)
def test_a_product_on_half_of_a_face_is_the_product_there_and_nothing_on_the_other(face, side, name):
    one = sitter(FACES.index(face))
    look = bare(LAYERS)
    for layer in (name, f"{side} {name}"):
        look[LAYERED.index(layer), 0] = 0.8
    alone, both = (worn(Makeup(one, [layer]), one, look)[0] for layer in (f"{side} {name}", name))
    apart = torch.tensor(HALVES[side] * face.ahead(face.landmarks[27], face.right) / face.unit)
    there, other = apart > 0.03, apart < -0.03
    assert torch.equal(alone[:, other], one.crops[0][:, other])
    assert (both - one.crops[0])[:, there].abs().max() > 0.03
    torch.testing.assert_close(alone[:, there], both[:, there], atol=0.1, rtol=0)  # in the light of its own half


def test_shadows_are_on_their_part_of_the_lids(face):
    sideways = np.abs(face.ahead(face.middle, face.right))
    inner, outer, middle = (shown(face, f"{part} eyeshadow") for part in ("inner", "outer", "middle"))
    places = [(part * sideways).sum() / part.sum() for part in (inner, middle, outer)]
    assert places[0] + 0.05 * face.unit < places[1] < places[2] - 0.05 * face.unit
    heights = [centre(shown(face, f"{part} eyeshadow")) @ face.down for part in ("crease", "lower")]
    assert heights[0] < face.middle @ face.down < heights[1]


def test_lines_below_the_eyes_are_below_them_and_the_waterline_is_between(face):
    for eye in EYES:
        lid = face.at(*eye[4:]).mean(0)
        side = np.abs(face.ahead(lid, face.right)) < 0.1 * face.unit
        names = ("waterline", "lower eyeliner", "lower eyeshadow", "concealer")
        parts = {name: shown(face, name) * side for name in names}
        below = face.ahead(lid, face.down)
        heights = {name: float((part * below).sum() / part.sum()) for name, part in parts.items()}
        assert list(heights.values()) == sorted(heights.values())
        assert heights["concealer"] > 0.05 * face.unit
        assert heights["waterline"] < 0.02 * face.unit


def test_lower_lashes_are_not_the_upper(face):
    upper, lower = (whole(face, f"{part} mascara")[0] for part in ("upper", "lower"))
    np.testing.assert_allclose(upper + lower, whole(face, "mascara")[0], atol=0.01)
    assert (centre(lower) - centre(upper)) @ face.down > 0.05 * face.unit


def test_bronzer_is_on_both_sides_and_not_in_the_middle(face):
    bronzer = shown(face, "bronzer")
    nose = tuple(face.landmarks[30].round().astype(int)[::-1])
    assert bronzer[nose] == 0
    parts = [shown(face, f"{part} bronzer") for part in ("forehead", "cheek", "jaw")]
    heights = [centre(part) @ face.down for part in parts]
    assert heights == sorted(heights)
    np.testing.assert_allclose(np.max(parts, 0), bronzer, atol=1e-6)


def changed(one, name):
    """How much the places that a coat covers are lighter with it."""
    makeup = Makeup(one, [name])
    (field,) = makeup.layers[0]
    change = (worn(makeup, one, dressed(read(name))) - one.crops)[0][:, *field.part].mean(0)
    return float((change * field.cover).sum() / field.cover.sum())


@pytest.mark.parametrize("index", range(3))
def test_bronzer_darkens_and_concealer_lightens_what_is_darker_than_the_skin(index):
    one = sitter(index)
    assert changed(one, "bronzer") < -0.004
    below = torch.zeros(256, 256)
    (field,) = Makeup(one, ["concealer"]).layers[0]
    below[field.part] = field.cover
    tired = one.with_crops(one.crops * (1 - 0.3 * below))
    assert changed(tired, "concealer") > 0.006
    assert changed(tired, "concealer") > changed(one, "concealer") + 0.006
    assert changed(one, "concealer") > -0.005


def test_blue_and_yellow_eyeshadow_is_blue_inside_and_yellow_outside(face):
    index = FACES.index(face)
    one, look = sitter(index), dressed(read("blue and yellow eyeshadow"))
    names = [name for name, dials in zip(LAYERED, look, strict=True) if dials[0] > 0]
    assert names == ["outer eyeshadow", "inner eyeshadow"]
    change = (worn(Makeup(one, names), one, look) - one.crops)[0].permute(1, 2, 0).numpy()
    inner, outer = (shown(face, f"{part} eyeshadow") ** 4 for part in ("inner", "outer"))
    yellow = [float(((change[..., 0] - change[..., 2]) * part).sum() / part.sum()) for part in (inner, outer)]
    assert yellow[0] < 0
    assert yellow[1] > yellow[0] + 0.06


def test_other_layers_leave_the_products_as_they_were():
    one = sitter(1)
    look, more = bare(), bare(LAYERS)
    look[NAMES.index("lipstick"), 0] = more[NAMES.index("lipstick"), 0] = 0.8
    torch.testing.assert_close(worn(Makeup(one), one, look), worn(Makeup(one, LAYERED), one, more))
