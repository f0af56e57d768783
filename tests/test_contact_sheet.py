"""The sheet with a face in many looks: what is on it, how it is written, and what the command says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sitters import FOLDER, NAMES, sitter
from tiny import detector, picture

from kohl import contact_sheet
from kohl.align import crop
from kohl.cli import main
from kohl.contact_sheet import SIDE, chosen, sheet, write
from kohl.errors import BadPhoto, BadSetting, NoFace
from kohl.job import Job
from kohl.makeup.layers import Makeup
from kohl.makeup.words import tables
from kohl.makeup.words.reader import read
from kohl.parts import Parts
from kohl.perturb.looks import dressed
from kohl.sheets import told
from kohl.tiles import GAP, LINE
from kohl.types import Face

PORTRAIT = FOLDER / "0277.jpg"


def sitting(right=0):
    """The portrait's face, so many pixels further to the right."""
    points, landmarks = (part[0].numpy() + np.array([right, 0]) for part in (sitter(0).points, sitter(0).landmarks))
    return Face((64 + right, 64, 128, 128), 0.9, points, landmarks, np.array([[1.0, 0, -right], [0, 1, 0]]))


FIND = detector(sitting())
TOYS = Parts(detector=lambda: FIND)


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """A folder of its own."""
    monkeypatch.chdir(tmp_path)


def tiles(image):
    """The pictures in reading order."""
    pixels = np.asarray(image).astype(int)
    rows, columns = pixels.shape[0] // (SIDE + LINE + GAP), pixels.shape[1] // (SIDE + GAP)
    corners = [(row * (SIDE + LINE + GAP), column * (SIDE + GAP)) for row in range(rows) for column in range(columns)]
    return [pixels[top : top + SIDE, left : left + SIDE] for top, left in corners]


def run(*arguments, parts=TOYS):
    """The exit code, whether it is returned or raised."""
    try:
        return main(["looks", *map(str, arguments)], parts=parts)
    except SystemExit as leaving:
        return leaving.code


# Oracle


def test_the_first_tile_is_the_face_and_the_others_wear_the_looks_to_the_pixel():
    looks = {"red": read("red lipstick"), "nothing": read("no makeup")}
    image, faces = sheet(Job(PORTRAIT, Path("out.png")), looks, FIND)
    before, red, nothing, _ = tiles(image)
    crops = sitter(0)
    drawn = Makeup(crops)(crops.crops, dressed(looks["red"])[None])
    expected = (255 * drawn[0]).round().permute(1, 2, 0).numpy()
    assert faces == [0]
    assert np.abs(red - expected).max() <= 1
    assert (before == nothing).all()
    assert (red != before).any()


@pytest.mark.parametrize("text", ["blue and yellow eyeshadow", "bronzer", "lipstick on the upper lip", "concealer"])
def test_a_coat_that_goes_on_a_part_of_a_place_is_drawn(text):
    before, after, *_ = tiles(sheet(Job(PORTRAIT, Path("out.png")), {"a": read(text)}, FIND)[0])
    assert (before != after).any()


