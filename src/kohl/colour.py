"""How bright colours are, as ITU-R BT.601 weighs them: file formats, and most of the field, mean this by grey."""

from __future__ import annotations

from torch import Tensor

from kohl.types import Images

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue


def brightness(images: Images) -> Tensor:
    """The weighted mean of the three channels, (n, height, width)."""
    red, green, blue = images.unbind(1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
