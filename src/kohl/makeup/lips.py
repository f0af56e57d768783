"""Where the makeup of lips goes: lipstick, its shine, and the liner along their rim."""

from __future__ import annotations

import cv2
import numpy as np

from kohl.makeup.face_map import FAR, FaceMap, Field, smooth
from kohl.makeup.mouth import YELLOW

MEET = ((60, 60), (61, 67), (62, 66), (63, 65), (64, 64))  # landmarks of the inner rims, above one another
OPENING = range(60, 68)  # of the mouth
CORNERS = (48, 54)
RIM = 0.055  # eye distances: how far the rim of the lips may be from its landmarks
WET = 0.022  # eye distances: how far lips go on inside the landmarks of their inner rims
STEADY = 0.025  # eye distances: a hand draws no smaller waves
FINER = 4  # times the pixels of the crop, in which the distance from the rim is measured


def lips(face: FaceMap) -> Field:
    """The lips without the open mouth; `across` is 1 on their rim, `along` 1 at the corners of the mouth."""
    face = face.with_mouth
    gap = float(np.linalg.norm(face.at(61, 62, 63) - face.at(67, 66, 65), axis=1).max()) / face.unit
    inner = smooth(face.at(*OPENING), closed=True)
    opening = face.filled(inner, soft=0.006) * np.clip((gap - 0.02) / 0.05, 0, 1)
    mask = vermilion(face)
    rim = np.exp(-np.square(face.distance(smooth(face.at(60, 67, 66, 65, 64))) / 0.04))  # gums are lip-red, too
    wet = np.exp(-np.square(face.distance(np.concatenate([inner, inner[:1]])) / WET)) * _reddish(face, mask)
    teeth = _teeth(face, opening)
    opening = np.maximum(opening * (1 - rim * _like(face, mask * (1 - opening))) * (1 - wet), teeth)
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


def _reddish(face: FaceMap, mask: np.ndarray) -> np.ndarray:
    """How much each pixel is as red as the lips in the `mask`, as teeth and the dark between them are not."""
    colours = cv2.cvtColor(cv2.GaussianBlur(face.pixels, (0, 0), 0.006 * face.unit), cv2.COLOR_RGB2LAB)
    redness, core = colours[..., 1] - YELLOW * colours[..., 2], mask >= 0.8 * mask.max()
    skin, lips = float(face.tone[1] - YELLOW * face.tone[2]), float(np.median(redness[core]))
    pale = colours[..., 0] > float(np.quantile(colours[..., 0][core], 0.9)) + 3  # what is lighter is wet, or a tooth
    reddish: np.ndarray = ((redness - skin) / max(lips - skin, 4.0) / 0.5 - 0.8).clip(0, 1) * ~pale
    return reddish


def _like(face: FaceMap, lips: np.ndarray) -> np.ndarray:
    """How much each pixel is of the lips' colour, unlike teeth and the dark between them (size, size)."""
    colours = cv2.cvtColor(cv2.GaussianBlur(face.pixels, (0, 0), 0.008 * face.unit), cv2.COLOR_RGB2LAB)
    core = lips >= 0.8 * lips.max()
    usual, spread = np.median(colours[core], 0), np.maximum(colours[core].std(0), (9, 4, 4))
    like: np.ndarray = np.exp(-(np.square(((colours - usual) / (1.3 * spread)).clip(-9, 9)).sum(-1) ** 2) / 8)
    return like


def lip_liner(face: FaceMap) -> Field:
    """A line inside the rim of the lips, blended inwards; `across` is 0 on the rim, `along` 1 in their corners."""
    face = face.with_mouth
    mask, along = vermilion(face), _from_mouth(face)
    inside = _inside(face, cv2.GaussianBlur(mask, (0, 0), STEADY * face.unit))
    meets = 1 - 0.75 * ((along - 0.75) / 0.25).clip(0, 1)  # both lines come together there
    return face.cut(mask * meets * (inside < 0.12), inside, along)


def vermilion(face: FaceMap) -> np.ndarray:
    """The lips and the mouth between them, to where the photo shows their rim (size, size)."""
    mask = face.fitted(face.filled(face.lips, soft=0.012)) * face.filled(face.lips, soft=0.03)
    return _to_their_colour(face, ((mask - 0.06) / 0.5).clip(0, 1))


def _inside(face: FaceMap, mask: np.ndarray) -> np.ndarray:
    """How far inside the rim of a mask each pixel is, in eye distances; 0 outside it, FAR beyond the mouth."""
    low = np.floor(face.lips.min(0) - 0.2 * face.unit).astype(int).clip(0, face.size - 1)
    high = np.ceil(face.lips.max(0) + 0.2 * face.unit).astype(int).clip(low + 1, face.size)
    part = mask[low[1] : high[1], low[0] : high[0]]
    large = cv2.resize(part, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    depth = cv2.distanceTransform((large > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    depth = cv2.GaussianBlur(depth, (0, 0), 0.01 * FINER * face.unit)
    inside = np.full_like(mask, FAR)
    inside[low[1] : high[1], low[0] : high[0]] = cv2.resize(depth, part.shape[::-1], interpolation=cv2.INTER_AREA) / (
        FINER * face.unit
    )
    return inside


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
