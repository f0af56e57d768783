"""How well the small StyleGAN2 gives faces back that it has not learned from, before and after tuning."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import torch

from kohl import pipeline, recipe
from kohl.align import crop, imageio
from kohl.geometry import resized
from kohl.perturb.latent import LatentSearch
from kohl.score.quality import psnr
from kohl.train.faces import HELD, people
from kohl.types import Faces, Images

AIMS = {"held out": 28.0, "photos": 26.0}  # dB


def add(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("held", type=Path, metavar="LEARNED", help="the folder that the bundled weights learned from")
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTOS", help="folders NAME/*.jpg, or of photos")
    parser.add_argument("--every", type=int, default=1, help="take every so many of the photos")
    parser.add_argument("--recipe", default="mini")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write a picture of the faces, before and after")


def measure(settings: argparse.Namespace) -> dict[str, dict[str, object]]:
    """The figures of both kinds of faces."""
    held = [photos[0] for photos in people([settings.held])[::HELD]]
    others = [photo for photos in people(settings.photos) for photo in photos]
    chosen = recipe.override(recipe.load(settings.recipe), settings.set)
    rows: list[Images] = []
    found = {
        name: _figures(paths[:: settings.every], chosen, rows) | {"goal": AIMS[name]}
        for name, paths in (("held out", held), ("photos", others))
    }
    if settings.keep:
        pixels = torch.cat(rows, 1).permute(1, 2, 0).mul(255).round().byte().numpy()
        cv2.imwrite(str(settings.keep), pixels[..., ::-1])
    return found


def _figures(paths: Sequence[Path], chosen: recipe.Recipe, rows: list[Images]) -> dict[str, object]:
    before, after, seconds = [], [], []
    for original, encoded, tuned, taken in _given_back(paths, chosen):
        before.append(float(psnr(encoded, original)))
        after.append(float(psnr(tuned, original)))
        seconds.append(taken)
        rows.append(torch.cat([original[0], encoded[0], tuned[0]], 2))
    return {
        "faces": len(after),
        "before tuning, dB": statistics.mean(before),
        "after tuning, dB": statistics.mean(after),
        "least after tuning, dB": min(after),
        "median seconds": statistics.median(seconds),
    }


def _given_back(paths: Sequence[Path], chosen: recipe.Recipe) -> Iterator[tuple[Images, Images, Images, float]]:
    """Of each photo the largest face, that face by the encoder alone and after tuning, and the seconds it took."""
    house = pipeline.load(chosen)
    assert isinstance(house.attack, LatentSearch)
    invert = house.attack.invert
    assert isinstance(invert, partial)
    generator, encode, _ = invert.args
    for path in paths:
        photo = imageio.read(path)
        fit = [face for face in house.detect(photo) if face.reason is None]
        if not fit:
            continue
        faces: Faces = crop.crops(photo, fit[:1])
        original = resized(faces, generator.size).crops
        with torch.no_grad():
            encoded = generator(encode(faces.crops))
        started = time.perf_counter()
        inversion = invert(faces)
        taken = time.perf_counter() - started
        with torch.no_grad():
            tuned = inversion.generator.picture(inversion.latents).clamp(0, 1)
        yield original, encoded, tuned, taken
