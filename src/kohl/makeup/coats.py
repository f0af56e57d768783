"""Where products go that cover a part of the usual place only, such as one lip, or high points of the face."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from kohl.makeup.eyes import eyeshadow, mascara
from kohl.makeup.face_map import BROWS, EYES, FAR, FaceMap, Field, direction, lids, smooth
from kohl.makeup.fields import SIDES, cheek_hollows
from kohl.makeup.lips import CORNERS, lips, upper_half
from kohl.templates import with_forehead

Place = Callable[[FaceMap], Field]


def concealer(face: FaceMap) -> Field:
    """Below the eyes, from the inner corner outwards, where skin is thin and looks tired."""
    across, along = np.full((face.size, face.size), FAR, np.float32), np.zeros((face.size, face.size), np.float32)
    cover = np.zeros((face.size, face.size), np.float32)
    for eye in EYES:
        lower = smooth(_lower(face, eye))
        outer, inner = lower[0], lower[-1]
        below = face.distance(lower + 0.10 * face.unit * face.down, 0.4)
        here = below < across
        inwards = face.ahead(outer, direction(outer, inner)) / float(np.linalg.norm(inner - outer))
        along = np.where(here, np.abs(inwards - 0.55) * 2, along)
        across = np.minimum(across, below)
        cover = np.maximum(cover, _ramp(face.distance(lower, 0.4) - 0.02, 0.03) * _under(face, lower))
    return face.cut(face.skin * cover * (across < 0.4), across, along)


def bronzer_of(*parts: str) -> Place:
    """Where the sun falls first, or some of it: the sides of the forehead, the cheekbones, the jaw, the nose."""

    def place(face: FaceMap) -> Field:
        paths = []
        for side, corner, brow in zip(SIDES, CORNERS, BROWS, strict=True):
            ear, end = face.landmarks[side[0]], face.landmarks[brow[0]]
            if "jaw" in parts:
                paths.append(smooth(face.at(*side[3:])))
            if "cheek" in parts:
                start = face.landmarks[side[1]]
                bone = start + 0.42 * (face.landmarks[corner] - start) - 0.10 * face.unit * face.down
                paths.append(np.stack([ear, 0.5 * (ear + bone), bone]))
            if "forehead" in parts:
                top = sorted(with_forehead(face.landmarks)[68:], key=lambda x: float(np.linalg.norm(x - end)))
                paths.append(np.stack([0.5 * (end + ear), top[0], 0.5 * (top[0] + top[1])]))
        if "nose" in parts:
            paths.append(face.at(28, 29, 30))
        across = np.min([face.distance(path, 0.9) for path in paths], 0)
        return face.cut(face.skin, across, 1 - face.sideways if "nose" not in parts else np.zeros_like(across))

    return place


def contour_of(part: str) -> Place:
    """The contour of the jaw, below the cheekbones, or on both sides of the nose."""

    def place(face: FaceMap) -> Field:
        if part == "cheek":
            across, fades = cheek_hollows(face)
            return face.cut(face.skin * fades, across, 1 - face.sideways)
        if part == "jaw":
            across = np.min([face.distance(smooth(face.at(*side[2:])), 0.4) for side in SIDES], 0)
            return face.cut(face.skin, across, 1 - face.sideways)
        across = np.min([face.distance(_beside_the_nose(face, side), 0.4) for side in (-1, 1)], 0)
        return face.cut(face.skin, 1.7 * across, np.zeros_like(across))

    return place


def highlighter_of(part: str) -> Place:
    """The highlighter of the cheekbones, the nose, below the brows, or in the inner corners of the eyes."""

    def place(face: FaceMap) -> Field:
        narrow = {"cheek": 1.0, "nose": 1.0, "brow bone": 1.5, "corner": 1.3}[part]
        cover = face.skin
        if part == "nose":
            paths = [face.at(27, 28, 29, 30)]
        elif part == "cheek":
            tops = [
                (face.landmarks[eye[0]] + 0.24 * face.unit * face.down, side)
                for eye, side in zip(EYES, SIDES, strict=True)
            ]
            paths = [np.stack([top * 0.55 + face.landmarks[side[0]] * 0.45, top]) for top, side in tops]
        elif part == "brow bone":
            paths = [face.at(*brow[:3]) + 0.09 * face.unit * face.down for brow in BROWS]
        else:
            paths = [_inner_corner(face, eye) for eye in EYES]
            cover = (1 - face.filled(*face.eyes, soft=0.006)) * (0.4 + 0.6 * face.alike)
        across = narrow * np.min([face.distance(path, 0.3) for path in paths], 0)
        return face.cut(cover * (across < 0.3), across, np.zeros_like(across))

    return place


def nose_blush(face: FaceMap) -> Field:
    """Across the bridge of the nose, where the sun burns."""
    centre = face.at(28, 29).mean(0) + 0.08 * face.unit * face.down
    across = face.ellipse(centre, face.right, (0.40, 0.13))
    return face.cut(face.skin * (across < 3.2), across, face.sideways)


def inner_shadow(face: FaceMap) -> Field:
    """The inner part of the lids; `along` starts at the inner corner."""
    field = eyeshadow(face)
    return Field(field.cover, field.across, 1 - field.along, field.corner)


def middle_shadow(face: FaceMap) -> Field:
    """The middle of the lids; `along` starts there."""
    field = eyeshadow(face)
    return Field(field.cover, field.across, np.abs(2 * field.along - 1), field.corner)


def crease(face: FaceMap) -> Field:
    """The fold of the lids; `along` starts at the outer corner."""
    field = eyeshadow(face)
    lids = _part(_above_the_eyes(face), field)
    band = np.exp(-(np.square((field.across - 0.46) / 0.17)))
    return Field(field.cover * band * lids, field.across * 0.5, field.along * 0.5, field.corner)


def lower_shadow(face: FaceMap) -> Field:
    """Below the lower lashes; `across` is the distance from them."""
    across, inwards = _from_the_lower_lids(face)
    near = 1 - face.filled(*face.eyes, soft=0.006)
    cover = near * (0.35 + 0.65 * face.alike) * (across < 0.3) * (1 - _above_the_eyes(face))
    return face.cut(cover, across, np.abs(inwards - 0.4) * 1.6)


def lower_liner(face: FaceMap) -> Field:
    """A line on the lower lashes, thinner towards the nose."""
    across, inwards = _from_the_lower_lids(face, 0.012)
    open_eyes = face.filled(*[eye - 0.010 * face.unit * face.down for eye in face.eyes], soft=0.004)
    across = across * (1 + 0.8 * inwards.clip(0, 1))
    return face.cut((across < 0.1) * (1 - 0.9 * open_eyes), across, np.abs(inwards - 0.45) * 2)


def waterline(face: FaceMap) -> Field:
    """The rim of the lower lid between lashes and eye."""
    across, inwards = _from_the_lower_lids(face, -0.007)
    return face.cut((across < 0.06) * face.filled(*face.eyes, soft=0.012), across, np.abs(inwards - 0.5) * 2)


def lashes_of(upper: bool) -> Place:
    """The upper lashes alone, or the lower."""

    def place(face: FaceMap) -> Field:
        above, field = _above_the_eyes(face), mascara(face)
        share = _part(above if upper else 1 - above, field)
        return Field(field.cover * share, field.across, field.along, field.corner)

    return place


def lip_of(upper: bool) -> Place:
    """The upper lip alone, or the lower."""

    def place(face: FaceMap) -> Field:
        face = face.with_mouth
        share, field = upper_half(face), lips(face)
        part = _part(share if upper else 1 - share, field)
        return Field(field.cover * part, field.across, field.along, field.corner)

    return place


def half_of(face: FaceMap, way: float) -> np.ndarray:
    """1 on the half of the face on the left of the picture (-1) or on the right (1), 0 on the other (size, size)."""
    return _ramp(way * face.ahead(face.landmarks[27], face.right) / face.unit + 0.005, 0.01)


def _part(whole: np.ndarray, field: Field) -> np.ndarray:
    """The field's part of a map of the whole crop."""
    (top, left), (height, width) = field.corner, field.cover.shape
    part: np.ndarray = whole[top : top + height, left : left + width].astype(np.float32)
    return part


