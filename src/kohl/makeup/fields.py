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
from kohl.makeup.face_map import EYES, FAR, FaceMap, Field, direction, smooth
from kohl.makeup.mouth import YELLOW
from kohl.templates import with_forehead

SIDES = ((0, 1, 2, 3, 4, 5), (16, 15, 14, 13, 12, 11))  # of the jaw, from the ear down
MEET = ((60, 60), (61, 67), (62, 66), (63, 65), (64, 64))  # landmarks of the inner rims, above one another
OPENING = range(60, 68)  # of the mouth
HIGHER = 0.26  # how far above the forehead of the landmarks face paint goes, in heights of a face
BARE, FADES = 0.8, 0.75  # eye distances above the brows: where it begins to fade, and from there to where it has gone
SHINING = 0.14  # colours in YCrCb up to which skin is painted: shine is paler
RIM = 0.055  # eye distances: how far the rim of the lips may be from its landmarks
NOSE_WINGS, CORNERS = (31, 35), (48, 54)  # of the nose and of the mouth


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
    features = face.filled(*face.eyes, face.with_mouth.lips, soft=0.015)
    cover = whole * (1 - features) * (1 - brow_hairs(face)) * face.like_skin(SHINING) * (1 - above.clip(0, 1) ** 2)
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
    cover = np.where(hollows < jaws, fades, 1)
    return face.cut(face.skin * cover, np.minimum(jaws, hollows), 1 - face.sideways)


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
        apple = middle + height * face.down + 0.17 * face.unit * outwards
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
    return face.cut(region * face.skin * (0.22 + 0.78 * hairs), height, face.sideways)


def lips(face: FaceMap) -> Field:
    """The lips without the open mouth; `across` is 1 on their rim, `along` 1 at the corners of the mouth."""
    face = face.with_mouth
    gap = float(np.linalg.norm(face.at(61, 62, 63) - face.at(67, 66, 65), axis=1).max()) / face.unit
    inner = smooth(face.at(*OPENING), closed=True)
    opening = face.filled(inner, soft=0.006) * np.clip((gap - 0.02) / 0.05, 0, 1)
    mask = face.fitted(face.filled(face.lips, soft=0.012)) * face.filled(face.lips, soft=0.03)
    rim = np.exp(-np.square(face.distance(smooth(face.at(60, 67, 66, 65, 64))) / 0.04))  # gums are lip-red, too
    mask = _to_their_colour(face, ((mask - 0.06) / 0.5).clip(0, 1))
    teeth = _teeth(face, opening)
    opening = np.maximum(opening * (1 - rim * _like(face, mask * (1 - opening))), teeth)
    inside = _to_rim(face).clip(max=0.12) * (face.filled(face.lips) > 0.5)
    return face.cut(mask * (1 - opening), 1 - inside / 0.12, _from_mouth(face))


def _to_their_colour(face: FaceMap, mask: np.ndarray) -> np.ndarray:
    """The lips with their rim where the colour of each ends, as far as it has one that is not the skin's."""
    colours = cv2.cvtColor(cv2.GaussianBlur(face.pixels, (0, 0), 0.013 * face.unit), cv2.COLOR_RGB2LAB)
    redness, to_rim = colours[..., 1] - YELLOW * colours[..., 2], _to_rim(face)
    outside = face.filled(face.lips) < 0.5
    around = outside & (to_rim > 0.05) & (to_rim < 0.14) & (face.alike > 0.5)
    within = ~outside & (to_rim > 0.03) & (mask > 0.5)
    found, above = mask, upper_half(face)
    for share in (above, 1 - above):
        here = share > 0.5
        if not ((around & here).any() and (within & here).any()):
            continue
        skin, lips = np.median(redness[around & here]), np.median(redness[within & here])
        sure = float(np.clip((lips - skin - 4) / 5, 0, 1))
        like = ((redness - skin) / max(lips - skin, 1.0) / 0.4 - 1.0).clip(0, 1)  # from 0.4 of the way to 0.8
        change = like - mask
        change = np.where(change < 0, 0.5 * change, change)  # pale rims are of lips, too
        reach = np.where(outside, RIM, 0.035)
        found = found + share * sure * np.exp(-np.square(to_rim / reach)) * change
    return found


def _teeth(face: FaceMap, opening: np.ndarray) -> np.ndarray:
    """How much each pixel is of teeth in the opening of the mouth, even if they go on where lips should be."""
    light, red, yellow = cv2.split(cv2.cvtColor(face.pixels, cv2.COLOR_RGB2LAB))
    pale = np.hypot(red, yellow) < 0.75 * np.hypot(*face.tone[1:])
    seen = pale & (opening > 0.5) & (light > face.tone[0] + 6)
    if not seen.any():
        return np.zeros_like(light)
    white = (pale & (light > np.median(light[seen]) - 12) & (face.filled(face.lips) > 0.1)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(0.008 * face.unit) + 1,) * 2)
    white = cv2.morphologyEx(white, cv2.MORPH_OPEN, disc)  # what shines on a lip may touch them
    _, parts, about, _ = cv2.connectedComponentsWithStats(white)
    inside = np.bincount(parts[opening > 0.5], minlength=len(about)) > 0.3 * about[:, cv2.CC_STAT_AREA]
    inside[0] = False  # all that is not white
    teeth: np.ndarray = cv2.GaussianBlur(inside[parts].astype(np.float32), (0, 0), max(0.006 * face.unit, 0.5))
    return teeth


def _like(face: FaceMap, lips: np.ndarray) -> np.ndarray:
    """How much each pixel is of the lips' colour, unlike teeth and the dark between them (size, size)."""
    colours = cv2.cvtColor(cv2.GaussianBlur(face.pixels, (0, 0), 0.008 * face.unit), cv2.COLOR_RGB2LAB)
    core = lips >= 0.8 * lips.max()
    usual, spread = np.median(colours[core], 0), np.maximum(colours[core].std(0), (9, 4, 4))
    like: np.ndarray = np.exp(-(np.square(((colours - usual) / (1.3 * spread)).clip(-9, 9)).sum(-1) ** 2) / 8)
    return like


def lip_liner(face: FaceMap) -> Field:
    """A line on the rim of the lips."""
    face = face.with_mouth
    across = _to_rim(face)
    return face.cut(across < 0.12, across, _from_mouth(face))


def lip_shine(face: FaceMap) -> np.ndarray:
    """Where wet lips catch the light (size, size): a band on the lower lip, two touches on the upper."""
    face = face.with_mouth
    lower, left, right = face.at(57, 66).mean(0), face.at(50, 61).mean(0), face.at(52, 63).mean(0)
    spots = ((lower, (0.15, 0.028)), (left, (0.05, 0.016)), (right, (0.05, 0.016)))
    light: np.ndarray = np.sum([np.exp(-np.square(face.ellipse(at, face.right, radii))) for at, radii in spots], 0)
    return light


def upper_half(face: FaceMap) -> np.ndarray:
    """1 above the line where the lips meet, 0 below it (size, size)."""
    meeting = np.stack([face.at(*pair).mean(0) for pair in MEET])
    meeting[0], meeting[-1] = face.at(48)[0], face.at(54)[0]
    line = smooth(meeting)
    above = np.concatenate([line, (line - 0.6 * face.unit * face.down)[::-1]])
    return face.filled(above, soft=0.006)


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
