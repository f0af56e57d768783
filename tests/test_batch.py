from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import cv2
import pytest

from kohl import __version__, batch
from kohl.errors import BadPhoto, NoFace
from kohl.job import Job
from kohl.recipe import Recipe
from kohl.status import Status
from kohl.types import Row

HOUSE = SimpleNamespace(recipe=Recipe(strength=0.75))
ERRORS = {
    "no_face.jpg": NoFace("no_face.jpg: no face was found"),
    "broken.jpg": BadPhoto("broken.jpg: is not\na photo"),
    "full.jpg": OSError(28, "No space left on device"),
    "huge.jpg": MemoryError(),
    "bug.jpg": ZeroDivisionError("no\n number"),
    "bell\a\t.jpg": BadPhoto("bell\a\t.jpg: is not a photo"),
    "locked\a.jpg": OSError(13, "Permission denied", "locked\a.jpg"),
    "interrupt.jpg": KeyboardInterrupt(),
}


class Asked(list):
    """What photos were to be protected with; a photo's name says what becomes of it."""

    def __call__(self, job, house, *, watch):
        self.append((job, house, watch))
        if job.photo.name in ERRORS:
            raise ERRORS[job.photo.name]
        return Row(str(job.photo), str(job.output), Status.PROTECTED)

    def rows(self, *names, outputs=None, **settings):
        paths = [Path(name) for name in names]
        outputs = [path.with_stem(path.stem + "_kohl") for path in paths] if outputs is None else map(Path, outputs)
        further = {name: settings.pop(name) for name in ("kept", "watch") if name in settings}
        jobs = [Job(*each, **settings) for each in zip(paths, outputs, strict=True)]
        return list(batch.protect_all(jobs, HOUSE, protect=self, **further))


@pytest.fixture
def asked():
    return Asked()


def test_every_photo_becomes_a_row_whatever_became_of_those_before_it():
    found = Asked().rows("a.jpg", "no_face.jpg", "broken.jpg", "full.jpg", "huge.jpg", "b.jpg")
    assert [(row.photo, row.status, row.reason) for row in found] == [
        ("a.jpg", "protected", None),
        ("no_face.jpg", "no_face", "no face was found"),
        ("broken.jpg", "failed", "is not a photo"),
        ("full.jpg", "failed", "No space left on device"),
        ("huge.jpg", "failed", "there is not enough memory for this; try a smaller photo"),
        ("b.jpg", "protected", None),
    ]


def test_a_name_that_is_said_beside_the_reason_is_not_in_it():
    reasons = [row.reason for row in Asked().rows("bell\a\t.jpg", "locked\a.jpg")]
    assert reasons == ["is not a photo", "Permission denied"]


def test_a_failed_row_says_how_it_was_tried():
    started = time.perf_counter()
    (row,) = Asked().rows("broken.jpg", seed=7)
    took = time.perf_counter() - started
    assert (row.output, row.seed, row.version) == (None, 7, __version__)
    assert row.recipe == asdict(HOUSE.recipe)
    assert 0 <= row.seconds < took


def test_what_nobody_foresaw_is_a_row_too_and_not_hidden():
    first, second = Asked().rows("bug.jpg", "a.jpg")
    said = "kohl itself failed (ZeroDivisionError: no\n number); please report this sentence, without the photo"
    assert (first.status, first.reason) == ("failed", " ".join(said.split()))
    assert second.status == "protected"


def test_an_interrupt_ends_the_batch(asked):
    with pytest.raises(KeyboardInterrupt):
        asked.rows("a.jpg", "interrupt.jpg", "b.jpg")
    assert [job.photo.name for job, _, _ in asked] == ["a.jpg", "interrupt.jpg"]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("std::bad_alloc"),  # dlib's
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 1 GiB"),
        cv2.error("OpenCV(5.0.0) alloc.cpp:66: error: (-4:Insufficient memory) Failed to allocate 99 bytes"),
    ],
)
def test_memory_that_ran_out_is_called_so_by_whichever_name(error):
    assert batch.sentence(error) == "there is not enough memory for this; try a smaller photo"


def test_the_settings_reach_every_photo(asked):
    settings = {"seed": 3, "faces": (0, 2), "references": (Path("r.jpg"),), "decoy": 4, "force": True}
    asked.rows("a.jpg", "b.jpg", watch=print, **settings)
    assert asked == [(Job(Path(f"{name}.jpg"), Path(f"{name}_kohl.jpg"), **settings), HOUSE, print) for name in "ab"]


def test_rows_come_one_by_one(asked):
    jobs = [Job(Path("a.jpg"), Path("x.jpg")), Job(Path("b.jpg"), Path("y.jpg"))]
    found = batch.protect_all(jobs, HOUSE, protect=asked)
    next(found)
    assert len(asked) == 1


def test_two_photos_never_write_the_same_file(asked, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    names = [tmp_path / "out.jpg", tmp_path / "link" / "out.jpg", tmp_path / "other.jpg"]
    first, second, third = asked.rows("one/a.jpg", "two/a.jpg", "three/a.jpg", outputs=names, force=True)
    assert (first.status, second.status, third.status) == ("protected", "failed", "protected")
    assert "out.jpg: is already the result of one/a.jpg" in second.reason
    assert len(asked) == 2


def test_a_result_never_overwrites_one_of_the_photos(asked):
    found = asked.rows("a.jpg", "a_kohl.jpg", force=True)
    assert [row.status for row in found] == ["failed", "protected"]
    assert "would overwrite a_kohl.jpg, which is one of the photos" in found[0].reason
    assert asked.rows("a.jpg", outputs=["./a.jpg"], force=True)[0].status == "failed"


def test_a_result_never_overwrites_a_reference_or_what_else_is_kept(asked, tmp_path):
    (tmp_path / "link.jpg").symlink_to(tmp_path / "me.jpg")
    settings = {"references": [tmp_path / "me.jpg"], "kept": {tmp_path / "report.jpg": "the report"}, "force": True}
    found = asked.rows(
        "a.jpg", "b.jpg", "c.jpg", outputs=[tmp_path / name for name in ("link.jpg", "report.jpg", "c")], **settings
    )
    assert [row.status for row in found] == ["failed", "failed", "protected"]
    assert "me.jpg, which is one of the references" in found[0].reason
    assert "report.jpg, which is the report" in found[1].reason
    assert len(asked) == 1


def test_a_photo_that_failed_has_not_taken_its_name(asked):
    first, second, third = asked.rows("broken.jpg", "two/a.jpg", "a.jpg", outputs=["x.jpg", "x.jpg", "x.jpg"])
    assert (first.status, second.status, third.status) == ("failed", "protected", "failed")
    assert "is already the result of two/a.jpg" in third.reason


def test_photos_and_outputs_are_paired():
    with pytest.raises(ValueError, match="shorter"):
        Asked().rows("a.jpg", "b.jpg", outputs=["x.jpg"])
