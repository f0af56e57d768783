"""Where each makeup product goes on a face: one function for each place.

A product covers the pixels where `cover` is above 0, `across` below its width and `along` below its length, so that
width, length and softness have gradients. Lengths are in distances between the eyes: any resolution gives the same.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from kohl.makeup import strokes
from kohl.makeup.brows import brow_hairs, brows
from kohl.makeup.eyes import eyeliner, eyeshadow, lid_shine, mascara
from kohl.makeup.face_map import EYES, FAR, MEETS, FaceMap, Field, direction, joined, smooth
from kohl.makeup.lips import CORNERS, lip_liner, lip_shine, lips, vermilion
from kohl.templates import with_forehead

SIDES = ((0, 1, 2, 3, 4, 5), (16, 15, 14, 13, 12, 11))  # of the jaw, from the ear down
HIGHER = 0.26  # how far above the forehead of the landmarks face paint goes, in heights of a face
BARE, FADES = 0.8, 0.75  # eye distances above the brows: where it begins to fade, and from there to where it has gone
PAINTED_HAIR = 0.7  # share of brows that stays free of paint: skin between their hairs has some, too
SHINING = 0.14  # colours in YCrCb up to which skin is painted: shine is paler
NOSE_WINGS = (31, 35)


def skin(face: FaceMap) -> Field:
    """All the skin; `across` is 0 at the level of the eyes and 1 at the chin, upwards as well as downwards."""
    height = face.ahead(face.middle, face.down) / float(np.linalg.norm(face.landmarks[8] - face.middle))
    return face.cut(face.skin, np.abs(height), face.sideways)


def painted_skin(face: FaceMap) -> Field:
    """The skin up to the hair and to the hairs of the brows, shining or not; `across` and `along` as for `skin`."""
    top = with_forehead(face.landmarks)[:67:-1]
    height = float(np.linalg.norm(face.landmarks[8] - face.middle))
    outline = smooth(np.concatenate([face.at(*range(17)), top - HIGHER * height * face.down]), closed=True)
    whole = np.clip(1.03 * face.filled(outline, soft=0.035) - 0.03, 0, 1) * _on_the_face(face)
    above = face.ahead(face.at(19, 24).mean(0) - BARE * face.unit * face.down, -face.down) / (FADES * face.unit)
    features = face.filled(*face.eyes, face.with_mouth.lips, soft=0.010)
    cover = (
        whole
        * (1 - features)
        * (1 - PAINTED_HAIR * brow_hairs(face))
        * face.like_skin(SHINING)
        * (1 - above.clip(0, 1) ** 2)
    )
    across = np.abs(face.ahead(face.middle, face.down)) / height
    return face.cut(cover, across, face.sideways)


def _on_the_face(face: FaceMap) -> np.ndarray:
    """1 on the face, up to the forehead that its landmarks promise, and 0 a little away from it; further off above."""
    hull = cv2.convexHull(with_forehead(face.landmarks).astype(np.float32))[:, 0].astype(float)
    away = face.distance(np.concatenate([hull, hull[:1]]), 0.6)
    up = (face.ahead(face.at(19, 24).mean(0), -face.down) / (0.3 * face.unit)).clip(0, 1)
    near, far = ((0.19 + more - away) / (0.17 + 0.1 * up) for more in (0, 0.28 * up))
    light = cv2.cvtColor(cv2.GaussianBlur(face.pixels, (0, 0), 0.02 * face.unit), cv2.COLOR_RGB2LAB)[..., 0]
    share = light / max(float(face.tone[0]), 1.0)
    dark = (share - 0.4) / 0.12  # hats; hair, further out, is hardly darker than a forehead in the shade
    inside = np.where(up > 0.8, dark.clip(0, 1), 1)
    outside = np.maximum(near, np.minimum(far, (share - 0.46) / 0.14))
    on_face: np.ndarray = np.minimum(np.where(face.filled(hull) > 0.5, 1, outside.clip(0, 1)), inside)
    return on_face


def contour(face: FaceMap) -> Field:
    """Below the cheekbones, fainter towards the mouth, and along the jaw."""
    jaws = np.min([face.distance(smooth(face.at(*side[2:])), 0.4) for side in SIDES], 0)
    hollows, fades = cheek_hollows(face)
    cheek = 0.5 + 0.5 * np.tanh((jaws - hollows) / (3 * MEETS))
    cover = cheek * fades + 1 - cheek
    return face.cut(face.skin * cover, joined(jaws, hollows), 1 - face.sideways)


def cheek_hollows(face: FaceMap) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel is from the lines below the cheekbones, and how much less is put on towards their ends."""
    across, fades = np.full((face.size, face.size), FAR, np.float32), np.ones((face.size, face.size), np.float32)
    for side, corner in zip(SIDES, CORNERS, strict=True):
        start, mouth = face.at(side[1], corner)
        end = start + 0.55 * (mouth - start)
        near = face.distance(np.stack([start, end]), 0.4)
        far = face.ahead(start, direction(start, end)) / float(np.linalg.norm(end - start))
        fades = np.where(near < across, 1 - 0.75 * ((far - 0.2) / 0.8).clip(0, 1), fades)
        across = np.minimum(across, near)
    return across, fades


