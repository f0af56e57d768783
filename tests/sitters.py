"""Three synthetic portraits that wear makeup in the tests; see `faces/LICENSE.md`."""

from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from kohl.makeup.layers import DIALS, bare
from kohl.makeup.products import NAMES as PRODUCTS
from kohl.templates import CROP
from kohl.types import Faces

FOLDER = Path(__file__).parent / "faces"
NAMES = ("0277", "0433", "0697")


@cache
def sitters(size: int = 256) -> Faces:
    """The portraits as aligned faces, enlarged smoothly if `size` is above 256."""
    pixels = np.stack([np.asarray(Image.open(FOLDER / f"{name}.jpg")) for name in NAMES])
    crops, landmarks = torch.tensor(pixels).permute(0, 3, 1, 2) / 255, torch.tensor(np.load(FOLDER / "landmarks.npy"))
    scale = size / 256
    if scale != 1:
        crops = F.interpolate(crops, (size, size), mode="bicubic").clamp(0, 1)
    points = torch.tensor(CROP).expand(len(NAMES), -1, -1)
    return Faces(crops, *((where + 0.5) * scale - 0.5 for where in (points, landmarks)))


def sitter(index: int, size: int = 256) -> Faces:
    """One of them."""
    return Faces(*(part[index : index + 1] for part in vars(sitters(size)).values()))


def asked(*names, opacity=0.8, **dials):
    """A look (products, 8) with those products and the other `dials` of each."""
    look = bare()
    for name in names:
        look[PRODUCTS.index(name), 0] = opacity
        for dial, value in dials.items():
            look[PRODUCTS.index(name), DIALS.index(dial)] = torch.tensor(value)
    return look


def worn(makeup, faces, look):
    """The faces wearing the look."""
    return makeup(faces.crops, look.expand(len(faces.crops), -1, -1))
