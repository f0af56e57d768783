"""What leaves of a photo: the part around one face, as a PNG that holds pixels and nothing else."""

from __future__ import annotations

import cv2
import numpy as np

from kohl.types import Box

ROOM = 2.0  # sides of the face's box that a side of the part has
SHORTEST = 400  # pixels of its longer side: services overlook faces that have few
CUT = f"{ROOM:g} boxes, {SHORTEST} pixels or more, PNG"  # answers to other pictures are other answers


def cut(pixels: np.ndarray, box: Box, longest: int) -> bytes:
    """The part of the photo (uint8 RGB) around the face in `box`; its longer side has `SHORTEST` to `longest` pixels.

    A face at the photo's edge stays where it is, and the part is cut off there.
    """
    height, width = pixels.shape[:2]
    left, top, across, down = box
    half = max(across, down) * ROOM / 2
    columns, rows = (
        slice(int(np.clip(round(middle - half), 0, most - 1)), int(np.clip(round(middle + half), 1, most)))
        for middle, most in ((left + across / 2, width), (top + down / 2, height))
    )
    part = pixels[rows, columns]
    side = max(part.shape[:2])
    scale = min(max(side, SHORTEST), longest) / side
    if scale != 1:
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return cv2.imencode(".png", cv2.cvtColor(part, cv2.COLOR_RGB2BGR))[1].tobytes()
