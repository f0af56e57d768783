"""One real run on a real photo, with every bundled model, as a stranger would start it."""

import json
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace

import bundled
import numpy as np
import pytest
from photos import SAMPLE, SECRET
from PIL import Image

from kohl import __version__
from kohl.align import imageio
from kohl.cli import main
from kohl.score import quality

# Too few steps to rely on, enough to see an effect.
SEARCH = ("search.steps=3", "search.tries=1", "search.chance=0", "search.rate=0.4", "search.change=300.0")
SETTINGS = (*(word for setting in SEARCH for word in ("--set", setting)), "--seed", "5", "--json")
JUDGES = {"sface", "dlib", "facelib"}
FIGURES = ["psnr", "ssim", "nlpd", "chance", "tries"]


def with_story(path):
    """The sample with EXIF data, its picture untouched."""
    exif = Image.Exif()
    exif[0x010F] = exif[0x013B] = SECRET.decode()  # make, artist
    segment, data = exif.tobytes(), SAMPLE.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + data[2:])
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The photo, what one run of the command printed and wrote, and its exit code."""
    folder = tmp_path_factory.mktemp("run")
    photo, report = with_story(folder / "astronaut.jpg"), folder / "report.html"
    arguments = ["protect", str(photo), "-o", str(folder / "out"), "--report", str(report), *SETTINGS]
    with redirect_stdout(StringIO()) as printed:
        code = main([*arguments, "--reference", str(SAMPLE)], parts=bundled.PARTS)
    row = json.loads(printed.getvalue())
    output = folder / "out" / "astronaut_kohl.jpg"
    return SimpleNamespace(photo=photo, output=output, report=report, code=code, row=row)


def test_the_row_has_the_keys_it_should(run):
    row = run.row
    assert list(row) == ["photo", "output", "status", "reason", "seconds", "faces", "recipe", "seed", "version"]
    (face,) = row["faces"]
    assert list(face) == ["index", "box", "status", "reason", "judges", "references", *FIGURES]
    assert face["judges"].keys() == face["references"][str(SAMPLE)].keys() == JUDGES
    for judgement in face["judges"].values():
        assert list(judgement) == ["before", "after", "threshold", "far", "matches"]
    assert (row["photo"], row["output"]) == (str(run.photo), str(run.output))
    assert (row["seed"], row["version"], row["recipe"]["search"]["steps"]) == (5, __version__, 3)


def test_both_judges_see_less_of_the_person(run):
    (face,) = run.row["faces"]
    for judgement in face["judges"].values():
        assert judgement["before"] == pytest.approx(1, abs=1e-5)
        assert judgement["after"] < 0.8
        assert judgement["matches"] == (judgement["after"] >= judgement["threshold"])
        assert judgement["far"] == run.row["recipe"]["models"]["far"]
    for name, judgement in face["references"][str(SAMPLE)].items():  # the same picture
        assert judgement["after"] == pytest.approx(face["judges"][name]["after"], abs=1e-5)


def test_the_exit_code_and_the_status_say_what_the_judges_say(run):
    (face,) = run.row["faces"]
    matched = any(judgement["matches"] for judgement in face["judges"].values())
    assert run.row["status"] == face["status"] == ("not_protected" if matched else "protected")
    assert run.code == (3 if matched else 0)
    assert (run.row["reason"] is not None) == matched


def test_the_face_is_still_that_face(run):
    (face,) = run.row["faces"]
    assert 25 < face["psnr"] < 60  # a few steps
    assert 0.85 < face["ssim"] < 1
    x, y, width, height = face["box"]
    assert (175 < x < 185, 60 < y < 70, 80 < width < 100, 100 < height < 120) == (True,) * 4


def test_the_figures_are_those_of_the_files(run):
    before, after = imageio.read(run.photo).pixels, imageio.read(run.output).pixels
    (found,) = bundled.load("yunet")(before)
    crops = [quality.face_crop(pixels, found.points.astype(np.float32)) for pixels in (before, after)]
    assert run.row["faces"][0]["psnr"] == pytest.approx(quality.psnr(*crops).item(), abs=1e-4)
    assert run.row["faces"][0]["ssim"] == pytest.approx(quality.ssim(*crops).item(), abs=1e-4)


def test_what_is_not_the_face_is_the_photo(run):
    # JPEG rounds: a brightness level or two, but no more.
    before, after = (imageio.read(path).pixels.astype(int) for path in (run.photo, run.output))
    assert before.shape == after.shape
    elsewhere = np.ones(before.shape[:2], bool)
    elsewhere[40:190, 160:290] = False
    assert np.abs(after - before)[elsewhere].mean() < 1.5
    assert np.abs(after - before)[~elsewhere].mean() > np.abs(after - before)[elsewhere].mean()


def test_nothing_tells_who_where_or_when(run):
    assert SECRET in run.photo.read_bytes()
    assert SECRET not in run.output.read_bytes()
    with Image.open(run.output) as image:
        assert not image.getexif()
        assert image.format == "JPEG"


def test_the_report_stands_alone_and_shows_this_run(run):
    page = run.report.read_text(encoding="utf-8")
    assert "astronaut_kohl.jpg" in page
    assert page.count("data:image/") >= 2
    assert 'src="http' not in page
    assert all(name in page for name in JUDGES)
    assert f"{run.row['faces'][0]['psnr']:.1f}" in page


def test_nothing_else_is_left_behind(run):
    folder = run.photo.parent
    assert {path.name for path in folder.rglob("*")} == {"astronaut.jpg", "out", "astronaut_kohl.jpg", "report.html"}


def test_the_same_seed_gives_the_same_bytes_under_another_name_after_another_photo(run, tmp_path, capsys):
    twin = tmp_path / "twin.jpg"
    twin.write_bytes(SAMPLE.read_bytes())  # the same picture with other metadata
    nobody = tmp_path / "nobody.png"
    Image.new("RGB", (300, 200), "grey").save(nobody)
    assert main(["protect", str(nobody), str(twin), *SETTINGS, "--reference", str(SAMPLE)], parts=bundled.PARTS) == 3
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["status"], first["output"], first["faces"]) == ("no_face", None, [])
    assert (tmp_path / "twin_kohl.jpg").read_bytes() == run.output.read_bytes()
    (face,) = second["faces"]
    assert list(face) == ["index", "box", "status", "reason", "judges", "references", *FIGURES]
    assert face["psnr"] == run.row["faces"][0]["psnr"]
    assert 0 < first["seconds"] < second["seconds"]
