"""How much of a change each pixel of a face may take: all of it on bare skin, none on what is not skin.

It goes by landmarks, colour, light and, above the eyes, by how fine the detail is; on a turned head the far half takes
less. It does not see blurred hair of the skin's own colour, a hand of the face's own colour and light, or clear lenses;
there a change is as soft as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from kohl.makeup.face_map import BROWS, COARSE, EYES, FaceMap, smooth
from kohl.templates import SOFT, inside, with_forehead

LIDS, BROW, LIPS = 0.9, 0.9, 0.2  # the share of a change that they take
COLOUR = 0.4  # the share of its colour that skin takes; lids and lips take none
SHADOW = 0.02  # how much darker the skin above the lips may become: a shadow there is a moustache
TEETH, UPPER_LIP = range(60, 68), (48, 49, 50, 51, 52, 53, 54, 35, 34, 33, 32, 31)  # landmarks around them
ASLANT, FULL = 0.1, 0.4  # of the other half's width: a half of a turned head that takes no change, and all of it
CLOSE = 0.15  # chroma away from cheeks and nose, at middling brightness, at which a pixel says little of the skin
AROUND = 0.35  # eye distances: how far around a pixel the skin is looked at
HUE = 0.07  # chroma away from that skin, at which a pixel is hardly skin
DARK, DARKER = 0.6, 0.15  # the share of its light below which a pixel is suspect, and how much more is too much
BRIGHT, SHINE, BRIGHTER = 1.5, 0.1, 0.08  # the same above: a share, and what shine adds, also on dark skin
FOREHEAD = 0.4  # eye distances: how softly a change ends towards the hair; elsewhere SOFT
STRAND = 0.06  # eye distances: how far around a pixel fine detail is looked at
SOME, HAIR = 1.7, 3.5  # times the fine detail of calm skin, from which a pixel is a little hair, and all hair


@dataclass(frozen=True)
class Reach:
    """Maps (size, size) of one face."""

    share: np.ndarray  # of a change that each pixel takes
    colour: np.ndarray  # of its colour
    shadow: np.ndarray  # how much darker it may become


def reach(face: FaceMap) -> Reach:
    """Where a change may be: on the face, where skin is seen, and never in the eyes or on the teeth."""
    lips = face.filled(face.lips, soft=0.03)
    gaps = np.maximum(face.filled(*face.eyes, soft=0.03), face.filled(face.at(*TEETH), soft=0.01))
    never = 1 - np.clip(2 * gaps, 0, 1)  # to the rim of each, and softly beyond it
    outlines = [face.at(*brow, *eye[3::-1]) for brow, eye in zip(BROWS, EYES, strict=True)]
    lids = face.filled(*outlines, soft=0.04)
    brows = np.max([np.exp(-np.square(face.distance(face.at(*brow), 0.3) / 0.1)) for brow in BROWS], 0)
    above = np.clip(0.7 - face.ahead(face.at(19, 24).mean(0), face.down) / (0.35 * face.unit), 0, 1)
    on_face = np.minimum(inside(face.landmarks, face.size)[0].numpy(), outline(face, above))
    on_face = on_face * facing(face) * (1 - above * strands(face, on_face))
    share = on_face * np.maximum(bare_skin(face), lips) * never
    for part, kept in ((lids, LIDS), (brows, BROW), (lips, LIPS)):
        share = share * (1 - (1 - kept) * part)
    moustache = np.clip(1.5 * face.filled(face.at(*UPPER_LIP), soft=0.05), 0, 1)
    return Reach(share, COLOUR * (1 - lips) * (1 - lids), 1 - (1 - SHADOW) * moustache)


def outline(face: FaceMap, above: np.ndarray) -> np.ndarray:
    """1 inside the face, softly 0 at its rim, most softly where it is `above` the brows."""
    rim = smooth(np.concatenate([face.at(*range(17)), with_forehead(face.landmarks)[:67:-1]]), closed=True)
    filled = (face.filled(rim) > 0.5).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(filled, 1), cv2.DIST_L2, 5)[1:-1, 1:-1] / face.unit
    soft = SOFT * face.size / face.unit
    depth = np.clip(depth / (soft + (FOREHEAD - soft) * above), 0, 1)
    inner: np.ndarray = depth * depth * (3 - 2 * depth)
    return inner


def strands(face: FaceMap, on_face: np.ndarray) -> np.ndarray:
    """1 on hair, 0 on skin: by the finest detail, which hair of any colour has more of than most of the skin."""
    light, unit = cv2.cvtColor(face.guide[0], cv2.COLOR_RGB2GRAY), face.unit * COARSE / face.size
    fine = np.abs(light - cv2.GaussianBlur(light, (0, 0), 1.5))
    detail = cv2.GaussianBlur(fine, (0, 0), STRAND * unit) / (cv2.GaussianBlur(light, (0, 0), STRAND * unit) + 0.05)
    skin = cv2.resize(on_face.astype(np.float32), (COARSE, COARSE)) > 0.9
    calm = np.quantile(detail[skin], 0.4) if skin.any() else detail.mean()
    hair = np.clip((detail / max(calm, 1e-4) - SOME) / (HAIR - SOME), 0, 1)
    found: np.ndarray = cv2.resize(hair, (face.size, face.size))
    return found


def facing(face: FaceMap) -> np.ndarray:
    """1 where the face is seen from the front; less on the half that a turned head shows aslant: little room for light.

    Across the bridge of the nose the one becomes the other.
    """
    bridge, *sides = face.at(27, 1, 15) @ face.right
    left, right = np.maximum(np.abs(sides - bridge), 1e-3)
    shares = np.clip((np.array([left / right, right / left]) - ASLANT) / (FULL - ASLANT), 0, 1)
    from_left = np.clip(0.5 + face.ahead(face.at(27)[0], face.right) / (0.5 * face.unit), 0, 1)
    seen: np.ndarray = shares[0] + (shares[1] - shares[0]) * from_left
    return seen


def bare_skin(face: FaceMap) -> np.ndarray:
    """1 where skin is seen; 0 on hair, rims of glasses, hats and hands: what differs from the skin around it.

    Chroma counts as a share of brightness, so that a shadow is skin still, and less where it is bright: shine is white.
    """
    photo = cv2.cvtColor(face.guide[0], cv2.COLOR_RGB2YCrCb)
    light, chroma = photo[..., 0], (photo[..., 1:] - 0.5) * 0.6 / (photo[..., :1] + 0.1)
    photo = np.dstack([light, chroma])
    on_face = cv2.resize(inside(face.landmarks, face.size)[0].numpy(), (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    rows, columns = face.bare_places
    middle = np.median(cv2.blur(photo, (5, 5))[rows, columns], 0)
    like = np.exp(-np.square(chroma - middle[1:]).sum(-1) / CLOSE**2) * (light > 0.25 * middle[0])
    like = like * (light < BRIGHT * middle[0] + SHINE)
    weight = on_face * like
    near = (_around(face, photo * weight[..., None]) + 1e-3 * middle) / (_around(face, weight)[..., None] + 1e-3)
    strange = np.square(chroma - near[..., 1:]).sum(-1) / HUE**2
    strange *= np.minimum(1, near[..., 0] / light.clip(1e-3)) ** 4
    dark = (DARK * near[..., 0] - light).clip(0) / (DARKER * near[..., 0].clip(1e-6))  # cheeks may be black
    bright = (light - BRIGHT * near[..., 0] - SHINE).clip(0) / BRIGHTER
    like = np.exp(-np.square(strange) - np.square(dark) - np.square(bright))
    return face.fitted(cv2.GaussianBlur(like.astype(np.float32), (0, 0), 1.0))


def _around(face: FaceMap, image: np.ndarray) -> np.ndarray:
    """The mean around each pixel of an image of COARSE pixels."""
    mean: np.ndarray = cv2.GaussianBlur(image, (0, 0), AROUND * face.unit * COARSE / face.size)
    return mean
