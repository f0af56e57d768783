"""Maps of a face's crop, drawn from its 68 landmarks and following the edges of its photo.

Lengths are in distances between the eyes: any resolution gives the same.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np

from kohl.makeup import mouth
from kohl.templates import with_forehead

DAYLIGHT, LIGHTEST = 85.0, 0.995  # L* that the lightest parts of a face have, and their place among all of it
OUTER, INNER = 0.03, 0.01  # eye distances by which the corners of eyes lie beyond their landmarks
MEETS = 0.04  # eye distances over which what is drawn around two paths becomes one
FAR = 9.0  # eye distances: further than anything on a face
COARSE = 256  # pixels of a side on which a mask is fitted to the photo's edges
FIT_RADIUS, FIT_EPS = 0.07, 2e-3  # of the guided filter: distances between the eyes, squared levels
EYES = ((36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46))  # outer corner first, then along the upper lid
BROWS = ((17, 18, 19, 20, 21), (26, 25, 24, 23, 22))  # outer end first
MOUTH = range(48, 60)
CRISP = 0.6  # share of the photo's blur that single hairs and spots have: they are no shade
SHARP = 0.75  # pixels: the blur that is measured at the eyes of a photo as sharp as its pixels allow


@dataclass(frozen=True, eq=False)
class Field:
    """Where something is drawn: three maps (h, w) of a part of the crop, and the part's first row and column."""

    cover: np.ndarray  # 0 to 1
    across: np.ndarray  # in distances between the eyes, or as a share of the way
    along: np.ndarray
    corner: tuple[int, int]


