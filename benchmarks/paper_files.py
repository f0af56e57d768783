"""The published files of the paper's path with random weights: the real names, shapes and layouts.

Names and shapes are those recorded from the originals in `tests/golden`, the numbers those of `tests/fills.py`, with
which the activations and gradients of every network stay finite.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from functools import partial
from itertools import chain, islice, product
from typing import Any

import fills
import torch
from fills import filled, given
from published import golden, shapes
from safetensors.torch import save_file
from torch import Tensor

from kohl.zoo import cards
from kohl.zoo.files import store
from kohl.zoo.text import clip, clip_tokens

SIZES = (64, 256, 1024)  # pixels of the generators whose weights are recorded
RECOGNISERS = ("irse50", "ir152", "facenet", "mobile_face")
CLASSIFIER = {"0": (4096, 25088), "3": (4096, 4096), "6": (1000, 4096)}  # of VGG-16, which nobody needs here


def write(size: int) -> None:
    """Write every file of the path, with a generator of that size, where its card has it.

    Their hashes are accepted or pinned, as those of other files are than the published ones.
    """
    for name, content in contents(size).items():
        card = cards.find(name)
        path = cards.path(card)
        if path.suffix == ".safetensors":
            save_file(content(), path)
        elif path.suffix in (".gz", ".py"):
            path.write_bytes(content())
        else:
            torch.save(content(), path)
        store.admit(name, store.sha256_of(path), published=card.sha256)


def contents(size: int) -> Mapping[str, Callable[[], Any]]:
    """By the name of its card, what makes the content of each file: one at a time, as they are large."""
    return {
        "e4e": partial(encoder, size),
        "lpips": vgg,
        "lpips-heads": lambda: filled(shapes(golden("lpips_vgg"), "heads_keys_json"), fills.lpips),
        "clip-vit-b32": text_model,
        "clip-tokens": merges,
        "clip-templates": lambda: (
            f"imagenet_templates = {[f'picture {index} of {{}}' for index in range(79)]}".encode()
        ),
        **{name: partial(recogniser, name) for name in RECOGNISERS},
    }


def generator(size: int) -> dict[str, Tensor]:
    """The averaged generator of stylegan2-pytorch."""
    found: dict[str, Tensor] = filled(shapes(golden(f"sg2_keys_{size}_cm2")), fills.sg2)
    return found


def encoder(size: int) -> dict[str, Any]:
    """e4e, with as many styles as that generator takes, and the generator inside its file."""
    rows, fixture = 2 * size.bit_length() - 4, golden("e4e_1024")
    spare = tuple(f"styles.{index}." for index in range(rows, 18))
    weights = filled({name: x for name, x in shapes(fixture).items() if not name.startswith(spare)}, fills.plain)
    parts = {"encoder": weights, "decoder": generator(size)}
    return {
        "state_dict": {f"{part}.{name}": x for part, found in parts.items() for name, x in found.items()},
        "opts": {"start_from_latent_avg": True, "encoder_type": "Encoder4Editing", "stylegan_size": size},
        "latent_avg": given("input.latent_avg", (1, 512)).repeat(rows, 1),
    }


def vgg() -> dict[str, Tensor]:
    """VGG-16 as torchvision has it; the classifier, which is most of the file, is zeros."""
    fixture = golden("lpips_vgg")
    weights = filled(shapes(fixture), fills.lpips)
    trunk = {theirs: weights[name] for name, theirs in json.loads(str(fixture["tv_map_json"])).items()}
    for index, (outputs, inputs) in CLASSIFIER.items():
        parts = {"weight": torch.zeros(outputs, inputs), "bias": torch.zeros(outputs)}
        trunk |= {f"classifier.{index}.{name}": x for name, x in parts.items()}
    return trunk


def recogniser(name: str) -> dict[str, Tensor]:
    """One of the published recognisers."""
    fixture = golden(f"fr_{name}")
    found: dict[str, Tensor] = filled(shapes(fixture), fills.plain, float(fixture["gain"]))
    return found


def text_model() -> dict[str, Tensor]:
    """CLIP ViT-B/32 under the Transformers library's names, as in the published file."""
    weights = clip.named(filled(shapes(golden("clip_vit_b32")), fills.clip))
    lengths = {"text_model": 77, "vision_model": 50}
    return weights | {f"{part}.embeddings.position_ids": torch.arange(length)[None] for part, length in lengths.items()}


def merges() -> bytes:
    """As many merges as CLIP has, of single letters and of those merged before."""
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    pairs = list(product(letters, repeat=2))
    found = islice(chain(pairs, product(map("".join, pairs), letters)), clip_tokens.MERGES)
    return gzip.compress("\n".join(["heading", *map(" ".join, found)]).encode())
