"""Makeup against sums by hand, against pictures of three faces, and with gradients at every dial."""

from copy import copy
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from sitters import NAMES as SITTERS
from sitters import asked, sitter, sitters, worn
from skimage.color import rgb2lab
from tiny import numbers

from kohl.colour import LUMA
from kohl.makeup.fields import PLACES
from kohl.makeup.layers import DEVIATIONS, DIALS, MIRRORED, MIRRORS, Makeup, bare
from kohl.makeup.pigments import pigment
from kohl.makeup.products import NAMES, PRODUCTS
from kohl.makeup.words.reader import read
from kohl.perturb.looks import dressed

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def faces():
    return sitters()


@pytest.fixture(scope="module")
def makeup(faces):
    """All products on all portraits."""
    return Makeup(faces)


@pytest.fixture(scope="module")
def alone():
    """By name, each product on the second portrait."""
    every = Makeup(sitter(1))
    return {name: only(every, name) for name in NAMES}


def only(makeup, name):
    """The same with one of its products."""
    one = copy(makeup)
    one.layers = [[layer for layer in layers if NAMES[layer.product] == name] for layers in makeup.layers]
    return one


def brightness(images):
    return torch.einsum("c,nchw->nhw", torch.tensor(LUMA), images)


def cielab(images):
    """CIELAB (height, width, 3) of the first image."""
    return rgb2lab(images[0].permute(1, 2, 0).double().numpy())


# Products


def test_a_bare_face_has_products_as_usual_and_none_of_them():
    look = bare()
    assert look.shape == (len(PRODUCTS), len(DIALS))
    assert not look[:, 0].any()
    assert (look.min() >= 0, look.max() <= 1) == (True, True)
    torch.testing.assert_close(255 * look[:, 1:4], torch.tensor([product.colour for product in PRODUCTS]).float())


def test_products_are_told_apart_by_name_and_each_dial_turns_one_way():
    assert len(set(NAMES)) == len(NAMES) == len(DEVIATIONS) + 5 == 13
    for product in PRODUCTS:
        assert 0 < product.width[0] < product.width[1] < product.width[2]
        assert 0 < product.length[0] < product.length[1] < product.length[2]
        assert 0 < product.softness[0] < product.softness[1]
        assert 0 < product.opacity <= 1
        assert 0 <= product.lightens <= product.darkens <= 1
        assert product.body >= 1


# Identity, and nothing outside


def test_at_opacity_nothing_a_face_is_itself_bit_for_bit(makeup, faces):
    for seed in range(3):
        look = torch.rand(len(PRODUCTS), len(DIALS), generator=numbers(seed))
        look[:, 0] = 0
        assert torch.equal(worn(makeup, faces, look), faces.crops)


def test_without_products_a_face_is_itself_bit_for_bit(faces):
    assert torch.equal(worn(Makeup(faces, []), faces, torch.ones(len(PRODUCTS), len(DIALS))), faces.crops)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dial", [0.0, 1.0])
def test_where_a_product_covers_nothing_no_pixel_changes(makeup, faces, name, dial):
    look = asked(name, opacity=1.0, **dict.fromkeys(("softness", "width", "length", "gloss"), dial))
    changed = (worn(only(makeup, name), faces, look) != faces.crops).any(1)
    for pixels, (layer,) in zip(changed, only(makeup, name).layers, strict=True):
        covered = torch.zeros_like(pixels)
        covered[layer.part] = layer.cover > 0
        assert not pixels[~covered].any()
        assert pixels.sum() > (20 if dial else 4)


@pytest.mark.parametrize("name", NAMES)
def test_a_usual_product_shows_and_changes_far_from_all_of_the_crop(alone, name):
    one = sitter(1)
    change = (worn(alone[name], one, asked(name, red=0.1, green=0.9, blue=0.1)) - one.crops).abs().amax(1)
    assert change.max() > 0.08
    assert (change > 0.01).float().mean() < 0.45


