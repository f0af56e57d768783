"""Where the makeup of eyes goes: shadow, liner, lashes and brows."""

from __future__ import annotations

import numpy as np

from kohl.makeup import strokes
from kohl.makeup.face_map import BROWS, EYES, FAR, FaceMap, Field, direction, joined, lids, smooth

RISE = 0.47  # of a wing, for each step outwards
LIDS = 0.2  # colours in YCrCb up to which lids are painted: they are redder than cheeks
HALF_WAY = 0.15  # eye distances above the lashes at which half of the lid is below, where brows are high
JOINS = 0.008  # eye distances over which the line on the lashes and its wing become one
PARTS = 8  # steps from one landmark of a lid to the next
TAPERS = 0.08  # eye distances inside the outer corner at which a line is thickest
LASHES = 0.14, 0.06  # eye distances that the upper and the lower reach
ROOTS = 0.013  # eye distances over which a line of roots fades
LONGEST = 0.30  # wing, in eye distances


def eyeshadow(face: FaceMap) -> Field:
    """The lids: `across` is 0 at the lashes and 1 at the brow, `along` 0 at the outer corner and 1 at the inner.

    Below the eye `across` starts higher: only a wide eyeshadow goes all the way around.
    """
    cover, across, along = (np.zeros((face.size, face.size), np.float32) for _ in range(3))
    for eye, brow in zip(EYES, BROWS, strict=True):
        upper, lower = lids(face, eye)
        outer, inner, lashes, under = upper[0], upper[-1], smooth(upper), smooth(lower)
        edge = face.at(*brow) + 0.04 * face.unit * face.down
        tip = outer + 0.16 * face.unit * direction(inner, outer) - 0.10 * face.unit * face.down
        outline = np.concatenate([lashes, edge[::-1], [tip]])
        above = face.filled(smooth(outline, closed=True, parts=3), lashes, soft=0.035)
        to_lower = face.distance(under, 0.2)
        below = 0.7 * np.exp(-((to_lower / 0.075) ** 2)) * (face.ahead(outer, face.down) > 0)
        to_lashes, to_brow = face.distance(lashes, 0.7), face.distance(edge, 0.7)
        gap = (to_lashes + to_brow).clip(1e-3)
        height = (to_lashes / gap) ** (np.log(0.5) / np.log((HALF_WAY / gap).clip(1e-2, 0.5)))
        part = np.maximum(above, below)
        here = part > cover
        across = np.where(here, np.where(above >= below, height, 0.5 + to_lower * 4), across)
        inwards = face.ahead(outer, direction(outer, inner)) / float(np.linalg.norm(inner - outer))
        along = np.where(here, inwards, along)
        cover = np.maximum(cover, part)
    open_eyes = face.filled(*face.eyes, soft=0.006)
    thins = 1 - 0.55 * ((across - 0.15) / 0.65).clip(0, 1)  # blended out upwards
    return face.cut(cover * thins * (1 - open_eyes) * (0.35 + 0.65 * face.like_skin(LIDS)), across, along)


def eyeliner(face: FaceMap) -> Field:
    """A line on the upper lashes, thinner towards the nose.

    `along` is how far towards the tip of a wing: it starts TAPERS inside the outer corner.
    """
    across = np.full((face.size, face.size), FAR, np.float32)
    along = np.zeros((face.size, face.size), np.float32)
    for eye in EYES:
        upper, _ = lids(face, eye)
        outer, inner = upper[0], upper[-1]
        outwards = direction(inner, outer)
        wing = direction(np.zeros(2), outwards - RISE * face.down)
        lid = smooth(upper, parts=PARTS) - 0.007 * face.unit * face.down
        lid[:PARTS] -= np.linspace(0.014, 0, PARTS)[:, None] * face.unit * face.down  # it rises before the corner
        flick = np.stack([lid[0], outer + LONGEST * face.unit * wing])
        inwards = face.ahead(outer, -outwards) / float(np.linalg.norm(inner - outer))
        near = joined(face.distance(lid) * (1 + 1.1 * inwards.clip(0, 1)), face.distance(flick), meets=JOINS)
        beyond = (face.ahead(outer, wing) / face.unit + TAPERS).clip(0) * (inwards < 0.5)
        along = np.where(near < across, beyond, along)
        across = np.minimum(across, near)
    open_eyes = face.filled(*[eye + 0.012 * face.unit * face.down for eye in face.eyes], soft=0.004)
    on_skin = np.where(along > TAPERS + 0.05, (2 * face.alike).clip(0, 1), 1)  # a wing ends at hair and at glasses
    return face.cut((across < 0.12) * (1 - 0.9 * open_eyes) * on_skin, across, along)


def mascara(face: FaceMap) -> Field:
    """Lashes, and the line that their roots are; `across` is how far along a lash."""
    across = np.full((face.size, face.size), FAR, np.float32)
    roots = np.zeros((face.size, face.size), np.float32)
    wide = np.hypot(ROOTS, 1.2 * face.blur / face.unit)
    for eye in EYES:
        for lid, length, share in zip(lids(face, eye), LASHES, (1.0, 0.65), strict=True):
            far = face.distance(smooth(lid, parts=5))
            across = np.minimum(across, far / length)
            np.maximum(roots, share * np.exp(-np.square(far / wide)), out=roots)
    cover = np.maximum(strokes.lashes(face), 0.35 * roots) * (across < 1.3)
    return face.cut(cover * (1 - 0.45 * face.filled(*face.eyes, soft=face.blur / face.unit)), across, face.sideways)


def lid_shine(face: FaceMap) -> np.ndarray:
    """Where shimmer on the lids catches the light (size, size): most of each, and its middle most, which bulges."""
    light = np.zeros((face.size, face.size))
    for eye in EYES:
        upper = smooth(lids(face, eye)[0])
        middle, width = upper[len(upper) // 2], float(np.linalg.norm(upper[-1] - upper[0])) / face.unit
        centre, along = middle - 0.06 * face.unit * face.down, direction(upper[0], upper[-1])
        light += 0.55 * np.exp(-np.square(face.ellipse(centre, along, (0.30 * width, 0.06))))
        light += 0.45 * np.exp(-np.square(face.ellipse(centre, along, (0.62 * width, 0.10))))
    return (0.1 + light) * (0.75 + 0.5 * strokes.grain(face))


def lid_depth(field: Field) -> np.ndarray:
    """How deep a shadow is (h, w), from 0 to 1: in the outer corner, and in the crease."""
    outer = np.exp(-np.square((field.along + 0.1) / 0.34)) * np.exp(-np.square(field.across / 0.75))
    crease = np.exp(-np.square((field.across - 0.42) / 0.16)) * (field.along < 0.85)
    depth: np.ndarray = np.maximum(outer, 0.6 * crease)
    return depth
