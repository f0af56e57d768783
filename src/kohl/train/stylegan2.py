"""Learns a small StyleGAN2 with its encoder from a gallery of faces, as long as one likes, however often it is stopped.

All that is random in a step follows from the seed and the step's number. In the end the mapping learns to turn noise
into such styles as the encoder finds.
"""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeGuard

import cv2
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from kohl import files, plain_file
from kohl.adam import Adam
from kohl.errors import BadModel, BadSetting, KohlError
from kohl.score.quality import psnr
from kohl.train import mapping
from kohl.train.faces import Gallery
from kohl.train.learner import Descent, Learner, Training
from kohl.types import Images
from kohl.zoo.distances.features import Features
from kohl.zoo.files import torch_files
from kohl.zoo.generators.style_encoder import StyleEncoder
from kohl.zoo.generators.stylegan2 import StyleGAN2

CHECKPOINT, LOG, HELD_OUT, PICTURE = "checkpoint.pt", "log.csv", "held_out.csv", "samples.png"
WEIGHTS = ("generator.safetensors", "encoder.safetensors")
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam remembers of a weight
LONGEST_LOG = 2**26  # bytes
COLUMNS = ("pictures", "pixels", "coarse", "features", "delta", "adversarial", "discriminator")  # of the log
# Settings that may differ when learning goes on.
MAY_CHANGE = {"images", "adversarial", "adversarial_from", "looks", "report", "save_s"}
SAMPLES, TRUNCATION = 8, 0.8  # how many, and of those from noise
AT_ONCE = 64  # faces


def check_folder(folder: Path) -> None:
    """Raises `BadSetting` where files would be overwritten that no checkpoint beside them says to be of learning."""
    if not os.path.lexists(folder / CHECKPOINT):
        for name in (*WEIGHTS, LOG, HELD_OUT, PICTURE):
            if os.path.lexists(folder / name):
                raise BadSetting(
                    f"{folder}: holds {name}, but no checkpoint to go on from; choose another folder with -o"
                )


def learn(
    gallery: Gallery, features: Features, folder: Path, settings: Training, *, said: Callable[[str], None]
) -> tuple[Path, Path]:
    """Learns until all pictures are seen, and writes a log, samples, the generator and the encoder: their two paths.

    It goes on from the checkpoint in the folder, if there is one. Raises `BadModel` for one that cannot be read, and
    `BadSetting` for one of other settings, and for files of somebody else; the number of pictures and the adversarial
    part may change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    check_folder(folder)
    learner, faces = Learner(settings), gallery.plain(settings.size)
    first = _resumed(folder / CHECKPOINT, learner)
    if not first:
        _save(folder / CHECKPOINT, learner, 0)  # from now on what is in the folder is known to be of this run
    for name in (LOG, HELD_OUT):
        _forget(folder / name, first * settings.batch)
    saved = started = time.monotonic()
    for number in range(first, settings.steps):
        rng = torch.Generator().manual_seed((settings.seed * 1_000_003 + number) % 2**63)
        losses = learner.step(number, gallery.views(settings.batch, settings.size, rng), features, rng)
        seen = (number + 1) * settings.batch
        if seen // settings.report > (seen - settings.batch) // settings.report:
            _log(folder / LOG, {"pictures": seen, **losses}, COLUMNS)
            parts = "  ".join(f"{name} {loss:.4f}" for name, loss in losses.items())
            speed = (number + 1 - first) * settings.batch / (time.monotonic() - started)
            said(f"{seen} of {settings.images}  {parts}  {speed:.1f} a second")
        if time.monotonic() - saved >= settings.save_s or number + 1 == settings.steps:
            _save(folder / CHECKPOINT, learner, number + 1)
            pair = learner.ema_generator, learner.ema_encoder
            figure = held_out(*pair, faces)
            _log(folder / HELD_OUT, {"pictures": seen, "psnr": figure}, ("pictures", "psnr"))
            said(f"held-out faces are given back at {figure:.2f} dB")
            write_samples(folder / PICTURE, *pair, faces[:SAMPLES])
            saved = time.monotonic()
    return _finished(learner, gallery, folder, said)


@torch.no_grad()
def given_back(generator: StyleGAN2, encoder: StyleEncoder, faces: Images) -> Images:
    """The faces as encoder and generator give them back."""
    return torch.cat([generator(encoder(part)) for part in torch.split(faces, AT_ONCE)])


def held_out(generator: StyleGAN2, encoder: StyleEncoder, faces: Images) -> float:
    """The mean PSNR in dB at which faces are given back, without tuning."""
    return float(psnr(given_back(generator, encoder, faces), faces).mean())


def write_samples(path: Path, generator: StyleGAN2, encoder: StyleEncoder, faces: Images) -> None:
    """A picture of three rows: faces, the same given back, and new ones that come from noise."""
    noise = torch.randn(len(faces), generator.latent_shape[1], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        new = generator(generator.latents(noise, truncation=TRUNCATION))
    rows = [torch.cat([*row], 2) for row in (faces, given_back(generator, encoder, faces), new)]
    pixels = (torch.cat(rows, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    with files.placed(path, force=True) as part:
        part.write_bytes(cv2.imencode(".png", pixels[..., ::-1])[1].tobytes())


def _forget(path: Path, seen: int) -> None:
    """Drops the rows of a table that lie behind so many pictures: they will come again."""
    if not os.path.lexists(path):
        return
    try:
        heading, *rows = plain_file.content(path, LONGEST_LOG).decode("utf-8").splitlines(keepends=True) or [""]
        kept = "".join([heading, *(row for row in rows if int(row.split(",")[0]) <= seen)])
    except (OSError, ValueError) as error:  # no file, no text, or no number
        raise BadSetting(f"{path}: is no table of this run; remove it, or choose another folder with -o") from error
    with files.placed(path, force=True) as part:
        part.write_text(kept, "utf-8")


def _log(path: Path, row: Mapping[str, float], columns: tuple[str, ...]) -> None:
    """Appends a row to a table, the first under a heading."""
    new = not (path.exists() and path.stat().st_size)
    with path.open("a", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            table.writeheader()
        table.writerow({name: value if isinstance(value, int) else f"{value:.5g}" for name, value in row.items()})


def _save(path: Path, learner: Learner, done: int) -> None:
    """Writes all that going on needs, whole or not at all."""
    optimizers = [_moments(descent.adam) for descent in (learner.giving, learner.telling)]
    kept = {"learner": learner.state_dict(), "optimizers": optimizers, "done": done}
    try:
        with files.placed(path, force=True) as part:
            torch.save({**kept, "settings": asdict(learner.settings)}, part)
    except RuntimeError as error:  # torch's way to say that the disk is full
        raise KohlError(f"{path}: cannot be written ({error}); free some space and go on with --resume") from error


def _resumed(path: Path, learner: Learner) -> int:
    """How many steps are done, once the learner is as it was then."""
    if not path.exists():
        return 0
    unreadable = BadModel(f"{path}: this checkpoint cannot be read; remove it to begin again.")
    try:
        kept = torch_files.read(path)
    except (OSError, *torch_files.DAMAGED) as error:
        raise unreadable from error
    if not isinstance(kept, dict) or not isinstance(kept.get("settings"), dict):
        raise unreadable
    for name, value in asdict(learner.settings).items():
        if name not in MAY_CHANGE and kept["settings"].get(name, value) != value:
            raise BadSetting(f"{path}: was learned with {name} {kept['settings'][name]}; choose another folder")
    done, weights, optimizers = kept.get("done"), kept.get("learner"), kept.get("optimizers")
    if type(done) is not int or done < 0 or not _are_tensors(weights):
        raise unreadable
    descents = learner.giving, learner.telling
    if not isinstance(optimizers, list) or len(optimizers) != len(descents):
        raise unreadable
    moments = [_remembered(*pair) for pair in zip(descents, optimizers, strict=True)]
    try:
        learner.load_state_dict(weights)
    except RuntimeError as error:  # of other names or shapes
        raise unreadable from error
    for descent, found in zip(descents, moments, strict=True):
        if found is None:
            raise unreadable
        descent.adam.index, descent.adam.means, descent.adam.squares = found
    return done


def _moments(adam: Adam) -> dict[str, Any]:
    """What Adam remembers, under the names that torch's has for it."""
    pairs = enumerate(zip(adam.means, adam.squares, strict=True))
    return {"state": {number: dict(zip(MOMENTS, (adam.index, *pair), strict=True)) for number, pair in pairs}}


