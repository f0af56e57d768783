"""The fuzzer itself: the same seed tries the same, what must not be is noticed, and what was found stays mended."""

from random import Random

import mixed
import photos
import pytest
from broken_doors import DOORS as BROKEN
from fuzz import pictures, tags
from fuzz.door import Door, Wrong, check_said
from fuzz.doors import DOORS
from fuzz.mutate import png_joined, png_parts
from fuzz.run import Run
from fuzz.worker import as_bytes, attempt
from PIL import Image

BY_NAME = {door.name: door for door in BROKEN}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_the_same_seed_makes_the_same_inputs_and_another_one_others(door):
    first, again, other = (
        [as_bytes(door.make(Random(f"{seed}/{door.name}/{index}"))) for index in range(8)] for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("trace", "traceback"),
        ("lines", "sentence"),
        ("broken", "contract"),
        ("leaving", "traceback"),
    ],
)
def test_what_must_not_be_is_a_find(name, kind, tmp_path):
    outcome, find = attempt(BY_NAME[name], 0, 3, tmp_path)
    assert (outcome, find.kind, find.door, find.index) == (kind, kind, name, 3)
    assert find.given == as_bytes(BY_NAME[name].make(Random(f"0/{name}/3")))


def test_a_refusal_is_one_sentence(tmp_path):
    outcomes = {attempt(BY_NAME["sound"], 0, index, tmp_path) for index in range(20)}
    assert outcomes == {("accepted", None), ("refused", None)}
    for said in ("no end", "kohl: a\tb\n", "\n", "kohl: itself\nTraceback (most recent call last)\n"):
        with pytest.raises(Wrong):
            check_said(said)


@pytest.mark.slow
def test_a_run_goes_on_whatever_a_worker_dies_of(tmp_path):
    wanted = {"sound": "", "slow": "hang", "stuck": "hang", "dead": "crash", "greedy": "traceback"}
    doors = [BY_NAME[name] for name in wanted]
    run = Run(doors, 0, 120, 2, workers=2, table="broken_doors", folder=tmp_path, longest_s=1)
    run()
    for name, kind in wanted.items():
        assert (run.tallies[name].tried, dict(run.tallies[name].kinds)) == (2, {kind: 2} if kind else {})
    assert len(run.finds) == 4
    assert "scripts/fuzz --door dead --seed 0 --only 0" in (tmp_path / "dead-0-0.txt").read_text()


def png_with_its_header_late():
    header, palette, clear, *others = png_parts(pictures.seeds()["png palette"])
    return png_joined([clear, palette, header, *others])


def profile_that_is_a_number():
    needed = {0x100: (4, (24,)), 0x101: (4, (20,)), 0x102: (3, (8, 8, 8)), 0x106: (3, (2,)), 0x115: (3, (3,))}
    needed |= {0x116: (4, (20,)), 0x117: (4, (1440,)), 0x8773: (3, (7,))}
    return tags.tiff(needed, bytes(1440), {}, b"")


def avif_with_an_odd_tag():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "abc"
    data = photos.encoded(Image.new("RGB", (24, 20)), "AVIF", exif=exif)
    return data.replace(
        b"\x01\x0f\0\x02" if b"MM\0*" in data else b"\x0f\x01\x02\0",
        b"\x01\x0f\0\x0b" if b"MM\0*" in data else b"\x0f\x01\x0b\0",
    )


def exif_cut_short():
    return pictures.inside(pictures.seeds()["webp"], {"exif": b"MM"})


FOUND = {
    "header late": png_with_its_header_late,
    "profile a number": profile_that_is_a_number,
    "avif": avif_with_an_odd_tag,
    "exif cut short": exif_cut_short,
    **{
        f"orientation {orientation}": lambda orientation=orientation, odd=odd: mixed.turned(orientation, odd)
        for orientation, odd in zip(mixed.TURNED, mixed.ODD_TAGS, strict=False)
    },
}


@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_stays_mended(name, tmp_path):
    given = FOUND[name]()
    _, find = attempt(Door("found", lambda _: given, pictures.read), 0, 0, tmp_path)
    assert find is None, find.text
