"""Light and shade as latents: a pyramid of soft fields of brightness, laid on a face's own skin.

People read it as light, recognisers as shape; it is what contour, highlighter and powder do.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl.types import Latents

# Numbers along a side of the crop, brightness at latents of 1, and the share of it that skin without any texture takes:
# fine light on such skin is mottling.
FIELDS = ((24, 0.05, 1.0), (48, 0.05, 0.6), (96, 0.025, 0.3))


class Shading(nn.Module):
    """Fields of brightness over crops of (size, size)."""

    def __init__(self, size: int, fields: Sequence[tuple[int, float, float]] = FIELDS) -> None:
        super().__init__()
        self.size, self.fields = size, fields
        self.count = sum(side * side for side, *_ in fields)

    def forward(self, latents: Latents, texture: Tensor) -> Tensor:
        """The change of brightness (n, 1, size, size) that `latents` (n, count) make; it may be negative.

        Where `texture` (n, 1, size, size) is 1 fields are whole, where it is 0 the share in FIELDS is left of each.
        """
        parts = torch.split(latents, [side * side for side, *_ in self.fields], 1)
        change = latents.new_zeros(len(latents), 1, self.size, self.size)
        for (side, gain, least), part in zip(self.fields, parts, strict=True):
            field = _enlarged(gain * part.view(-1, 1, side, side), self.size)
            change = change + (least + (1 - least) * texture) * field
        return change


def _enlarged(field: Tensor, size: int) -> Tensor:
    """The field at (size, size), smoothly in between."""
    return F.interpolate(field, (size, size), mode="bicubic", align_corners=False)
