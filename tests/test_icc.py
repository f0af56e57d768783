"""Colour profiles are written anew: the same colours, and nothing else of the old one."""

import struct
from io import BytesIO
from itertools import product

import numpy as np
import photos
import pytest
from PIL import Image, ImageCms

from kohl import icc

STEPS = (0, 1, 7, 40, 90, 128, 180, 230, 255)
CUBE = Image.fromarray(np.array(list(product(STEPS, repeat=3)), np.uint8)[None])
GREYS = Image.fromarray(np.arange(256, dtype=np.uint8)[None])


def para(kind, *values):
    return struct.pack(f">4s4xH2x{len(values)}i", b"para", kind, *(round(value * 65536) for value in values))


def with_curves(tag):
    return {**photos.WIDE, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tag)}


PROFILES = {
    "sRGB": photos.rgb_profile(),
    "wide": photos.profile(b"RGB ", photos.WIDE, after=photos.SECRET * 1000),
    "straight": photos.profile(b"RGB ", with_curves(photos.curve())),
    "table": photos.profile(
        b"RGB ", with_curves(photos.curve(*(round(65535 * (n / 1023) ** 1.9) for n in range(1024))))
    ),
    "power": photos.profile(b"RGB ", with_curves(para(0, 2.3))),
    "formula 1": photos.profile(b"RGB ", with_curves(para(1, 2.0, 0.9, 0.1))),
    "formula 2": photos.profile(b"RGB ", with_curves(para(2, 2.0, 0.8, 0.1, 0.05))),
    "formula 3": photos.profile(b"RGB ", with_curves(para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))),
    "formula 4": photos.profile(b"RGB ", with_curves(para(4, 2.4, 0.9, 0.06, 0.08, 0.05, 0.02, 0.0))),
    "grey": photos.profile(b"GRAY", {b"kTRC": photos.curve(460)}),
}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_colours_are_the_same_and_nothing_else_is(profile):
    new = icc.rebuilt(profile)
    cube, mode = (GREYS, "L") if profile[16:20] == b"GRAY" else (CUBE, "RGB")
    seen = [
        np.asarray(
            ImageCms.profileToProfile(cube, BytesIO(each), ImageCms.createProfile("sRGB"), outputMode="RGB")
        ).astype(int)
        for each in (profile, new)
    ]
    assert np.abs(seen[0] - seen[1]).max() <= 1
    assert photos.SECRET not in new
    assert photos.SECRET[:8] not in new
    assert len(new) < 10_000
    assert cube.mode == mode
    assert icc.rebuilt(new) == new


def test_the_common_spaces_are_one_profile_each():
    # HP's sRGB of 1998 and Pillow's, as their makers rounded them.
    hp = {
        b"rXYZ": photos.primary(0.4361, 0.2225, 0.0139),
        b"gXYZ": photos.primary(0.3851, 0.7169, 0.0971),
        b"bXYZ": photos.primary(0.1431, 0.0606, 0.7141),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)),
    }
    assert icc.rebuilt(photos.profile(b"RGB ", hp)) == icc.rebuilt(photos.rgb_profile())


TABLE = photos.profile(b"RGB ", {**photos.WIDE, b"A2B0": bytes(40)})


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"no profile",
        photos.cmyk_profile(),
        TABLE,
        photos.rgb_profile()[:200],
        photos.profile(b"RGB ", {**photos.WIDE, b"rTRC": photos.curve(5, 4, 3)}),
        photos.profile(b"RGB ", {**photos.WIDE, b"rTRC": b"curv\0\0\0\0\xff\xff\xff\xff"}),
        photos.profile(b"RGB ", {**photos.WIDE, b"rXYZ": photos.primary(900, 0, 0)}),
        photos.profile(b"RGB ", {**photos.WIDE, b"rTRC": para(0, 30_000)}),
        photos.profile(b"RGB ", photos.WIDE, after=bytes(icc.LARGEST)),
    ],
)
def test_what_says_more_or_is_broken_is_none(profile):
    assert icc.rebuilt(profile) is None


def test_no_damage_is_an_error_or_finds_its_way_out():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        content = bytearray(PROFILES[list(PROFILES)[rng.integers(len(PROFILES))]][:12_000])
        for place in rng.integers(len(content), size=rng.integers(1, 8)):
            content[place] = rng.integers(256)
        new = icc.rebuilt(bytes(content))
        assert new is None or (len(new) < 30_000 and photos.SECRET[:8] not in new and icc.rebuilt(new) == new)
