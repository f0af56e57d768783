"""What the page shows of a photo: the whole of it, its faces, and a face in a look."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from kohl import dial
from kohl.align import crop, imageio
from kohl.contact_sheet import ROOM
from kohl.geometry import resized
from kohl.makeup.layers import Makeup
from kohl.makeup.products import LAYERED
from kohl.makeup.words import reader
from kohl.perturb.looks import dressed
from kohl.score.pictures import shrunk
from kohl.tiles import pixels
from kohl.types import Detector, Face, Faces, Photo, Points

LONGEST = 1600  # pixels of a side of the whole photo
SIDES = (160, 256, dial.SIDE)  # pixels: that a face is shown in
MOST_FACES = 40  # that are shown; all are protected
MADE_UP = 6  # faces whose makeup is kept ready


@dataclass(frozen=True, eq=False)
class Tile:
    """One face as a JPEG, a tenth of its pixels' bytes, and its landmarks there."""

    jpeg: bytes
    points: Points
    landmarks: Points

    def at(self, side: int) -> Faces:
        """The face, `side` pixels wide."""
        with Image.open(BytesIO(self.jpeg)) as image:
            pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
        return resized(Faces(pixels, self.points, self.landmarks), side)


@dataclass(frozen=True, eq=False)
class Seen:
    """A photo as the page needs it, without its pixels."""

    size: tuple[int, int]
    found: list[Face]
    tiles: list[Tile]
    whole: bytes  # JPEG
    icc_profile: bytes | None

    @property
    def memory(self) -> int:
        """Bytes, about."""
        return len(self.whole) + sum(len(tile.jpeg) for tile in self.tiles)


def seen(path: Path, detect: Detector) -> Seen:
    """What is in the photo at `path`; raises `BadPhoto`."""
    photo = imageio.read(path, spare=ROOM)
    found = detect(photo)
    profile = photo.metadata.icc_profile
    tiles = [_tile(photo, face) for face in found[:MOST_FACES]]
    return Seen(photo.size, found, tiles, jpeg(shrunk(photo.pixels, LONGEST), profile), profile)


def faces_of(photo: Photo, found: list[Face]) -> list[bytes]:
    """JPEGs of the faces in a photo, `SIDE` pixels wide."""
    return [jpeg(dial.tile(photo, face), photo.metadata.icc_profile) for face in found[:MOST_FACES]]


def face(seen: Seen, index: int, side: int) -> bytes:
    """A JPEG of one face as it is."""
    tile = seen.tiles[index]
    return tile.jpeg if side == dial.SIDE else jpeg(pixels(tile.at(side).crops), seen.icc_profile)


class Mirror:
    """Faces in looks; what drawing on a face needs is kept for the last few."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int, int], tuple[Seen, Faces, Makeup]] = OrderedDict()

    @torch.no_grad()
    def __call__(self, seen: Seen, index: int, side: int, text: str) -> bytes:
        """A JPEG of one face in the look that these words ask for; raises `BadSetting`."""
        look, key = reader.read(text), (id(seen), index, side)
        if key not in self._kept:
            faces = seen.tiles[index].at(side)
            self._kept[key] = seen, faces, Makeup(faces, LAYERED)
            while len(self._kept) > MADE_UP:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        _, faces, makeup = self._kept[key]
        return jpeg(pixels(makeup(faces.crops, dressed(look)[None])), seen.icc_profile)

    def forget(self, seen: Seen) -> None:
        """Keeps nothing of this photo."""
        for key in [key for key in self._kept if key[0] == id(seen)]:
            del self._kept[key]


def jpeg(pixels: np.ndarray, icc_profile: bytes | None = None) -> bytes:
    """uint8 pixels (h, w, 3) as a JPEG in full colour resolution, without a story."""
    buffer, profile = BytesIO(), icc_profile if icc_profile and icc_profile[16:20] == b"RGB " else None  # a grey one
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90, subsampling=0, icc_profile=profile)
    return buffer.getvalue()


def _tile(photo: Photo, face: Face) -> Tile:
    faces = crop.crops(photo, [face], dial.SIDE)
    return Tile(jpeg(pixels(faces.crops), photo.metadata.icc_profile), faces.points, faces.landmarks)