class FaceMap:
    """One face's geometry in pixels of its crop: `pixels` (size, size, 3) in [0, 1], `landmarks` (68, 2)."""

    def __init__(self, pixels: np.ndarray, landmarks: np.ndarray) -> None:
        self.pixels, self.size = pixels.astype(np.float32), len(pixels)
        self.landmarks = landmarks
        left, right = (self.at(*eye).mean(0) for eye in EYES)
        self.middle, self.right = (left + right) / 2, direction(left, right)
        self.down = np.array([-self.right[1], self.right[0]])
        self.unit = float(np.linalg.norm(right - left))

    def at(self, *indices: int) -> np.ndarray:
        """Landmarks by number, (k, 2)."""
        return self.landmarks[list(indices)]

    def ahead(self, start: np.ndarray, way: np.ndarray) -> np.ndarray:
        """How many pixels each pixel (size, size) is ahead of a point, in the direction `way` of length 1."""
        steps = np.arange(self.size, dtype=np.float32)
        x, y = ((steps - float(place)) * float(part) for place, part in zip(start, way, strict=True))
        return x + y[:, None]

    def distance(self, path: np.ndarray, reach: float = 0.15) -> np.ndarray:
        """How far each pixel is from an open path (k, 2), in eye distances; what is beyond `reach` may be FAR."""
        nearest = np.full((self.size, self.size), (FAR * self.unit) ** 2, np.float32)
        for start, end in pairwise(path):
            low, high = np.minimum(start, end) - reach * self.unit, np.maximum(start, end) + reach * self.unit
            (left, top), (right, bottom) = np.clip([np.floor(low), np.ceil(high) + 1], 0, self.size).astype(int)
            x = np.arange(left, right, dtype=np.float32) - float(start[0])
            y = np.arange(top, bottom, dtype=np.float32)[:, None] - float(start[1])
            width, height = (end - start).tolist()
            square = max(width**2 + height**2, 1e-6)
            share = (x * (width / square) + y * (height / square)).clip(0, 1)
            part = nearest[top:bottom, left:right]
            np.minimum(part, np.square(x - share * width) + np.square(y - share * height), out=part)
        return np.sqrt(nearest) / self.unit

    def ellipse(self, centre: np.ndarray, axis: np.ndarray, radii: tuple[float, float]) -> np.ndarray:
        """1 on the rim of an ellipse, 0 at its centre; `axis` is the direction of its first radius."""
        first, second = self.ahead(centre, axis), self.ahead(centre, np.array([-axis[1], axis[0]]))
        return np.hypot(first / (radii[0] * self.unit), second / (radii[1] * self.unit))

    def filled(self, *outlines: np.ndarray, soft: float = 0.0) -> np.ndarray:
        """1 inside the closed outlines, 0 outside; the edge is `soft` eye distances wide."""
        mask, pixel = np.zeros((self.size, self.size), np.float32), self.size / COARSE
        rim = max(1, round(0.75 * pixel))  # OpenCV's: wide enough to be as wide in a large crop as in one of COARSE
        for outline in outlines:
            points = np.round(outline * 64).astype(np.int32)
            cv2.fillPoly(mask, [points], 1.0, shift=6)
            cv2.polylines(mask, [points], True, 1.0, rim, shift=6)
        return cv2.GaussianBlur(mask, (0, 0), max(soft * self.unit, 0.35 * pixel))

    def dots(self, centres: np.ndarray, radii: np.ndarray, strength: np.ndarray | float = 1.0) -> np.ndarray:
        """Round soft spots, `strength` in the middle of each."""
        radii = radii * self.unit
        reach = int(3 * radii.max()) + 2
        wide = np.hypot(radii, max(0.5, CRISP * self.blur))  # what a pixel averages over, or the photo's blur
        centres = centres.T[..., None]
        places = centres.astype(int) + np.arange(-reach, reach)
        across, down = np.exp(-np.square((places - centres) / wide[:, None]))
        spots = (strength * np.square(radii / wide))[:, None, None] * down[..., None] * across[:, None]
        columns, rows = places.clip(-reach, self.size + reach - 1) + reach
        found = np.zeros((self.size + 2 * reach, self.size + 2 * reach))  # with a rim for those that overhang
        np.maximum.at(found, (rows[..., None], columns[:, None]), spots)
        return found[reach:-reach, reach:-reach]

    def fitted(self, mask: np.ndarray) -> np.ndarray:
        """`mask` with its edge moved onto the photo's own: the guided filter (He, Sun & Tang, TPAMI 2013).

        Fitted at COARSE pixels and applied at the photo's resolution (He & Sun, arXiv 1505.00996, 2015).
        """
        guide, centre, inverse = self.guide
        coarse = cv2.resize(mask, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
        together = self._mean(guide * coarse[..., None]) - centre * self._mean(coarse)[..., None]
        slope = np.einsum("hwij,hwj->hwi", inverse, together)
        offset = self._mean(coarse) - (slope * centre).sum(-1)
        slope, offset = (cv2.resize(self._mean(part), (self.size, self.size)) for part in (slope, offset))
        mask = np.einsum("hwc,hwc->hw", slope, self.pixels) + offset
        return mask.clip(0, 1)

    @cached_property
    def guide(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The photo at COARSE pixels, its mean around each of them, and the inverse of its covariance there."""
        guide = cv2.resize(self.pixels, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
        centre = self._mean(guide)
        red, green, blue = (  # the rows of the covariance
            self._mean(guide * guide[..., [c]]) - centre * centre[..., [c]] + FIT_EPS * np.eye(3)[c] for c in range(3)
        )
        columns = np.stack([np.cross(green, blue), np.cross(blue, red), np.cross(red, green)], -1)  # np.linalg is slow
        inverse = columns / np.einsum("hwi,hwi->hw", red, columns[..., 0])[..., None, None]
        return guide, centre, inverse.astype(np.float32)

    def _mean(self, image: np.ndarray) -> np.ndarray:
        """The mean around each pixel of an image of COARSE pixels."""
        side = 2 * round(FIT_RADIUS * self.unit * COARSE / self.size) + 1
        mean: np.ndarray = cv2.blur(image, (side, side))
        return mean

    @cached_property
    def sideways(self) -> np.ndarray:
        """How far each pixel is from the middle of the face, where 1 is the rim of the jaw below the ears."""
        half = float(np.linalg.norm(self.landmarks[15] - self.landmarks[1])) / 2
        sideways: np.ndarray = np.abs(self.ahead(self.landmarks[27], self.right)) / half
        return sideways

    @cached_property
    def blur(self) -> float:
        """How much softer the eyes are than the pixels would allow, in pixels: what is drawn should be as soft.

        An edge that is blurred by σ is steepest by its height / (σ √2π).
        """
        light = cv2.cvtColor(self.pixels, cv2.COLOR_RGB2GRAY)
        found = []
        for eye in EYES:
            points, margin = self.at(*eye), 0.06 * self.unit
            (left, top), (right, bottom) = (
                end.astype(int).clip(0, self.size) for end in (points.min(0) - margin, points.max(0) + margin + 1)
            )
            part = light[top:bottom, left:right]
            if min(part.shape) > 2:
                steepest = np.quantile(np.hypot(*np.gradient(part)), 0.98)
                height = np.quantile(part, 0.98) - np.quantile(part, 0.02)
                found.append(float(height / max(steepest, 1e-4)) / np.sqrt(2 * np.pi))
        sigma = min(found, default=0.0)
        return float(np.sqrt(max(sigma**2 - SHARP**2, 0.0)))

    @cached_property
    def eyes(self) -> list[np.ndarray]:
        """The outlines of both eye openings, smooth."""
        return [smooth(self.at(*eye), closed=True) for eye in EYES]

    @cached_property
    def lips(self) -> np.ndarray:
        """The outer outline of the lips, smooth."""
        return smooth(self.at(*MOUTH), closed=True)

    @cached_property
    def with_mouth(self) -> FaceMap:
        """The same face with the landmarks of its mouth where the colour of lips is."""
        scale = COARSE / self.size
        points = (self.at(*range(48, 68)) + 0.5) * scale - 0.5
        colours = cv2.cvtColor(self.guide[0], cv2.COLOR_RGB2LAB)
        there = mouth.moved(colours, points, self.down, self.unit * scale)
        if there is points:
            return self
        face = copy(self)
        face.landmarks = np.concatenate([self.landmarks[:48], (there + 0.5) / scale - 0.5])
        vars(face).pop("lips", None)
        return face

    @cached_property
    def skin(self) -> np.ndarray:
        """Where the face shows skin: no eyes, lips and brows, and nothing unlike the cheeks, such as hair or a rim."""
        face = np.concatenate([self.at(*range(17)), with_forehead(self.landmarks)[:67:-1]])
        features = self.filled(*self.eyes, self.lips, soft=0.02)
        brows = np.sum([np.exp(-np.square(self.distance(self.at(*brow)) / 0.07)) for brow in BROWS], 0)
        outline = np.clip(1.03 * self.filled(smooth(face, closed=True), soft=0.06) - 0.03, 0, 1)  # it ends somewhere
        skin: np.ndarray = outline * (1 - features) * (1 - 0.8 * brows) * self.alike
        return skin

    @cached_property
    def bare_places(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns, at COARSE pixels, of places on cheeks and nose that are bare on nearly every face."""
        places = self.at(2, 14, 29, 30, 31, 35, 48, 54) * 0.6 + self.at(30, 30, 29, 30, 31, 35, 31, 35) * 0.4
        columns, rows = np.round((places + 0.5) * COARSE / self.size - 0.5).astype(int).clip(2, COARSE - 3).T
        return rows, columns

    @cached_property
    def alike(self) -> np.ndarray:
        """How much each pixel is like the skin of the cheeks and the nose in colour and, less strictly, in light."""
        return self.like_skin(0.10)

    def like_skin(self, apart: float) -> np.ndarray:
        """The same, where colours `apart` in YCrCb are hardly alike any more."""
        small = cv2.cvtColor(self.guide[0], cv2.COLOR_RGB2YCrCb)
        rows, columns = self.bare_places
        light, *colour = np.median(cv2.blur(small, (5, 5))[rows, columns], 0)
        strange = np.square(small[..., 1:] - colour).sum(-1) / apart**2
        dark = (0.55 * light - small[..., 0]).clip(0) / max(0.18 * light, 1e-3)
        like = np.exp(-np.square(strange) - np.square(dark)).astype(np.float32)
        return self.fitted(cv2.GaussianBlur(like, (0, 0), 1.0))

    @cached_property
    def tone(self) -> np.ndarray:
        """CIELAB (3,) of the skin in the light that most of the face has: without shine, shade and stubble."""
        weight = cv2.resize(self.skin.astype(np.float32), (COARSE, COARSE), interpolation=cv2.INTER_AREA)
        colours = cv2.cvtColor(self.guide[0], cv2.COLOR_RGB2LAB)
        found = colours[weight > 0.5 * weight.max()]
        light = found[:, 0]
        matte = found[
            (light >= np.quantile(light, 0.35)) & (light <= np.quantile(light, 0.8))
        ]  # what shines is lighter
        tone: np.ndarray = np.median(matte, 0)
        return tone

    @cached_property
    def white(self) -> float:
        """L* of what is white on the face in the light that it has: shine, teeth and eyes are nearly that."""
        face = np.concatenate([self.at(*range(17)), with_forehead(self.landmarks)[:67:-1]])
        inside = cv2.resize(self.filled(face), (COARSE, COARSE), interpolation=cv2.INTER_AREA) > 0.5
        light = cv2.cvtColor(self.guide[0], cv2.COLOR_RGB2LAB)[..., 0][inside]
        return float(np.quantile(light, LIGHTEST)) if light.size else DAYLIGHT

    def cut(self, cover: np.ndarray, across: np.ndarray, along: np.ndarray | float = 0.0) -> Field:
        """The field's part of the crop in which there is any cover."""
        rows, columns = (np.flatnonzero((cover > 4e-3).any(axis)) for axis in (1, 0))
        if not len(rows):
            rows = columns = np.array([0])
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        maps = [np.broadcast_to(x, cover.shape)[part].astype(np.float32) for x in (cover.clip(0, 1), across, along)]
        return Field(maps[0], maps[1], maps[2], (int(rows[0]), int(columns[0])))


def lids(face: FaceMap, eye: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The upper and the lower lid, each (4, 2) from the outer corner of the eye to the inner.

    Detectors put the corners a little inside the eye: here they are where lids meet.
    """
    upper, lower = face.at(*eye[:4]), face.at(eye[0], *eye[:2:-1])
    outwards = direction(upper[-1], upper[0])
    for lid in (upper, lower):
        lid[0] += OUTER * face.unit * outwards
        lid[-1] -= INNER * face.unit * outwards
    return upper, lower


def joined(*distances: np.ndarray, meets: float = MEETS) -> np.ndarray:
    """The least of several distances, in eye distances, without a crease half-way between two, over so much."""
    least: np.ndarray = -meets * np.logaddexp.reduce([-far / meets for far in distances])
    return least.clip(0)


def direction(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The way from one point to another, of length 1."""
    way: np.ndarray = (end - start) / np.linalg.norm(end - start)
    return way


def smooth(points: np.ndarray, *, closed: bool = False, parts: int = 6) -> np.ndarray:
    """A Catmull-Rom spline through the points (k, 2), with `parts` steps from one to the next."""
    ends = (points[-1:], points[:2]) if closed else (points[:1] * 2 - points[1:2], points[-1:] * 2 - points[-2:-1])
    p = np.concatenate([ends[0], points, ends[1]])
    t = np.linspace(0, 1, parts, endpoint=False)[:, None, None]
    a, b, c, d = p[:-3], p[1:-2], p[2:-1], p[3:]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    curve = curve.transpose(1, 0, 2).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, points[-1:]])
