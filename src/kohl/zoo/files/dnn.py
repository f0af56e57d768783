"""Networks in ONNX files that came with an installed package, run by OpenCV on the CPU."""

from __future__ import annotations

from pathlib import Path

import cv2

from kohl.errors import BadModel


def network(path: Path) -> cv2.dnn.Net:
    """The network in the file at `path`, ready to be fed; raises `BadModel`."""
    try:
        # The new engine: the old one does not know weights that share a scale by blocks.
        return cv2.dnn.readNetFromONNX(str(path), cv2.dnn.ENGINE_NEW)
    except cv2.error as error:
        raise BadModel(f"{path}: OpenCV cannot run this model ({' '.join(error.err.split())}).") from error
