"""Faces with drawn makeup to learn from: who wears what, what is kept, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from sitters import sitter
from tiny import numbers

from kohl.errors import BadModel, BadSetting
from kohl.geometry import resized
from kohl.makeup.layers import bare
from kohl.makeup.products import NAMES
from kohl.train import sittings
from kohl.train.faces import HELD

PEOPLE = HELD + 3  # of the second group there are three, one of them held out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos of some people; there is no face in one of them."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(PEOPLE):
        (folder / f"{number:02}.jpg").touch()
    return folder


def find(path, side):
    number = int(Path(path).stem)
    return None if number == 5 else resized(sitter(number % 3), side)


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    """What is learned from them, and what was said."""
    lines = []
    cache = tmp_path_factory.mktemp("found") / "faces.safetensors"
    found = sittings.sittings([folder], 64, cache, looks=1, most=PEOPLE, find=find, said=lines.append)
    return found, cache, lines


def test_every_face_is_there_bare_and_in_looks_with_some_held_out_first(made):
    found, _, _ = made
    assert found.bare.shape == (PEOPLE - 1, 3, 64, 64)
    assert found.worn.shape == (PEOPLE - 1, 1, 3, 64, 64)
    assert found.bare.dtype == found.worn.dtype == torch.uint8
    assert found.held == 2
    changed = (found.worn.float() - found.bare[:, None].float()).abs().amax((2, 3, 4))
    assert changed.min() > 20  # everybody wears something that is seen
    expected = resized(sitter(0), 64)
    torch.testing.assert_close(found.bared(torch.tensor([0])).crops, expected.crops, atol=0.51 / 255, rtol=0)
    torch.testing.assert_close(found.landmarks[:1], expected.landmarks)


def test_a_group_wears_the_same_looks_and_others_do_not(made):
    found, _, _ = made
    same = [number for number in range(PEOPLE - 1) if found.groups[number] == found.groups[0]]
    alike = [number for number in same if torch.equal(found.bare[number], found.bare[0])]
    assert len(alike) > 2
    assert all(torch.equal(found.worn[number], found.worn[0]) for number in alike)
    (other, *_) = (
        number
        for number in range(PEOPLE - 1)
        if torch.equal(found.bare[number], found.bare[0]) and found.groups[number] != found.groups[0]
    )
    assert not torch.equal(found.worn[other], found.worn[0])


def test_what_is_drawn_is_never_held_out_and_pairs_are_of_one_group(made):
    found, _, _ = made
    rng = numbers()
    for _ in range(20):
        first, second, look = found.alike(rng)
        assert min(int(first), int(second)) >= found.held
        assert found.groups[first] == found.groups[second]
        assert look == 0
    marked = replace(found, bare=torch.arange(PEOPLE - 1).view(-1, 1, 1, 1).expand(-1, 3, 64, 64))
    drawn = [marked.drawn(5, rng) for _ in range(60)]
    numbers_drawn = {round(float(each) * 255) for plain, _ in drawn for each in plain.crops[:, 0, 0, 0]}
    assert numbers_drawn == {*range(found.held, PEOPLE - 1)}
    assert drawn[0][1].crops.shape == (5, 3, 64, 64)


def test_looks_have_lips_and_lids_in_any_colour_and_the_same_numbers_give_the_same():
    looks = sittings.references(200, numbers())
    assert torch.equal(looks, sittings.references(200, numbers()))
    strengths = looks[:, :, 0]
    assert strengths[:, NAMES.index("lipstick")].min() > 0.9
    assert 80 < int((strengths[:, NAMES.index("eyeliner")] > 0).sum()) < 120
    assert strengths[:, NAMES.index("stubble")].max() == 0
    assert looks[:, NAMES.index("lipstick"), 1:4].std(0).min() > 0.2
    assert torch.equal(looks[0, NAMES.index("blush"), 1:], bare()[NAMES.index("blush"), 1:])


def test_the_cache_gives_the_same_and_says_so(made, folder):
    found, cache, _ = made
    lines = []
    again = sittings.sittings([folder], 64, cache, looks=1, most=PEOPLE, find=None, said=lines.append)
    assert all(torch.equal(getattr(again, name), getattr(found, name)) for name in sittings.PARTS)
    assert again.held == found.held
    assert lines == [f"{cache}: holds the faces that were found before; remove it to have the photos read again"]


@pytest.mark.parametrize(
    "change",
    [
        lambda kept: kept.pop("groups"),
        lambda kept: kept.update(bare=kept["bare"].float()),
        lambda kept: kept.update(worn=kept["worn"][:, :0]),
        lambda kept: kept.update(landmarks=kept["landmarks"][:3]),
        lambda kept: kept.update(held=torch.tensor(0)),
        lambda kept: kept.update(held=torch.tensor(PEOPLE)),
    ],
)
def test_another_cache_is_refused(made, folder, tmp_path, change):
    found, _, _ = made
    kept = {name: getattr(found, name) for name in sittings.PARTS} | {"held": torch.tensor(found.held)}
    change(kept)
    save_file(kept, tmp_path / "faces.safetensors")
    with pytest.raises(BadModel, match="holds no faces of 64 pixels with makeup"):
        sittings.sittings([folder], 64, tmp_path / "faces.safetensors", looks=1, most=99, find=find, said=print)


def test_too_few_people_and_too_few_faces_are_refused(folder, tmp_path):
    cache = tmp_path / "faces.safetensors"
    with pytest.raises(BadSetting, match="holds photos of 7 people; at least 16 are needed"):
        sittings.sittings([folder], 64, cache, looks=1, most=7, find=find, said=print)
    with pytest.raises(BadSetting, match="too few faces were found in these photos"):
        sittings.sittings([folder], 64, cache, looks=1, most=99, find=lambda path, side: None, said=print)
    assert not cache.exists()