def test_names_stand_below_the_pictures():
    image, _ = sheet(Job(PORTRAIT, Path("out.png")), {"a": read("blush"), "b" * 99: read("blush")}, FIND)
    pixels = np.asarray(image)
    assert image.size == (2 * (SIDE + GAP), 2 * (SIDE + LINE + GAP))
    for row in range(2):
        line = pixels[row * (SIDE + LINE + GAP) + SIDE :][:LINE]
        assert (line[:, : SIDE // 2] < 128).any()
        assert (line[:, SIDE : SIDE + GAP] == 255).all()  # a long name is cut


# Contract


def test_every_style_is_on_the_sheet_of_all():
    looks = chosen([], [])
    assert list(looks) == [name.replace(" ", "-") for name in tables.styles()]
    assert chosen(["all"], []) == chosen(["ALL"], []) == looks
    image, _ = sheet(Job(PORTRAIT, Path("out.png")), looks, FIND)
    first, *others = tiles(image)[: 1 + len(looks)]
    assert len({one.tobytes() for one in (first, *others)}) == 65


def test_texts_come_first_and_with_them_no_other_styles_unless_they_are_asked_for():
    assert list(chosen([], ["red lips", "goth"])) == ["red lips", "goth"]
    assert list(chosen(["office", "soft-glam"], ["red lips"])) == ["red lips", "office", "soft-glam"]
    assert list(chosen(["none", "goth"], [])) == ["goth"]


# Invariant


def test_the_same_face_gives_the_same_bytes_and_nothing_of_the_photo_s_story(tmp_path):
    told = tmp_path / "told.jpg"
    exif = Image.Exif()
    exif[0x013B] = "the secret artist"
    with Image.open(PORTRAIT) as image:
        image.save(told, quality=95, exif=exif, comment=b"the secret comment")
    before = told.read_bytes()
    for name in ("a.png", "b.png"):
        assert write(Job(told, tmp_path / name), chosen(["office", "goth"], []), FIND) == [0]
    content = (tmp_path / "a.png").read_bytes()
    assert content == (tmp_path / "b.png").read_bytes()
    assert b"secret" not in content
    assert told.read_bytes() == before


def test_neither_recognisers_nor_the_text_model_are_loaded(monkeypatch):
    asked = []
    monkeypatch.setattr(contact_sheet.cards, "load", lambda name: asked.append(name) or (lambda *_: []))
    contact_sheet.detector()
    assert asked == ["yunet", "landmarks68"]


def test_the_largest_face_is_shown_or_those_that_are_asked_for(tmp_path):
    photo = tmp_path / "two.png"
    Image.fromarray(np.concatenate([np.asarray(Image.open(FOLDER / f"{name}.jpg")) for name in NAMES[:2]], 1)).save(
        photo
    )
    two = detector(sitting(), sitting(256))
    looks = {"tan": read("tan")}
    assert sheet(Job(photo, photo), looks, two)[1] == [0]
    image, faces = sheet(Job(photo, photo, faces=(0, 1)), looks, two)
    assert faces == [0, 1]
    assert image.height == 2 * (SIDE + LINE + GAP)


# Failure


def test_nothing_is_written_over_the_photo_or_a_sheet_that_exists(tmp_path):
    looks = {"tan": read("tan")}
    photo = tmp_path / "me.png"
    with Image.open(PORTRAIT) as image:
        image.save(photo)
    before = photo.read_bytes()
    with pytest.raises(BadPhoto, match="never overwritten"):
        write(Job(photo, photo, force=True), looks, FIND)
    output = tmp_path / "sheet.png"
    output.write_bytes(b"mine")
    with pytest.raises(BadPhoto, match="already exists"):
        write(Job(photo, output), looks, FIND)
    assert (photo.read_bytes(), output.read_bytes()) == (before, b"mine")
    write(Job(photo, output, force=True), looks, FIND)
    assert output.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(BadPhoto, match="a sheet is a PNG"):
        write(Job(photo, tmp_path / "sheet.jpg"), looks, FIND)


def test_a_photo_without_a_face_is_told_so(tmp_path):
    with pytest.raises(NoFace):
        sheet(Job(picture(tmp_path / "x.png"), Path("out.png")), {}, detector())


def test_words_that_say_nothing_and_unknown_styles_are_refused():
    with pytest.raises(BadSetting, match="names no makeup"):
        chosen([], ["a spaceship"])
    with pytest.raises(BadSetting, match="no such style; did you mean office"):
        chosen(["ofice"], [])


# The command


def test_the_command_writes_a_sheet_and_says_where(tmp_path, capsys):
    assert run(PORTRAIT, "-o", tmp_path, "--style", "office,goth", "--text", "lipstick, not red, unicorn") == 0
    printed = capsys.readouterr()
    assert printed.out == f"{PORTRAIT} → {tmp_path / '0277_looks.png'}\n"
    assert printed.err == "kohl: the look: lipstick: rose\nkohl: paint has no shapes here: “unicorn” is left out\n"
    assert [path.name for path in tmp_path.iterdir()] == ["0277_looks.png"]
    with Image.open(tmp_path / "0277_looks.png") as image:
        assert len(tiles(image)) == 4


def test_what_is_told_of_words_is_the_look_and_then_the_notes():
    assert told({"lipstick": "red", "blush": "soft"}, ["a", "b"]) == ["the look: lipstick: red; blush: soft", "a", "b"]
    assert told({}, ["nothing will be drawn"]) == ["nothing will be drawn"]


def test_json_is_one_object(tmp_path, capsys):
    assert run(PORTRAIT, "-o", tmp_path / "a.png", "--style", "grooming", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "photo": str(PORTRAIT),
        "looks": str(tmp_path / "a.png"),
        "faces": [0],
        "styles": {"grooming": {"foundation": "faint", "brows": "groomed", "lipstick": "sheer nude"}},
    }


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["missing.png"], 1, "kohl: missing.png: no such file; check its name\n"),
        ([PORTRAIT, "--style", "ofice"], 2, "kohl: ofice: no such style; did you mean office? "),
        ([PORTRAIT, "--style", "office,,goth"], 2, "kohl: argument --style: must be names of styles, such as "),
        ([PORTRAIT, "--text", "a spaceship"], 2, "kohl: text: “a spaceship” names no makeup"),
        ([PORTRAIT, "--text", "blackface"], 2, "kohl: text: kohl draws nothing that could mock people"),
        ([PORTRAIT, "--faces", "7"], 3, f"kohl: {PORTRAIT}: there is no face 7; "),
        ([PORTRAIT, "-o", "sheet.jpg"], 1, f"kohl: {PORTRAIT}: sheet.jpg: a sheet is a PNG; "),
        ([PORTRAIT, "-o", "taken"], 2, "kohl: taken: is not a folder; "),
        ([], 2, "kohl: the following arguments are required: PHOTO"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_an_exit_code(capsys, arguments, code, said):
    Path("taken").write_text("")
    assert run(*arguments) == code
    printed = capsys.readouterr()
    assert printed.err.startswith(said)
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert [path.name for path in Path().iterdir()] == ["taken"]


def test_a_photo_s_face_is_found_by_what_comes_with_kohl(tmp_path, capsys):
    portrait = Path(__file__).parents[1] / "docs" / "photos" / "astronaut.jpg"
    assert run(portrait, "-o", tmp_path / "a.png", "--style", "classic", parts=None) == 0
    with Image.open(tmp_path / "a.png") as image:
        before, classic = tiles(image)
    assert (before - classic)[..., 1].max() > 20  # red lips: less green
    assert crop.SIZE == SIDE
