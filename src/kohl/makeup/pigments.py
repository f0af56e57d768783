"""From the colour that is asked for to the pigment that a make-up artist would take, for this product and this skin."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from kohl.colour import BLACK, lab
from kohl.makeup.palettes import ASKED, LIGHT_SKIN, ON_SKIN, PALETTES, Levels, OnSkin, Palette, Shade

NEAR = 18.0  # CIELAB distance within which a colour is taken for a shade
ALONE = 0.35  # weight of the colour itself among the shades, each of which has 1 at NEAR
FOLLOWS = 0.5  # share of the difference to a shade that remains: the same word is never quite the same colour
DEEP = 28.0  # L* of shades that are deep enough for any skin
SHEERER = 0.55  # share of its colour that blush leaves to the fairest skin, on which it would be paint
BOLDER = 0.7  # and more of it on black skin, which swallows the rest
PLAIN = 14.0  # chroma that is hardly a colour any more
DULLEST = 0.94  # share of the skin's tint that is kept where it is darkened: a shade is no grey
WARMED = 1.3, 0.7  # times that share, in a* and b*: soot that lets skin through looks green otherwise
RISES = 0.75  # share of a step down that a step up is
COOLS = 0.4  # of that warmth is lost on the way up: pale skin is no chalk
PORCELAIN = 0.4  # share of a shade that is left out on the palest skin, on which it would be dirt
WHITEST = 94.0  # L* that no skin becomes
TINT = 0.7  # share of the skin's a* and b* in a colour that is the wearer's own
SKIN_FIRST = 0.4  # more of that distance for the colours that are the skin's own
UNSAID = 7.0  # differences to the usual colour below this, in L*, a* or b*, are hardly a wish


class Pigment(NamedTuple):
    """What is put on: a colour (3,) in CIELAB, and how much of a metal it is, from 0 to 1."""

    colour: Tensor
    metal: Tensor


class _Shades(NamedTuple):
    """A palette as numbers, in CIELAB: colours asked for, what they become, whether on top of skin, how metallic."""

    asked: Tensor  # (n, 3)
    given: Tensor  # (n, 3)
    added: Tensor  # (n, 1)
    metal: Tensor  # (n,)


def pigment(product: str, asked: Tensor, skin: Tensor, light: Tensor | float = 1.0) -> Pigment:
    """The pigment of a product for the colour `asked` (3,) on skin of the colour `skin` (3,), all in CIELAB.

    `light` is how much of daylight there is, as a factor of L* + 16, by which the skin is dimmer than it would be: the
    pigment is that for the skin in daylight, as dim as the skin is.

    A colour near one that a shade's word stands for becomes that shade, a shade stays what it is, and between them the
    way is smooth: inverse distance weighting (Shepard, ACM 1968). Foundation, contour, highlighter and freckles are the
    skin's own colour, changed by how much the colour asked for differs from the product's usual one.
    """
    if product in ON_SKIN:
        return Pigment(_on_skin(ON_SKIN[product], asked, skin), asked.new_zeros(()))
    palette, shades = PALETTES[product], _shades(product, asked.dtype, asked.device)
    black = skin.new_tensor((BLACK, 0, 0))
    skin = (skin + black) / light - black
    nodes, given, added, metal = shades
    given = given + added * skin * skin.new_tensor((1, TINT, TINT))
    away = asked - nodes
    reach = NEAR * (1 + SKIN_FIRST * added[:, 0])
    near = ((away.square().sum(-1) / reach**2) + 1e-3) ** -2
    total = near.sum() + ALONE
    colour = (ALONE * asked + (near[:, None] * (given + FOLLOWS * away)).sum(0)) / total
    if palette.deeper:
        darker = (LIGHT_SKIN[0] - skin[0]).clamp_min(0) * ((colour[0] - DEEP) / 30).clamp(0, 1.6)
        darker = darker * (1 - (near * (added[:, 0] + metal)).sum() / total)  # the skin's own, and metals, stay
        darker = darker * (colour[1] / 20).clamp(0, 1) * ((55 - colour[2]) / 25).clamp(0, 1)  # a deep yellow is olive
        colour = colour - palette.deeper * darker * colour.new_tensor((1, 0, 0))
    if any(palette.through):
        colour = colour + (skin - skin.new_tensor(LIGHT_SKIN)) * skin.new_tensor((0, *palette.through))
    if palette.sheer:
        fair = ((skin[0] - LIGHT_SKIN[0]) / (WHITEST - LIGHT_SKIN[0])).clamp(0, 1)
        dark = ((LIGHT_SKIN[0] - skin[0]) / LIGHT_SKIN[0]).clamp(0, 1)
        pale = (1 - skin[1:].norm() / skin.new_tensor(LIGHT_SKIN[1:]).norm()).clamp_min(0)  # in a cold light, too
        colour = colour + (BOLDER * dark - SHEERER * torch.maximum(fair, pale)) * (colour - skin) * skin.new_tensor(
            (0, 1, 1)
        )
    if palette.warmed:
        grey = torch.exp(-colour[1:].square().sum() / PLAIN**2)
        colour = colour + palette.warmed * grey * skin * skin.new_tensor((0, *WARMED))
    return Pigment(light * (_within(palette, colour) + black) - black, (near * metal).sum() / total)


def _on_skin(product: OnSkin, wish: Tensor, skin: Tensor) -> Tensor:
    usual = wish.new_tensor(_lab(product.usual))
    said = wish - usual
    said = said * said.square() / (said.square() + UNSAID**2)
    said = said * said.new_tensor((product.shares[0], product.shares[1], product.shares[1]))
    said = product.most * torch.tanh(said / product.most) * (skin[0] + BLACK) / (70 + BLACK)  # a step on light skin
    room = RISES * ((WHITEST - skin[0]) / 20).clamp(0, 1)  # for light on the lightest skin
    tinted = (skin[1:].square().sum() / usual[1:].square().sum() + 1e-6).sqrt().clamp_max(1)
    said = torch.stack(
        [said[0].clamp_max(0) + said[0].clamp_min(0) * room, *(said[1:] * tinted)]
    )  # what has little tint has none to lose
    warms = -said[0].clamp_max(0) - COOLS * said[0].clamp_min(0)
    tan = torch.stack([said[0], 0.3 * warms, 0.55 * warms])  # sun warms what it darkens
    light = product.on_dark + (product.light - product.on_dark) * (skin[0] / 75).clamp(0, 1)
    light = light + PORCELAIN * (1 - light).clamp_min(0) * ((skin[0] - 75) / (WHITEST - 75)).clamp(0, 1)
    lit = ((skin[0] + BLACK) * light).clamp_max(WHITEST + BLACK)
    changed = torch.stack([lit, *(skin[1:] * light.clamp(DULLEST, 1))])
    return changed + said * said.new_tensor((0, 1, 1)) + tan + said.new_tensor((-BLACK, *product.warmth))


def _within(palette: Palette, colour: Tensor) -> Tensor:
    """The colour with its lightness and its chroma eased into the palette's limits."""
    low, high = palette.light
    middle, half = (low + high) / 2, (high - low) / 2
    light = middle + _eased(colour[0] - middle, half)
    chroma = torch.sqrt(colour[1:].square().sum() + 1e-6)
    return torch.stack([light, *(colour[1:] * _eased(chroma, palette.chroma) / chroma)])


