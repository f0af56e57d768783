"""The recognisers that are a MobileNet: what they compute, what they are shown, and how their files were made."""

import json
import sys
from pathlib import Path

import bundled
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tiny import numbers

from kohl.geometry import transform
from kohl.templates import ARCFACE
from kohl.types import Faces
from kohl.zoo import cards
from kohl.zoo.recognisers import mobilenet

sys.path.append(str(Path(__file__).parents[2] / "training"))
import mobilenets

GOLDEN = Path(__file__).parent / "mobilenets"
WIDTH = 4


@pytest.mark.parametrize("name", ["faceres", "facelib"])
def test_computes_what_the_published_network_does(name):
    # The golden embeddings are TensorFlow Lite's, and onnxruntime's at FaceRes' own 224 pixels; ours has half the bits.
    with np.load(GOLDEN / f"{name}.npz") as golden:
        image, embedding = (torch.tensor(golden[part]) for part in ("image", "embedding"))
    network = mobilenet.load(cards.path(cards.find(name)), name=name, size=len(image))
    found = network((image.float() / 255).permute(2, 0, 1)[None])
    torch.testing.assert_close(found, F.normalize(embedding[None]), atol=3e-3, rtol=0)


@pytest.mark.parametrize("name", ["faceres", "facelib"])
def test_puts_the_points_on_the_template(name):
    network = bundled.SHELF(cards.encoder, name)
    points = torch.tensor([ARCFACE]) @ torch.tensor([[1.2, 0.5], [-0.5, 1.2]]) + 40
    faces = Faces(torch.zeros(1, 3, 8, 8), points, torch.zeros(1, 68, 2))
    expected = (torch.tensor([ARCFACE]) + 0.5) * (network.size / 112) - 0.5
    torch.testing.assert_close(transform(network.to_input(faces), points), expected)


def test_its_margin_surrounds_the_template():
    network = mobilenet.load(cards.path(cards.find("faceres")), name="faceres", size=224, margin=20)
    points = torch.tensor([ARCFACE])
    moved = transform(network.to_input(Faces(torch.zeros(1, 3, 8, 8), points, torch.zeros(1, 68, 2))), points)
    torch.testing.assert_close(moved, (points + 0.5) * (184 / 112) + 19.5)


@pytest.fixture
def published(tmp_path):
    """A network of FaceRes' plan and four channels as TensorFlow.js stores it, and what it makes of faces by torch."""
    nodes, weights, blob, layers = [{"name": "input_1", "op": "Placeholder"}], [], b"", []

    def constant(name, values, shape):
        nonlocal blob
        half = values.numpy().astype(np.float16)
        weights.append({"name": name, "shape": shape, "dtype": "float32", "quantization": {"dtype": "float16"}})
        nodes.append({"name": name, "op": "Const"})
        blob += half.tobytes()
        return torch.tensor(half.astype(np.float32))

    last = "input_1"
    for index in range(mobilenet.LAYERS):
        alone, before = index % 2 == 1, WIDTH if index else 3
        shape = [3, 3, WIDTH, 1] if alone else [1, 1, before, WIDTH] if index else [3, 3, 3, WIDTH]
        weight = constant(f"w{index}", 0.5 * torch.randn(shape, generator=numbers(index)), shape)
        scale = constant(f"s{index}", 0.8 + 0.4 * torch.rand(WIDTH, generator=numbers(index)), [1, 1, 1, WIDTH])
        shift = constant(f"b{index}", torch.rand(WIDTH, generator=numbers(-index - 1)), [WIDTH])
        nodes += [
            {"name": f"c{index}", "op": "DepthwiseConv2dNative" if alone else "Conv2D", "input": [last, f"w{index}"]},
            {"name": f"m{index}", "op": "Mul", "input": [f"c{index}", f"s{index}"]},
            {"name": f"a{index}", "op": "Add", "input": [f"m{index}", f"b{index}"]},
            {"name": f"r{index}", "op": "Relu", "input": [f"a{index}"]},
        ]
        layers.append((weight.permute(2, 3, 0, 1) if alone else weight.permute(3, 2, 0, 1), scale, shift, alone))
        last = f"r{index}"
    nodes.append({"name": mobilenets.EMBEDDING, "op": "Mean", "input": [last]})
    manifest = [{"paths": ["net.bin"], "weights": weights}]
    (tmp_path / "net.bin").write_bytes(blob)
    (tmp_path / "net.json").write_text(json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest}))

    def expected(faces):
        images = faces.flip(1) * 255 - torch.tensor(mobilenets.IMAGENET[::-1]).view(3, 1, 1)
        for index, (weight, scale, shift, alone) in enumerate(layers):
            halving = index in mobilenet.HALVING
            if weight.shape[-1] == 3:  # as TensorFlow pads: the odd row and column last
                images = F.pad(images, (0, 1, 0, 1) if halving else (1, 1, 1, 1))
            images = F.conv2d(images, weight, stride=2 if halving else 1, groups=WIDTH if alone else 1)
            images = (images * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)).clamp(0, 6)
        return F.normalize(images.mean((2, 3)))

    return tmp_path / "net.json", expected


def test_the_weights_are_read_out_of_the_published_file(published):
    model, expected = published
    tensors = {name: torch.tensor(value.copy()).float() for name, value in mobilenets.faceres(model).items()}
    network = mobilenet.MobileNet("toy", tensors, size=64)
    faces = torch.rand(2, 3, 64, 64, generator=numbers())
    torch.testing.assert_close(network(faces), expected(faces), rtol=1e-4, atol=1e-5)


def test_another_file_than_the_published_one_is_refused(published, tmp_path):
    model, _ = published
    with pytest.raises(SystemExit, match="another file"):
        mobilenets.main([str(model), str(tmp_path / "out.safetensors")])
    assert not (tmp_path / "out.safetensors").exists()
