"""ONNX models as functions of numpy arrays, on the CPU."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnxruntime
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnxruntime.capi import onnxruntime_pybind11_state as state

from kohl.types import BadModel

REFUSALS = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented)


def session(path: Path, *, threads: int = 2) -> onnxruntime.InferenceSession:
    """The model at `path`, ready to run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads would slow torch down
    options.log_severity_level = 4  # nothing: what goes wrong is our own error
    try:
        model = onnx.load(path)
        _drop_unused_inputs(model.graph)
        _drop_needless_blocks(model.graph)
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except (*REFUSALS, DecodeError, OSError) as error:
        raise BadModel(f"{path}: onnxruntime cannot run this model ({error}).") from error


def _drop_unused_inputs(graph: onnx.GraphProto) -> None:
    """Remove inputs that no layer reads: OpenCV's quantiser leaves every former weight in the list."""
    read = {name for node in graph.node for name in node.input}
    used = [value for value in graph.input if value.name in read]
    del graph.input[:]
    graph.input.extend(used)


def _drop_needless_blocks(graph: onnx.GraphProto) -> None:
    """Remove the block size where all numbers share one scale: onnxruntime 1.32 refuses OpenCV's files otherwise."""
    single = {value.name for value in graph.initializer if list(value.dims) in ([], [1])}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[1] in single:
            del node.attribute[:]
