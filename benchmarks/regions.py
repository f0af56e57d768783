"""How much each product's place on a face changed, in CIEDE2000, and whether towards the colour that was asked for.

A region is where a product usually is: its field in `kohl.makeup.fields` on the original face, weighted by cover.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from kohl.makeup.face_map import FAR, FaceMap, Field
from kohl.makeup.fields import PLACES
from kohl.templates import with_forehead
from kohl.types import Faces, Images

LIMITS = {  # how far a region goes across and along its product's field: less than the product usually covers
    "foundation": (FAR, FAR),
    "face paint": (FAR, FAR),
    "contour": (0.13, 0.75),
    "highlighter": (0.07, 1.2),
    "blush": (0.8, FAR),
    "freckles": (0.9, FAR),
    "stubble": (FAR, FAR),
    "brows": (0.06, FAR),
    "eyeshadow": (0.5, FAR),
    "eyeliner": (0.03, 0.12),
    "mascara": (0.8, FAR),
    "lipstick": (FAR, FAR),
    "lip liner": (0.045, FAR),
}
# Looked at if nobody asked for them; what goes on the skin between them would be looked at twice.
QUIET = ("lipstick", "lip liner", "eyeshadow", "eyeliner", "mascara", "brows", "blush", "stubble")
REACH = 2.2  # times a region's limit across: as far as a wide one of its product goes
LEFT = 0.5  # share of a region that asked products must leave free for it to be looked at
CHANGED, UNCHANGED = 8.0, 4.0  # CIEDE2000
TURN = 30.0  # degrees of hue
GREY = 10.0  # chroma in CIELAB below which a colour has no hue worth the name
NEAR = 10.0  # of lightness: where a grey's lightness is right already
HAIRLINE = 0.28  # eye distances above the forehead that the landmarks promise, up to which paint goes on bare skin
RIM = 0.2  # eye distances around the outline of a face that its makeup may fade out in


@dataclass(frozen=True, eq=False)
class Change:
    """What became of one region; colours in CIELAB."""

    before: np.ndarray  # (3,) the mean
    after: np.ndarray
    pixels: float  # the mean of every pixel's CIEDE2000
    most: float  # the largest, of pixels that the region covers at least half

    @property
    def means(self) -> float:
        """CIEDE2000 of the mean colours."""
        return float(deltaE_ciede2000(self.before, self.after))


class Places:
    """Where each product goes on the first of `faces`, looked up once."""

    def __init__(self, faces: Faces) -> None:
        face = FaceMap(faces.crops[0].permute(1, 2, 0).numpy(), faces.landmarks[0].double().numpy())
        made = {place: _whole(place(face), face.size) for place in set(PLACES.values())}
        self.fields = {name: made[place] for name, place in PLACES.items()}
        self.regions = {name: _where(field, *LIMITS[name]) for name, field in self.fields.items()}

    def taken(self, asked: Iterable[str]) -> np.ndarray:
        """Bool (size, size): what the `asked` products can reach."""
        found: np.ndarray = np.any(
            [_where(self.fields[name], REACH * LIMITS[name][0], FAR) > 0.05 for name in asked], axis=0
        )
        return found

    def free(self, asked: Iterable[str]) -> dict[str, np.ndarray]:
        """The regions of the `QUIET` products that nobody asked for, without what the `asked` ones can reach.

        Those of which less than `LEFT` remains are missing.
        """
        asked = list(asked)
        taken = self.taken(asked)
        left = {name: self.regions[name] * ~taken for name in QUIET if name not in asked}
        return {name: weight for name, weight in left.items() if weight.sum() > LEFT * self.regions[name].sum()}


def lab(images: Images) -> np.ndarray:
    """CIELAB (height, width, 3) of the first of `images`."""
    found: np.ndarray = rgb2lab(images[0].clamp(0, 1).permute(1, 2, 0).double().numpy())
    return found


def change(before: np.ndarray, after: np.ndarray, weight: np.ndarray) -> Change:
    """How a region of two pictures in CIELAB differs; one that is hidden does not."""
    inside = weight > 0.004
    if not inside.any():
        return Change(np.zeros(3), np.zeros(3), 0.0, 0.0)
    first, second, share = before[inside], after[inside], weight[inside]
    differences = deltaE_ciede2000(first, second)
    core = differences[share >= min(0.5, share.max())]
    mean_first, mean_second = (np.average(colours, 0, share) for colours in (first, second))
    return Change(mean_first, mean_second, float(np.average(differences, weights=share)), float(core.max()))


@dataclass(frozen=True)
class Verdict:
    """Whether an asked product changed as it was asked."""

    changed: bool  # enough to be seen as another colour
    heading: bool  # it moved in the direction of the asked colour, within 30° of hue
    hue: bool  # it ended within 30° of the asked hue
    nearer: bool  # it ended nearer to the asked colour than it was

    @property
    def kept(self) -> bool:
        """Changed, and toward the asked colour by either reading of `hue within 30°`."""
        return self.changed and (self.heading or self.hue)


def verdict(found: Change, asked: np.ndarray) -> Verdict:
    """How a region's change answers to the `asked` colour (3,) in CIELAB.

    A grey, black or white has no hue: its lightness must have moved the right way, or, if that was right already, its
    chroma.
    """
    nearer = bool(deltaE_ciede2000(found.after, asked) < deltaE_ciede2000(found.before, asked))
    changed = found.means >= CHANGED
    if np.hypot(*asked[1:]) < GREY:
        right = _moved(found, asked)
        return Verdict(changed, right, right, nearer)
    heading = angle(found.after[1:] - found.before[1:], asked[1:] - found.before[1:]) <= TURN
    return Verdict(changed, heading, angle(found.after[1:], asked[1:]) <= TURN, nearer)


def angle(first: np.ndarray, second: np.ndarray) -> float:
    """Degrees between two directions in the a*b* plane, 0 to 180; 180 if either is none."""
    lengths = np.hypot(*first) * np.hypot(*second)
    return float(np.degrees(np.arccos(np.clip(first @ second / lengths, -1, 1)))) if lengths > 1e-9 else 180.0


def face_mask(landmarks: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Bool (height, width): inside the outline of a face's landmarks (68, 2) and forehead, or within `RIM` of it."""
    points, eyes = with_forehead(landmarks), landmarks[42:48].mean(0) - landmarks[36:42].mean(0)
    up = np.array([eyes[1], -eyes[0]])
    outline = cv2.convexHull(np.concatenate([points, points[68:] + HAIRLINE * up]).astype(np.float32))
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round(outline).astype(np.int32), 1)
    away = cv2.distanceTransform(1 - mask, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    near: np.ndarray = away <= max(RIM * np.hypot(*eyes), 2)
    return near


def _moved(found: Change, asked: np.ndarray) -> bool:
    """Whether a colour went the way of a grey."""
    missing = asked[0] - found.before[0]
    if abs(missing) >= NEAR:
        return bool((found.after[0] - found.before[0]) * missing > 0)
    chroma = [abs(np.hypot(*colour[1:]) - np.hypot(*asked[1:])) for colour in (found.before, found.after)]
    return bool(chroma[1] < chroma[0])


def _whole(field: Field, size: int) -> np.ndarray:
    """A field's maps on the whole crop (3, size, size): cover, across, along."""
    maps = np.zeros((3, size, size), np.float32)
    (top, left), (height, width) = field.corner, field.cover.shape
    maps[:, top : top + height, left : left + width] = field.cover, field.across, field.along
    return maps


def _where(field: np.ndarray, across: float, along: float) -> np.ndarray:
    """How much each pixel belongs to the part of a field below these limits."""
    share: np.ndarray = field[0] * (field[1] < across) * (field[2] < along)
    return share
