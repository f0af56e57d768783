"""A picture that Pillow has opened, as a photo: upright, with 8 bits, and in colours that can be written again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageCms, JpegImagePlugin

from kohl import heif, icc
from kohl.types import Metadata, Photo

STRIP = 2**22  # pixels that are turned into the result at a time
SAMPLED = {1: "4:2:2", 2: "4:2:0"}  # Pillow's numbers
WRITTEN_AS = {"MPO": "JPEG", "GIF": "PNG"}  # an MPO's other pictures show the same face; 256 colours lose the change

Whole: TypeAlias = Callable[[], AbstractContextManager[None]]  # what is around Pillow's calls, and refuses broken files


def photo(
    image: Image.Image, path: Path, orientation: int, *, lossless: bool, whole: Whole, profile_as_it_is: bool = False
) -> Photo:
    """The decoded picture, turned as EXIF's `orientation` says, with what writing it needs."""
    grey = image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I")
    profile, in_srgb = _profile(image, grey=grey, as_it_is=profile_as_it_is)
    width, height = image.size if orientation < 5 else image.size[::-1]
    with whole():
        clear = image.has_transparency_data
    pixels = np.empty((height, width, 3), np.uint8)
    alpha = np.empty((height, width), np.uint8) if clear else None
    place = before_turning(pixels, orientation)
    place_alpha = None if alpha is None else before_turning(alpha, orientation)
    for top, strip in _strips(image, clear=clear, to_srgb=in_srgb, whole=whole):
        place[top : top + len(strip)] = strip[..., :3]
        if place_alpha is not None:
            place_alpha[top : top + len(strip)] = strip[..., 3]
    metadata = Metadata(
        format=WRITTEN_AS.get(image.format or "", image.format or "PNG"),
        icc_profile=profile,
        alpha=alpha,
        grey=grey,
        jpeg_tables=dict(image.quantization) if isinstance(image, JpegImagePlugin.JpegImageFile) else None,
        subsampling=_subsampling(image),
        lossless=lossless,
    )
    return Photo(pixels, path, metadata)


def _subsampling(image: Image.Image) -> str:
    """How coarse the colours of the file are, in so far as they can be written so again."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return SAMPLED.get(JpegImagePlugin.get_sampling(image), "4:4:4")
    return heif.subsampling(image) if image.format == "HEIF" else "4:4:4"


def before_turning(upright: np.ndarray, orientation: int) -> np.ndarray:
    """A view of the array for the upright picture in which it stands as it does in the file."""
    upright = upright[::-1] if orientation in (3, 4, 7, 8) else upright
    upright = upright[:, ::-1] if orientation in (2, 3, 6, 7) else upright
    return upright.swapaxes(0, 1) if orientation in (5, 6, 7, 8) else upright


def _strips(
    image: Image.Image, *, clear: bool, to_srgb: ImageCms.ImageCmsTransform | None, whole: Whole
) -> Iterator[tuple[int, np.ndarray]]:
    """Some rows at a time, with the number of the first: uint8 RGB, or RGBA where some of it is `clear`."""
    rows = max(1, STRIP // image.width)
    white = _white(image)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        if white is not None:
            grey = np.nan_to_num(np.asarray(strip).astype(np.float32), copy=False)
            yield top, np.repeat(np.rint(grey * np.float32(255 / white)).clip(0, 255).astype(np.uint8)[..., None], 3, 2)
            continue
        with whole():
            alpha = np.asarray(strip.convert("RGBA"))[..., 3:] if clear else None
            if to_srgb is not None:
                coloured = strip if strip.mode in ("CMYK", "LAB") else strip.convert("RGB")
                strip = ImageCms.applyTransform(coloured, to_srgb) or coloured  # nothing only when it works in place
            pixels = np.asarray(strip.convert("RGB" if alpha is None or to_srgb is not None else "RGBA"))
        yield top, pixels if alpha is None else np.concatenate([pixels[..., :3], alpha], 2)


def _white(image: Image.Image) -> float | None:
    """Of grey with more than 8 bits the value that is white: 16 bits', or the usual one that nothing exceeds."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    if image.mode != "F" and (image.mode != "I" or image.format == "PNG"):
        return 65535.0
    brightest = float(np.nan_to_num(np.asarray(image).astype(np.float32), copy=False).max())
    return float(next((usual for usual in (1, 255, 65535) if brightest <= usual), brightest))


def _profile(
    image: Image.Image, *, grey: bool, as_it_is: bool
) -> tuple[bytes | None, ImageCms.ImageCmsTransform | None]:
    """The colour profile to write, and how to come to sRGB where there shall be none.

    CMYK and Lab always become sRGB. A profile that only says what the primaries are is written anew; RGB with one that
    says more becomes sRGB. Whoever wants it `as_it_is` has it copied.
    """
    profile = image.info.get("icc_profile")
    profile = profile if isinstance(profile, bytes) else b""  # a TIFF may have numbers there
    if image.mode in ("CMYK", "LAB"):
        source = ImageCms.createProfile("LAB") if image.mode == "LAB" else BytesIO(profile)
        return None, _to_srgb(source, image.mode)
    if profile[16:20] != (b"GRAY" if grey else b"RGB "):  # it says nothing about these pixels
        return None, None
    if as_it_is and len(profile) <= icc.LARGEST:
        return profile, None
    rebuilt = icc.rebuilt(profile)
    if rebuilt is not None or grey or len(profile) > icc.LARGEST:
        return rebuilt, None
    return None, _to_srgb(BytesIO(profile), "RGB")


def _to_srgb(source: Any, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile to sRGB, if that is valid."""
    try:
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except ImageCms.PyCMSError:
        return None