# Gradients


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_dial(makeup, faces, name):
    look = asked(name).expand(3, -1, -1).clone().requires_grad_()
    weights = torch.randn(faces.crops.shape, generator=numbers())
    (gradient,) = torch.autograd.grad((only(makeup, name)(faces.crops, look) * weights).sum(), look)
    assert gradient.isfinite().all()
    assert (gradient != 0).sum() == 3 * len(DIALS)
    assert (gradient[:, NAMES.index(name)] != 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_central_differences(alone, name):
    exact = copy(alone[name])
    exact.layers = [[_double(layer) for layer in exact.layers[0]]]
    crops, number = sitter(1).crops.double(), NAMES.index(name)
    weights = torch.randn(crops.shape, generator=numbers(), dtype=torch.float64)
    look = asked(name).double()[None].requires_grad_()
    (gradient,) = torch.autograd.grad((exact(crops, look) * weights).sum(), look)
    for dial in range(len(DIALS)):
        step = torch.zeros_like(look)
        step[0, number, dial] = 1e-7  # shorter than from one kink, where a colour leaves the screen, to another
        with torch.no_grad():
            slope = ((exact(crops, look + step) - exact(crops, look - step)) * weights).sum() / 2e-7
        torch.testing.assert_close(gradient[0, number, dial], slope, rtol=2e-3, atol=1e-6)


def _double(layer):
    maps = {each.name: getattr(layer, each.name) for each in fields(layer)}
    return replace(layer, **{name: part.double() for name, part in maps.items() if isinstance(part, torch.Tensor)})


@pytest.mark.parametrize("name", ["foundation", "lipstick", "eyeliner"])
def test_gradients_reach_the_pixels(alone, name):
    one, look = sitter(1), asked(name)
    crops = one.crops.clone().requires_grad_()
    weights = torch.randn(crops.shape, generator=numbers())
    (gradient,) = torch.autograd.grad((worn(alone[name], one.with_crops(crops), look) * weights).sum(), crops)
    assert gradient.isfinite().all()
    assert (gradient != 0).float().mean() > 0.95
    (layer,) = alone[name].layers[0]
    outside = torch.ones(256, 256, dtype=torch.bool)
    outside[layer.part] = False
    torch.testing.assert_close(gradient[..., outside], weights[..., outside])


@pytest.mark.parametrize("shade", [None, 0.0, 1.0], ids=["the photo", "black", "white"])
@pytest.mark.parametrize("dial", [0.0, 1.0])
def test_dials_at_their_ends_keep_the_contract(shade, dial):
    face = sitter(1) if shade is None else plain(shade, shade, shade)
    look = torch.full((1, len(PRODUCTS), len(DIALS)), dial)
    look[..., 0] = 1
    look.requires_grad_()
    crops = face.crops.clone().requires_grad_()
    images = Makeup(face)(crops, look)
    assert (images.shape, images.dtype) == (crops.shape, torch.float32)
    assert (images.min() >= 0, images.max() <= 1) == (True, True)
    gradients = torch.autograd.grad(images.square().sum(), (crops, look))
    assert all(gradient.isfinite().all() for gradient in gradients)


# What it looks like


def plain(*colour):
    """The second portrait's geometry on a crop of one colour: its light is even, and all of it is skin."""
    one = sitter(1)
    return one.with_crops(torch.tensor(colour).view(1, 3, 1, 1).expand_as(one.crops).contiguous())


@cache
def on_plain(*colour):
    """All products on it."""
    return Makeup(plain(*colour))


def paint(name, asked, skin):
    """CIELAB of the paint on even skin by hand: its lightness lies between the skin's and its own."""
    product, below = PRODUCTS[NAMES.index(name)], rgb2lab(np.array(skin))
    own, metal = (part.numpy() for part in pigment(name, torch.tensor(rgb2lab(np.array(asked))), torch.tensor(below)))
    step = own[0] - below[0]
    mirrors = MIRRORS - MIRRORED * np.clip((70 - below[0]) / 70, 0, 1)
    lightens = product.lightens + metal * max(0, mirrors - product.lightens)
    light = below[0] + step * (product.darkens if step < 0 else lightens)
    return np.array([light, *(own[1:] * ((light + 16) / (own[0] + 16)) ** 0.3)])


def even(makeup):
    """The same in daylight, with paint that is as deep and as bright everywhere."""
    one = copy(makeup)
    flat = {"depth": torch.zeros(1), "shine": torch.zeros(1), "light": torch.ones(())}
    one.layers = [[replace(layer, **flat) for layer in layers] for layers in makeup.layers]
    return one


SKINS = {"light": (0.86, 0.68, 0.6), "dark": (0.3, 0.19, 0.14)}


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
@pytest.mark.parametrize("colour", [(0.95, 0.7, 0.8), (0.2, 0.05, 0.3), (0.1, 0.6, 0.3)], ids=["pale", "deep", "green"])
@pytest.mark.parametrize("name", NAMES)
def test_on_even_skin_every_pixel_is_part_skin_part_paint(skin, colour, name):
    face = plain(*skin)
    product = PRODUCTS[NAMES.index(name)]
    red, green, blue = colour
    look = asked(name, opacity=1.0, red=red, green=green, blue=blue, gloss=0.0, softness=0.2)
    images = worn(even(only(on_plain(*skin), name)), face, look)
    change = cielab(images) - cielab(face.crops)
    towards = paint(name, colour, skin) - rgb2lab(np.array(skin))
    shown = ((images > 1e-4) & (images < 1 - 1e-4)).all(1)[0].numpy()  # not every paint can be shown on a screen
    share = change[..., 1:] @ towards[1:] / np.square(towards[1:]).sum()
    change[..., 0] += product.swallows * share * (1 - share) * np.linalg.norm(towards[1:])
    np.testing.assert_allclose(change[shown], (share[..., None] * towards)[shown], atol=0.3)
    share = share[shown]
    assert -0.05 < share.min() <= share.max() <= product.opacity + 0.05
    if name not in ("freckles", "mascara", "brows", "stubble"):  # which have no middle
        assert share.max() > 0.7 * product.opacity


def test_lipstick_in_the_shade_is_no_brighter_than_the_face_is_there():
    one = sitter(2)
    look = asked("lipstick", opacity=1.0, red=0.9, green=0.0, blue=0.1, gloss=0.0)
    shaded = one.with_crops(0.35 * one.crops)
    lights = [cielab(worn(Makeup(face, ["lipstick"]), face, look)) for face in (one, shaded)]
    (layer,) = only(Makeup(one), "lipstick").layers[0]
    middle = (layer.cover > 0.9).numpy()
    day, shade = (float(light[layer.part][middle][:, 0].mean()) for light in lights)
    assert shade + 16 < 0.8 * (day + 16)


def test_dark_hair_in_brows_is_dyed_and_on_lids_it_keeps_its_colour():
    bluer = {}
    for name in ("brows", "eyeshadow"):
        face = plain(0.86, 0.68, 0.6)
        face.crops[..., ::4] *= 0.3  # dark hair, a pixel wide
        makeup = even(only(on_plain(0.86, 0.68, 0.6), name))
        look = asked(name, opacity=1.0, red=0.1, green=0.2, blue=0.9)
        (layer,) = makeup.layers[0]
        before, after = (cielab(crops)[layer.part] for crops in (face.crops, worn(makeup, face, look)))
        hair = np.zeros((256, 256), bool)
        hair[:, ::4] = True
        hair = hair[layer.part] & (layer.cover > 0.3).numpy()
        assert hair.sum() > 20
        bluer[name] = float((before - after)[hair][:, 2].mean())
    assert bluer["brows"] > 3 * bluer["eyeshadow"]
    assert bluer["brows"] > 6


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_foundation_is_the_wearer_s_own_colour(skin):
    images = worn(only(on_plain(*skin), "foundation"), plain(*skin), asked("foundation", opacity=1.0, gloss=0.0))
    torch.testing.assert_close(images, plain(*skin).crops, atol=2e-3, rtol=0)


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_contour_and_freckles_are_darker_than_any_skin_and_highlighter_is_lighter(skin):
    for name, way in (("contour", -1), ("freckles", -1), ("highlighter", 1)):
        images = worn(only(on_plain(*skin), name), plain(*skin), asked(name, opacity=1.0))
        change = (brightness(images) - brightness(plain(*skin).crops)) * way
        assert change.min() > -1e-3, name
        assert change.max() > 0.03, name


@pytest.mark.parametrize("name", [product.name for product in PRODUCTS if product.lightens < 0.9])
def test_a_pale_pink_is_darker_on_dark_skin(name):
    look = asked(name, opacity=1.0, red=0.98, green=0.75, blue=0.8)
    painted, bright = {}, {}
    for skin, colour in SKINS.items():
        face = plain(*colour)
        made_up = worn(even(only(on_plain(*colour), name)), face, look)
        change = (made_up - face.crops).abs().sum((0, 1))
        row, column = divmod(int(change.argmax()), 256)
        painted[skin] = made_up[0, :, row, column]
        bright[skin] = float(torch.tensor(LUMA) @ painted[skin])
    assert bright["dark"] < bright["light"] - 0.03
    assert bright["dark"] < float(np.dot(LUMA, (0.98, 0.75, 0.8))) - 0.05
    for colour in painted.values():
        assert colour[0] > colour[2]  # it is pink all the same


def test_a_pale_lipstick_meets_the_skin_of_real_faces(makeup, faces):
    # Who has the lighter lips has them still.
    look = asked("lipstick", opacity=1.0, red=0.98, green=0.75, blue=0.8, gloss=0.0)

    def lips(images):
        layers = (layer for (layer,) in only(makeup, "lipstick").layers)
        pairs = ((light[layer.part], layer.cover) for light, layer in zip(brightness(images), layers, strict=True))
        return [float((light * cover).sum() / cover.sum()) for light, cover in pairs]

    before, after = lips(faces.crops), lips(worn(makeup, faces, look))
    assert np.argsort(after).tolist() == np.argsort(before).tolist()


def test_light_and_shade_of_the_skin_show_through():
    # A step of light across the mouth is still there under the lipstick, about as large.
    face = plain(0.6, 0.4, 0.4)
    crops = face.crops.clone()
    crops[..., 128:] *= 1.25
    shaded = face.with_crops(crops)
    images = worn(Makeup(shaded, ["lipstick"]), shaded, asked("lipstick", gloss=0.0, opacity=1.0))
    _, y = sitter(1).landmarks[0, [57, 66]].mean(0).round().int().tolist()
    left, right = brightness(images)[0, y, 120:126].mean(), brightness(images)[0, y, 131:137].mean()
    assert right / left == pytest.approx(1.25, abs=0.1)


@pytest.mark.parametrize("name", ["foundation", "highlighter"])
def test_shine_on_brown_skin_stays_warm(name):
    face = plain(0.45, 0.18, 0.05)
    crops, (x, y) = face.crops.clone(), face.landmarks[0, [29, 30]].mean(0).int().tolist()
    crops[..., y - 12 : y + 12, x - 6 : x + 6] = torch.tensor((0.9, 0.66, 0.5)).view(3, 1, 1)
    shining = face.with_crops(crops)
    images = worn(Makeup(shining, [name]), shining, dressed(read(f"strong {name}")))
    assert cielab(images)[y, x, 1] > 0.6 * cielab(crops)[y, x, 1]
    assert cielab(images)[y, x, 2] > 0.6 * cielab(crops)[y, x, 2]


def test_gloss_brings_light_to_the_lips():
    one = sitter(1)
    matte, glossy = (worn(Makeup(one, ["lipstick"]), one, asked("lipstick", gloss=gloss)) for gloss in (0.0, 1.0))
    shine = brightness(glossy)[0] - brightness(matte)[0]
    x, y = one.landmarks[0, [57, 66]].mean(0).round().int().tolist()
    assert shine[y, x] > 0.15
    assert shine.max() > 3 * shine.clamp_max(0).abs().max()


def test_a_change_is_the_share_of_the_whole_that_its_opacity_hides(alone):
    one = sitter(1)
    for name, product in zip(NAMES, PRODUCTS, strict=True):
        if product.swallows:  # some more where both show
            continue
        images = [worn(alone[name], one, asked(name, opacity=opacity)) for opacity in (1.0, 0.25)]
        shown = ((torch.cat(images) > 1e-4) & (torch.cat(images) < 1 - 1e-4)).all(1).all(0).numpy()
        full, part = (cielab(image) - cielab(one.crops) for image in images)
        np.testing.assert_allclose(part[shown], ((1 - 0.75**product.body) * full)[shown], atol=0.02, err_msg=name)


@pytest.mark.parametrize("dial", ["width", "length"])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_wider_or_longer_changes_more(alone, name, dial):
    one = sitter(1)
    sums = [
        (worn(alone[name], one, asked(name, opacity=1.0, **{dial: turn})) - one.crops).abs().sum().item()
        for turn in (0.0, 0.5, 1.0)
    ]
    assert sums == sorted(sums)
    assert sums[2] > 1.02 * sums[0]


@pytest.mark.parametrize("name", ["contour", "blush", "eyeshadow", "eyeliner", "lip liner"])
def test_what_is_softer_has_softer_edges(alone, name):
    one = sitter(1)
    steps = []
    for softness in (0.0, 1.0):
        change = (worn(alone[name], one, asked(name, opacity=1.0, softness=softness)) - one.crops).abs().sum(1)
        steps.append(
            float(
                torch.cat([change.diff(dim=1).abs().flatten(), change.diff(dim=2).abs().flatten()]).topk(99)[0].mean()
            )
        )
    assert steps[1] < 0.85 * steps[0]


def test_a_wing_tapers_to_nothing():
    one = plain(*SKINS["light"])
    outer, inner = one.landmarks[0, 36], one.landmarks[0, 39]
    outwards = (outer - inner) / (outer - inner).norm()
    change = (
        (
            worn(
                only(on_plain(*SKINS["light"]), "eyeliner"), one, asked("eyeliner", opacity=1.0, width=0.6, length=1.0)
            )
            - one.crops
        )
        .abs()
        .sum(1)[0]
    )
    unit = float((one.landmarks[0, 42:48].mean(0) - one.landmarks[0, 36:42].mean(0)).norm())
    places = torch.stack(torch.meshgrid(torch.arange(256), torch.arange(256), indexing="ij")[::-1], -1)
    beyond = ((places - outer) @ outwards) / unit
    near, far = (change[(beyond > x) & (beyond < x + 0.03)].sum() for x in (0.04, 0.15))
    assert near > 2 * far > 0


def test_lashes_stay_as_dark_under_a_shadow_of_any_colour(alone):
    # What is much darker than the lid takes on little colour: gold lids, no golden lashes.
    one = sitter(1)
    crops = one.crops.clone()
    (layer,) = alone["eyeshadow"].layers[0]
    middle = (layer.cover * (layer.across < 0.4)).argmax()
    row, column = divmod(int(middle), layer.cover.shape[1])
    row, column = row + layer.part[0].start, column + layer.part[1].start
    crops[..., row, column] = 0.05
    look = asked("eyeshadow", opacity=1.0, red=0.84, green=0.68, blue=0.19)
    after = cielab(worn(alone["eyeshadow"], one.with_crops(crops), look))
    hair, lid = after[row, column], after[row, column + 2]
    assert np.hypot(*hair[1:]) < 0.4 * np.hypot(*lid[1:])
    assert hair[0] < lid[0] - 15


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_an_oxblood_lipstick_is_dark_on_every_skin(skin):
    look = asked("lipstick", opacity=0.8, red=118 / 255, green=10 / 255, blue=11 / 255, gloss=0.2)
    images = worn(only(on_plain(*skin), "lipstick"), plain(*skin), look)
    x, y = sitter(1).landmarks[0, [57, 66]].mean(0).round().int().tolist()
    light, red, yellow = cielab(images)[y, x]
    assert light < 33
    assert 10 < np.degrees(np.arctan2(yellow, red)) < 45


# Faces, products and sizes


def test_products_are_put_on_one_after_the_other(makeup, alone):
    one = sitter(1)
    look = asked(*NAMES)
    images = one.crops
    for name in NAMES:
        images = worn(alone[name], one.with_crops(images), look)
    together = makeup(sitters().crops, look.expand(3, -1, -1))[1:2]
    assert (together - images).abs().mean() < 1e-3  # between products colours may be none that a screen shows


def test_a_product_that_is_not_worn_is_not_put_on(faces):
    look = asked(*NAMES)
    some = ["blush", "lipstick"]
    torch.testing.assert_close(worn(Makeup(faces, some), faces, look), worn(Makeup(faces), faces, asked(*some)))


def test_each_face_of_a_batch_wears_its_own_look(makeup, faces):
    looks = torch.stack([asked("lipstick"), asked("eyeliner"), asked("blush", "brows")])
    together = makeup(faces.crops, looks)
    for index, look in enumerate(looks):
        one = sitter(index)
        torch.testing.assert_close(worn(Makeup(one), one, look), together[index : index + 1])


def test_neither_faces_nor_dials_are_changed(faces):
    look = asked(*NAMES).expand(3, -1, -1).clone()
    before = [part.clone() for part in (look, *vars(faces).values())]
    Makeup(faces)(faces.crops, look)
    assert all(map(torch.equal, before, (look, *vars(faces).values())))


def test_there_is_a_look_for_every_face(makeup, faces):
    with pytest.raises(ValueError, match="zip"):
        makeup(faces.crops, bare().expand(2, -1, -1))


DIFFER = {  # how far two sizes may differ, as a share of the change: lines and grain are as fine as the pixels of 256
    "eyeliner": 0.36,
    "foundation": 0.08,
    "mascara": 0.16,
    "lip liner": 0.14,
    "lipstick": 0.14,
    "freckles": 0.13,
    "eyeshadow": 0.13,
    "brows": 0.14,
    "stubble": 0.14,
}


@pytest.mark.parametrize("size", [768, *(pytest.param(size, marks=pytest.mark.slow) for size in (512, 1024, 2048))])
def test_any_resolution_looks_the_same(size, alone):
    small, large = sitter(1), sitter(1, size)
    many = Makeup(large)
    for name in NAMES:
        look = asked(name, opacity=1.0)
        here = worn(alone[name], small, look) - small.crops
        there = F.interpolate(worn(only(many, name), large, look) - large.crops, (256, 256), mode="area")
        assert (there - here).abs().mean() < DIFFER.get(name, 0.05) * here.abs().mean(), name
        assert there.abs().sum().item() == pytest.approx(here.abs().sum().item(), rel=0.07), name


def test_foundation_evens_out_spots_and_leaves_features(faces):
    one, look = sitter(1), asked("foundation", opacity=1.0)
    makeup, cheek = Makeup(one, ["foundation"]), one.landmarks[0, [2, 31]].mean(0).round().long()
    spots = {}
    for depth in (0.03, 0.35):  # a blemish, and something dark
        spotted = one.crops.clone()
        spotted[..., cheek[1], cheek[0]] -= depth
        change = makeup(spotted, look[None]) - makeup(one.crops, look[None])
        spots[depth] = (change[0, :, cheek[1], cheek[0]] / -depth).mean()
    assert spots[0.03] < 0.5
    assert spots[0.35] > 0.8


# Pictures


LOOKS = (
    (
        ("face paint", {"opacity": 0.5, "red": 0.3, "green": 0.5, "blue": 0.9}),
        ("stubble", {"opacity": 0.9}),
        ("brows", {"opacity": 0.8, "width": 0.6}),
        ("eyeliner", {"opacity": 0.7, "width": 0.5, "length": 0.0}),
    ),
    (
        ("foundation", {"red": 0.62, "green": 0.42, "blue": 0.32}),
        ("highlighter", {"opacity": 1.0}),
        ("blush", {"red": 0.85, "green": 0.25, "blue": 0.3}),
        ("eyeshadow", {"red": 0.1, "green": 0.6, "blue": 0.55, "width": 0.9}),
        ("mascara", {}),
        ("lipstick", {"red": 0.8, "green": 0.05, "blue": 0.1, "gloss": 0.9}),
    ),
    (
        ("contour", {"opacity": 1.0}),
        ("freckles", {}),
        ("eyeshadow", {"red": 0.45, "green": 0.3, "blue": 0.6, "length": 0.2}),
        ("eyeliner", {"opacity": 1.0, "length": 0.7}),
        ("lipstick", {"red": 0.35, "green": 0.05, "blue": 0.2, "gloss": 0.0}),
        ("lip liner", {"red": 0.2, "green": 0.0, "blue": 0.1}),
    ),
)


def shown(index):
    """One of the portraits with its look, as in a file: uint8 (256, 256, 3)."""
    one, look = sitter(index), bare()
    for name, dials in LOOKS[index]:
        number = NAMES.index(name)
        look[number] = asked(name, **dials)[number]
    return (worn(Makeup(one), one, look)[0].permute(1, 2, 0) * 255).round().byte().numpy()


@pytest.mark.parametrize("index", range(len(SITTERS)))
def test_looks_are_as_in_the_pictures(index):
    with Image.open(GOLDEN / f"makeup_{SITTERS[index]}.png") as picture:
        difference = np.abs(shown(index).astype(int) - np.asarray(picture))
    assert difference.mean() < 0.5
    assert difference.max() < 8


def test_the_pictures_show_every_product():
    assert {name for look in LOOKS for name, _ in look} == set(NAMES) == set(PLACES)


if __name__ == "__main__":
    for index, name in enumerate(SITTERS):
        Image.fromarray(shown(index)).save(GOLDEN / f"makeup_{name}.png", optimize=True)
