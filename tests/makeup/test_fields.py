"""Where makeup goes: known at the landmarks, the same on both sides of a face, and nowhere else."""

from functools import cache

import cv2
import numpy as np
import pytest
from sitters import NAMES as SITTERS
from sitters import sitter, sitters

from kohl.makeup import strokes
from kohl.makeup.eyes import RISE, TAPERS, lid_depth
from kohl.makeup.face_map import BROWS, EYES, OUTER, FaceMap, direction, smooth
from kohl.makeup.fields import PLACES, SIDES
from kohl.makeup.lips import CORNERS, lip_shine
from kohl.makeup.products import NAMES

MIRRORED = (  # the landmark in its place on the other side
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1)),
)
GRAINED = ("freckles", "stubble")  # the same for everybody, not the same on both sides


def mapped(index, size=256):
    """A portrait."""
    one = sitter(index, size)
    return FaceMap(one.crops[0].permute(1, 2, 0).numpy(), one.landmarks[0].double().numpy())


FACES = [mapped(index) for index in range(len(SITTERS))]


@pytest.fixture(params=FACES, ids=SITTERS)
def face(request):
    """Each portrait."""
    return request.param


@cache
def placed(face, name):
    return PLACES[name](face)


def whole(face, name):
    """A field's maps of the whole crop; across and along are NaN where there is no cover."""
    return spread_out(face, placed(face, name))


def whole_of(face, name):
    """The same of a face that is looked at once."""
    return spread_out(face, PLACES[name](face))


def spread_out(face, field):
    """A field's maps on the whole crop."""
    (top, left), (height, width) = field.corner, field.cover.shape
    maps = [np.full((face.size, face.size), fill) for fill in (0.0, np.nan, np.nan)]
    for large, part in zip(maps, (field.cover, field.across, field.along), strict=True):
        large[top : top + height, left : left + width] = part
    return maps


def at(maps, point):
    """What the maps say at a point."""
    x, y = np.round(point).astype(int)
    return [part[y, x] for part in maps]


@pytest.mark.parametrize("name", NAMES)
def test_every_product_has_a_place_and_fits_into_the_crop(face, name):
    field = PLACES[name](face)
    assert field.cover.shape == field.across.shape == field.along.shape
    assert all(corner >= 0 for corner in field.corner)
    assert all(np.array(field.corner) + field.cover.shape <= face.size)
    assert (field.cover.min() >= 0, field.cover.max() <= 1) == (True, True)
    assert field.cover.max() > 0.25
    for part in (field.cover, field.across, field.along):
        assert part.dtype == np.float32
        assert np.isfinite(part).all()


def test_all_products_have_places_and_no_others():
    assert tuple(PLACES) == NAMES


def region(face, *parts, grown):
    """Inside the hulls of landmarks, or that many eye distances from them."""
    mask = np.zeros((256, 256), np.uint8)
    for part in parts:
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(face.at(*part)).astype(np.int32)), 1)
    return cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= grown * face.unit


