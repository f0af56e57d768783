"""The same faces are inverted once, however often they are asked for, and no more is kept than was said."""

import gc
import weakref
from dataclasses import replace

import bundled
import pytest
import tiny
import torch
from photos import SAMPLE
from tiny import Paint, faces
from tiny_styles import Encoder, generator

import kohl
from kohl import pipeline
from kohl.invert.inversions import Inversions
from kohl.job import Job
from kohl.perturb.latent import LatentSearch
from kohl.perturb.terms import Words
from kohl.types import Inversion, Step, ignore
from kohl.zoo import cards


class Counting:
    """An inverter by a toy generator, which knows how often it was asked."""

    def __init__(self):
        self.made = []

    def __call__(self, faces, *, watch=ignore):
        generator = Paint(faces)
        self.made.append(weakref.ref(generator))
        watch(Step(0, 1, {}, None))
        return Inversion(torch.zeros(len(faces.crops), *generator.latent_shape), generator)


def test_the_same_faces_are_inverted_once():
    invert, steps = Counting(), []
    remembered = Inversions().remembering(invert, "x")
    first, again = remembered(faces(2), watch=steps.append), remembered(faces(2), watch=steps.append)
    assert first is again
    assert (len(invert.made), len(steps)) == (1, 1)
    assert torch.equal(first.generator(first.latents), faces(2).crops)


@pytest.mark.parametrize("name", ["crops", "points", "landmarks"])
def test_other_faces_are_others(name):
    invert = Counting()
    remembered = Inversions().remembering(invert, "x")
    remembered(faces())
    remembered(replace(faces(), **{name: getattr(faces(), name) + 1e-3}))
    assert len(invert.made) == 2


def test_what_else_it_depends_on_makes_another():
    invert, inversions = Counting(), Inversions()
    for depends in ("x", "y", "x"):
        inversions.remembering(invert, depends)(faces())
    assert len(invert.made) == 2


def test_the_oldest_is_forgotten_before_there_is_one_too_many():
    invert = Counting()
    remembered = Inversions(most=2).remembering(invert, "x")
    for seed in (0, 1, 0, 2, 0, 3):
        remembered(faces(seed=seed))
        gc.collect(1)  # what is as young as these
        assert sum(generator() is not None for generator in invert.made) <= 2
    assert len(invert.made) == 4  # the one that was asked for in between was kept
    remembered(faces(seed=1))
    assert len(invert.made) == 5


def test_another_strength_and_other_words_do_not_invert_again(tmp_path):
    invert, inversions = Counting(), Inversions()
    photo = tiny.picture(tmp_path / "photo.png")
    for number, (strength, words) in enumerate([(0.2, None), (0.8, None), (0.5, "red lips")]):
        search = LatentSearch(
            inversions.remembering(invert, "x"),
            tiny.surrogates(),
            replace(tiny.SEARCH, steps=2).at(strength),
            words and Words(tiny.LinearText(), words),
            tiny.SIZE,
        )
        pipeline.protect(Job(photo, tmp_path / f"{number}.png"), tiny.house(attack=search))
        assert len(invert.made) == 2  # one of the crop that is looked at, one of the face as it is
    assert len({(tmp_path / f"{number}.png").read_bytes() for number in range(3)}) == 3


def test_a_slider_does_not_tune_again():
    few = ["tuning.steps=2", "tuning.size=32", "tuning.held=2", "tuning.directions=0", "search.steps=1"]
    few += ["search.tries=1", "models.surrogates=['sface']", "models.judges=['sface']"]
    toys = {cards.generator: lambda name: generator(), cards.inverter: lambda name: Encoder(8)}
    toys[cards.judge] = lambda name: tiny.MeanColour(name)
    protector = kohl.Protector("mini", settings=few, shelf=bundled.Toys(toys))
    known = [], []
    results = [
        made(SAMPLE, watch=steps.append).content
        for made, steps in zip((protector, protector.again(strength=0.9)), known, strict=True)
    ]
    assert ["tuning" in step.losses for step in known[0]] == [True, True, False]
    assert ["tuning" in step.losses for step in known[1]] == [False]
    assert results[0] != results[1]
