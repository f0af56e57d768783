"""Weights read without onnx are those that onnx reads."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kohl.zoo import cards
from kohl.zoo.files import initializers


def test_every_weight_of_sface_is_the_one_that_onnx_reads():
    path = cards.path(cards.find("sface"))
    found = initializers.read(path)
    expected = {value.name: numpy_helper.to_array(value) for value in onnx.load(path).graph.initializer}
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert (found[name].dtype, found[name].shape) == (values.dtype, values.shape)
        np.testing.assert_array_equal(found[name], values)


def test_numbers_may_be_packed_or_raw_and_shapes_of_any_size(tmp_path):
    values = np.arange(300, dtype=np.float32)
    tensors = [
        helper.make_tensor("packed", TensorProto.FLOAT, [300, 1], values),
        helper.make_tensor("raw", TensorProto.FLOAT, [2, 150], values.tobytes(), raw=True),
        helper.make_tensor("none", TensorProto.FLOAT, [0], []),
        helper.make_tensor("single", TensorProto.INT64, [], np.array([-7], "<i8").tobytes(), raw=True),
    ]
    onnx.save(helper.make_model(helper.make_graph([], "weights", [], [], tensors)), tmp_path / "w.onnx")
    found = initializers.read(tmp_path / "w.onnx")
    np.testing.assert_array_equal(found["packed"], values[:, None])
    np.testing.assert_array_equal(found["raw"], values.reshape(2, 150))
    assert (found["none"].shape, found["single"].shape, int(found["single"])) == ((0,), (), -7)
