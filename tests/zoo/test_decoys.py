"""The bundled synthetic people: aligned faces that recognisers tell apart."""

import bundled
import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from kohl.align.crop import SIZE
from kohl.errors import BadModel, BadSetting
from kohl.perturb.terms import Surrogate
from kohl.templates import CROP
from kohl.zoo import cards
from kohl.zoo.generators.decoys import Decoys


@pytest.fixture(scope="module")
def decoys():
    return bundled.load("decoys")


@pytest.fixture(scope="module")
def some(decoys):
    return [decoys[index] for index in range(0, len(decoys), len(decoys) // 12)]


def test_each_is_a_batch_of_one(some):
    for decoy in some:
        assert (decoy.crops.shape, decoy.crops.dtype) == ((1, 3, SIZE, SIZE), torch.float32)
        assert (decoy.points.shape, decoy.landmarks.shape) == ((1, 5, 2), (1, 68, 2))
        assert decoy.crops.min() >= 0
        assert 0.5 < decoy.crops.max() <= 1


def test_each_stands_where_a_crop_of_a_photo_does(some):
    for decoy in some:
        assert (decoy.points[0] - torch.tensor(CROP)).norm(dim=1).mean() < 8
        eyes = torch.stack([decoy.landmarks[0, 36:42].mean(0), decoy.landmarks[0, 42:48].mean(0)])
        assert (eyes - decoy.points[0, :2]).norm(dim=1).max() < 12


def test_each_is_a_face_and_its_points_are_where_yunet_sees_them(some):
    yunet = bundled.load("yunet")
    for decoy in some:
        pixels = (decoy.crops[0].permute(1, 2, 0) * 255).byte().numpy()
        (found,) = yunet(pixels)
        assert np.linalg.norm(found.points - decoy.points[0].numpy(), axis=1).max() < 8


@pytest.mark.parametrize("name", [name for name in cards.named("encoder") if cards.find(name).package])
def test_most_are_strangers_to_each_other(some, name):
    surrogate = Surrogate(bundled.SHELF(cards.encoder, name), cards.find(name).roles["encoder"].thresholds[0.01])
    embeddings = torch.cat([surrogate.embed(decoy) for decoy in some])
    pairs = torch.triu_indices(len(some), len(some), 1)
    matches = (embeddings @ embeddings.T)[pairs[0], pairs[1]] >= surrogate.threshold
    assert matches.float().mean() < 0.25  # they are more alike than the people of the thresholds, of whom 1 % match


def test_each_number_is_another_person_and_always_the_same(decoys):
    assert torch.equal(decoys[3].crops, decoys[3].crops)
    assert not torch.equal(decoys[3].crops, decoys[4].crops)
    decoys[3].crops.zero_()
    assert decoys[3].crops.any()


@pytest.mark.parametrize("beyond", [-1, 0, 1000])
def test_an_unknown_number_is_refused(decoys, beyond):
    index = beyond if beyond < 0 else len(decoys) + beyond
    with pytest.raises(BadSetting, match=f"decoy:{index}: no such decoy; there are 0 to {len(decoys) - 1}"):
        decoys[index]


def test_pictures_are_unpacked_from_one_string_of_bytes(tmp_path):
    shades = (10, 200, 90)
    files = [cv2.imencode(".png", np.full((SIZE, SIZE, 3), (shade, 0, 255), np.uint8))[1] for shade in shades]
    tensors = {
        "files": torch.tensor(np.concatenate(files)),
        "ends": torch.tensor(np.cumsum([len(file) for file in files])),
        "points": torch.arange(30.0).view(3, 5, 2),
        "landmarks": torch.arange(3 * 136.0).view(3, 68, 2),
    }
    save_file(tensors, tmp_path / "decoys.safetensors")
    decoys = Decoys(tmp_path / "decoys.safetensors")
    assert len(decoys) == 3
    for index, shade in enumerate(shades):
        assert (decoys[index].crops[0, :, 0, 0] * 255).round().tolist() == [255, 0, shade]  # OpenCV's blue comes first
        assert torch.equal(decoys[index].points, tensors["points"][index : index + 1])
        assert torch.equal(decoys[index].landmarks, tensors["landmarks"][index : index + 1])


def test_a_file_without_decoys_is_refused(tmp_path):
    (tmp_path / "decoys.safetensors").write_bytes(b"none")
    with pytest.raises(BadModel, match=r"decoys\.safetensors"):
        Decoys(tmp_path / "decoys.safetensors")
