"""Inception as the FID has it: its size, its names, its averages, and which files it reads."""

import pytest
import torch
from fills import filled, plain
from published import images, loaded, own_shapes

from kohl.errors import BadModel
from kohl.zoo.distances import inception
from kohl.zoo.distances.inception import Inception, average, largest, load


@pytest.fixture(scope="module")
def weights():
    return filled(own_shapes(Inception), plain, 1.4)


def test_it_has_as_many_weights_as_inception_without_its_classifiers():
    # torchvision's inception_v3 has 27,161,264; its classifier 2,049,000 of them and the one beside it 3,326,696.
    with torch.device("meta"):
        network = Inception()
    assert sum(weight.numel() for weight in network.parameters()) == 27_161_264 - 2_049_000 - 3_326_696


def test_names_are_those_of_the_published_file():
    names = own_shapes(Inception)
    assert names["Conv2d_1a_3x3.conv.weight"] == (32, 3, 3, 3)
    assert names["Mixed_5b.branch_pool.bn.running_mean"] == (32,)
    assert names["Mixed_6c.branch7x7dbl_2.conv.weight"] == (160, 160, 7, 1)
    assert names["Mixed_7c.branch3x3_2a.conv.weight"] == (384, 384, 1, 3)
    assert len({name.partition(".")[0] for name in names}) == 5 + 3 + 5 + 3


def test_pictures_of_any_size_have_2048_features_and_grey_is_nothing(weights):
    network = loaded(load, {**weights, "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)})
    with torch.no_grad():
        found = network(images(2, 64))
        assert found.shape == (2, inception.FEATURES)
        assert found.isfinite().all()
        assert not torch.equal(found[0], found[1])
        torch.testing.assert_close(network(images(2, 64)[1:]), found[1:])
        flat = torch.full((1, 3, 299, 299), 0.3)
        torch.testing.assert_close(network(flat), network(torch.full((1, 3, 50, 80), 0.3)))


def test_averages_do_not_count_what_lies_beyond_the_rim():
    x = torch.ones(1, 1, 4, 4)
    torch.testing.assert_close(average(x), x)
    assert largest(-x).max() == -1


def test_other_files_are_refused(weights):
    broken = dict(weights)
    del broken["Mixed_6c.branch1x1.conv.weight"]
    with pytest.raises(BadModel, match=r"this file lacks Mixed_6c\.branch1x1\.conv\.weight"):
        loaded(load, broken)
    with pytest.raises(BadModel):
        loaded(load, [1, 2])
