"""Whose faces are protected, and against whom they are judged: real detectors and judges on real pixels."""

from functools import cache
from pathlib import Path

import bundled
import cv2
import numpy as np
import pytest
import tiny
from PIL import Image

from kohl import api, comparing, pipeline
from kohl.align import crop, imageio
from kohl.align.detect import Detect
from kohl.choice import known_faces
from kohl.errors import BadSetting, NoFace
from kohl.job import Job
from kohl.recipe import Recipe
from kohl.score import verify
from kohl.zoo import cards

FACES = Path(__file__).parent / "faces"
WHO = ("0277", "0433", "0697")


@cache
def detect():
    return Detect(bundled.load("yunet"), bundled.load("landmarks68"), crop.to_crop)


@cache
def judges():
    return [bundled.SHELF(cards.judge, name) for name in ("sface", "dlib")]


def house(**others):
    """What finds and judges is real; what changes faces is a toy that tints them."""
    return tiny.house(**{"detect": detect(), "judges": judges(), "attack": tiny.Tint(0.05), **others})


def face(name, side=256, turned=False):
    with Image.open(FACES / f"{name}.jpg") as file:
        image = file.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if turned else image


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    """Three people beside each other, in the order of their sizes."""
    made = Image.new("RGB", (900, 360), (120, 120, 120))
    for index, (name, side) in enumerate(zip(WHO, (300, 270, 240), strict=True)):
        made.paste(face(name, side), (index * 300, 20))
    path = tmp_path_factory.mktemp("group") / "group.png"
    made.save(path)
    return path


@pytest.fixture
def portraits(tmp_path):
    """Another photo of each of them: brighter, turned around, of another size."""
    for name in WHO:
        brighter = np.asarray(face(name, 320, turned=True)).astype(float) * 1.08 + 5
        Image.fromarray(brighter.clip(0, 255).astype(np.uint8)).save(tmp_path / f"{name}.png")
    return {name: tmp_path / f"{name}.png" for name in WHO}


def statuses(row, names):
    return {name: face.status == "left_out" for name, face in zip(names, row.faces, strict=True)}


