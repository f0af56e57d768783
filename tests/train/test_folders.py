"""Which photos are whose, what is kept of them, and the faces that are found in them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sitters import FOLDER, sitter
from tiny import numbers

from kohl.align import crop
from kohl.errors import BadModel, BadSetting
from kohl.geometry import resized
from kohl.templates import CROP
from kohl.train import faces
from kohl.train.faces import HELD, LOOKS
from kohl.types import Faces

# Folders


class Read:
    """Finds a face whose shade is the number in the name, and none if that begins with "x"; it notes what it reads."""

    def __init__(self):
        self.paths = []

    def __call__(self, path, side):
        self.paths.append(path)
        if path.stem.startswith("x"):
            return None
        shade = int(path.stem.split(".")[0]) / 255
        return Faces(torch.full((1, 3, side, side), shade), torch.zeros(1, 5, 2), torch.zeros(1, 68, 2))


@pytest.fixture
def read():
    return Read()


def photos(folder: Path, *names: str) -> Path:
    """The folder with those files, which are empty."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def people(count: int, first: int = 0) -> list[str]:
    """So many photos of one person each."""
    return [f"{number:03}.jpg" for number in range(first, first + count)]


def found(*folders, tmp_path, find=None, said=lambda line: None, size=8, looks=0):
    cache = tmp_path / "cache" / "faces.safetensors"
    return faces.gallery(folders, size, cache, looks=looks, find=find or Read(), said=said)


def shades(kept):
    return kept.float().mean((1, 2, 3)).int().tolist()


def test_one_person_in_sixteen_is_kept_out(read, tmp_path):
    known = found(photos(tmp_path / "a", *people(40)), tmp_path=tmp_path, find=read)
    assert shades(known.held) == [0, 16, 32]
    learned = [number for number in range(40) if number % HELD]
    assert shades(known.learned) == learned
    assert known.learned.dtype == known.held.dtype == torch.uint8
    assert known.held.shape[1:] == (3, 10, 10)  # finer than the pictures of 8
    assert len(read.paths) == 40


@pytest.mark.parametrize("looks", [0, 2])
def test_those_to_learn_from_are_made_up_too(tmp_path, looks):
    face = resized(sitter(0), 32)
    folder = photos(tmp_path / "a", *people(HELD + 2))
    known = found(folder, tmp_path=tmp_path, find=lambda path, side: face, looks=looks)
    assert (len(known.held), len(known.learned)) == (2, HELD * (1 + looks))
    bare = (face.crops * 255).round().byte()
    made_up = torch.tensor([not torch.equal(crop, bare[0]) for crop in known.learned]).view(HELD, 1 + looks)
    assert not made_up[:, 0].any()
    assert looks == 0 or made_up[:, 1:].float().mean() > 0.8  # a look may be hardly any
    assert all(torch.equal(crop, bare[0]) for crop in known.held)


def test_a_folder_in_the_folder_is_one_person_who_is_kept_out_or_learned_from_as_a_whole(read, tmp_path):
    # The shade says the person: 0 to 33, three photos each.
    folder = tmp_path / "a"
    for person in range(34):
        photos(folder, *(f"{person:03}/{person}{copy}.png" for copy in ("", ".0", ".00")))
    known = found(folder, tmp_path=tmp_path, find=read)
    assert shades(known.held) == [0, 0, 0, 16, 16, 16, 32, 32, 32]
    assert not set(shades(known.held)) & set(shades(known.learned))
    assert len(known.learned) == (34 - 3) * 3


def test_both_kinds_of_folder_and_several_of_them_are_counted_as_one(read, tmp_path):
    first = photos(tmp_path / "a", *people(10), *(f"anna/{number}.JPG" for number in range(10, 15)))
    second = photos(tmp_path / "b", *people(20, first=100))
    known = found(first, second, tmp_path=tmp_path, find=read)
    assert [path.relative_to(tmp_path).as_posix() for path in read.paths[:11]] == [
        *(f"a/{name}" for name in people(10)),
        "a/anna/10.JPG",
    ]
    assert shades(known.held) == [0, 105]  # the sixteenth person after the first: ten, anna, and five


def test_a_photo_that_is_named_twice_is_read_once(read, tmp_path):
    folder = photos(tmp_path / "a", *people(20), "anna/200.png", "anna/201.png")
    (tmp_path / "b").symlink_to(folder)
    found(folder, folder, folder / "anna", tmp_path / "b", tmp_path=tmp_path, find=read)
    assert len(read.paths) == len(set(read.paths)) == 22


def test_only_photos_are_read(read, tmp_path):
    folder = photos(tmp_path / "a", *people(16), "100.webp", "101.JPEG", "notes.txt", "102.gif", "anna/readme.md")
    found(folder, tmp_path=tmp_path, find=read)
    assert [path.name for path in read.paths] == [*people(16), "100.webp", "101.JPEG"]


