"""The second judge that the search never saw, out of another format: as torch computes it."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from tiny import numbers

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import faceres

WIDTH = 4


@pytest.fixture
def written(tmp_path):
    """A network of the same plan and four channels: its file, and what it makes of faces according to torch."""
    nodes, weights, blob, layers = [{"name": "input_1", "op": "Placeholder"}], [], b"", []

    def constant(name, values, shape):
        nonlocal blob
        half = values.numpy().astype(np.float16)
        weights.append({"name": name, "shape": shape, "dtype": "float32", "quantization": {"dtype": "float16"}})
        nodes.append({"name": name, "op": "Const"})
        blob += half.tobytes()
        return torch.tensor(half.astype(np.float32))

    last = "input_1"
    for index in range(faceres.LAYERS):
        alone, stride, before = index % 2 == 1, 2 if index in (0, 3) else 1, WIDTH if index else 3
        shape = [3, 3, WIDTH, 1] if alone else [1, 1, before, WIDTH] if index else [3, 3, 3, WIDTH]
        weight = constant(f"w{index}", 0.5 * torch.randn(shape, generator=numbers(index)), shape)
        scale = constant(f"s{index}", 0.8 + 0.4 * torch.rand(WIDTH, generator=numbers(index)), [1, 1, 1, WIDTH])
        shift = constant(f"b{index}", torch.rand(WIDTH, generator=numbers(-index - 1)), [WIDTH])
        op = "DepthwiseConv2dNative" if alone else "Conv2D"
        attributes = {"strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}}}
        nodes += [
            {"name": f"c{index}", "op": op, "input": [last, f"w{index}"], "attr": attributes},
            {"name": f"m{index}", "op": "Mul", "input": [f"c{index}", f"s{index}"]},
            {"name": f"a{index}", "op": "Add", "input": [f"m{index}", f"b{index}"]},
            {"name": f"r{index}", "op": "Relu", "input": [f"a{index}"]},
        ]
        layers.append(
            (weight.permute(2, 3, 0, 1) if alone else weight.permute(3, 2, 0, 1), scale, shift, stride, alone)
        )
        last = f"r{index}"
    nodes.append({"name": faceres.EMBEDDING, "op": "Mean", "input": [last]})
    manifest = [{"paths": ["net.bin"], "weights": weights}]
    (tmp_path / "net.bin").write_bytes(blob)
    (tmp_path / "net.json").write_text(json.dumps({"modelTopology": {"node": nodes}, "weightsManifest": manifest}))

    def expected(images):
        for weight, scale, shift, stride, alone in layers:
            if weight.shape[-1] == 3:  # as TensorFlow pads: the odd row and column last
                images = F.pad(images, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))
            images = F.conv2d(images, weight, stride=stride, groups=WIDTH if alone else 1)
            images = (images * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)).clamp(0, 6)
        return images.mean((2, 3))

    return tmp_path / "net.json", expected


def test_the_onnx_file_computes_what_the_published_one_does(written):
    model, expected = written
    session = onnxruntime.InferenceSession(faceres.graph(model).SerializeToString(), providers=["CPUExecutionProvider"])
    faces = torch.rand(2, 3, faceres.SIZE, faceres.SIZE, generator=numbers())
    found = session.run(None, {"faces": faces.numpy()})[0]
    np.testing.assert_allclose(found[:, :WIDTH], expected(faces).numpy(), rtol=1e-4, atol=1e-5)


def test_another_network_is_refused(written):
    model, _ = written
    described = json.loads(model.read_text())
    described["modelTopology"]["node"][-1]["input"] = ["r3"]
    model.write_text(json.dumps(described))
    with pytest.raises(SystemExit, match="4 convolutions, not 27"):
        faceres.graph(model)


def test_other_weights_are_refused(written):
    model, _ = written
    with pytest.raises(SystemExit, match="not FaceRes"):
        faceres.main([str(model), "-o", str(model.with_suffix(".onnx"))])
    assert not model.with_suffix(".onnx").exists()
