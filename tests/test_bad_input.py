"""Whatever is given to `kohl protect`, each photo has a row with its reason, and nothing is written half."""

import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import bundled
import numpy as np
import photos
import pillow_heif
import pytest
import tiny
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from kohl.align.detect import Detect
from kohl.cli import main
from kohl.commands import Parts


@pytest.fixture(scope="module")
def house():
    """The real detector among toys: what is found is real, what becomes of it is quick."""
    return tiny.house(detect=Detect(bundled.load("yunet"), bundled.load("landmarks68")))


@dataclass(frozen=True)
class Run:
    """What one run of the command did."""

    code: int
    out: str
    err: str

    @property
    def rows(self):
        """By the photo's file name."""
        return {Path(row["photo"]).name: row for row in map(json.loads, self.out.splitlines())}


def run(house, *arguments):
    """One `kohl protect` with that house; a traceback would end the test."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(["protect", *map(str, arguments)], parts=Parts(load=lambda recipe: house))
    return Run(code, out.getvalue(), err.getvalue())


def nobody(folder):
    """By file name, pictures in which nobody is."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    house = Image.new("RGB", (400, 300), "white")
    pen = ImageDraw.Draw(house)
    pen.rectangle((150, 140, 250, 280), outline="black", width=4)
    pen.polygon([(140, 140), (200, 60), (260, 140)], outline="red", width=4)
    sky = np.linspace(250, 60, 480)[:, None, None] * np.ones((1, 640, 3)) * (0.6, 0.8, 1.0)
    hills = 300 + 40 * np.sin(np.arange(640) / 60) > 480 - np.arange(480)[:, None]
    sky[hills] = (40, 110, 30)
    made = {
        "a_drawing.png": house,
        "television.png": Image.fromarray(rng.integers(0, 256, (300, 400, 3), np.uint8)),
        "landscape.jpg": Image.fromarray((sky + rng.normal(0, 4, sky.shape)).clip(0, 255).astype(np.uint8)),
        "single_pixel.png": Image.new("RGB", (1, 1), "red"),
        "white.png": Image.new("RGB", (500, 500), "white"),
        "one_column.png": Image.new("L", (1, 3000), 90),
    }
    for name, image in made.items():
        image.save(folder / name)
    return {name: folder / name for name in made}


def mixed(*kinds):
    """The photos of all kinds in an order that mixes them."""
    return sorted((path for paths in kinds for path in paths.values()), key=lambda path: path.name[::-1])


@pytest.fixture(scope="module")
def everything(house, tmp_path_factory):
    """What one run makes of all odd photos, all bad files and pictures of nobody; the photos; the folder of results."""
    folder = tmp_path_factory.mktemp("everything")
    odd, bad = photos.odd_photos(folder / "odd"), photos.bad_files(folder / "bad")
    del odd["1x1.png"]  # has no face
    odd["gif.gif"] = odd.pop("plain.gif").rename(folder / "odd" / "gif.gif")  # plain.png is to become plain_kohl.png
    kinds = SimpleNamespace(odd=odd, bad=bad, nobody=nobody(folder / "nobody"))
    given = mixed(*vars(kinds).values())
    return run(house, *given, "-o", folder / "out", "--json"), given, kinds, folder / "out"


def test_every_photo_has_its_row_in_the_order_given(everything):
    done, given, _, _ = everything
    assert [row["photo"] for row in map(json.loads, done.out.splitlines())] == list(map(str, given))
    assert (done.code, done.err) == (1, "")


def test_bad_files_fail_with_one_sentence_and_without_a_result(everything):
    done, _, kinds, _ = everything
    for name in kinds.bad:
        row = done.rows[name]
        assert (row["status"], row["output"], row["faces"]) == ("failed", None, [])
        assert "; " in row["reason"]  # what is wrong; what to do
        assert "\n" not in row["reason"]
        assert not row["reason"].startswith(str(kinds.bad[name]))  # the row says it already


def test_pictures_of_nobody_have_no_face(everything):
    done, _, kinds, _ = everything
    for name in kinds.nobody:
        row = done.rows[name]
        assert (row["status"], row["output"], row["faces"]) == ("no_face", None, [])
        assert row["reason"].startswith("no face was found in the photo")


def test_odd_photos_are_protected_whatever_comes_before_and_after(everything):
    done, _, kinds, out = everything
    for name in kinds.odd.keys() - {"bilevel.png"}:  # of black and white dots alone; below
        row = done.rows[name]
        assert row["status"] in ("protected", "not_protected")
        assert Path(row["output"]).parent == out
        assert [face["status"] == "skipped" for face in row["faces"]] == [False]
        assert 15 < row["faces"][0]["psnr"] < 60
    assert done.rows["bilevel.png"]["status"] in ("protected", "not_protected", "no_face")


def test_results_are_whole_and_nothing_else_is_written(everything):
    done, _, kinds, out = everything
    results = {Path(row["output"]) for row in done.rows.values() if row["output"]}
    assert set(out.iterdir()) == results
    for path in results:
        with (
            pillow_heif.open_heif(path).to_pillow() if path.suffix in (".heic", ".heif") else Image.open(path) as image
        ):
            image.load()
    for paths in vars(kinds).values():
        folder = next(iter(paths.values())).parent
        assert {path.name for path in folder.iterdir()} <= {*paths, "1x1.png"}