def _eased(x: Tensor, most: float, straight: float = 0.8) -> Tensor:
    """`x` up to a share of `most`, and never more than `most`."""
    knee = straight * most
    over = (x.abs() - knee).clamp_min(0)
    return x.sign() * (x.abs().clamp_max(knee) + (most - knee) * torch.tanh(over / (most - knee)))


@cache
def _shades(product: str, dtype: torch.dtype, device: torch.device) -> _Shades:
    palette = PALETTES[product]
    rows = [(_lab(ASKED[name]), _polar(shade), 0.0, 0.0) for name, shade in palette.shades.items()]
    rows += [(given, given, 0.0, 0.0) for _, given, _, _ in rows]  # a shade that is asked for by itself
    rows += [(_lab(ASKED[name]), _polar(shade), 0.0, 1.0) for name, shade in palette.metals.items()]
    rows += [(_lab(ASKED[name]), more, 1.0, 0.0) for name, more in palette.nudes.items()]
    asked, given, added, metal = (torch.tensor(part, dtype=dtype, device=device) for part in zip(*rows, strict=True))
    return _Shades(asked, given, added[:, None], metal)


def _lab(levels: Levels) -> Shade:
    light, red, yellow = lab(torch.tensor(levels, dtype=torch.float64) / 255).tolist()
    return light, red, yellow


def _polar(shade: Shade) -> Shade:
    light, chroma, hue = torch.tensor(shade, dtype=torch.float64)
    turn = torch.deg2rad(hue)
    return light.item(), (chroma * turn.cos()).item(), (chroma * turn.sin()).item()
