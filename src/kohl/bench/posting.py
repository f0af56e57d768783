"""What becomes of a photo after it was posted: how others store, shrink, cut and show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import cv2
import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from kohl import files
from kohl.align import imageio

Change: TypeAlias = Callable[[Image.Image], Image.Image]

SAVED = "saved"  # the file as it was written
FRAME, GREY = 24, (236, 236, 236)  # pixels around a photo on a screen, and their colour
SHOWN = 0.8  # of its size, at which a screen shows a photo


def as_it_is(image: Image.Image) -> Image.Image:
    """The photo: only its encoding differs."""
    return image


def half(image: Image.Image) -> Image.Image:
    """The photo at half its width and height."""
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)


def scaled(share: float, image: Image.Image) -> Image.Image:
    """The photo at that share of its size."""
    size = max(1, round(share * image.width)), max(1, round(share * image.height))
    return image.resize(size, Image.Resampling.LANCZOS)


def at_most(longest: int, image: Image.Image) -> Image.Image:
    """The photo with no more pixels along its longer edge; a smaller one stays as it is."""
    share = longest / max(image.size)
    return scaled(share, image) if share < 1 else image


def blurred(sigma: float, image: Image.Image) -> Image.Image:
    """The photo behind a Gaussian of so many pixels."""
    return Image.fromarray(cv2.GaussianBlur(np.asarray(image), (0, 0), sigma))


def median(image: Image.Image) -> Image.Image:
    """Each value the middle one of nine."""
    return image.filter(ImageFilter.MedianFilter(3))


def cut(share: float, image: Image.Image) -> Image.Image:
    """The photo without such a share of its width and height, half of it on each side."""
    across, down = (round(share * side / 2) for side in image.size)
    return image.crop((across, down, image.width - across, image.height - down))


def screenshot(image: Image.Image) -> Image.Image:
    """The photo as a screen shows it: at four fifths of its size, without care, on light grey."""
    shown = image.resize((round(SHOWN * image.width), round(SHOWN * image.height)), Image.Resampling.BILINEAR)
    screen = Image.new("RGB", (shown.width + 2 * FRAME, shown.height + 2 * FRAME), GREY)
    screen.paste(shown, (FRAME, FRAME))
    return screen


def lit(gain: float, image: Image.Image) -> Image.Image:
    """The photo with all values multiplied."""
    return ImageEnhance.Brightness(image).enhance(gain)


def enlarged(quality: int, image: Image.Image) -> Image.Image:
    """The photo at half its size as a JPEG of that quality, and back at its size: what smooths a change away."""
    small = cv2.imencode(".jpg", np.asarray(half(image))[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    again = cv2.imdecode(small, cv2.IMREAD_COLOR)
    assert again is not None  # it was encoded here
    return Image.fromarray(cv2.resize(again, image.size, interpolation=cv2.INTER_CUBIC)[..., ::-1])


class Posts(Protocol):
    """What becomes of a photo, as which file, and the models that make it."""

    @property
    def suffix(self) -> str:
        """Of the file."""
        ...

    @property
    def models(self) -> tuple[str, ...]:
        """By the names of their cards."""
        ...

    def __call__(self, photo: Path, output: Path) -> None:
        """Writes to `output` what becomes of the photo."""
        ...


@dataclass(frozen=True)
class Posting:
    """How a photo changes, and as what it is stored."""

    change: Change = as_it_is
    suffix: str = ".png"
    settings: Mapping[str, Any] = field(default_factory=dict)  # Pillow's
    models: tuple[str, ...] = ()

    def __call__(self, photo: Path, output: Path) -> None:
        """Writes to `output` what becomes of the photo."""
        with Image.open(photo) as image:
            changed = self.change(image.convert("RGB"))
        with files.placed(output, force=True) as part, part.open("wb") as file:
            changed.save(file, imageio.SUFFIXES[self.suffix], **self.settings)


def jpeg(quality: int, change: Change = as_it_is) -> Posting:
    """A JPEG of that quality, its colours at half the resolution as posting does it, or in full above 90."""
    return Posting(change, ".jpg", {"quality": quality, "subsampling": 0 if quality > 90 else 2})


POSTINGS: Mapping[str, Posting] = {
    "jpeg 95": jpeg(95),
    "jpeg 85": jpeg(85),
    "jpeg 75": jpeg(75),
    "jpeg 50": jpeg(50),
    "webp 80": Posting(suffix=".webp", settings={"quality": 80}),
    "edge 2048": jpeg(95, partial(at_most, 2048)),
    "edge 1080": jpeg(95, partial(at_most, 1080)),
    "edge 640": jpeg(95, partial(at_most, 640)),
    "half": jpeg(95, half),
    "half, jpeg 75": jpeg(75, half),
    "blur": Posting(partial(blurred, 1.0)),
    "median": Posting(median),
    "crop 5 %": jpeg(95, partial(cut, 0.05)),
    "screenshot": Posting(screenshot),
    "brighter": jpeg(95, partial(lit, 1.25)),
    "darker": jpeg(95, partial(lit, 0.8)),
}
