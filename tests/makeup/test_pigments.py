"""Where colour words land: at a make-up artist's shade, at another for each product, and at the wearer's own skin."""

import numpy as np
import pytest
import torch
from skimage.color import deltaE_ciede2000, lab2rgb
from tiny import numbers

from kohl.colour import lab, srgb
from kohl.makeup.palettes import ASKED, ON_SKIN, PALETTES
from kohl.makeup.pigments import pigment
from kohl.makeup.products import LAYERS, NAMES, PRODUCTS

SKINS = {"light": (76.0, 12.0, 16.0), "medium": (60.0, 17.0, 26.0), "dark": (32.0, 14.0, 18.0)}


def asked(red, green, blue):
    """CIELAB of a colour in bytes."""
    return lab(torch.tensor([red, green, blue]).double() / 255)


def landed(product, levels, skin=SKINS["medium"]):
    """The pigment's lightness, chroma, hue in degrees, and metal."""
    (light, red, yellow), metal = pigment(product, asked(*levels), torch.tensor(skin).double())
    return (
        float(light),
        float(torch.hypot(red, yellow)),
        float(torch.rad2deg(torch.atan2(yellow, red))) % 360,
        float(metal),
    )


def test_every_product_has_a_palette_or_is_the_skin_s_own():
    assert PALETTES.keys() | ON_SKIN.keys() == {layer.pigments for layer in LAYERS}
    assert not PALETTES.keys() & ON_SKIN.keys()
    for palette in PALETTES.values():
        assert (palette.shades.keys() | palette.metals.keys() | palette.nudes.keys()) <= ASKED.keys()


@pytest.mark.parametrize("screen", [(229, 0, 0), (239, 24, 18), (255, 0, 0)])
def test_a_red_lipstick_is_no_tomato(screen):
    light, chroma, hue, metal = landed("lipstick", screen)
    assert 36 < light < 44
    assert 54 < chroma < 65
    assert 22 < hue < 30
    assert metal < 0.05


def test_dark_reds_stay_dark():
    lights = [landed("lipstick", ASKED[name])[0] for name in ("red", "dark red", "oxblood", "burgundy", "black")]
    assert lights == sorted(lights, reverse=True)
    assert lights[2] < 25


@pytest.mark.parametrize("product", [name for name, palette in PALETTES.items() if len(palette.shades) > 1])
def test_a_word_lands_on_its_shade(product):
    palette = PALETTES[product]
    for name, (light, chroma, hue) in {**palette.shades, **palette.metals}.items():
        found = landed(product, ASKED[name], (70.0, 13.0, 17.0))
        assert found[0] == pytest.approx(light, abs=4), name
        assert found[1] == pytest.approx(chroma, abs=7), name
        assert abs((found[2] - hue + 180) % 360 - 180) < 14 or chroma < 6, name
        assert found[3] == pytest.approx(float(name in palette.metals), abs=0.25), name


def test_the_same_word_is_another_colour_on_another_product():
    names = ("lipstick", "blush", "eyeshadow", "face paint")
    colours = [
        pigment(name, asked(*ASKED["pink"]), torch.tensor(SKINS["medium"]).double())[0].numpy() for name in names
    ]
    for number, one in enumerate(colours):
        for other in colours[:number]:
            assert deltaE_ciede2000(one, other) > 1


@pytest.mark.parametrize("code", [(170, 34, 51), (101, 29, 35), (150, 60, 80)])
def test_a_colour_that_is_a_lipstick_is_left_alone(code):
    found, _ = pigment("lipstick", asked(*code), torch.tensor(SKINS["medium"]).double())
    assert deltaE_ciede2000(found.numpy(), asked(*code).numpy()) < 4


def test_gold_is_a_metal_and_yellow_is_none():
    assert landed("eyeshadow", ASKED["gold"])[3] > 0.9
    assert landed("eyeshadow", ASKED["yellow"])[3] < 0.1
    assert landed("eyeshadow", ASKED["silver"])[3] > 0.9
    assert landed("eyeshadow", ASKED["grey"])[3] < 0.1
    assert landed("brows", ASKED["bronze"])[3] == 0


@pytest.mark.parametrize("product", PALETTES)
def test_no_pigment_is_beyond_the_palette(product):
    palette = PALETTES[product]
    for red, green, blue in torch.randint(0, 256, (60, 3), generator=numbers()).tolist():
        light, chroma, _, metal = landed(product, (red, green, blue), (55.0, 14.0, 20.0))
        assert palette.light[0] <= light <= palette.light[1]
        assert chroma <= palette.chroma + 1e-3
        assert 0 <= metal <= 1


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_foundation_is_this_skin_and_moves_with_what_is_asked(skin):
    usual = pigment("foundation", asked(*PRODUCTS[0].colour), torch.tensor(skin).double())[0].numpy()
    np.testing.assert_allclose(usual, skin, atol=1e-6)
    tan = pigment("foundation", asked(166, 110, 78), torch.tensor(skin).double())[0].numpy()
    fair = pigment("foundation", asked(242, 216, 200), torch.tensor(skin).double())[0].numpy()
    assert skin[0] - 12 < tan[0] < skin[0] - 2
    assert skin[0] + 2 < fair[0] < skin[0] + 12
    assert tan[2] > skin[2]  # the sun is warm
    near = pigment("foundation", asked(186, 134, 104), torch.tensor(skin).double())[0].numpy()
    assert deltaE_ciede2000(near, np.array(skin)) < 1.5  # nobody wished for that


