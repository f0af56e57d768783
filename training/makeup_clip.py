"""Learns the bundled text-image model: `python training/makeup_clip.py OMI/faces OUT.safetensors`.

Scenes, sentences with the makeup that they describe, are drawn on synthetic portraits. Every step shows some of these
pictures in another way, and pulls each towards its own sentence and away from the others (Radford et al., ICML 2021);
both sides also learn to name the dials. What is kept is the mean of the last steps' weights.
All that is random in a step follows from the seed and the step's number: a run that was stopped goes on with `--resume`
as if nothing had happened. `--from` starts with the weights of a file. `--evaluate` prints the figures of one instead.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import time
from dataclasses import asdict
from pathlib import Path

import captions
import torch
from makeup_figures import figures
from makeup_learner import Halves, Learner, folded, started
from makeup_views import CHUNK, Album, Sitters, sitters
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from kohl.cpu import settle
from kohl.zoo.text.makeup_clip import PART, MakeupCLIP, load

BATCH = 64  # pictures a step
RATE, WARM_UP, DECAY, CLIP = 1e-3, 100, 0.05, 5.0  # of AdamW: learning rate, steps, weight decay, gradient norm
MEAN = 0.997  # of the mean of the weights: how much of it a step leaves at most
FIRST, EACH = 4, 32  # chunks of pictures to begin with, and after how many steps another is drawn
CHECKPOINT, FIGURES, REPORT = 300, 1800, 20  # seconds, seconds, steps


def learn(album: Album, held: Sitters, arguments: argparse.Namespace) -> MakeupCLIP:
    """The model after all steps."""
    torch.manual_seed(arguments.seed)
    album.draw(CHUNK * FIRST)
    learner = Learner(started(arguments.start, torch.cat([album.picture(n)[..., *PART] for n in range(BATCH)])))
    if arguments.still:
        learner.keep(arguments.still)
    mean = AveragedModel(learner, avg_fn=_nearer)
    learned = [parameter for parameter in learner.parameters() if parameter.requires_grad]
    flat, deep = ([one for one in learned if (one.ndim < 2) == is_flat] for is_flat in (True, False))
    optimizer = torch.optim.AdamW(
        [{"params": deep}, {"params": flat, "weight_decay": 0.0}], arguments.rate, weight_decay=DECAY
    )
    kept = {"learner": learner, "mean": mean, "optimizer": optimizer}
    steps, first = arguments.samples // BATCH, 0
    checkpoint = arguments.folder / "checkpoint.pt"
    if arguments.resume and checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        first = state.pop("step")
        for name, part in kept.items():
            part.load_state_dict(state[name])
    halves = Halves(learner, album, torch.get_num_threads())
    saved = measured = began = time.monotonic()
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * min(1, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2
        rng = random.Random(f"{arguments.seed} {step}")
        drawn = CHUNK * min(FIRST + step // EACH, arguments.pictures // CHUNK)
        album.draw(drawn)
        numbers = [rng.randrange(drawn) for _ in range(BATCH)]
        scenes = [*map(album.scene, numbers), *(captions.scene(rng, free=True) for _ in range(arguments.alone))]
        outputs = halves.forward(numbers, [scene.text for scene in scenes], f"{arguments.seed} {step}")
        seen, read = (torch.cat(parts).detach().requires_grad_() for parts in zip(*outputs, strict=True))
        losses = learner.losses(seen, read, scenes)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        sizes = [[len(part) for part in parts] for parts in zip(*outputs, strict=True)]
        gradients = (whole.grad.split(size) for whole, size in zip((seen, read), sizes, strict=True))
        halves.backward(outputs, list(zip(*gradients, strict=True)))
        nn.utils.clip_grad_norm_(learned, CLIP)
        optimizer.step()
        learner.scale.data.clamp_(max=math.log(100))
        mean.update_parameters(learner)
        if (step + 1) % REPORT == 0:
            speed = (step + 1 - first) * BATCH / (time.monotonic() - began)
            parts = "  ".join(f"{name} {loss.item():.4f}" for name, loss in losses.items())
            print(f"{step + 1}/{steps}  {parts}  {speed:.0f} images/s", flush=True)
        if time.monotonic() - saved > CHECKPOINT:
            state = {name: part.state_dict() for name, part in kept.items()}
            torch.save({**state, "step": step + 1}, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            saved = time.monotonic()
        if time.monotonic() - measured > FIGURES:
            report(figures(folded(mean.module.model), held, galleries=2))
            measured = time.monotonic()
    return folded(mean.module.model)


def _nearer(mean: Tensor, weights: Tensor, steps: Tensor) -> Tensor:
    """The mean of the weights after another step, of which the first few count for little."""
    return mean.lerp(weights, 1 - min(MEAN, (1 + int(steps)) / (10 + int(steps))))


def report(found: dict[str, float]) -> None:
    """Prints figures on one line."""
    print("held out:", "  ".join(f"{name} {value:.3f}" for name, value in found.items()), flush=True)


def main() -> None:
    """Learns and writes the model, or evaluates one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("output", type=Path, help="the file to write, or with --evaluate to read")
    parser.add_argument(
        "--samples", type=int, default=1_000_000, help="pictures to look at, the same ones again included"
    )
    parser.add_argument("--pictures", type=int, default=24 * 1024, help="pictures to draw, a multiple of 512")
    parser.add_argument("--rate", type=float, default=RATE, help="of learning, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("build/makeup_clip"), help="for pictures and checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in that folder")
    parser.add_argument("--from", dest="start", type=Path, help="start with the weights of this file")
    parser.add_argument("--alone", type=int, default=64, help="sentences without a picture, for 64 with one")
    parser.add_argument("--still", choices=("words", "pictures"), help="leave the reading of these as it is")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--evaluate", action="store_true")
    arguments = parser.parse_args()
    settle()
    torch.set_num_threads(arguments.threads)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    learned, held = sitters(arguments.faces, arguments.folder / "portraits.safetensors")
    if arguments.evaluate:
        report(figures(load(arguments.output), held))
        return
    model = learn(Album(learned, arguments.folder, arguments.seed), held, arguments)
    found = figures(model, held)
    report(found)
    about = {
        "sizes": asdict(model.sizes),
        "vocabulary": model.vocabulary,
        "seed": arguments.seed,
        "samples": arguments.samples,
        "figures": found,
    }
    tensors = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, arguments.output, {"makeup_clip": json.dumps(about)})


if __name__ == "__main__":
    main()
