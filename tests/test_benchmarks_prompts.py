"""What `benchmarks/prompts.py` counts: regions and their colours, what a prompt asks for, and groups of faces."""

import math
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sitters import sitter
from skimage.color import lab2rgb

from kohl.bench import groups
from kohl.makeup.layers import DIALS, Makeup, bare
from kohl.makeup.palettes import ON_SKIN
from kohl.makeup.products import NAMES

FOLDER = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(FOLDER))

import fairness  # noqa: E402
import pairs  # noqa: E402
import regions  # noqa: E402
import wishes  # noqa: E402

RED, BLUE, WHITE = (0.9, 0.0, 0.0), (0.05, 0.1, 0.9), (1.0, 1.0, 1.0)
SKIN, LIPS = np.array([60.0, 15.0, 18.0]), np.array([48.0, 25.0, 15.0])


@cache
def places():
    return regions.Places(sitter(2))


def worn(product, rgb, **shape):
    """A portrait wearing a product, its shape as usual where nothing is said."""
    faces, dials = sitter(2), bare()
    wanted = {"opacity": 1.0, **dict(zip(DIALS[1:4], rgb, strict=True)), **shape}
    for name, value in wanted.items():
        dials[NAMES.index(product), DIALS.index(name)] = value
    return Makeup(faces, [product])(faces.crops, dials[None])


def flat(colour, side=4):
    return np.broadcast_to(np.array(colour, float), (side, side, 3))


def changed(before, after):
    return regions.change(flat(before), flat(after), np.ones((4, 4)))


# -- regions


