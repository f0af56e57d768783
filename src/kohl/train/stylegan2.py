"""Learns a small StyleGAN2 with its encoder from a gallery of faces, as long as one likes, however often it is stopped.

All that is random in a step follows from the seed and the step's number. In the end the mapping learns to turn noise
into such styles as the encoder finds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from kohl import files
from kohl.errors import KohlError
from kohl.score.quality import psnr
from kohl.train import folder as run
from kohl.train import mapping
from kohl.train.faces import Gallery
from kohl.train.folder import CHECKPOINT, LOG, PICTURE
from kohl.train.learner import Learner, Training
from kohl.types import Images
from kohl.zoo.distances.features import Features
from kohl.zoo.generators.style_encoder import StyleEncoder
from kohl.zoo.generators.stylegan2 import StyleGAN2

HELD_OUT = "held_out.csv"
WEIGHTS = ("generator.safetensors", "encoder.safetensors")
COLUMNS = ("pictures", "pixels", "coarse", "features", "delta", "adversarial", "discriminator")  # of the log
# Settings that may differ when learning goes on.
MAY_CHANGE = {"images", "adversarial", "adversarial_from", "looks", "report", "save_s"}
SAMPLES, TRUNCATION = 8, 0.8  # how many, and of those from noise
AT_ONCE = 64  # faces


def check_folder(folder: Path) -> None:
    """Raises `BadSetting` where files would be overwritten that no checkpoint beside them says to be of learning."""
    run.check(folder, (*WEIGHTS, LOG, HELD_OUT, PICTURE))


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
    first = run.resumed(folder / CHECKPOINT, learner, MAY_CHANGE)
    if not first:
        run.save(folder / CHECKPOINT, learner, 0)  # from now on what is in the folder is known to be of this run
    for name in (LOG, HELD_OUT):
        run.forget(folder / name, first * settings.batch)
    saved = started = time.monotonic()
    for number in range(first, settings.steps):
        rng = torch.Generator().manual_seed((settings.seed * 1_000_003 + number) % 2**63)
        losses = learner.step(number, gallery.views(settings.batch, settings.size, rng), features, rng)
        seen = (number + 1) * settings.batch
        if seen // settings.report > (seen - settings.batch) // settings.report:
            run.log(folder / LOG, {"pictures": seen, **losses}, COLUMNS)
            parts = "  ".join(f"{name} {loss:.4f}" for name, loss in losses.items())
            speed = (number + 1 - first) * settings.batch / (time.monotonic() - started)
            said(f"{seen} of {settings.images}  {parts}  {speed:.1f} a second")
        if time.monotonic() - saved >= settings.save_s or number + 1 == settings.steps:
            run.save(folder / CHECKPOINT, learner, number + 1)
            pair = learner.ema_generator, learner.ema_encoder
            figure = held_out(*pair, faces)
            run.log(folder / HELD_OUT, {"pictures": seen, "psnr": figure}, ("pictures", "psnr"))
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
