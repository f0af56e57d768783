"""FaceNet: the published names, and what its blocks add up to."""

import pytest
import torch
from published import golden, loaded, own_shapes, shapes
from torch import nn

from kohl.errors import BadModel
from kohl.zoo.recognisers import facenet


def test_weights_have_the_published_names_and_shapes():
    theirs = shapes(golden("fr_facenet"))
    assert own_shapes(facenet.layers) == {name: theirs[name] for name in theirs if not name.startswith("logits.")}


def test_block_adds_its_mixed_branches_scaled():
    block = facenet.Block(facenet.Mixed(nn.Identity(), nn.Identity()), nn.Conv2d(4, 2, 1), 0.1)
    nn.init.zeros_(block.conv2d.weight)
    block.conv2d.bias.data = torch.tensor([3.0, -3.0])
    x = torch.tensor([1.0, 0.1]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    torch.testing.assert_close(block(x)[0, :, 0, 0], torch.tensor([1.3, 0.0]))  # 0.1 − 0.3, rectified
    block.rectified = False
    torch.testing.assert_close(block(x)[0, :, 0, 0], torch.tensor([1.3, -0.2]))


def test_branches_are_joined_in_order():
    mixed = facenet.Mixed(nn.Identity(), nn.ReLU())
    x = -torch.ones(1, 2, 3, 3)
    assert torch.equal(mixed(x), torch.cat([x, 0 * x], 1))


def test_refuses_a_file_without_its_trunk():
    with pytest.raises(BadModel, match=r"lacks conv2d_1a\.conv\.weight and \d+ more"):
        loaded(facenet.load, {"logits.weight": torch.zeros(3, 512), "logits.bias": torch.zeros(3)})