REGIONS = {  # in which landmarks' hulls, and how far around, in eye distances
    "foundation": ((range(68),), 0.8),  # a forehead above the brows
    "face paint": ((range(68),), 1.2),  # up to the hair
    "contour": ((range(68),), 0.8),
    "highlighter": ((range(68),), 0.8),
    "blush": ((range(68),), 0.8),
    "freckles": (((*range(1, 16), *range(27, 48)),), 0.1),
    "stubble": ((range(2, 15), range(31, 36)), 0.2),
    "brows": ((range(17, 22), range(22, 27)), 0.2),
    "eyeshadow": (((*range(17, 22), *range(36, 42)), (*range(22, 27), *range(42, 48))), 0.3),
    "eyeliner": (((17, *range(36, 42)), (26, *range(42, 48))), 0.35),
    "mascara": ((range(36, 42), range(42, 48)), 0.18),
    "lipstick": ((range(48, 60),), 0.12),
    "lip liner": ((range(48, 60),), 0.16),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_product_stays_where_it_belongs(face, name):
    parts, grown = REGIONS[name]
    cover, *_ = whole(face, name)
    assert cover[~region(face, *parts, grown=grown)].max() < 0.02


@pytest.mark.parametrize("name", ["foundation", "face paint", "contour", "blush", "stubble", "eyeshadow", "eyeliner"])
def test_no_product_goes_into_an_open_eye(face, name):
    cover, *_ = whole(face, name)
    for eye in EYES:
        assert at([cover], face.at(*eye).mean(0))[0] < 0.15


@pytest.mark.parametrize("name", ["foundation", "face paint", "blush", "stubble"])
def test_what_is_for_the_skin_spares_the_lips(face, name):
    cover, *_ = whole(face, name)
    assert max(at([cover], face.at(*pair).mean(0))[0] for pair in ((50, 61), (52, 63), (57, 66))) < 0.15


def test_skin_is_measured_from_the_eyes_and_from_the_middle(face):
    maps = whole(face, "foundation")
    _, across, along = at(maps, face.at(2, 31).mean(0))
    assert 0 < across < 1
    assert 0.2 < along < 1
    _, across, along = at(maps, face.landmarks[30])
    expected = (face.landmarks[30] - face.middle) @ face.down / np.linalg.norm(face.landmarks[8] - face.middle)
    assert across == pytest.approx(expected, abs=0.01)
    assert along < 0.25
    middle = face.landmarks[8] - 0.1 * face.unit * face.down
    assert at(maps, middle)[1] == pytest.approx(0.95, abs=0.05)


def test_contour_is_below_the_cheekbones_and_on_the_jaw(face):
    maps = whole(face, "contour")
    for side, corner in zip(SIDES, CORNERS, strict=True):
        below = face.at(side[1])[0] * 0.6 + face.at(corner)[0] * 0.4
        assert at(maps, below)[1] < 0.03
        assert at(maps, face.at(side[1], 30).mean(0))[1] > 0.08
    assert at(maps, face.landmarks[29])[1] > 0.3


def test_contour_has_no_edge_where_cheek_and_jaw_meet(face):
    even = FaceMap(np.full_like(face.pixels, 0.6), face.landmarks)
    cover, across, _ = whole_of(even, "contour")
    share = np.nan_to_num(cover) / even.skin.clip(0.5)
    inside = (even.skin > 0.9) & (np.nan_to_num(across, nan=9) < 0.26)  # where the widest contour goes
    steps = np.abs(np.diff(share, axis=0))[inside[1:] & inside[:-1]]
    assert inside.sum() > 500
    assert steps.max() < 0.12


def test_light_is_on_the_bridge_of_the_nose_and_the_cheekbones(face):
    maps = whole(face, "highlighter")
    assert at(maps, face.landmarks[28])[1] < 0.02
    for eye in EYES:
        assert at(maps, face.landmarks[eye[0]] + 0.24 * face.unit * face.down)[1] < 0.02
    assert at(maps, face.at(48, 4).mean(0))[1] > 0.14


def test_blush_is_on_the_cheeks(face):
    maps = whole(face, "blush")
    for eye, side, corner in zip(EYES, SIDES, CORNERS, strict=True):
        cheek = (face.at(*eye).mean(0) + face.landmarks[corner] + face.landmarks[side[2]]) / 3
        assert at(maps, cheek)[1] < 0.8
    assert np.nan_to_num(at(maps, face.landmarks[30])[1], nan=9) > 1.2
    assert np.nan_to_num(at(maps, face.landmarks[8] - 0.2 * face.unit * face.down)[1], nan=9) > 1.5


def test_stubble_reaches_from_the_chin_to_the_nose(face):
    maps = whole(face, "stubble")
    lip = face.at(33, 51).mean(0)
    expected = (face.landmarks[8] - lip) @ face.down / ((face.landmarks[8] - face.landmarks[33]) @ face.down)
    assert at(maps, lip)[1] == pytest.approx(expected, abs=0.02)
    cover, *_ = whole(face, "stubble")
    x, y = np.round(face.at(8, 57).mean(0)).astype(int)
    chin = cover[y - 4 : y + 5, x - 4 : x + 5]
    assert chin.mean() > 0.2
    assert chin.std() > 0.03  # hairs, not a tone
    assert at([cover], face.at(2, 31).mean(0))[0] < 0.1  # no beard on the cheekbones
    x, y = np.round(0.5 * (face.at(4, 12) + face.at(48, 54))).astype(int).T
    cheeks = [cover[row - 4 : row + 5, column - 4 : column + 5].mean() for row, column in zip(y, x, strict=True)]
    assert max(cheeks) < 0.9 * chin.mean()  # thinner there


@pytest.mark.parametrize("name", ["mascara", "stubble"])
def test_hairs_are_as_soft_as_the_photo(face, name):
    soft = FaceMap(cv2.GaussianBlur(face.pixels, (0, 0), 2.5), face.landmarks)
    steepest = [float(np.hypot(*np.gradient(whole_of(one, name)[0])).max()) for one in (face, soft)]
    assert steepest[1] < 0.8 * steepest[0]


def test_brows_are_measured_from_their_middle_line(face):
    maps = whole(face, "brows")
    for brow in BROWS:
        light = cv2.GaussianBlur(face.pixels.mean(-1), (0, 0), 0.02 * face.unit)
        places = face.landmarks[brow[2]] + np.linspace(0, 0.1, 20)[:, None] * face.unit * face.down
        columns, rows = np.round(places).astype(int).T
        x, y = columns[light[rows, columns].argmin()], rows[light[rows, columns].argmin()]  # where hair is darkest
        assert maps[1][y, x] < 0.045
        assert maps[0][y - 2 : y + 3, x - 4 : x + 5].mean() > 0.2
        assert np.nan_to_num(at(maps, face.landmarks[brow[2]] - 0.1 * face.unit * face.down)[1], nan=9) > 0.1


def test_eyeshadow_goes_from_the_lashes_to_the_brow_and_from_the_outer_corner_to_the_inner(face):
    maps = whole(face, "eyeshadow")
    for eye, brow in zip(EYES, BROWS, strict=True):
        lashes, edge = face.at(*eye[1:3]).mean(0), face.landmarks[brow[2]] + 0.04 * face.unit * face.down
        shares = [at(maps, lashes + share * (edge - lashes)) for share in (0.25, 0.5, 0.75)]
        assert shares[0][0] > 0.3
        np.testing.assert_allclose([across for _, across, _ in shares], (0.25, 0.5, 0.75), atol=0.12)
        outer, inner = (face.landmarks[corner] - 0.08 * face.unit * face.down for corner in (eye[0], eye[3]))
        assert abs(at(maps, outer)[2]) < 0.15
        assert np.nan_to_num(at(maps, inner)[2], nan=1) == pytest.approx(1, abs=0.15)
        below = at(maps, face.at(*eye[4:]).mean(0) + 0.05 * face.unit * face.down)
        assert below[0] > 0.2
        assert below[1] > 0.6  # only what is wide comes down here


def test_eyeliner_is_on_the_upper_lashes_and_its_wing_goes_up_and_out(face):
    maps = whole(face, "eyeliner")
    for eye in EYES:
        lid = face.landmarks[eye[1]] - 0.02 * face.unit * face.down
        assert at(maps, lid)[1] < 0.03
        assert at(maps, lid)[2] < TAPERS
        outwards = direction(face.landmarks[eye[3]], face.landmarks[eye[0]])
        outer = face.landmarks[eye[0]] + OUTER * face.unit * outwards
        wing = direction(np.zeros(2), outwards - RISE * face.down)
        _, across, along = at(maps, outer + 0.2 * face.unit * wing)
        assert across < 0.03
        assert along == pytest.approx(TAPERS + 0.2, abs=0.02)
        assert 0 < at(maps, outer - 0.04 * face.unit * outwards)[2] < TAPERS  # it tapers from there
        assert at(maps, face.landmarks[eye[3]])[2] == 0
        assert not at(maps, face.at(*eye[4:]).mean(0) + 0.1 * face.unit * face.down)[0] > 0


def test_lashes_start_at_the_lid_and_end_at_one(face):
    cover, across, _ = whole(face, "mascara")
    for eye in EYES:
        assert at([across], face.landmarks[eye[1]])[0] < 0.2
    assert np.nanmax(across[cover > 0.01]) <= 1.3
    assert cover[np.nan_to_num(across, nan=9) > 1.25].max() < 0.6  # only the tips of strokes


def with_rims(face, height):
    """The portrait with the black upper rims of glasses, so many eye distances above the eyes' middles."""
    pixels = face.pixels.copy()
    for eye in EYES:
        ends = face.at(eye[0], eye[3]) - height * face.unit * face.down
        cv2.line(pixels, *(tuple(map(int, np.round(end))) for end in ends), (0.0, 0.0, 0.0), 2)
    return FaceMap(pixels, face.landmarks)


def test_lashes_end_at_the_rims_of_glasses(face):
    bare, behind = (strokes.lashes(one) for one in (face, with_rims(face, 0.135)))
    above = np.zeros_like(bare, bool)
    for eye in EYES:
        above |= face.ahead(face.at(*eye).mean(0) - 0.15 * face.unit * face.down, -face.down) > 0
    assert bare[above].sum() > 1
    assert behind[above].sum() < 0.4 * bare[above].sum()
    assert behind.sum() > 0.5 * bare.sum()


def test_lashes_are_of_many_lengths_and_longest_outside(face):
    lashes = strokes.lashes(face)
    for eye in EYES:
        outer, inner = face.landmarks[eye[0]], face.landmarks[eye[3]]
        tall = face.ahead(face.at(*eye[1:3]).mean(0), -face.down) > 0.05 * face.unit
        inwards = face.ahead(outer, direction(outer, inner)) / np.linalg.norm(inner - outer)
        halves = [lashes[tall & (inwards > low) & (inwards < low + 0.5)].sum() for low in (-0.2, 0.6)]
        assert halves[0] > 1.5 * halves[1]


def test_a_shadow_is_deepest_in_the_outer_corner_and_in_the_crease(face):
    maps = np.array(whole(face, "eyeshadow"))
    depth = lid_depth(placed(face, "eyeshadow"))
    (top, left), (height, width) = placed(face, "eyeshadow").corner, depth.shape
    deep = np.zeros((face.size, face.size))
    deep[top : top + height, left : left + width] = depth
    cover, across, along = maps
    there = cover > 0.3
    corner, middle, brow_bone = (
        deep[there & (abs(along - x) < 0.12) & (abs(across - y) < 0.1)].mean()
        for x, y in ((0.05, 0.2), (0.6, 0.15), (0.6, 0.8))
    )
    crease = deep[there & (abs(along - 0.6) < 0.12) & (abs(across - 0.42) < 0.08)].mean()
    assert corner > crease > middle > brow_bone


def test_blush_fades_towards_the_temples_and_is_no_disc(face):
    cover, across, _ = whole(face, "blush")
    worn = cover * (np.nan_to_num(across, nan=9) < 1)
    for eye in EYES:
        outwards = direction(face.landmarks[eye[3]], face.landmarks[eye[0]])
        side = face.ahead(face.middle, outwards) > 0
        rows, columns = np.nonzero(side & (worn > 0.1))
        if len(rows) < 400:
            continue  # a cheek that is turned away
        spread = np.linalg.eigvalsh(np.cov(np.stack([rows, columns])))
        assert spread[1] > 1.5 * spread[0]


def test_closed_lips_are_covered_where_they_meet(face):
    closed = FaceMap(face.pixels, face.landmarks.copy())
    for above, under in ((61, 67), (62, 66), (63, 65)):
        closed.landmarks[[above, under]] = face.at(above, under).mean(0)
    cover, *_ = whole_of(closed, "lipstick")
    assert at([cover], closed.landmarks[62])[0] > 0.6


def test_teeth_are_spared_where_they_go_on_beyond_their_landmarks():
    face = FACES[1]  # who shows them
    pixels = face.pixels.copy()
    left, right = face.landmarks[66] + (-6, 0), face.landmarks[66] + (6, 3)
    (x, y), (end, bottom) = np.round(left).astype(int), np.round(right).astype(int)
    pixels[y - 4 : bottom, x:end] = (0.97, 0.96, 0.93)
    place = (face.landmarks[66] + (0, 1)).round().astype(int)
    before, after = (whole_of(one, "lipstick")[0] for one in (face, FaceMap(pixels, face.landmarks)))
    assert before[place[1], place[0]] > 0.4
    assert after[place[1], place[0]] < 0.2
    far = face.at(48, 54).round().astype(int)
    np.testing.assert_allclose(after[far[:, 1], far[:, 0]], before[far[:, 1], far[:, 0]], atol=0.1)


def test_lips_go_on_a_little_inside_the_landmarks_of_their_inner_rims():
    face = FACES[1]
    pixels = face.pixels.copy()
    open_mouth = face.filled(smooth(face.at(*range(60, 68)), closed=True)) > 0.5
    upper, lower = face.at(62, 66)
    gap = lower - upper
    assert np.linalg.norm(gap) > 0.1 * face.unit
    for other in ((0.95, 0.93, 0.88), (0.55, 0.5, 0.42), (0.05, 0.02, 0.02)):  # teeth, those in the shade, the dark
        pixels[open_mouth] = other
        cover = whole_of(FaceMap(pixels, face.landmarks), "lipstick")[0]
        assert at([cover], upper + 0.08 * gap)[0] < 0.3
    pixels[open_mouth] = (0.5, 0.16, 0.08)  # red, and not as lips are
    cover = whole_of(FaceMap(pixels, face.landmarks), "lipstick")[0]
    assert at([cover], upper + 0.05 * gap)[0] > 0.4
    assert at([cover], upper + 0.5 * gap)[0] < 0.1


def test_lips_are_measured_from_their_rim_and_from_the_middle_of_the_mouth(face):
    maps = whole(face, "lipstick")
    lower = face.at(57, 66).mean(0)
    cover, across, along = at(maps, lower)
    assert cover > 0.8
    assert across < 0.8
    assert along < 0.2
    rim = face.landmarks[57] + 0.02 * face.unit * face.down
    assert np.nan_to_num(at(maps, rim)[1], nan=1) == pytest.approx(1, abs=0.02)
    assert at(maps, face.at(49, 60).mean(0))[2] == pytest.approx(0.85, abs=0.15)


def test_no_lipstick_on_teeth():
    # The second portrait and the third smile.
    for face in FACES[1:]:
        cover, *_ = whole(face, "lipstick")
        assert at([cover], face.at(62, 66).mean(0))[0] < 0.1


def test_a_lip_liner_is_a_line_on_the_rim(face):
    maps = whole(face, "lip liner")
    for number in (48, 50, 51, 52, 54, 57):
        _, across, along = at(maps, face.landmarks[number])
        assert across < 0.045  # where the photo has the rim
        x, y = face.landmarks[number].round().astype(int)
        near = slice(max(y - 8, 0), y + 9), slice(max(x - 8, 0), x + 9)
        assert maps[1][near][maps[0][near] > 0.3].min() < 0.015  # and there is the line
        assert along == pytest.approx(
            abs((face.landmarks[number] - face.at(48, 54).mean(0)) @ face.right)
            / (np.linalg.norm(face.landmarks[54] - face.landmarks[48]) / 2),
            abs=0.03,
        )
    centre = face.at(57, 66).mean(0)
    distance = at(maps, centre)[1]
    assert distance > 0.03


def test_lips_shine_on_the_lower_and_on_both_halves_of_the_upper(face):
    shine = lip_shine(face)
    for pair in ((57, 66), (50, 61), (52, 63)):
        assert at([shine], face.at(*pair).mean(0))[0] > 0.85
    assert shine[~region(face, range(48, 60), grown=0.05)].max() < 0.2


def test_paint_goes_further_up_than_foundation_and_to_the_hairs_of_the_brows(face):
    paint, skin = (whole(face, name)[0] for name in ("face paint", "foundation"))
    height = face.ahead(face.middle, -face.down)
    top = [float(height[cover > 0.4].max()) for cover in (paint, skin)]
    assert top[0] > top[1] + 0.05 * face.unit
    near = np.min([face.distance(face.at(*brow)) for brow in BROWS], 0)
    ring = (near > 0.06) & (near < 0.1) & (face.alike > 0.7)
    assert paint[ring].mean() > skin[ring].mean() + 0.03


def test_what_shines_is_painted_too():
    face = FACES[0]
    pixels, (x, y) = face.pixels.copy(), face.landmarks[29].round().astype(int)
    pixels[y - 4 : y + 5, x - 4 : x + 5] = (0.97, 0.93, 0.9)
    paint, skin = (whole_of(FaceMap(pixels, face.landmarks), name)[0] for name in ("face paint", "foundation"))
    assert paint[y, x] > skin[y, x] + 0.02


def mirrored(face):
    """The same face in a mirror."""
    landmarks = face.landmarks[list(MIRRORED)] * (-1, 1) + (face.size - 1, 0)
    return FaceMap(np.ascontiguousarray(face.pixels[:, ::-1]), landmarks)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in GRAINED])
