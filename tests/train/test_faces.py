"""Which photos are whose, what is kept of them, and the pictures that are cut from it, each a little different."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sitters import FOLDER, sitter
from tiny import numbers
from tiny_training import SIDE, SIZE, gallery

from kohl.align import crop
from kohl.errors import BadModel, BadSetting
from kohl.geometry import resized
from kohl.templates import CROP
from kohl.train import faces
from kohl.train.faces import HELD, LOOKS, Gallery, Variety
from kohl.types import Faces

USUAL = Variety()

# Views


def crops(count=2, side=SIDE, seed=0):
    return torch.rand(count, 3, side, side, generator=numbers(seed))


def matrix(*rows):
    return torch.tensor([rows], dtype=torch.float32)


UNMOVED, HERE = matrix((1, 0), (0, 1)), torch.zeros(1, 2)


def cut(images, linear=UNMOVED, shift=HERE, size=SIZE):
    return faces._cut(images, linear.expand(len(images), -1, -1), shift.expand(len(images), -1), size)


@pytest.mark.parametrize("size", [64, 80, 100])
def test_an_unmoved_view_is_the_crop_at_another_size(size):
    expected = F.interpolate(crops(), (size, size), mode="bilinear")
    torch.testing.assert_close(cut(crops(), size=size), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("linear", "expected"),
    [
        (matrix((-1, 0), (0, 1)), lambda x: x.flip(3)),
        (matrix((0, -1), (1, 0)), lambda x: x.rot90(1, (2, 3))),
        (matrix((0.5, 0), (0, 0.5)), lambda x: F.interpolate(x[..., 20:60, 20:60], (80, 80), mode="bilinear")),
    ],
    ids=["mirrored", "turned", "nearer"],
)
def test_a_moved_view_is_the_crop_moved(linear, expected):
    inner = (..., slice(2, -2), slice(2, -2))  # at the rim of the nearer one, the crop goes on
    torch.testing.assert_close(cut(crops(), linear, size=SIDE)[inner], expected(crops())[inner], atol=1e-4, rtol=0)


def test_a_shifted_view_begins_that_many_pixels_further():
    moved = cut(crops(), shift=torch.tensor([[2 * 3 / SIDE, -2 * 5 / SIDE]]), size=SIDE)
    torch.testing.assert_close(moved[..., 5:, :-3], crops()[..., :-5, 3:], atol=1e-4, rtol=0)


def test_beyond_the_crop_it_is_mirrored_not_black():
    bright = 0.5 + crops() / 2
    assert cut(bright, matrix((1.3, 0), (0, 1.3))).min() > 0.5


STILL = Variety(turn=0.0, scale=0.0, shift=0.0, light=0.0, white=0.0, contrast=0.0)


def test_half_of_the_views_are_mirrored():
    views = replace(gallery(learned=1), variety=STILL).views(200, SIZE, numbers())
    plain = cut(gallery(learned=1).learned.float() / 255)
    kinds = [[torch.allclose(view, kind, atol=1e-4) for kind in (plain[0], plain[0].flip(2))] for view in views]
    assert all(sum(each) == 1 for each in kinds)
    assert 0.4 < sum(mirrored for _, mirrored in kinds) / 200 < 0.6


def placed(count, seed=0):
    """By the pictures of two ramps, the matrix (count, 2, 3) from a view to its crop, in halves of a side."""
    axis = (torch.arange(SIDE) + 0.5) * 2 / SIDE - 1
    ramps = torch.stack([axis.expand(SIDE, SIDE), axis[:, None].expand(SIDE, SIDE), torch.zeros(SIDE, SIDE)])
    views = faces._moved(ramps.expand(count, -1, -1, -1), SIZE, USUAL, numbers(seed))
    inner = slice(16, 48)
    place = ((torch.arange(SIZE) + 0.5) * 2 / SIZE - 1)[inner]
    y, x = torch.meshgrid(place, place, indexing="ij")
    known = torch.stack([x, y, torch.ones_like(x)], -1).view(1, -1, 3)
    found = views[:, :2, inner, inner].flatten(2).transpose(1, 2)
    solution = torch.linalg.lstsq(known.expand(count, -1, -1), found).solution
    torch.testing.assert_close(known @ solution, found, atol=1e-3, rtol=0)  # nothing is bent
    return solution.transpose(1, 2)


def test_views_are_turned_scaled_and_shifted_as_much_as_it_says():
    where = placed(1500)
    mirrored = torch.linalg.det(where[..., :2]) < 0
    linear = torch.where(
        mirrored[:, None, None], where[..., :2] @ torch.diag(torch.tensor([-1.0, 1.0])), where[..., :2]
    )
    angle, factor = torch.atan2(linear[:, 1, 0], linear[:, 0, 0]), torch.linalg.det(linear).sqrt()
    similar = factor[:, None, None] * torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(
        -1, 2, 2
    )
    torch.testing.assert_close(linear, similar, atol=1e-3, rtol=0)
    shift = where[..., 2] / 2  # in shares of the side
    for values, spread, middle in ((angle, USUAL.turn, 0), (factor, USUAL.scale, 1), (shift, USUAL.shift, 0)):
        assert float(values.std()) == pytest.approx(spread, rel=0.08)
        assert float(values.mean()) == pytest.approx(middle, abs=spread / 8)
    everything = torch.cat([angle[:, None], factor[:, None], shift, mirrored[:, None]], 1)
    assert (torch.corrcoef(everything.T) - torch.eye(5)).abs().max() < 0.1


def grey(level=0.3, count=1500):
    return torch.full((count, 3, 1, 1), level)


def test_light_and_colour_are_changed_as_much_as_it_says():
    change = (faces._lit(grey(), replace(USUAL, contrast=0.0), numbers()) / 0.3).log()[..., 0, 0]
    together = change.mean(1)
    assert float(together.std()) == pytest.approx((USUAL.light**2 + USUAL.white**2 / 3) ** 0.5, rel=0.08)
    assert float((change - together[:, None]).std()) == pytest.approx(USUAL.white * (2 / 3) ** 0.5, rel=0.08)
    assert abs(float(change.mean())) < USUAL.light / 8


def test_contrast_leaves_the_middle_alone():
    varied = replace(USUAL, light=0.0, white=0.0)
    torch.testing.assert_close(faces._lit(grey(faces.MIDDLE), varied, numbers()), grey(faces.MIDDLE))
    dark, bright = (faces._lit(grey(level), varied, numbers()) - faces.MIDDLE for level in (0.2, 0.6))
    torch.testing.assert_close(dark * (0.6 - faces.MIDDLE), bright * (0.2 - faces.MIDDLE))
    change = (bright / (0.6 - faces.MIDDLE)).log()[:, 0]
    assert float(change.std()) == pytest.approx(USUAL.contrast, rel=0.08)


def test_views_are_pictures():
    views = replace(gallery(), variety=STILL).views(5, SIZE, numbers())
    assert views.shape == (5, 3, SIZE, SIZE)
    assert views.dtype == torch.float32


def test_views_stay_within_black_and_white():
    views = replace(gallery(), variety=Variety(light=3.0)).views(20, SIZE, numbers())
    assert (float(views.min()), float(views.max())) == (0.0, 1.0)


def test_the_same_random_numbers_give_the_same_views_and_no_others_are_spent():
    state = torch.get_rng_state()
    first, second, other = (gallery().views(4, SIZE, numbers(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    rng = numbers()
    gallery().views(4, SIZE, rng)
    assert not torch.equal(gallery().views(4, SIZE, rng), first)


def test_every_learned_face_is_drawn_and_no_held_one():
    shades = torch.tensor([10, 40, 70], dtype=torch.uint8).view(3, 1, 1, 1).expand(3, 3, SIDE, SIDE)
    views = Gallery(shades, torch.full_like(shades, 250)).views(60, SIZE, numbers())
    level = views.mean((1, 2, 3)) * 255
    assert level.max() < 150
    assert {int(shade) for shade in ((level - 10) / 30).round().clamp(0, 2)} == {0, 1, 2}


def test_the_held_faces_are_shown_as_they_are():
    known = gallery()
    plain = known.plain(SIZE)
    assert plain.shape == (3, 3, SIZE, SIZE)
    torch.testing.assert_close(plain, cut(known.held.float() / 255), atol=0.02, rtol=0)
    assert torch.equal(plain, known.plain(SIZE))
    whole = known.plain(SIDE) * 255
    torch.testing.assert_close(whole, known.held.float(), atol=1e-3, rtol=0)


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
