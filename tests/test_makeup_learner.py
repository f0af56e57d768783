"""How the text-image model is learned: `training/makeup_clip.py`, on a few pictures."""

import importlib
import random
from argparse import Namespace
from pathlib import Path

import bundled
import pytest
import torch

from kohl.makeup.layers import bare
from kohl.zoo import cards

TRAINING = Path(__file__).parent.parent / "training"
NAMES = ("captions", "makeup_clip", "makeup_learner", "makeup_views")


@pytest.fixture(scope="module")
def training():
    """The modules of the training scripts, which are not installed, for batches of four pictures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TRAINING)
        found = {name: importlib.import_module(name) for name in NAMES}
        for name, small in (("CHUNK", 4), ("BATCH", 4), ("FIRST", 1), ("EACH", 1), ("CHECKPOINT", 0), ("FIGURES", 0)):
            for module in found.values():
                patch.setattr(module, name, small, raising=False)
        yield Namespace(**found)


@pytest.fixture(scope="module")
def sitters(training):
    """Two synthetic people."""
    people = [bundled.load("decoys")[number] for number in (0, 30)]
    crops = torch.cat([(person.crops * 255).round().byte() for person in people])
    return training.makeup_views.Sitters(crops, torch.cat([person.landmarks for person in people]))


def test_pictures_are_drawn_once_and_found_by_number(training, sitters, tmp_path):
    album = training.makeup_views.Album(sitters, tmp_path, seed=0)
    album.draw(8)
    made = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    album.draw(8)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made
    assert len(made) == 2
    again = training.makeup_views.Album(sitters, tmp_path / "again", seed=0)
    (tmp_path / "again").mkdir()
    again.draw(8)
    assert all(torch.equal(album.picture(number), again.picture(number)) for number in range(8))
    assert album.picture(7).shape == (1, 3, 256, 256)
    assert album.scene(7).text == again.scene(7).text != album.scene(6).text


def test_a_face_that_wears_nothing_is_as_it_was(sitters):
    assert torch.equal(sitters.wearing(1, bare()), sitters.crops[1:] / 255)


def test_a_model_that_goes_on_says_what_it_said(training):
    images = torch.rand(6, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    path = cards.path(cards.find("makeup_clip"))
    model = training.makeup_learner.started(path, images)
    plain = bundled.load("makeup_clip").picture(images)
    torch.testing.assert_close(model.picture(images), plain, atol=1e-2, rtol=1e-2)  # normalised by this very batch
    model = training.makeup_learner.started(path, images).eval()
    torch.testing.assert_close(training.makeup_learner.folded(model).picture(images), plain, atol=1e-2, rtol=1e-2)


@pytest.fixture
def learned(training, sitters, tmp_path):
    def learned(steps, **settings):
        plain = {
            "samples": 4 * steps,
            "pictures": 8,
            "seed": 0,
            "resume": False,
            "alone": 4,
            "rate": 1e-3,
            "still": None,
            "start": None,
        }
        album = training.makeup_views.Album(sitters, tmp_path, seed=0)
        return training.makeup_clip.learn(album, sitters, Namespace(**plain | {"folder": tmp_path} | settings))

    return learned


def test_a_run_that_was_stopped_goes_on_as_if_nothing_had_happened(training, learned, monkeypatch):
    monkeypatch.setattr(training.makeup_clip, "figures", lambda *_, **__: {})
    whole = learned(3).state_dict()
    reports = iter((1,))

    def stop(_):
        if not next(reports, None):  # the second
            raise KeyboardInterrupt

    monkeypatch.setattr(training.makeup_clip, "report", stop)
    with pytest.raises(KeyboardInterrupt):
        learned(3)
    monkeypatch.setattr(training.makeup_clip, "report", lambda _: None)
    resumed = learned(3, resume=True).state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_pictures_that_are_kept_still_do_not_change(training, learned, monkeypatch):
    monkeypatch.setattr(training.makeup_clip, "figures", lambda *_, **__: {})
    before, after = (
        bundled.load("makeup_clip"),
        learned(2, still="pictures", start=cards.path(cards.find("makeup_clip"))),
    )
    images = torch.rand(2, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(after.picture(images), before.picture(images), atol=1e-3, rtol=1e-3)
    assert not torch.equal(after.look(["red lips"]), before.look(["red lips"]))


def test_words_that_are_kept_still_do_not_change(training, learned, monkeypatch):
    monkeypatch.setattr(training.makeup_clip, "figures", lambda *_, **__: {})
    start = cards.path(cards.find("makeup_clip"))
    before, after = bundled.load("makeup_clip"), learned(2, still="words", start=start)
    texts = ["red lipstick", "smoky eyes and no blush"]
    torch.testing.assert_close(after.look(texts), before.look(texts))
    assert not torch.equal(after.embed_texts(texts), before.embed_texts(texts))
    images = torch.rand(2, 3, 192, 192, generator=torch.Generator().manual_seed(0))
    stage = training.makeup_learner.STILL
    one, other = (model.picture.stages[:stage](images) for model in (before, after))
    torch.testing.assert_close(one, other, atol=1e-3, rtol=1e-3)


def test_sentences_are_read_in_their_own_places(training):
    sentence = bundled.load("makeup_clip").sentence
    texts = [training.captions.scene(random.Random(number)).text for number in range(40)]
    torch.testing.assert_close(training.makeup_learner._read(sentence, texts), sentence(texts), atol=1e-4, rtol=1e-3)