def test_difference_is_that_of_the_standard():
    # Sharma, Wu & Dalal, The CIEDE2000 color-difference formula, 2005, table 1, pairs 1 and 25
    for first, second, expected in (
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        found = changed(first, second)
        assert found.pixels == pytest.approx(expected, abs=1e-4)
        assert found.means == pytest.approx(expected, abs=1e-4)
        assert found.most == pytest.approx(expected, abs=1e-4)


def test_pixels_count_by_their_weight_and_noise_does_not_move_the_mean():
    before, after = flat((50, 0, 0)).copy(), flat((50, 0, 0)).copy()
    after[:2], after[2:] = (60, 0, 0), (40, 0, 0)
    found = regions.change(before, after, np.ones((4, 4)))
    assert found.means == 0
    assert found.pixels > 8
    after[:2] = before[:2]
    upper, lower = (np.repeat([[one], [one], [0.25], [0.25]], 4, 1) for one in (1.0, 0.0))
    most, whole = (regions.change(before, after, weight) for weight in (upper, lower))
    assert most.after == pytest.approx([48, 0, 0])
    assert most.pixels == pytest.approx(whole.pixels / 5)


def test_hidden_region_did_not_change():
    found = regions.change(flat((50, 0, 0)), flat((90, 0, 0)), np.zeros((4, 4)))
    assert (found.pixels, found.means) == (0, 0)


@pytest.mark.parametrize(
    ("before", "after", "asked", "heading", "hue", "kept"),
    [
        (LIPS, (42, 60, 35), "red", True, True, True),
        (SKIN, (50, 22, -2), "blue", True, False, True),  # the skin shows through
        (LIPS, (34, 18, 28), "brown", True, True, True),  # away from red, which is on the way to brown
        (SKIN, (58, 17, 14), "blue", True, False, False),  # too little to see
        (SKIN, (70, 10, 60), "blue", False, False, False),
        (LIPS, (30, 10, 6), "red", False, True, True),  # darker, of the same hue: the literal reading lets it pass
        (SKIN, (40, 10, 12), "black", True, True, True),
        (SKIN, (80, 10, 12), "black", False, False, False),
        (SKIN, (61, 2, 3), "grey", True, True, True),  # light enough already: its chroma counts
        (SKIN, (61, 40, 40), "grey", False, False, False),
    ],
)
def test_verdict(before, after, asked, heading, hue, kept):
    found = regions.verdict(changed(before, after), wishes.colour(asked))
    assert (found.heading, found.hue, found.kept) == (heading, hue, kept)


def test_nearer_says_what_hue_does_not():
    darker, redder = (
        regions.verdict(changed(LIPS, after), wishes.colour("red")) for after in ((30, 10, 6), (42, 60, 35))
    )
    assert (darker.nearer, redder.nearer) == (False, True)


def test_angle():
    assert regions.angle(np.array([1, 0]), np.array([0, 2])) == pytest.approx(90)
    assert regions.angle(np.array([1, 0]), np.array([-3, 0])) == pytest.approx(180)
    assert regions.angle(np.array([1.0, 1.0]), np.array([1.0, 1.0])) == pytest.approx(0, abs=1e-5)
    assert regions.angle(np.zeros(2), np.ones(2)) == 180


@pytest.mark.parametrize("product", NAMES)
def test_what_is_drawn_is_seen_in_its_region_and_in_no_other(product):
    before = regions.lab(sitter(2).crops)
    usual, wide = (regions.lab(worn(product, BLUE, **shape)) for shape in ({}, {"width": 0.9}))
    found = regions.change(before, usual, places().regions[product])
    assert product in ON_SKIN or regions.verdict(found, wishes.colour("blue")).kept  # nobody's own skin is blue
    assert found.means > 1
    for other, weight in places().free([product]).items():
        assert regions.change(before, usual, weight).pixels < 0.4, other
        assert regions.change(before, wide, weight).pixels < 1.5, other


def test_free_regions():
    assert set(places().free(["lipstick"])) == set(regions.QUIET) - {"lipstick", "lip liner"}
    assert not {"blush", "stubble"} & set(places().free(["face paint"]))
    assert set(places().free(["eyeshadow", "lipstick"])) <= {"blush", "brows", "stubble"}


def test_makeup_stays_inside_the_face_mask():
    faces, after = sitter(2), worn("face paint", WHITE, width=1, length=1, softness=1)
    mask = regions.face_mask(faces.landmarks[0].double().numpy(), (256, 256))
    differs = ((after - faces.crops).abs()[0] > 0.5 / 255).any(0).numpy()
    assert differs.any()
    assert not (differs & ~mask).any()
    assert mask.mean() < 0.6
    assert not mask[:8].any()


def test_what_changes_beside_the_asked_products_is_what_counts():
    sitting = pairs.Sitter(photo=None, face=None, size=256)
    vars(sitting).update(crops=sitter(2), places=places())  # as the cached properties keep them
    assert sitting.beside(sitter(2).crops, ["lipstick"]) == (0.0, pytest.approx(100))
    nlpd, psnr = sitting.beside(worn("lipstick", BLUE), ["lipstick"])
    assert nlpd < 0.005
    assert psnr > 60
    for asked in (["blush"], ["blush", "brows"]):
        nlpd, psnr = sitting.beside(worn("lipstick", BLUE), asked)
        assert nlpd > 0.02
        assert psnr < 40


def test_pair_is_as_good_as_its_products():
    sitting = pairs.Sitter(photo=None, face=None, size=256)
    vars(sitting)["crops"] = sitter(2)  # as if it had been cut out of a photo
    found = sitting.changes(worn("lipstick", RED), places().free(["lipstick"]))
    quiet = pairs.Pair("x", wishes.Wish("red lips", {"lipstick": "red"}), {}, {}, found)
    assert quiet.quiet()
    loud = regions.Change(SKIN, SKIN, pixels=6.0, most=9.0)
    restless = pairs.Pair("x", quiet.wish, {}, {}, {"brows": loud, "blush": changed(SKIN, SKIN)})
    assert (restless.quiet(), restless.quiet_together, restless.quiet("means")) == (False, True, True)


# -- prompts


def test_prompts_are_many_and_name_what_they_ask_for():
    all_ = wishes.wishes()
    assert len(all_) >= 100
    assert len({wish.text for wish in all_}) == len(all_)
    assert all_ == wishes.wishes()
    for wish in all_:
        assert set(wish.asked) <= set(NAMES)
        assert all(colour in wish.text for colour in wish.asked.values())
        assert wish.unseen == any(colour in wishes.UNSEEN for colour in wish.asked.values())
    assert 30 < sum(wish.unseen for wish in all_) < 70
    assert sum(len(wish.asked) == 2 for wish in all_) == wishes.TWOS


def test_colours_have_the_values_of_their_names():
    assert lab2rgb(wishes.colour("hot pink")) * 255 == pytest.approx([255, 2, 141], abs=0.01)
    assert not set(wishes.COLOURS) & set(wishes.UNSEEN)


# -- groups


def test_skin_tones():
    assert groups.ita(np.array([60.0, 12.0, 10.0])) == pytest.approx(45)
    assert groups.ita(np.array([50.0, 12.0, 10.0])) == 0
    tones = [groups.tone(degrees) for degrees in (60, 55, 45, 30, 20, 0, -30, -60)]
    assert tones == ["very light", "light", "light", "intermediate", "tan", "brown", "dark", "dark"]


def test_shipped_labels():
    known = groups.labels(FOLDER / "faces.csv")
    assert len(known) >= 40
    assert {row["sex"] for row in known.values()} == {"woman", "man", "unclear"}
    assert {row["age"] for row in known.values()} == {"child", "young", "middle", "older"}
    assert {row["glasses"] for row in known.values()} == {"none", "glasses", "dark"}
    assert {row["beard"] for row in known.values()} == {"none", "stubble", "beard"}
    assert all(int(name) % 8 == 1 for name in known)  # every eighth of 0001, 0002, …


def test_gap_is_between_groups_that_are_large_enough():
    faces = [("a", 100.0)] * 5 + [("b", 80.0)] * 4 + [("b", 60.0), ("b", math.nan)] + [("c", 0.0)] * 4
    outcomes = [groups.Outcome("x", {"kind": group}, {"PSR %": value}) for group, value in faces]
    found = groups.grouped(outcomes, "kind", "PSR %")
    assert found == {"a": (100, 5), "b": (76, 5), "c": (0, 4)}
    assert groups.gap(found) == (24, "b", "a")
    assert list(groups.by_group(outcomes, {"%": "≤ 10 points"}))[1] == (
        "kind: PSR %",
        "≤ 10 points",
        "gap 24.0, b to a: a 100.0 (5) · b 76.0 (5) · c 0.0 (4)",
    )


def test_interval():
    # Agresti & Coull, The American Statistician, 1998: 0 of 10 gives 0 to 27.8 %
    assert groups.interval(0, 10) == pytest.approx((0, 27.75), abs=0.01)
    assert groups.interval(5, 10) == pytest.approx((23.66, 76.34), abs=0.01)
    assert math.isnan(groups.interval(0, 0)[0])


def test_the_groups_of_a_portrait_are_those_of_its_mean_ratings(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("stimulus,age,gender,skin-color\n1,50.4,86.9,15.7\n12,17.9,49.9,40.0\n")
    assert fairness.rated(path) == {
        1: {"gender": "men", "skin-color": "light", "age": "older"},
        12: {"gender": "women", "skin-color": "dark", "age": "children"},
    }