@pytest.mark.parametrize("skin", SKINS.values(), ids=SKINS)
def test_nude_lips_are_a_little_darker_and_redder_than_the_skin(skin):
    found = pigment("lipstick", asked(*ASKED["nude"]), torch.tensor(skin).double())[0].numpy()
    assert skin[0] - 14 < found[0] < skin[0] + 3
    assert found[1] > skin[1]


def test_on_dark_skin_what_contrasts_does_so_more():
    light, dark = (torch.tensor(SKINS[name]).double() for name in ("light", "dark"))
    for name in ("contour", "freckles", "highlighter"):
        usual = asked(*PRODUCTS[NAMES.index(name)].colour)
        shares = [float((pigment(name, usual, skin)[0][0] + 16) / (skin[0] + 16)) for skin in (light, dark)]
        assert abs(np.log(shares[1])) > abs(np.log(shares[0])) > 0.1


@pytest.mark.parametrize("product", NAMES)
def test_gradients_are_those_of_central_differences(product):
    rng = numbers(3)
    for _ in range(5):
        wish = lab(torch.rand(3, generator=rng, dtype=torch.float64)).requires_grad_()
        skin = torch.tensor(SKINS["dark"]).double().requires_grad_()
        assert torch.autograd.gradcheck(lambda wish, skin: tuple(pigment(product, wish, skin)), (wish, skin))


def test_black_and_white_have_finite_gradients():
    for level in (0, 255):
        for product in NAMES:
            wish = asked(level, level, level).requires_grad_()
            colour, metal = pigment(product, wish, torch.tensor(SKINS["light"]).double())
            (gradient,) = torch.autograd.grad(colour.sum() + metal, wish)
            assert gradient.isfinite().all()


def test_pigments_can_be_shown_on_a_screen():
    for palette in PALETTES.values():
        for name, (light, chroma, hue) in {**palette.shades, **palette.metals}.items():
            turn = np.deg2rad(hue)
            colour = torch.tensor([light, chroma * np.cos(turn), chroma * np.sin(turn)])
            shown = srgb(colour).numpy()
            assert shown.min() > -0.06, name
            assert shown.max() < 1.02, name
            np.testing.assert_allclose(shown.clip(0, 1), lab2rgb(colour.numpy()), atol=2e-3)


def test_a_pink_lipstick_is_deeper_on_dark_skin_a_red_a_little_and_yellow_and_metals_are_not():
    dark, light = SKINS["dark"], SKINS["light"]
    for levels, least, most in (((240, 112, 182), 5, 20), ((255, 196, 216), 8, 24), ((229, 0, 0), -0.1, 6)):
        step = landed("lipstick", levels, light)[0] - landed("lipstick", levels, dark)[0]
        assert least < step < most
    for levels in ((255, 250, 30), (250, 250, 249), (214, 173, 48)):
        assert abs(landed("lipstick", levels, light)[0] - landed("lipstick", levels, dark)[0]) < 3


def test_blush_is_less_colourful_on_the_fairest_skin():
    levels = (240, 112, 182)
    chroma = [landed("blush", levels, (light, 10.0, 14.0))[1] for light in (70.0, 80.0, 88.0)]
    assert chroma[0] > chroma[1] + 2 > chroma[2] + 3
    assert landed("blush", levels, (35.0, 10.0, 14.0))[1] > chroma[0] + 5  # dark skin swallows more


@pytest.mark.parametrize("product", sorted(PALETTES))
@pytest.mark.parametrize("levels", [ASKED["red"], ASKED["pink"], ASKED["nude"], ASKED["gold"]])
def test_a_pigment_in_the_shade_is_as_dim_as_the_skin_there(product, levels):
    skin, black = torch.tensor(SKINS["light"]).double(), torch.tensor((16.0, 0, 0)).double()
    day, shade = (pigment(product, asked(*levels), light * (skin + black) - black, light)[0] for light in (1.0, 0.7))
    torch.testing.assert_close(shade + black, 0.7 * (day + black))


def test_what_is_the_wearer_s_own_colour_follows_the_skin_alone():
    skin = torch.tensor(SKINS["medium"]).double()
    for product in ON_SKIN:
        torch.testing.assert_close(*(pigment(product, asked(120, 78, 56), skin, light)[0] for light in (1.0, 0.7)))
