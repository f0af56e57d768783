"""Synthetic people that a protected face may come to resemble; none of them exists."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch

from kohl.errors import BadSetting
from kohl.types import Faces
from kohl.zoo.files import store


class Decoys:
    """Aligned portraits with their landmarks, unpacked one at a time."""

    def __init__(self, path: Path) -> None:
        tensors = store.tensors(path)
        self._files, self._ends = tensors["files"].numpy(), tensors["ends"].tolist()
        self._points, self._landmarks = tensors["points"], tensors["landmarks"]

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> Faces:
        """The decoy of that number, as a batch of one; raises `BadSetting` if there is none."""
        if not 0 <= index < len(self):
            raise BadSetting(f"decoy:{index}: no such decoy; there are 0 to {len(self) - 1}")
        start = self._ends[index - 1] if index else 0
        pixels = cv2.imdecode(self._files[start : self._ends[index]], cv2.IMREAD_COLOR)
        assert pixels is not None  # the file's hash was checked
        crop = torch.from_numpy(np.ascontiguousarray(pixels[:, :, ::-1])).permute(2, 0, 1)[None].float() / 255
        return Faces(crop, self._points[index : index + 1].float(), self._landmarks[index : index + 1].float())