def test_a_result_has_the_size_and_the_transparency_of_its_photo(everything):
    done, _, kinds, _ = everything
    for name in ("rgba.png", "rgba.webp", "grey_alpha.png", "palette_clear.png"):
        with Image.open(kinds.odd[name]) as before, Image.open(done.rows[name]["output"]) as after:
            alphas = [np.asarray(image.convert("RGBA"))[..., 3] for image in (before, after)]
        np.testing.assert_array_equal(*alphas)
    modes = {"grey.jpg": "L", "grey_16_bit.png": "I;16", "grey_16_bit.tif": "I;16", "float.tif": "L"}
    for name, mode in modes.items():
        with Image.open(done.rows[name]["output"]) as after:
            assert (after.mode, after.size) == (mode, (240, 256))


def test_for_people_each_failure_is_one_line_on_stderr(house, everything, tmp_path):
    _, _, kinds, _ = everything
    done = run(
        house, *kinds.bad.values(), kinds.nobody["television.png"], kinds.odd["plain.png"], "-o", tmp_path / "out"
    )
    assert done.code == 1
    lines = done.err.splitlines()
    assert len(lines) == len(kinds.bad)
    for line, path in zip(lines, kinds.bad.values(), strict=True):
        assert line.startswith(f"kohl: {path}: ")
    assert "television.png  no face (" in done.out
    assert "plain_kohl.png  " in done.out
    assert "Traceback" not in done.out + done.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["plain_kohl.png"]


def test_the_exit_code_is_the_worst_of_all(house, everything, tmp_path):
    _, _, kinds, _ = everything
    good, faceless, broken = kinds.odd["plain.png"], kinds.nobody["white.png"], kinds.bad["empty.jpg"]
    sure = replace(house, judges=[tiny.MeanColour(thresholds={0.01: 1.0})])
    stern = replace(house, judges=[tiny.MeanColour(thresholds={0.01: 0.0})])
    for toys, given, code in (
        (sure, [good], 0),
        (stern, [good], 3),
        (sure, [good, faceless], 3),
        (sure, [faceless], 3),
        (sure, [broken, faceless, good], 1),
        (sure, [broken], 1),
    ):
        assert run(toys, *given, "-o", tmp_path, "--force").code == code


def test_a_failure_leaves_no_empty_folder_behind(house, everything, tmp_path):
    _, _, kinds, _ = everything
    run(house, kinds.bad["cut.jpg"], kinds.nobody["white.png"], "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def crowd(path, width=110):
    """Forty times the same person."""
    canvas = Image.new("RGB", (8 * width, 5 * (width + 10)), "grey")
    person = photos.portrait().resize((width, width * 256 // 240))
    for index in range(40):
        canvas.paste(person, (index % 8 * width, index // 8 * (width + 10)))
    canvas.save(path)
    return path


def test_forty_faces_are_all_protected(house, tmp_path):
    easy = replace(house, judges=[tiny.MeanColour(thresholds={0.01: 1.0})])  # any change is a stranger
    done = run(easy, crowd(tmp_path / "crowd.png"), "--json")
    (row,) = done.rows.values()
    assert [(face["index"], face["status"]) for face in row["faces"]] == [(index, "protected") for index in range(40)]
    assert (done.code, row["status"]) == (0, "protected")


def test_forty_faces_too_small_are_each_given_the_reason(house, tmp_path):
    done = run(house, crowd(tmp_path / "crowd.png", width=70), "--json")
    (row,) = done.rows.values()
    assert (done.code, row["status"], row["output"]) == (3, "no_face", None)
    assert row["reason"].count("too small: ") > 20
    assert [path.name for path in tmp_path.iterdir()] == ["crowd.png"]


@pytest.mark.parametrize(
    "paint",
    [
        lambda image: ImageOps.posterize(image.filter(ImageFilter.ModeFilter(9)), 3),
        lambda image: image.filter(ImageFilter.MedianFilter(7)).filter(ImageFilter.EMBOSS),
        lambda image: image.convert("L").filter(ImageFilter.FIND_EDGES),
    ],
    ids=["oil", "relief", "pencil"],
)
def test_a_painting_is_answered_one_way_or_the_other(house, tmp_path, paint):
    paint(photos.portrait()).save(tmp_path / "painting.png")
    done = run(house, tmp_path / "painting.png", "--json")
    (row,) = done.rows.values()
    written = (tmp_path / "painting_kohl.png").exists()
    assert (row["status"], done.code, written) in (
        ("protected", 0, True),
        ("not_protected", 3, True),
        ("no_face", 3, False),
    )
    assert (row["reason"] is None) == (row["status"] == "protected")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "search.masking=0"], "search.masking: must "),
        (["--set", "search.steps=0"], "search.steps: must be at least 1, not 0"),
        (["--set", "search.views.grey=2"], "search.views.grey: must be at most 1, not 2.0"),
        (["--set", "models.surrogates=[]"], "models.surrogates: "),
        (["--set", "models.judges=[]"], "models.judges: "),
        (["--target", "decoy:100000"], "decoy:100000: no such decoy"),
    ],
)
def test_settings_that_cannot_be_are_usage_errors(tmp_path, capsys, arguments, sentence):
    tiny.picture(tmp_path / "photo.png")
    assert main(["protect", str(tmp_path / "photo.png"), *arguments], parts=bundled.PARTS) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"kohl: {sentence}")
    assert (printed.err.count("\n"), printed.out) == (1, "")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
