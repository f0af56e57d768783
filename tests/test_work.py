"""What a worker says and hears, over the line that a Ray actor has, without Ray."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import crew
import pytest
import tiny

import kohl
from kohl import batch, cluster, elsewhere, files, private, work
from kohl.cluster import Actor
from kohl.errors import BadModel, BadSetting
from kohl.job import Job, Task
from kohl.journal import Sealed
from kohl.processes import Processes
from kohl.recipe import Recipe
from kohl.status import Status
from kohl.work import GO, Ended, Setup, Told

SETUP = Setup(Recipe(), crew.load, crew.protect, away=True)


@pytest.fixture
def photo(tmp_path):
    return tiny.picture(tmp_path / "me.png", seed=3)


@pytest.fixture
def hired():
    """Hires actors, and lets none of them stay."""
    actors = []

    def hire(setup=SETUP):
        actors.append(Actor(setup))
        return actors[-1]

    yield hire
    for actor in actors:
        actor.close()


def sent(photo, **asked):
    """A task for a worker without this disk."""
    output = photo.with_name("out.png")
    return Task(Job(photo, output, **asked), photo, output, "key", photo.read_bytes())


def left():
    """What lies in private folders."""
    return [path for path in (private.in_memory() or Path("/tmp")).glob("kohl-private-*/*") if path.name != "lock"]


def test_a_photo_that_was_sent_comes_back_as_one_that_is_here(photo, hired):
    before = left()
    actor = hired()
    assert isinstance(actor.hear(), Told)
    actor.tell(sent(photo))
    sealed = actor.hear()
    assert isinstance(sealed, Sealed)
    assert not photo.with_name("out.png").exists()  # that is the run's to write
    actor.tell(GO)
    ended = actor.hear()
    there = batch.attempt(Job(photo, photo.with_name("out.png")), tiny.house(), protect=crew.protect)
    assert ended.content == photo.with_name("out.png").read_bytes()
    assert (sealed.proof.size, sealed.row) == (len(ended.content), ended.row)
    assert replace(ended.row, seconds=0, recipe={}) == replace(there, seconds=0, recipe={})
    actor.tell(None)
    assert actor.hear() is None
    assert left() == before


def test_files_that_are_lent_have_their_names_in_what_is_said(photo, tmp_path, hired):
    other = tiny.picture(tmp_path / "other.png", seed=3)
    setup = replace(SETUP, lent={other: other.read_bytes()})
    other.unlink()
    actor = hired(setup)
    actor.hear()
    actor.tell(sent(photo, references=(other,)))
    sealed = actor.hear()
    assert [*sealed.row.faces[0].references] == [str(other)]
    assert str(left()[0].parent) not in str(sealed.row)


def test_who_is_meant_by_a_lent_photo_is_asked_before_the_work(tmp_path, hired):
    nobody = tmp_path / "nobody.png"
    nobody.write_bytes(b"no photo")
    actor = hired(replace(SETUP, lent={nobody: nobody.read_bytes()}, known=(nobody,)))
    said = actor.hear()
    assert str(said).startswith(f"{nobody}: ")


@pytest.mark.parametrize("content", [b"", b"no photo"])
def test_what_is_no_photo_is_a_row(photo, hired, content):
    actor = hired()
    actor.hear()
    actor.tell(sent(photo)._replace(content=content))
    ended = actor.hear()
    assert (ended.row.status, ended.row.photo, ended.content) == (Status.FAILED, str(photo), None)
    assert "kohl-private" not in ended.row.reason


def test_a_name_that_no_disk_here_can_have_is_a_row(photo, hired):
    actor = hired()
    actor.hear()
    long = photo.with_name(f"{'x' * 300}.png")
    actor.tell(sent(photo)._replace(photo=long))
    assert actor.hear().row.reason.endswith("File name too long")


def test_another_kohl_on_the_cluster_is_refused(hired):
    said = hired(replace(SETUP, version="0.0")).hear()
    assert isinstance(said, BadModel)
    assert "install the same" in str(said)


def test_models_that_are_broken_are_said(hired):
    actor = hired(replace(SETUP, load=crew.broken))
    assert "is not the right file" in str(actor.hear())
    assert actor.hear() is None


def test_a_worker_that_is_closed_keeps_nothing_of_the_photo_at_work(photo, hired):
    before, started, go = left(), threading.Event(), threading.Event()

    def waits(job, house, *, watch, **more):
        started.set()
        go.wait(60)
        return crew.protect(job, house, watch=watch, **more)

    actor = hired(replace(SETUP, protect=waits))
    actor.hear()
    actor.tell(sent(photo))
    assert started.wait(60)
    assert left() != before
    actor.close()
    assert left() == before
    go.set()
    while (said := actor.hear()) is not None:
        assert not isinstance(said, Ended)
    assert left() == before


def test_one_sentence_where_ray_is_somewhere_else(tmp_path):
    with pytest.raises(BadSetting, match=r"nobody listens at \[::1\]:9"), cluster.opened("[::1]:9"):
        pass


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            "… in its creation task …\n\x1b[36mModuleNotFoundError: No module named 'kohl'\x1b[0m",
            "named 'kohl', in the",
        ),
        ("Memory on the node was 30 GB, above the memory usage threshold of 0.95", "short of memory"),
        ("The actor died unexpectedly before finishing this task.", "its process or its machine is gone"),
    ],
)
def test_how_a_worker_ended_is_said_in_a_few_words(said, why):
    assert why in cluster._why(RuntimeError(said))


def test_a_full_disk_of_the_worker_is_said(photo, tmp_path):
    from scarce import full_disk

    bench = work.ready(SETUP, tmp_path, lambda told: None)
    with full_disk(left=10):
        ended = bench.done(sent(photo), lambda sealed: None, lambda step: None)
    assert ended.row.status == Status.FAILED
    assert "File too large" in ended.row.reason
    assert files.clean(tmp_path) == []
    assert [path for path in tmp_path.iterdir() if path != photo] == []


def test_unpacked_files_of_one_name_stand_apart(tmp_path):
    lent = {Path("a/x.png"): b"1", Path("b/x.png"): b"2"}
    here = elsewhere.unpacked(lent, tmp_path)
    assert [here[path].read_bytes() for path in lent] == [b"1", b"2"]
    assert {path.name for path in here.values()} == {"x.png"}


def test_a_worker_takes_the_cores_that_it_has_and_no_more():
    program = "import torch, cv2; from kohl import device, work; work._take(1)\n"
    program += "print(device.cores(), torch.get_num_threads(), cv2.getNumThreads())"
    place = {**os.environ, "PYTHONPATH": str(Path(kohl.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-P", "-c", program], env=place, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1", "1"]
    assert [Processes().cores(count) for count in (1, 10**6)] == [os.cpu_count(), 1]
    assert cluster.Cluster(None).cores(7) == cluster.CORES