def _remembered(descent: Descent, kept: Any) -> tuple[int, list[torch.Tensor], list[torch.Tensor]] | None:
    """What Adam shall remember, by what was `kept`, if that is of these weights; all else follows from the settings."""
    found = kept.get("state") if isinstance(kept, dict) else None
    if not isinstance(found, dict):
        return None
    if not found:  # before the first step
        return 0, [], []
    if [*found] != [*range(len(descent.weights))]:
        return None
    if not all(isinstance(each, dict) and set(each) == {*MOMENTS} for each in found.values()):
        return None
    (index, *others), means, squares = ([each[name] for each in found.values()] for name in MOMENTS)
    if type(index) is not int or index < 1 or any(type(other) is not int or other != index for other in others):
        return None
    for moments in (means, squares):
        for weight, moment in zip(descent.weights, moments, strict=True):
            if not isinstance(moment, torch.Tensor) or moment.shape != weight.shape or moment.dtype != weight.dtype:
                return None
    return index, [mean.clone() for mean in means], [square.clone() for square in squares]


def _are_tensors(kept: Any) -> TypeGuard[dict[str, torch.Tensor]]:
    """Whether that is a table of tensors by name."""
    return isinstance(kept, dict) and all(
        isinstance(name, str) and isinstance(x, torch.Tensor) for name, x in kept.items()
    )


def _finished(learner: Learner, gallery: Gallery, folder: Path, said: Callable[[str], None]) -> tuple[Path, Path]:
    """Teaches the mapping which styles there are, and writes what is kept, in half precision: the two paths."""
    settings, generator, encoder = learner.settings, learner.ema_generator, learner.ema_encoder
    rng = torch.Generator().manual_seed(settings.seed)
    with torch.no_grad():
        counts = map(len, torch.split(torch.empty(settings.mapping.styles), AT_ONCE))
        styles = torch.cat([encoder.parts(gallery.views(count, settings.size, rng))[0] for count in counts])
    generator.average.copy_(styles.mean(0))
    mapping.learn(generator.mapping, styles, rng, settings.mapping, said=said)
    write_samples(folder / PICTURE, generator, encoder, gallery.plain(settings.size)[:SAMPLES])
    size = {"size": torch.tensor(settings.size)}  # which no weight tells
    paths = folder / WEIGHTS[0], folder / WEIGHTS[1]
    for path, network, also in zip(paths, (generator, encoder), ({}, size), strict=True):
        tensors = {name: value.half().contiguous() for name, value in network.state_dict().items()}
        try:
            with files.placed(path, force=True) as part:
                save_file({**tensors, **also}, part)
        except SafetensorError as error:
            raise KohlError(f"{path}: cannot be written ({error}); free some space and go on with --resume") from error
    return paths