def in_order(path):
    """Who is where, by the number of the face."""
    return [WHO[int(found.box[0] // 300)] for found in detect()(imageio.read(path))]


@pytest.mark.parametrize("asked", [("0277",), ("0697",), ("0277", "0433")])
def test_only_those_asked_for_are_changed(group, portraits, tmp_path, asked):
    out = tmp_path / "out.png"
    row = pipeline.protect(Job(group, out, only=tuple(portraits[name] for name in asked)), house())
    assert statuses(row, in_order(group)) == {name: name not in asked for name in WHO}
    changed = (imageio.read(out).pixels != imageio.read(group).pixels).any((0, 2))
    for index, name in enumerate(WHO):
        assert changed[index * 300 : (index + 1) * 300].any() == (name in asked), name
    left = next(each for each in row.faces if each.status == "left_out")
    assert left.reason == f"left out, as it is not {' or '.join(f'{name}.png' for name in asked)}, and so not changed"


def test_all_but_those_who_are_spared_are_changed(group, portraits, tmp_path):
    row = pipeline.protect(Job(group, tmp_path / "out.png", spared=(portraits["0433"],)), house())
    assert statuses(row, in_order(group)) == {"0277": False, "0433": True, "0697": False}
    assert "left out, as it is 0433.png, and so not changed" in {each.reason for each in row.faces}


def test_nobody_who_was_asked_for_is_no_face(portraits, tmp_path):
    with pytest.raises(NoFace, match=r"face 0 was left out, as it is not 0697\.png"):
        pipeline.protect(Job(portraits["0277"], tmp_path / "out.png", only=(portraits["0697"],)), house())
    assert not (tmp_path / "out.png").exists()


class Of:
    """A judge that says so much of each face in a portrait."""

    def __init__(self, name, score, sure=0.9):
        self.name, self.score, self.thresholds = name, score, {0.01: 0.5, 0.001: sure}

    def compare(self, probe, gallery, *, box=None, at=None):
        return [self.score for _ in gallery]


@pytest.mark.parametrize(
    ("scores", "protected_with_only", "left_with_except"),
    [
        ((0.95, 0.95), True, True),
        ((0.95, 0.6), True, False),  # to leave a face, all must be sure
        ((0.6, 0.1), True, False),  # to protect it, one is enough
        ((0.1, 0.1), False, False),
        ((None, 0.95), True, True),
        ((None, None), False, False),  # nobody knows: nobody asked for it, and nobody may spare it
    ],
)
def test_doubt_protects(group, tmp_path, scores, protected_with_only, left_with_except):
    from kohl.choice import left_out

    doubtful = house(judges=[Of(str(index), score) for index, score in enumerate(scores)])
    found = detect()(imageio.read(group))
    who = (tmp_path / "who.png",)
    assert bool(left_out(Job(group, group, only=who), doubtful, found)) != protected_with_only
    assert bool(left_out(Job(group, group, spared=who), doubtful, found)) == left_with_except


def test_a_photo_that_does_not_say_who_is_meant_is_refused(group, tmp_path):
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "nobody.png")
    with pytest.raises(BadSetting, match="shows 3 faces; crop a photo to the one that is meant"):
        known_faces([group], house())
    with pytest.raises(BadSetting, match="shows no face"):
        known_faces([tmp_path / "nobody.png"], house())
    known_faces([FACES / "0277.jpg"], house())


def test_from_python_too(group, portraits):
    protector = api.Protector.__new__(api.Protector)
    protector.house = house()
    alone = protector(group, only=[portraits["0433"].read_bytes()])
    spared = protector(group, spared=[portraits["0433"]], references=[portraits["0277"]])
    assert statuses(alone.row, in_order(group)) == {"0277": True, "0433": False, "0697": True}
    assert statuses(spared.row, in_order(group)) == {"0277": False, "0433": True, "0697": False}
    with pytest.raises(BadSetting, match="photo in memory: shows 3 faces"):
        protector(group, only=[group.read_bytes()])


def test_a_face_is_judged_against_the_one_at_its_own_place_and_never_a_stranger(tmp_path):
    # Two people who exchange places match somebody in the picture, but not the one who stood there.
    original, protected = Image.new("RGB", (600, 300), "grey"), Image.new("RGB", (600, 300), "grey")
    for image, names in ((original, ("0277", "0433")), (protected, ("0433", "0277"))):
        for index, name in enumerate(names):
            image.paste(face(name, 280), (10 + 300 * index, 10))
    paths = tmp_path / "original.png", tmp_path / "protected.png"
    for image, path in zip((original, protected), paths, strict=True):
        image.save(path)
    for found in detect()(imageio.read(paths[0])):
        own, _ = verify.judge_face(judges(), *paths, [], found.box, 0.01)
        assert [judgement.before for judgement in own.values()] == pytest.approx([1.0, 1.0], abs=1e-6)
        assert [judgement.matches for judgement in own.values()] == [False, False]
        for judge in judges():  # whoever compares with everybody finds the stranger
            assert judge.compare(paths[1], [paths[0]], box=found.box)[0] > 0.8


def test_compare_says_of_each_face_what_protect_says(group, tmp_path):
    out = tmp_path / "out.jpg"
    row = pipeline.protect(Job(group, out), house(recipe=Recipe()))
    found = comparing.compared(group, out, judges(), detect)
    assert len(found) == 2 * len(row.faces) == 6
    for said in found:
        after = row.faces[said.face].judges[said.judge].after
        assert said.score == pytest.approx(after, abs=1e-9)


def test_of_one_face_too(tmp_path):
    out = tmp_path / "out.jpg"
    row = pipeline.protect(Job(FACES / "0277.jpg", out), house())
    for a, b in ((FACES / "0277.jpg", out), (out, FACES / "0277.jpg")):
        for said in comparing.compared(a, b, judges(), detect):
            assert (said.face, said.score) == (None, pytest.approx(row.faces[0].judges[said.judge].after, abs=1e-9))


def test_two_photos_of_one_size_are_no_copies(portraits):
    photos = [imageio.read(path) for path in portraits.values()]
    assert not comparing.is_copy(*photos[:2])
    assert comparing.is_copy(photos[0], photos[0])
    found = comparing.compared(portraits["0277"], portraits["0433"], judges(), detect)
    assert [said.matches for said in found] == [False, False]


def overlapping(share):
    """Two faces of which the second hides so much of the first's width."""
    made = Image.new("RGB", (800, 400), "grey")
    made.paste(face("0277", 360), (20, 20))
    mask = Image.new("L", (360, 360), 0)
    cv2.ellipse(pixels := np.array(mask), (180, 190), (110, 150), 0, 0, 360, 255, -1)
    made.paste(face("0433", 360), (int(20 + 230 * (1 - share)), 20), Image.fromarray(pixels))
    return made


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2])
def test_faces_that_overlap_are_each_changed_and_each_judged(share, tmp_path):
    path, out = tmp_path / "photo.png", tmp_path / "out.png"
    overlapping(share).save(path)
    row = pipeline.protect(Job(path, out), house(attack=tiny.Tint(0.3)))
    assert len(row.faces) == 2
    assert all(each.status in ("protected", "not_protected") for each in row.faces)
    for each in row.faces:
        assert {name: judgement.before for name, judgement in each.judges.items() if judgement.before is not None}
        assert all(judgement.before in (None, pytest.approx(1.0, abs=1e-6)) for judgement in each.judges.values())
        assert each.psnr < 60


@pytest.mark.parametrize("side", [40, 60, 150, 600, pytest.param(4000, marks=pytest.mark.slow)])
def test_faces_of_every_size(side, tmp_path):
    whole = round(side / 0.8)  # of which the box of this face takes so much
    made = Image.new("RGB", (whole + 200, whole + 200), (110, 120, 130))
    made.paste(face("0277", whole), (100, 100))
    path, out = tmp_path / "photo.jpg", tmp_path / "out.jpg"
    made.save(path, quality=92)
    row = pipeline.protect(Job(path, out), house(attack=tiny.Tint(0.3)))
    (only,) = row.faces
    assert only.box[3] == pytest.approx(side, rel=0.2)
    assert only.status in ("protected", "not_protected"), only.reason
    assert only.judges["sface"].before == pytest.approx(1.0, abs=1e-6)
