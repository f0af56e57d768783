"""ONNX models of the user's own as functions of numpy arrays, in onnxruntime, on the CPU; the extra `onnx` brings it.

They are not trusted: a model is read within bounds, may name no other file, and is stopped when it takes too long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from types import ModuleType
from typing import Any

import numpy as np

from kohl import plain_file
from kohl.errors import BadModel

LARGEST = 2**31 - 1  # bytes: a protocol buffer holds no more
LONGEST_S = 60  # for one face; ResNet-100 takes a second
LARGEST_EMBEDDING = 2**16  # numbers
NUMBERS = ("float", "double", "float16")  # of an embedding, as onnxruntime calls them
OTHERS = (MemoryError, RuntimeError, ValueError)  # what damaged models raise too: names that are no text, for one
QUIET = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")  # onnxruntime reads them once, when it is imported


class Session:
    """The model at `path`: one picture in, one embedding out; raises `BadModel` for any other."""

    def __init__(self, path: Path, size: int, *, threads: int = 2) -> None:
        onnx, runtime = libraries()
        self.path = path
        self.errors: tuple[type[Exception], ...] = (*_errors(runtime), *OTHERS)
        self.stoppable = runtime.RunOptions
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads would slow torch down
        options.log_severity_level = 4  # nothing: what goes wrong is our own error
        try:
            content = plain_file.content(path, LARGEST)
        except FileNotFoundError as error:
            raise BadModel(f"{path}: there is no such ONNX model.") from error
        except OSError as error:
            raise BadModel(f"{path}: this ONNX model cannot be read ({error.strerror}).") from error
        with self._run("this model"):
            model = onnx.load_from_string(content)
        _check_alone(model, path)
        _drop_unused_inputs(model.graph)
        _drop_needless_blocks(model.graph)
        with self._run("this model"):
            self.session = runtime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
            inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        _check_shapes(inputs, outputs, path, size)
        self.input = inputs[0].name

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """The embedding (d,) of a picture, float32 (1, 3, size, size)."""
        options = self.stoppable()
        timer = Timer(LONGEST_S, setattr, (options, "terminate", True))
        timer.daemon = True
        timer.start()
        try:
            with self._run("this model on a face"):
                outputs = self.session.run(None, {self.input: picture}, options)
        finally:
            timer.cancel()
        embedding = outputs[0]
        if not isinstance(embedding, np.ndarray) or embedding.dtype.kind not in "fiu" or len(embedding.shape) != 2:
            raise BadModel(f"{self.path}: gives no numbers for a face, but something else; take another model.")
        if embedding.shape[0] != 1 or not 0 < embedding.shape[1] <= LARGEST_EMBEDDING:
            raise BadModel(f"{self.path}: gives {embedding.shape} for one face, not one embedding; take another model.")
        first: np.ndarray = embedding[0]
        return first

    @contextmanager
    def _run(self, what: str) -> Iterator[None]:
        """Around the library's calls alone: what it raises for a broken model becomes a `BadModel`."""
        try:
            yield
        except self.errors as error:
            raise BadModel(f"{self.path}: onnxruntime cannot run {what} ({_words(error)}).") from error


def libraries() -> tuple[ModuleType, ModuleType]:
    """onnx and onnxruntime, which then report nothing to anybody; raises `BadModel` where they are not installed."""
    for name in QUIET:
        os.environ[name] = "1"
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise BadModel(
            f"{error.name}: is not installed, and judges from ONNX files need it; run `pip install 'kohl[onnx]'`."
        ) from error
    return onnx, onnxruntime


def _errors(runtime: ModuleType) -> Iterator[type[Exception]]:
    """Every error that onnxruntime has of its own, and that of damaged protocol buffers."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    yield DecodeError
    for error in vars(runtime.capi.onnxruntime_pybind11_state).values():
        if isinstance(error, type) and issubclass(error, Exception):
            yield error


def _words(error: Exception) -> str:
    """What a library says, short enough for a sentence."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}…"


def _check_alone(model: Any, path: Path) -> None:
    """Refuses a model that keeps numbers in other files: it could name any file of this machine."""
    left = [model]
    while left:
        message = left.pop()
        for field, value in message.ListFields():
            if field.name == "data_location" and value == message.EXTERNAL:
                raise BadModel(f"{path}: keeps its weights in other files; save it again as one file.")
            if field.message_type is not None:
                left += [value] if hasattr(value, "ListFields") else list(value)


def _check_shapes(inputs: Sequence[Any], outputs: Sequence[Any], path: Path, size: int) -> None:
    """Refuse a model that does not take one picture as described, or does not give one embedding."""
    wanted = [1, 3, size, size]
    if not inputs:
        raise BadModel(f"{path}: takes no picture.")
    fits = [not isinstance(has, int) or has == want for has, want in zip(inputs[0].shape, wanted, strict=False)]
    if len(inputs) > 1 or len(inputs[0].shape) != len(wanted) or not all(fits):
        raise BadModel(f"{path}: takes {[value.shape for value in inputs]} but its card says {wanted}.")
    if inputs[0].type != "tensor(float)":
        raise BadModel(f"{path}: takes {inputs[0].type}, but kohl feeds float32; export it again.")
    if not outputs or len(outputs[0].shape) != 2 or outputs[0].type.removeprefix("tensor(").rstrip(")") not in NUMBERS:
        shapes = f"{outputs[0].type} {outputs[0].shape}" if outputs else "nothing"
        raise BadModel(f"{path}: gives {shapes}, not one embedding per picture.")


def _drop_unused_inputs(graph: Any) -> None:
    """Remove inputs that no layer reads: OpenCV's quantiser leaves every former weight in the list."""
    read = {name for node in graph.node for name in node.input}
    used = [value for value in graph.input if value.name in read]
    del graph.input[:]
    graph.input.extend(used)


def _drop_needless_blocks(graph: Any) -> None:
    """Remove the block size where all numbers share one scale: onnxruntime 1.32 refuses OpenCV's files otherwise."""
    single = {value.name for value in graph.initializer if list(value.dims) in ([], [1])}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and len(node.input) > 1 and node.input[1] in single:
            del node.attribute[:]
