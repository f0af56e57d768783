"""How far our networks are from the published code's, on every fixture in `tests/golden` that was recorded from it.

Both have the same random weights. A gradient's error is a share of its largest value; where there are rectifiers, ours
is worked out in float64: rounding turns them over, and differently on every machine.
"""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fills
import numpy as np
import paper_files
import torch
import torch.nn.functional as F
from fills import Shapes, filled, given, image
from published import GOLDEN, golden, images, loaded, own_shapes, pooled, shapes
from safetensors.torch import save_file
from torch import Tensor

from kohl.zoo import cards
from kohl.zoo.distances import lpips
from kohl.zoo.files import checkpoints
from kohl.zoo.generators import e4e, stylegan2
from kohl.zoo.generators.stylegan2 import StyleGAN2
from kohl.zoo.recognisers import facenet, irse, mobilefacenet
from kohl.zoo.recognisers.dlib_resnet import DlibResNet
from kohl.zoo.text import clip

EMBEDDING, CODES, IMAGE, W, FEATURES, GRADIENT = 2e-6, 1e-5, 5e-5, 1e-5, 1e-4, 1e-3
UNSCALED = 2e-4  # of IR-152, whose embeddings go up to 14
DISTANCE, DESCRIPTOR = 1e-6, 1e-5  # of LPIPS, and of dlib's network
RECOGNISERS = {
    "irse50": (partial(irse.layers, irse.DEPTH_50, squeeze=True), irse.irse50),
    "ir152": (partial(irse.layers, irse.DEPTH_152, squeeze=False), irse.ir152),
    "facenet": (facenet.layers, facenet.load),
    "mobile_face": (mobilefacenet.layers, mobilefacenet.load),
}
Fixture = Mapping[str, np.ndarray]
Figures = Iterator[tuple[str, float, float]]  # what it is, the largest error in it, and the tolerance


@dataclass(frozen=True)
class Check:
    """The largest error in one figure of a fixture."""

    fixture: str
    figure: str
    error: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether it is within the tolerance; an error that is no number is not."""
        return self.error <= self.tolerance


def add(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--only", metavar="NAME", default="", help="fixtures whose names begin so")


def measure(arguments: Namespace) -> dict[str, Any]:
    """Every check of every fixture."""
    found = [check for name in fixtures() if name.startswith(arguments.only) for check in checks(name)]
    return {"checks": [asdict(check) | {"ok": check.ok} for check in found]}


def table(found: dict[str, Any]) -> str:
    """A line for each check."""
    lines = ["| fixture | figure | largest error | tolerance | |", "|---|---|---|---|---|"]
    for check in found["checks"]:
        error, tolerance = (f"{check[name]:.1e}" if check[name] else "0" for name in ("error", "tolerance"))
        verdict = "ok" if check["ok"] else "**missed**"
        lines.append(f"| {check['fixture']} | {check['figure']} | {error} | {tolerance} | {verdict} |")
    return "\n".join(lines)


def fixtures() -> list[str]:
    """The names of all, without the pictures that our own makeup is compared with."""
    return sorted(path.name.removesuffix(".npz") for path in GOLDEN.iterdir() if path.suffix in (".npz", ".pkl"))


def checks(name: str) -> list[Check]:
    """What a fixture says of ours; raises `ValueError` for one that nothing here looks at."""
    (kind,) = (kind for pattern, kind in KINDS.items() if re.fullmatch(pattern, name))
    return [Check(name, *figure) for figure in kind(name)]


def apart(ours: Tensor, theirs: np.ndarray) -> float:
    """The largest difference."""
    assert ours.shape == theirs.shape
    return float((ours.detach().double() - torch.from_numpy(theirs).double()).abs().max())


def share_apart(ours: Tensor, theirs: np.ndarray) -> float:
    """The largest difference, as a share of the largest value of theirs."""
    return apart(ours, theirs) / float(np.abs(theirs).max())


def names_apart(ours: Shapes, theirs: Shapes) -> tuple[str, float, float]:
    """How many names, each with its shape, only one side has."""
    sides = ({(name, tuple(n for n in shape if n > 1)) for name, shape in side.items()} for side in (ours, theirs))
    return "names and shapes", len(set.symmetric_difference(*sides)), 0


def generator_names(name: str) -> Figures:
    """The tensors of a published StyleGAN2."""
    fixture = golden(name)
    theirs = {key: shape for key, shape in shapes(fixture).items() if not key.endswith(checkpoints.FILTERS)}
    size = int(re.findall(r"\d+", name)[-1 if name.startswith("nv") else 1])
    if name.startswith("nv"):
        multiplier, called = int(fixture["channel_base"]) / 16384, checkpoints.nvidia_name
    else:
        multiplier, called = int(name[-1]), checkpoints.rosinality_name
    blank = stylegan2.blank(stylegan2.channels(size, multiplier), width=512, depth=8)
    ours = {called(key): tuple(x.shape) for key, x in blank.state_dict().items()}
    ours.pop("latent_avg", None)  # not in the network but beside it
    yield names_apart(ours, theirs)


def generator(name: str) -> Figures:
    """stylegan2-pytorch at 64 pixels: latents, images in four ways, and gradients."""
    fixture = golden(name)
    content = {"g_ema": filled(shapes(fixture), fills.sg2), "latent_avg": given("input.latent_avg", (512,))}
    ours = loaded(checkpoints.generator, content)
    z = given("input.z", (2, 512))
    w = ours.latents(z)[:, 0]
    yield "w", apart(w, fixture["w_from_z"]), W
    drawn = {
        "a": ours.synthesis(given("input.wplus", (1, 10, 512))),
        "b": given_noise(ours, torch.float32)[0],
        "c": ours.synthesis(ours.latents(z, truncation=0.7)),
        "w": ours.synthesis(w),
    }
    yield "image", max(apart(quarter(x), fixture[f"img_{way}_pool4"]) for way, x in drawn.items()), IMAGE
    images, latents, noise = given_noise(ours.double().requires_grad_(), torch.float64)
    (images * 2 - 1).backward(given("input.cotangent", images.shape).double())
    assert latents.grad is not None
    yield "gradient of w+", share_apart(latents.grad, fixture["grad_w"]), GRADIENT
    norms = json.loads(str(fixture["param_grad_norm_json"]))
    pairs = [(weight.grad, norms[checkpoints.rosinality_name(key)]) for key, weight in ours.named_parameters()]
    pairs += [(each.grad, stats[4]) for each, stats in zip(noise, fixture["grad_noise_stats"], strict=True)]
    known = [float(grad.norm()) / norm - 1 for grad, norm in pairs if norm]
    yield "norms of all other gradients", max(map(abs, known)), GRADIENT


def given_noise(ours: StyleGAN2, dtype: torch.dtype) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The image with noise of its own, and the latents and the noise that gradients reach."""
    ours.dtype = dtype
    latents = given("input.wplus", (1, 10, 512)).to(dtype).requires_grad_()
    noise = [given(f"input.noise_{i}", own.shape).to(dtype).requires_grad_() for i, own in enumerate(ours.noise)]
    return ours.synthesis(latents, noise=noise), latents, noise


