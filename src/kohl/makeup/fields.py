"""Where each makeup product goes on a face: one function for each place.

A product covers the pixels where `cover` is above 0, `across` below its width and `along` below its length, so that
width, length and softness have gradients. Lengths are in distances between the eyes: any resolution gives the same.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from kohl.makeup.face_map import BROWS, COARSE, EYES, FAR, FaceMap, Field, direction, smooth

SIDES = ((0, 1, 2, 3, 4, 5), (16, 15, 14, 13, 12, 11))  # of the jaw, from the ear down
OPENING = range(60, 68)  # of the mouth
NOSE_WINGS, CORNERS = (31, 35), (48, 54)  # of the nose and of the mouth
FRECKLES, BRISTLES = 170, 1400


def skin(face: FaceMap) -> Field:
    """All the skin; `across` is 0 at the level of the eyes and 1 at the chin, upwards as well as downwards."""
    height = face.ahead(face.middle, face.down) / float(np.linalg.norm(face.landmarks[8] - face.middle))
    return face.cut(face.skin, np.abs(height), face.sideways)


def contour(face: FaceMap) -> Field:
    """Below the cheekbones and along the jaw."""
    paths = [smooth(face.at(*side[1:])) for side in SIDES]
    for side, corner in zip(SIDES, CORNERS, strict=True):
        start, end = face.at(side[1], corner)
        paths.append(np.stack([start, start + 0.55 * (end - start)]))
    return face.cut(face.skin, np.min([face.distance(path, 0.4) for path in paths], 0), 1 - face.sideways)


def highlight(face: FaceMap) -> Field:
    """The top of the cheekbones, the bridge of the nose, and above the upper lip."""
    paths = [face.at(27, 28, 29, 30), face.at(50, 51, 52) - 0.05 * face.unit * face.down]
    for eye, side in zip(EYES, SIDES, strict=True):
        below = face.landmarks[eye[0]] + 0.24 * face.unit * face.down
        paths.append(np.stack([below * 0.55 + face.landmarks[side[0]] * 0.45, below]))
    return face.cut(face.skin, np.min([face.distance(path, 0.3) for path in paths], 0), face.sideways)


def blush(face: FaceMap) -> Field:
    """The apples of the cheeks; `across` is 1 on the rim of an ellipse along the cheekbone."""
    rims = []
    for eye, side, wing, corner in zip(EYES, SIDES, NOSE_WINGS, CORNERS, strict=True):
        sideways = 0.55 * face.landmarks[side[2]] + 0.45 * face.landmarks[wing]
        height = 0.58 * face.at(*eye[4:]).mean(0) + 0.42 * face.landmarks[corner]
        centre = sideways + ((height - sideways) @ face.down) * face.down
        cheekbone = direction(face.landmarks[corner], face.landmarks[side[0]])
        rims.append(face.ellipse(centre, cheekbone, (0.42, 0.27)))
    across = np.min(rims, 0)
    return face.cut(face.skin * (across < 2.6), across, 1 - face.sideways)


def freckles(face: FaceMap) -> Field:
    """Small spots on the cheeks and the nose, the same for everybody; `across` is 1 where they usually end."""
    draw = np.random.RandomState(3)  # numpy keeps this stream for ever (NEP 19)
    x, y, radius = draw.uniform(-1, 1, FRECKLES), draw.uniform(-1, 1, FRECKLES), draw.uniform(0.006, 0.017, FRECKLES)
    centre = face.at(28, 29).mean(0) + 0.12 * face.unit * face.down
    spots = centre + face.unit * (0.75 * x[:, None] * face.right + 0.3 * y[:, None] * face.down)
    return face.cut(face.skin * face.dots(spots, radius), face.ellipse(centre, face.right, (0.72, 0.30)), face.sideways)


def stubble(face: FaceMap) -> Field:
    """The short hair of a shaven beard: jaw, chin and upper lip; `across` is 0 at the chin and 1 below the nose."""
    nose = face.at(35, 33, 31) + 0.06 * face.unit * face.down
    left, right = (
        face.landmarks[side[3]] * 0.7 + face.landmarks[corner] * 0.3
        for side, corner in zip(SIDES, CORNERS, strict=True)
    )
    outline = np.concatenate([face.at(*range(2, 15)), [right], nose, [left]])
    region = face.filled(smooth(outline, closed=True, parts=3), soft=0.07)
    chin, base = face.at(8, 33)
    draw = np.random.RandomState(5)
    low, high = outline.min(0), outline.max(0)
    grain = face.dots(low + (high - low) * draw.uniform(0, 1, (BRISTLES, 2)), np.full(BRISTLES, 0.010))
    height = face.ahead(chin, -face.down) / float((chin - base) @ face.down)
    return face.cut(region * face.skin * (0.55 + 0.45 * grain), height, face.sideways)


def eyeshadow(face: FaceMap) -> Field:
    """The lids: `across` is 0 at the lashes and 1 at the brow, `along` 0 at the outer corner and 1 at the inner.

    Below the eye `across` starts higher: only a wide eyeshadow goes all the way around.
    """
    cover, across, along = (np.zeros((face.size, face.size), np.float32) for _ in range(3))
    for eye, brow in zip(EYES, BROWS, strict=True):
        outer, inner = face.at(eye[0], eye[3])
        lashes, under = (smooth(lid) for lid in _lids(face, eye))
        edge = face.at(*brow) + 0.04 * face.unit * face.down
        tip = outer + 0.16 * face.unit * direction(inner, outer) - 0.10 * face.unit * face.down
        outline = np.concatenate([lashes, edge[::-1], [tip]])
        above = face.filled(smooth(outline, closed=True, parts=3), lashes, soft=0.025)
        to_lower = face.distance(under, 0.2)
        below = 0.8 * np.exp(-((to_lower / 0.09) ** 4)) * (face.ahead(outer, face.down) > 0)
        to_lashes, to_brow = face.distance(lashes, 0.7), face.distance(edge, 0.7)
        height = to_lashes / (to_lashes + to_brow).clip(1e-3)
        part = np.maximum(above, below)
        here = part > cover
        across = np.where(here, np.where(above >= below, height, 0.5 + to_lower * 4), across)
        inwards = face.ahead(outer, direction(outer, inner)) / float(np.linalg.norm(inner - outer))
        along = np.where(here, inwards, along)
        cover = np.maximum(cover, part)
    open_eyes = face.filled(*face.eyes, soft=0.006)
    return face.cut(cover * (1 - open_eyes) * (0.35 + 0.65 * face.alike), across, along)


def eyeliner(face: FaceMap) -> Field:
    """A line on the upper lashes; `along` is how far a wing goes beyond the outer corner."""
    across = np.full((face.size, face.size), FAR, np.float32)
    along = np.zeros((face.size, face.size), np.float32)
    for eye, brow in zip(EYES, BROWS, strict=True):
        upper, _ = _lids(face, eye)
        outer, tail = upper[0], face.landmarks[brow[0]]
        lashes = smooth(upper) - 0.008 * face.unit * face.down
        wing = direction(upper[1], outer) + 0.9 * direction(outer, tail)
        tip = outer + 0.42 * face.unit * wing / np.linalg.norm(wing)
        beyond = face.ahead(lashes[0], direction(lashes[0], tip)).clip(0) / face.unit
        line = face.distance(lashes[:-2])
        wide = face.distance(np.stack([tip, lashes[0]])) / (1 - beyond / 0.42).clip(0.08, 1)
        nearest = np.minimum(line, wide)
        nearer = nearest < across
        along = np.where(nearer, np.where(wide < line, beyond, 0), along)
        across = np.where(nearer, nearest, across)
    open_eyes = face.filled(*[eye + 0.012 * face.unit * face.down for eye in face.eyes], soft=0.004)
    return face.cut((across < 0.12) * (1 - 0.9 * open_eyes), across, along)


def mascara(face: FaceMap) -> Field:
    """Lashes: short strokes from the upper lid, shorter ones from the lower; `across` is how far along a stroke."""
    side = 4 * COARSE  # strokes are thinner than the pixels of a small crop
    scale, strokes = side / face.size, np.zeros((side, side), np.float32)
    thickness = max(1, round(0.009 * face.unit * scale))
    across = np.full((face.size, face.size), FAR, np.float32)
    for eye in EYES:
        upper, lower = _lids(face, eye)
        centre = face.at(*eye).mean(0)
        for path, length, lift in ((smooth(upper, parts=5), 0.12, 0.3), (smooth(lower, parts=4), 0.05, 0.0)):
            np.minimum(across, face.distance(path) / length, out=across)
            for start in path[1:-1]:
                tip = start + length * face.unit * (0.9 * direction(centre, start) - lift * face.down)
                ends = np.round((np.stack([start, tip]) + 0.5) * scale * 16 - 8).astype(np.int32)
                cv2.line(strokes, ends[0].tolist(), ends[1].tolist(), 1.0, thickness, shift=4)
    thin = cv2.resize(strokes, (face.size, face.size), interpolation=cv2.INTER_AREA)
    cover = np.maximum(0.75 * thin, np.exp(-np.square(across / 0.16))) * (across < 1.3)
    return face.cut(cover * (1 - 0.6 * face.filled(*face.eyes)), across, face.sideways)


def brows(face: FaceMap) -> Field:
    """The brows, where the photo has their hair; `across` is the distance from their middle line."""
    lines = [smooth(face.at(*brow) + 0.02 * face.unit * face.down) for brow in BROWS]
    across = np.min([face.distance(line) for line in lines], 0)
    return face.cut(face.fitted(np.exp(-((across / 0.065) ** 4))) * (across < 0.14), across, face.sideways)


def lips(face: FaceMap) -> Field:
    """The lips without the open mouth; `across` is 1 on their rim, `along` 1 at the corners of the mouth."""
    opening = face.filled(smooth(face.at(*OPENING), closed=True), soft=0.006)
    mask = face.fitted(face.filled(face.lips, soft=0.012)) * face.filled(face.lips, soft=0.03)
    inside = _to_rim(face).clip(max=0.12) * (face.filled(face.lips) > 0.5)
    return face.cut(((mask - 0.12) / 0.6).clip(0, 1) * (1 - opening), 1 - inside / 0.12, _from_mouth(face))


def lip_liner(face: FaceMap) -> Field:
    """A line on the rim of the lips."""
    across = _to_rim(face)
    return face.cut(across < 0.12, across, _from_mouth(face))


def lip_shine(face: FaceMap) -> np.ndarray:
    """Where wet lips catch the light (size, size): a band on the lower lip, two touches on the upper."""
    lower, left, right = face.at(57, 66).mean(0), face.at(50, 61).mean(0), face.at(52, 63).mean(0)
    spots = ((lower, (0.15, 0.028)), (left, (0.05, 0.016)), (right, (0.05, 0.016)))
    light: np.ndarray = np.sum([np.exp(-np.square(face.ellipse(at, face.right, radii))) for at, radii in spots], 0)
    return light


def _lids(face: FaceMap, eye: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The upper and the lower lid, each (4, 2) from the outer corner of the eye to the inner."""
    return face.at(*eye[:4]), face.at(eye[0], *eye[:2:-1])


def _to_rim(face: FaceMap) -> np.ndarray:
    """How far each pixel is from the rim of the lips."""
    return face.distance(np.concatenate([face.lips, face.lips[:1]]))


def _from_mouth(face: FaceMap) -> np.ndarray:
    """How far each pixel is to the side of the middle of the mouth; 1 is its corners."""
    corners = face.at(*CORNERS)
    half = float(np.linalg.norm(corners[1] - corners[0])) / 2
    sideways: np.ndarray = np.abs(face.ahead(corners.mean(0), face.right)) / half
    return sideways


PLACES: dict[str, Callable[[FaceMap], Field]] = {
    "foundation": skin,
    "face paint": skin,
    "contour": contour,
    "highlighter": highlight,
    "blush": blush,
    "freckles": freckles,
    "stubble": stubble,
    "brows": brows,
    "eyeshadow": eyeshadow,
    "eyeliner": eyeliner,
    "mascara": mascara,
    "lipstick": lips,
    "lip liner": lip_liner,
}