def highlight(face: FaceMap) -> Field:
    """The top of the cheekbones, the bridge of the nose, and above the upper lip."""
    middle = (face.at(27, 28, 29, 30), face.at(50, 51, 52) - 0.05 * face.unit * face.down)
    cheeks = []
    for eye, side in zip(EYES, SIDES, strict=True):
        below = face.landmarks[eye[0]] + 0.24 * face.unit * face.down
        cheeks.append(np.stack([below * 0.55 + face.landmarks[side[0]] * 0.45, below]))
    inner, outer = (np.min([face.distance(path, 0.3) for path in paths], 0) for paths in (middle, cheeks))
    less = np.where(inner < outer, 0.65, 1)  # a nose that is lit as much as cheeks is a stripe
    return face.cut(face.skin * less, np.minimum(1.2 * inner, outer), face.sideways)


def blush(face: FaceMap) -> Field:
    """From the apples of the cheeks up along the cheekbones, fainter and narrower towards the temples."""
    across, cover = np.full((face.size, face.size), FAR, np.float32), np.zeros((face.size, face.size), np.float32)
    for eye, side, wing in zip(EYES, SIDES, NOSE_WINGS, strict=True):
        middle = face.at(*eye).mean(0)
        outwards = direction(face.landmarks[eye[3]], face.landmarks[eye[0]])
        height = 0.72 * float((face.landmarks[wing] - middle) @ face.down)
        apple = middle + height * face.down + 0.20 * face.unit * outwards
        edge = face.landmarks[side[1]] + 0.12 * face.unit * face.down
        apple = apple + 0.3 * max(0.0, 0.55 - float((edge - apple) @ outwards) / face.unit) * (apple - edge)  # turned
        bone = 0.55 * face.landmarks[side[0]] + 0.45 * (middle + 0.45 * height * face.down)
        path = smooth(np.stack([apple, 0.5 * (apple + bone) + 0.05 * height * face.down, bone]))
        far = (face.ahead(apple, direction(apple, bone)) / float(np.linalg.norm(bone - apple))).clip(0, 1)
        near = face.distance(path, 0.9) / (0.27 - 0.11 * far)
        cover = np.where(near < across, 1 - 0.45 * far, cover)
        across = np.minimum(across, near)
    return face.cut(face.skin * cover * (across < 3.2), across, 1 - face.sideways)


def freckles(face: FaceMap) -> Field:
    """Small spots on the cheeks and the nose, the same for everybody; `across` is 1 where they usually end."""
    centre = face.at(28, 29).mean(0) + 0.12 * face.unit * face.down
    spots = strokes.freckles(face, centre, (0.85, 0.36))
    return face.cut(face.skin * spots, face.ellipse(centre, face.right, (0.75, 0.34)), face.sideways)


def stubble(face: FaceMap) -> Field:
    """The short hair of a shaven beard: jaw, chin and upper lip; `across` is 0 at the chin and 1 below the nose."""
    nose = face.at(35, 33, 31) + 0.06 * face.unit * face.down
    left, right = (
        face.landmarks[side[3]] * 0.7 + face.landmarks[corner] * 0.3
        for side, corner in zip(SIDES, CORNERS, strict=True)
    )
    outline = np.concatenate([face.at(*range(2, 15)), [right], nose, [left]])
    region = face.filled(smooth(outline, closed=True, parts=3), soft=0.09)
    hairs = strokes.bristles(face, outline.min(0), outline.max(0))
    chin, base = face.at(8, 33)
    height = face.ahead(chin, -face.down) / float((chin - base) @ face.down)
    thick = np.max([np.exp(-np.square(face.distance(path, 0.7) / wide)) for path, wide in _beard(face)], 0)
    skin = face.skin * (1 - vermilion(face.with_mouth))  # none grows on lips, also where their landmarks miss the rim
    return face.cut(region * skin * (0.4 + 0.6 * thick) * (0.16 + 0.84 * hairs), height, face.sideways)


def _beard(face: FaceMap) -> list[tuple[np.ndarray, float]]:
    """Where a beard is thickest, and how wide that is: the upper lip, the chin, and along the jaw."""
    moustache = 0.5 * (face.at(31, 33, 35) + face.at(49, 51, 53))
    ends = face.at(*CORNERS) + 0.05 * face.unit * face.down
    chin = 0.5 * (face.at(57) + face.at(8))
    return [
        (smooth(np.concatenate([ends[:1], moustache, ends[1:]])), 0.12),
        (np.concatenate([chin, face.at(8)]), 0.30),
        (smooth(face.at(*range(3, 14))), 0.22),
    ]


PLACES: dict[str, Callable[[FaceMap], Field]] = {
    "foundation": skin,
    "face paint": painted_skin,
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
SHINES: dict[str, Callable[[FaceMap], np.ndarray]] = {"lipstick": lip_shine, "eyeshadow": lid_shine}