def quarter(images: Tensor) -> Tensor:
    """Images in [−1, 1] at a quarter of the size."""
    return F.avg_pool2d(images * 2 - 1, 4)


def nvidia(name: str) -> Figures:
    """NVIDIA's networks at 64 pixels under our names."""
    fixture = golden(name)
    weights = filled(shapes(fixture), fills.nv)
    last = weights[checkpoints.nvidia_name("layers.8.bias")]
    wanted = stylegan2.blank(stylegan2.channels(64, len(last) / 256), width=512, depth=8).state_dict()
    tensors = {key: weights[checkpoints.nvidia_name(key)].reshape(x.shape) for key, x in wanted.items()}
    yield from mapped_and_drawn(stylegan2.filled(tensors), fixture, quarter, "_pool4")


def pickled(name: str) -> Figures:
    """NVIDIA's pickles of a tiny network, read without running anything in them."""
    fixture = golden(name[: -len("_p3.pkl")])
    yield from mapped_and_drawn(checkpoints.generator(GOLDEN / name), fixture, lambda images: images * 2 - 1, "")


def mapped_and_drawn(ours: StyleGAN2, fixture: Fixture, seen: Callable[[Tensor], Tensor], suffix: str) -> Figures:
    """Latents and images of NVIDIA's generator, whole and truncated."""
    rows, width = ours.latent_shape
    z = given("input.z", (2, width))
    latents = {"w_from_z": ours.latents(z), "w_trunc": ours.latents(z, truncation=0.7)}
    # The larger fixtures have one row of w+, which are all the same.
    pairs = [(x if fixture[key].ndim == 3 else x[:, 0], fixture[key]) for key, x in latents.items()]
    yield "w", max(apart(*pair) for pair in pairs), W
    drawn = {"img": given("input.wplus", (1, rows, width)), "img_trunc": latents["w_trunc"]}
    yield "image", max(apart(seen(ours.synthesis(x)), fixture[key + suffix]) for key, x in drawn.items()), IMAGE