def test_in_a_mirror_everything_is_on_the_other_side(face, name):
    here, there = whole(face, name), whole(mirrored(face), name)
    difference = np.abs(here[0] - there[0][:, ::-1])
    assert difference.mean() < 0.09 * here[0].mean()  # outlines and hairs are drawn from pixel to pixel
    both = (here[0] > 0.05) & (there[0][:, ::-1] > 0.05)
    for first, second in zip(here[1:], there[1:], strict=True):
        assert np.quantile(np.abs(first - second[:, ::-1])[both], 0.95) < 0.03


@pytest.mark.parametrize("name", NAMES)
def test_a_face_without_light_has_fields_too(name):
    dark = FaceMap(np.zeros((256, 256, 3), np.float32), FACES[0].landmarks)
    field = PLACES[name](dark)
    assert all(np.isfinite(part).all() for part in (field.cover, field.across, field.along))


@pytest.mark.parametrize("name", NAMES)
def test_a_face_may_overhang_its_crop(name):
    moved = FaceMap(FACES[0].pixels, FACES[0].landmarks + np.array([110, 90]))
    field = PLACES[name](moved)
    assert all(np.array(field.corner) + field.cover.shape <= 256)
    assert np.isfinite(field.cover).all()


def test_the_same_face_has_the_same_fields_and_is_as_it_was():
    before = [part.clone() for part in vars(sitters()).values()]
    again = mapped(2)
    for name in NAMES:
        for one, other in zip(whole(FACES[2], name), whole(again, name), strict=True):
            np.testing.assert_array_equal(one, other)
    assert all((now == then).all() for now, then in zip(vars(sitters()).values(), before, strict=True))
