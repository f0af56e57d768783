"""The Fréchet distance against its closed form, and between sets of faces."""

import numpy as np
import pytest
import tiny
import torch
from scipy.linalg import sqrtm

from kohl.bench.frechet import Space, frechet


def drawn(count, mean, spread, seed=0):
    return np.random.default_rng(seed).normal(mean, spread, (count, len(mean)))


def test_of_equal_sets_it_is_nothing():
    features = drawn(50, [1.0, 2.0, 3.0], [1.0, 0.1, 5.0])
    assert frechet(features, features[::-1]) == pytest.approx(0, abs=1e-9)


def test_of_a_moved_set_it_is_the_way_squared():
    features = drawn(40, np.zeros(3), np.ones(3))
    assert frechet(features, features + np.array([3.0, 0.0, 4.0])) == pytest.approx(25)


def test_along_a_line_it_is_of_means_and_deviations():
    first, second = drawn(500, [0.0], [1.0]), drawn(300, [2.0], [3.0], seed=1)
    wanted = (first.mean() - second.mean()) ** 2 + (first.std(ddof=1) - second.std(ddof=1)) ** 2
    assert frechet(first, second) == pytest.approx(wanted)


def test_it_is_that_of_the_formula_with_a_root_of_a_matrix():
    rng = np.random.default_rng(2)
    first, second = (rng.normal(size=(60, 5)) @ rng.normal(size=(5, 5)) for _ in range(2))
    covariances = [np.cov(each.T) for each in (first, second)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    wanted = np.square(first.mean(0) - second.mean(0)).sum() + np.trace(sum(covariances) - 2 * root)
    assert frechet(first, second) == pytest.approx(wanted)


def test_fewer_pictures_than_features():
    first, second = (drawn(4, np.zeros(64), np.ones(64), seed) for seed in (3, 4))
    assert 0 < frechet(first, second) == pytest.approx(frechet(second, first))


def test_faces_are_cut_where_they_are_in_the_original(tmp_path):
    photos = [tiny.picture(tmp_path / f"{index}.png", seed=index) for index in range(3)]
    other = tiny.picture(tmp_path / "other.png", height=32, width=32)
    space = Space("a network", tiny.detector(tiny.face(0, 0, 64)), lambda crops: crops.mean((2, 3)))
    assert space([(photo, photo) for photo in photos]) == pytest.approx(0, abs=1e-9)
    assert space([(photos[0], photos[1]), (photos[1], photos[0]), (photos[2], other)]) == pytest.approx(0, abs=1e-9)
    assert space([(photos[0], photos[1]), (photos[1], photos[2])]) > 0
    assert space([(photos[0], photos[1]), (photos[1], other)]) is None
    blind = Space("a network", tiny.detector(), torch.flatten)
    assert blind([(photo, photo) for photo in photos]) is None
