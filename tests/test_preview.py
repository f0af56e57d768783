"""The sheet before posting: a row for each face, a column for each strength."""

from dataclasses import replace

import numpy as np
import pytest
from photos import SAMPLE
from PIL import Image
from tiny import Tint, detector, face, house, picture

from kohl import preview
from kohl.cli import main
from kohl.errors import BadPhoto, NoFace
from kohl.job import Job
from kohl.preview import TILE, sheet, write
from kohl.recipe import load
from kohl.tiles import GAP, LINE
from kohl.types import Step, ignore

DIAL = {0.2: house(attack=Tint(0.05)), 0.8: house(attack=Tint(0.4))}


@pytest.fixture
def photo(tmp_path):
    return picture(tmp_path / "photo.png")


def tiles(image):
    """The pictures of each row."""
    pixels = np.asarray(image).astype(int)
    rows, columns = pixels.shape[0] // (TILE + LINE + GAP), pixels.shape[1] // (TILE + GAP)
    corners = [[(row * (TILE + LINE + GAP), column * (TILE + GAP)) for column in range(columns)] for row in range(rows)]
    return [[pixels[top : top + TILE, left : left + TILE] for top, left in row] for row in corners]


def test_more_strength_is_more_change_beside_the_face_as_it_is(photo):
    ((before, faint, strong),) = tiles(sheet(Job(photo, photo.with_name("out.png")), DIAL))
    assert 0 < np.abs(faint - before).mean() < np.abs(strong - before).mean()


def test_every_face_that_is_asked_for_has_a_row(photo):
    two = {0.5: house(detect=detector(face(0, 0, 64), face(80, 20, 48)))}
    assert len(tiles(sheet(Job(photo, photo), two))) == 2
    assert len(tiles(sheet(Job(photo, photo, faces=(1,)), two))) == 1
    with pytest.raises(NoFace):
        sheet(Job(photo, photo), {0.5: house(detect=detector())})


def test_all_searches_are_watched_as_one(photo):
    class Stepping(Tint):
        def __call__(self, faces, goal, *, rng, watch=ignore):
            for index in range(2):
                watch(Step(index, 2, {}, None))
            return super().__call__(faces, goal, rng=rng)

    steps = []
    dialled = {strength: house(attack=Stepping()) for strength in DIAL}
    sheet(Job(photo, photo), dialled, watch=steps.append)
    assert [(step.index, step.total) for step in steps] == [(index, 4) for index in range(4)]


@pytest.mark.parametrize(("asked", "around"), [(0.5, [0.2, 0.5, 0.8]), (0.9, [0.6, 0.9, 1.0]), (0.0, [0.0, 0.3])])
def test_the_dial_is_turned_to_either_side_of_what_is_asked(asked, around):
    assert [*preview.dial(replace(load("default"), strength=asked))] == around


def test_it_is_written_beside_the_photo_and_over_nothing(photo):
    output = preview.default_output(photo, None)
    assert output == photo.with_name("photo_preview.png")
    job = Job(photo, output)
    write(job, DIAL)
    with Image.open(output) as image:
        assert image.size == (3 * (TILE + GAP), TILE + LINE + GAP)
    with pytest.raises(BadPhoto, match="already exists"):
        write(job, DIAL)
    assert preview.default_output(photo, photo.parent / "sheet.png").name == "sheet.png"


def test_no_sheet_is_written_over_a_reference_or_under_the_name_of_another_format(photo, tmp_path):
    other = picture(tmp_path / "other.png", seed=5)
    with pytest.raises(BadPhoto, match="never overwritten"):
        write(Job(photo, other, references=(other,), force=True), DIAL)
    with pytest.raises(BadPhoto, match="a sheet is a PNG"):
        write(Job(photo, tmp_path / "sheet.jpg"), DIAL)


def test_the_references_are_left_as_in_the_run_itself(photo, tmp_path):
    attack, other = Tint(), picture(tmp_path / "other.png", seed=5)
    sheet(Job(photo, photo, references=(other,)), {0.5: house(attack=attack)})
    assert len(attack.goals[0].others) == 1


def test_the_command_writes_a_sheet_and_nothing_else(tmp_path, capsys):
    few = ("search.steps=1", "search.chance=0", "models.surrogates=['sface']", "models.judges=['sface']")
    arguments = ["--preview", "-o", str(tmp_path), *(word for setting in few for word in ("--set", setting))]
    missing = tmp_path / "missing.png"
    assert main(["protect", str(SAMPLE), str(missing), str(SAMPLE), "--force", *arguments]) == 1
    printed = capsys.readouterr()
    output = tmp_path / "astronaut_preview.png"
    assert printed.out == f"{SAMPLE} → {output}\n"
    clash = f"kohl: {SAMPLE}: {output}: is already the sheet of {SAMPLE}; choose another name with -o"
    assert printed.err == f"kohl: {missing}: no such file; check its name\n{clash}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["astronaut_preview.png"]
    ((before, *after),) = tiles(Image.open(tmp_path / "astronaut_preview.png"))
    assert all((np.abs(tile - before) > 0).any() for tile in after)
    assert main(["protect", str(SAMPLE), "--preview", "--report", str(tmp_path / "page.html")]) == 2