def _lower(face: FaceMap, eye: tuple[int, ...]) -> np.ndarray:
    """The lower lid, (4, 2), from the outer corner of the eye to the inner."""
    return lids(face, eye)[1]


def _from_the_lower_lids(face: FaceMap, lower: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel is from lines so far below the lower lids, and how far inwards: 1 is the inner corner."""
    across = np.full((face.size, face.size), FAR, np.float32)
    inwards = np.zeros((face.size, face.size), np.float32)
    for eye in EYES:
        line = smooth(_lower(face, eye)) + lower * face.unit * face.down
        near = face.distance(line, 0.35)
        way = face.ahead(line[0], direction(line[0], line[-1])) / float(np.linalg.norm(line[-1] - line[0]))
        inwards = np.where(near < across, way, inwards)
        across = np.minimum(across, near)
    return across, inwards


def _above_the_eyes(face: FaceMap) -> np.ndarray:
    """1 above the line from corner to corner of the nearer eye, 0 below it."""
    right = face.ahead(face.landmarks[27], face.right) > 0
    sides = []
    for eye in EYES:
        outer, inner = lids(face, eye)[0][[0, -1]]
        way = direction(outer, inner) if float((inner - outer) @ face.right) > 0 else direction(inner, outer)
        sides.append(face.ahead(outer, np.array([way[1], -way[0]])) / face.unit)
    left_eye, right_eye = sides if float((face.at(36) - face.at(45))[0] @ face.right) < 0 else sides[::-1]
    return _ramp(np.where(right, right_eye, left_eye), 0.02)


def _under(face: FaceMap, lid: np.ndarray) -> np.ndarray:
    """1 below the line between the ends of a lid."""
    way = direction(lid[0], lid[-1])
    down = np.array([-way[1], way[0]])
    if float(down @ face.down) < 0:
        down = -down
    return _ramp(face.ahead(lid[0], down) / face.unit, 0.03)


def _ramp(depth: np.ndarray, width: float) -> np.ndarray:
    """From 0 to 1 where a depth goes from 0 to `width`."""
    ramp: np.ndarray = (depth / width).clip(0, 1).astype(np.float32)
    return ramp


def _beside_the_nose(face: FaceMap, side: int) -> np.ndarray:
    """A line from the inner end of a brow down beside the bridge of the nose."""
    aside = side * 0.10 * face.unit * face.right
    return smooth(
        np.stack(
            [
                face.landmarks[21 if side < 0 else 22] + 0.1 * face.unit * face.down + 0.4 * aside * -1,
                face.landmarks[28] + aside,
                face.landmarks[30] - 0.1 * face.unit * face.down + aside,
            ]
        )
    )


def _inner_corner(face: FaceMap, eye: tuple[int, ...]) -> np.ndarray:
    """Around the inner corner of an eye: a little of both lids."""
    outer, corner = lids(face, eye)[0][[0, -1]]
    inwards = direction(outer, corner)
    tip = corner + 0.03 * face.unit * inwards
    return np.stack(
        [corner - 0.045 * face.unit * (face.down + inwards), tip, corner + 0.045 * face.unit * (face.down - inwards)]
    )


PLACES: dict[str, Place] = {
    "concealer": concealer,
    "bronzer": bronzer_of("cheek", "forehead", "jaw"),
    **{f"{part} bronzer": bronzer_of(part) for part in ("cheek", "forehead", "jaw", "nose")},
    **{f"{part} contour": contour_of(part) for part in ("jaw", "cheek", "nose")},
    **{f"{part} highlighter": highlighter_of(part) for part in ("cheek", "nose", "brow bone", "corner")},
    "nose blush": nose_blush,
    "outer eyeshadow": eyeshadow,
    "inner eyeshadow": inner_shadow,
    "middle eyeshadow": middle_shadow,
    "crease eyeshadow": crease,
    "lower eyeshadow": lower_shadow,
    "lower eyeliner": lower_liner,
    "waterline": waterline,
    "upper mascara": lashes_of(True),
    "lower mascara": lashes_of(False),
    "upper lipstick": lip_of(True),
    "lower lipstick": lip_of(False),
    "middle lipstick": lips,
}
