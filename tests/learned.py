"""Runs of learning in milliseconds: what they are given, and what lies in their folder afterwards."""

import csv

import pytest
from tiny_training import SMALL, Apart, gallery

from kohl.train import stylegan2
from kohl.train.learner import Training

SETTINGS = {**SMALL, "images": 16, "batch": 2, "adversarial_from": 0.3, "r1_every": 2, "report": 6}  # eight steps
GALLERY, APART = gallery(), Apart()


def learn(folder, *, known=GALLERY, features=APART, said=lambda line: None, **settings):
    return stylegan2.learn(known, features, folder, Training(**{**SETTINGS, **settings}), said=said)


class Watched:
    """The gallery, which notes the seed of each step's random numbers; a person may stop it before a step."""

    plain = GALLERY.plain

    def __init__(self, stopped=None):
        self.seeds, self.stopped = [], stopped

    def views(self, count, size, rng):
        if len(self.seeds) == self.stopped:
            raise KeyboardInterrupt
        self.seeds.append(rng.initial_seed())
        return GALLERY.views(count, size, rng)


def learn_until(number, folder, **settings):
    """Learns until a person stops it before that step."""
    with pytest.raises(KeyboardInterrupt):
        learn(folder, known=Watched(number), **settings)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(paths):
    return [path.read_bytes() for path in paths]


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