def test_photos_without_a_face_are_left_out_and_counted(read, tmp_path):
    lines = []
    known = found(
        photos(tmp_path / "a", *people(18), "x1.jpg", "x2.jpg"), tmp_path=tmp_path, find=read, said=lines.append
    )
    assert shades(known.held) == [0, 16]
    assert len(known.learned) == 16
    assert lines == ["2 photos without a face that can be used were left out"]


def test_what_takes_minutes_says_how_far_it_is(read, tmp_path):
    lines = []
    found(photos(tmp_path / "a", *people(210)), tmp_path=tmp_path, find=read, said=lines.append)
    assert lines == ["100 of 210 people read", "200 of 210 people read"]


def test_what_was_found_is_kept_and_said_to_be(read, tmp_path):
    folder, lines = photos(tmp_path / "a", *people(20)), []
    first = found(folder, tmp_path=tmp_path, find=read)
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["faces.safetensors"]
    read.paths.clear()
    second = found(folder, tmp_path=tmp_path, find=read, said=lines.append)
    assert read.paths == []
    assert torch.equal(first.learned, second.learned)
    assert torch.equal(first.held, second.held)
    assert len(lines) == 1
    assert lines[0].startswith(f"{tmp_path / 'cache' / 'faces.safetensors'}: holds the faces that were found before; ")


def test_faces_that_were_found_for_another_size_are_not_enlarged(read, tmp_path):
    folder = photos(tmp_path / "a", *people(20))
    found(folder, tmp_path=tmp_path, find=read)
    with pytest.raises(BadModel, match=r"faces\.safetensors: holds no faces of 20 pixels; remove it to have "):
        found(folder, tmp_path=tmp_path, find=read, size=16)


@pytest.mark.parametrize("content", [b"", b"\xff" * 100])
def test_what_was_kept_but_cannot_be_read_is_named(read, tmp_path, content):
    photos(tmp_path / "cache", "faces.safetensors")
    (tmp_path / "cache" / "faces.safetensors").write_bytes(content)
    with pytest.raises(BadModel, match=r"faces\.safetensors: not a readable safetensors file"):
        found(photos(tmp_path / "a", *people(20)), tmp_path=tmp_path, find=read)


def test_too_few_people_are_refused(read, tmp_path):
    folder = photos(tmp_path / "a", *people(HELD - 2), *(f"anna/{number}.jpg" for number in range(30)))
    with pytest.raises(BadSetting) as error:
        found(folder, tmp_path=tmp_path, find=read)
    assert str(error.value) == f"{folder}: holds photos of 15 people; at least 16 are needed"
    assert read.paths == []
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("faceless", [1, 16], ids=["who is kept out", "all"])
def test_people_of_whom_no_face_is_found_are_too_few(read, tmp_path, faceless):
    names = [f"{'x' if number < faceless else ''}{name}" for number, name in enumerate(people(16))]
    folder = photos(tmp_path / "a", *(f"{number:02}/{name}" for number, name in enumerate(names)))
    with pytest.raises(BadSetting, match=r": too few faces were found in these photos$"):
        found(folder, tmp_path=tmp_path, find=read)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_what_is_no_folder_is_named_before_any_photo_is_read(read, tmp_path, kind):
    folder, wrong = photos(tmp_path / "a", *people(20)), tmp_path / "wrong"
    if kind == "file":
        wrong.touch()
    with pytest.raises(BadSetting) as error:
        found(folder, wrong, tmp_path=tmp_path, find=read)
    assert str(error.value) == f"{wrong}: no such folder"
    assert read.paths == []


def test_an_output_that_is_a_file_is_refused_before_any_photo_is_read(read, tmp_path):
    folder = photos(tmp_path / "a", *people(20))
    (tmp_path / "cache").touch()
    with pytest.raises(BadSetting) as error:
        found(folder, tmp_path=tmp_path, find=read)
    assert str(error.value) == f"{tmp_path / 'cache'}: is a file; name a folder"
    assert read.paths == []


# Faces


def test_random_looks_are_drawn_on_a_face_the_same_for_the_same_random_numbers():
    face = sitter(0)
    first, second, other = (torch.cat(faces._made_up(face, LOOKS, numbers(seed))) for seed in (0, 0, 1))
    assert first.shape == (LOOKS, *face.crops.shape[1:])
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert ((first - face.crops).abs().amax((1, 2, 3)) > 0.02).all()


def test_the_largest_usable_face_of_a_photo_is_cut_and_what_has_none_is_left_out(tmp_path):
    points = np.array(CROP)
    usable = SimpleNamespace(reason=None, to_crop=crop.to_crop(points), points=points, landmarks=np.zeros((68, 2)))
    small, photo = SimpleNamespace(reason="too small"), FOLDER / "0277.jpg"
    kept = faces.finder(lambda photo: [small, usable, small])(photo, 256)
    torch.testing.assert_close(kept.crops, sitter(0).crops, atol=2 / 255, rtol=0)
    for none in ([], [small]):
        assert faces.finder(lambda photo, none=none: none)(photo, 256) is None
    (tmp_path / "broken.jpg").write_bytes(b"no photo")
    assert faces.finder(lambda photo: [usable])(tmp_path / "broken.jpg", 256) is None
