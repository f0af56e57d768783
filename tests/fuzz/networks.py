"""The door for ONNX judges: graphs that are damaged, of other shapes and types, or want other files."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from random import Random

import photos

from fuzz.door import ACCEPTED, Door, check
from fuzz.mutate import mutated
from kohl.zoo import cards

SIZE = 16
CARD = f'size = {SIZE}\n[thresholds]\n"0.01" = 0.3\n'


def missing() -> str:
    """Why there are no ONNX judges here, if so."""
    absent = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
    return f"{' and '.join(absent)} not installed" if absent else ""


@cache
def seed() -> bytes:
    """A recogniser: the colours averaged over a grid."""
    from onnx import TensorProto, helper

    picture, embedding = ("picture", [1, 3, SIZE, SIZE]), ("embedding", [1, 48])
    nodes = [
        helper.make_node("AveragePool", ["picture"], ["grid"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["grid"], ["flat"]),
        helper.make_node("Mul", ["flat", "scale"], ["embedding"]),
    ]
    scale = helper.make_tensor("scale", TensorProto.FLOAT, [48], [0.01] * 48)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (picture, embedding)]
    graph = helper.make_graph(nodes, "recogniser", values[:1], values[1:], [scale])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    data: bytes = model.SerializeToString()
    return data


def odd(rng: Random) -> bytes:
    """The recogniser with something in its graph that is odd."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(seed())
    graph = model.graph
    for _ in range(rng.choice((1, 1, 2))):
        change = rng.randrange(11)
        node = rng.choice(graph.node)
        if change == 0:
            value = rng.choice([*graph.input, *graph.output])
            value.type.tensor_type.elem_type = rng.choice((0, 1, 2, 7, 8, 10, 11, 99))
        elif change == 1:
            shape = rng.choice([*graph.input, *graph.output]).type.tensor_type.shape
            shape.dim.add().dim_value = rng.choice((0, -1, 2, 2**40))
        elif change == 2:
            graph.output[0].type.tensor_type.shape.dim[-1].dim_param = "n"
        elif change == 3 and node.output:
            node.input.append(node.output[0])  # a loop
        elif change == 4:
            node.op_type = rng.choice(("Identity", "Loop", "If", "Cast", "StringNormalizer", "", "\x1b[2J", "Reshape"))
        elif change == 5:
            scale = graph.initializer[0]
            scale.ClearField("raw_data")
            scale.ClearField("float_data")
            scale.data_location = TensorProto.EXTERNAL
            where = rng.choice(("/etc/passwd", "../../x", "model.onnx", "\0", "/dev/zero", "missing.bin"))
            for key, value in (("location", where), ("offset", str(rng.choice((0, -1, 2**62)))), ("length", "192")):
                scale.external_data.add(key=key, value=value)
        elif change == 6:
            graph.initializer[0].dims[:] = rng.choice(([0], [-1], [2**40], [48, 1, 1], []))
        elif change == 7:
            graph.node.add().CopyFrom(
                helper.make_node("Constant", [], ["embedding"], value_strings=["a", "\x1b[2J"])
                if rng.random() < 0.5
                else node
            )
        elif change == 8:
            graph.ClearField(rng.choice(("input", "output", "node", "initializer")))
            break
        elif change == 9:
            model.opset_import[0].version = rng.choice((0, 1, 9999, -1))
        else:
            graph.initializer[0].float_data[:] = [rng.choice((0.0, float("nan"), float("inf"), 1e38))] * 48
    data: bytes = model.SerializeToString()
    return data


def network(rng: Random) -> bytes:
    """A model that may be anything."""
    return odd(rng) if rng.random() < 0.5 else mutated(rng, seed())


@cache
def _photo(folder: Path) -> Path:
    path = folder / "kohl-fuzz-face.png"
    photos.portrait().save(path)
    return path


def judge(data: bytes, folder: Path) -> str:
    """Try a model as a judge, and, where it is accepted, ask it about a face."""
    path = folder / "model.onnx"
    path.write_bytes(data)
    path.with_name("model.onnx.toml").write_text(CARD)
    made = cards.judge(f"onnx:{path}")
    photo = _photo(folder.parent)
    (score,) = made.compare(photo, [photo])
    check(score is None or 0.999 < score < 1.001, "contract", f"the same photo has the similarity {score}")
    return ACCEPTED


ONNX = Door("onnx", network, judge, missing=missing)