def recogniser(name: str) -> Figures:
    """A published recogniser."""
    fixture, (build, load) = golden(name), RECOGNISERS[name.removeprefix("fr_")]
    theirs = shapes(fixture)
    # The last layer told the people of the training set apart; ours has none.
    yield names_apart(own_shapes(build), {key: theirs[key] for key in theirs if not key.startswith("logits.")})
    ours = loaded(load, filled(theirs, fills.plain, float(fixture["gain"])))
    unscaled = np.linalg.norm(fixture["embedding"][0]) > 2
    embed = ours.descriptors if unscaled else ours
    with torch.no_grad():
        found = embed(images(2, ours.size))
    yield "embedding", apart(found, fixture["embedding"]), UNSCALED if unscaled else EMBEDDING
    ours.double()
    inputs = images(2, ours.size).double().requires_grad_()
    score = (embed(inputs) * given("input.cotangent", (2, 512))).sum()
    yield "gradient", share_apart(pooled(score, inputs), fixture["grad_x_pool"]), GRADIENT


def encoder(name: str) -> Figures:
    """The encoder for editing."""
    fixture = golden(name)
    styles, average = fixture["codes"].shape[1], given("input.latent_avg", (1, 512))
    expected = own_shapes(partial(e4e.E4E, styles))
    yield names_apart({key: expected[key] for key in expected if key != "latent_avg"}, shapes(fixture))
    weights = filled(shapes(fixture), fills.plain)
    ours = loaded(e4e.load, {"state_dict": {f"encoder.{key}": x for key, x in weights.items()}, "latent_avg": average})
    with torch.no_grad():
        yield "latents", apart(ours(images(1, 256)) - average, fixture["codes"]), CODES


def text_model(name: str) -> Figures:
    """CLIP, whose features are compared at the length that they have in OpenAI's code."""
    fixture = golden(name)
    with TemporaryDirectory() as folder:
        weights, merges = Path(folder) / "clip.safetensors", Path(folder) / "merges.gz"
        save_file(filled(shapes(fixture), fills.clip), weights)
        merges.write_bytes(paper_files.merges())
        ours = clip.load(weights, merges)
        inputs = image("input.image", 2, 224).requires_grad_()  # the fixture's input is CLIP's own
        found = ours.embed_images(inputs * ours.deviation + ours.mean)
        words = ours.embed_tokens(torch.from_numpy(fixture["token_ids"]).long())
    for figure, features in (("image", found), ("text", words)):
        theirs = fixture[f"{figure}_features"]
        lengths = torch.from_numpy(theirs).norm(dim=1, keepdim=True)
        yield f"{figure} features", apart(features * lengths, theirs), FEATURES
    (gradient,) = torch.autograd.grad((found * given("input.cotangent", (2, 512))).sum(), inputs)
    yield "gradient", share_apart(F.avg_pool2d(gradient, 224 // 16), fixture["grad_x_pool"]), GRADIENT


def perceptual(name: str) -> Figures:
    """LPIPS on VGG-16."""
    fixture = golden(name)
    trunk = {key: x for key, x in paper_files.vgg().items() if not key.startswith("classifier.")}
    yield names_apart(own_shapes(lpips.Trunk), {key: tuple(x.shape) for key, x in trunk.items()})
    ours = loaded(lpips.load, trunk, filled(shapes(fixture, "heads_keys_json"), fills.lpips))
    first, second = images(2, 64), images(2, 64, "input.image2")
    yield "distance", apart(ours(first, second), fixture["distance"]), DISTANCE
    second = second.double().requires_grad_()
    gradient = pooled(ours.double()(first.double(), second).sum(), second)
    yield "gradient", share_apart(gradient, fixture["grad_pool"]), GRADIENT


def dlib(name: str) -> Figures:
    """dlib's network, with its published weights, against dlib."""
    pixels = np.random.RandomState(0).randint(0, 256, (4, 150, 150, 3), dtype=np.uint8)
    network = cards.encoder("dlib")
    assert isinstance(network, DlibResNet)
    found = network.descriptors(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255)
    yield "descriptor", apart(found, golden(name)["dlib_descriptor"]), DESCRIPTOR


KINDS: Mapping[str, Callable[[str], Figures]] = {  # a pattern of names, and what knows such fixtures
    r"(sg2|nv)_keys_.*": generator_names,
    r"sg2_64_.*": generator,
    r"nv_.*_64": nvidia,
    r"nv_.*\.pkl": pickled,
    r"nv_.*_tiny": lambda _: iter(()),  # the answers to the pickles
    r"fr_.*": recogniser,
    r"e4e_.*": encoder,
    r"clip_.*": text_model,
    r"lpips_.*": perceptual,
    r"dlib_.*": dlib,
}
