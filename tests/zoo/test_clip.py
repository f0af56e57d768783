"""CLIP against its own formulas on a tiny model, against OpenAI's code by a fixture, its pictures against Pillow."""

import gzip
import hashlib
import json
import math
import os
import sys
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from elsewhere import THERE, elsewhere
from fills import clip as rules
from fills import filled, given, image
from heard import heard
from PIL import Image
from safetensors.torch import save_file
from tiny import numbers

from kohl.errors import BadModel, BadSetting
from kohl.perturb.terms import Words, directional
from kohl.perturb.views import perspective
from kohl.types import Candidate, TextImage
from kohl.zoo import cards
from kohl.zoo.text import clip, clip_tokens

GOLDEN = Path(__file__).parent.parent / "golden" / "clip_vit_b32.npz"
MERGES = "heading\nr e\nre d</w>\n"  # "red" is one token
LENGTH = 7  # tokens of a sentence in the tiny model
WIDTHS = {"visual.transformer": 128, "transformer": 64}  # so that there are two heads and one


def shapes():
    """OpenAI's names and shapes of a model with two layers on either side and four patches of 32 pixels."""
    sizes = {"positional_embedding": (LENGTH, 64), "text_projection": (64, 48), "logit_scale": ()}
    sizes |= {"visual.class_embedding": (128,), "visual.positional_embedding": (5, 128), "visual.proj": (128, 48)}
    sizes |= {"visual.conv1.weight": (128, 3, 32, 32), "token_embedding.weight": (512 + 2 + 2, 64)}
    norms = {"visual.ln_pre": 128, "visual.ln_post": 128, "ln_final": 64}
    for part, width in WIDTHS.items():
        for layer in (f"{part}.resblocks.{index}" for index in range(2)):
            norms |= {f"{layer}.ln_1": width, f"{layer}.ln_2": width}
            sizes |= {f"{layer}.attn.in_proj_weight": (3 * width, width), f"{layer}.attn.in_proj_bias": (3 * width,)}
            for name, outputs, inputs in (
                ("attn.out_proj", width, width),
                ("mlp.c_fc", 4 * width, width),
                ("mlp.c_proj", width, 4 * width),
            ):
                sizes |= {f"{layer}.{name}.weight": (outputs, inputs), f"{layer}.{name}.bias": (outputs,)}
    return sizes | {f"{name}.{kind}": (width,) for name, width in norms.items() for kind in ("weight", "bias")}


WEIGHTS = filled(shapes(), rules)


@pytest.fixture(scope="module")
def merges(tmp_path_factory):
    path = tmp_path_factory.mktemp("merges") / "merges.txt.gz"
    path.write_bytes(gzip.compress(MERGES.encode()))
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_file(WEIGHTS, path)
    return path


@pytest.fixture(scope="module")
def model(saved, merges):
    return clip.load(saved, merges)


def norm(x, name):
    return F.layer_norm(x, x.shape[-1:], WEIGHTS[f"{name}.weight"], WEIGHTS[f"{name}.bias"])


def dense(x, name):
    return F.linear(x, WEIGHTS[f"{name}.weight"], WEIGHTS[f"{name}.bias"])


def transformed(x, part, *, causal):
    """What the paper's transformer makes of `x` (n, places, width)."""
    for layer in (f"{part}.resblocks.{index}" for index in range(2)):
        joint = F.linear(
            norm(x, f"{layer}.ln_1"),
            WEIGHTS[f"{layer}.attn.in_proj_weight"],
            WEIGHTS[f"{layer}.attn.in_proj_bias"],
        )
        heads = [piece.unflatten(2, (-1, 64)).transpose(1, 2) for piece in joint.chunk(3, -1)]
        scores = heads[0] @ heads[1].transpose(2, 3) / math.sqrt(64)
        if causal:
            scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool(), -math.inf)
        x = x + dense((scores.softmax(-1) @ heads[2]).transpose(1, 2).flatten(2), f"{layer}.attn.out_proj")
        wide = dense(norm(x, f"{layer}.ln_2"), f"{layer}.mlp.c_fc")
        x = x + dense(wide * torch.sigmoid(1.702 * wide), f"{layer}.mlp.c_proj")
    return x


def pixels(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_embeddings_of_pictures_follow_the_formulas(model):
    images = pixels(2, 3, 64, 64)
    x = (images - torch.tensor(clip.MEAN).view(3, 1, 1)) / torch.tensor(clip.DEVIATION).view(3, 1, 1)
    patches = F.conv2d(x, WEIGHTS["visual.conv1.weight"], stride=32).flatten(2).transpose(1, 2)
    x = torch.cat([WEIGHTS["visual.class_embedding"].expand(2, 1, -1), patches], 1)
    x = norm(x + WEIGHTS["visual.positional_embedding"], "visual.ln_pre")
    x = norm(transformed(x, "visual.transformer", causal=False)[:, 0], "visual.ln_post") @ WEIGHTS["visual.proj"]
    torch.testing.assert_close(model.embed_images(images), F.normalize(x))


def test_embeddings_of_sentences_follow_the_formulas(model):
    tokens = torch.tensor([[514, 513, 323, 515, 0, 0, 0], [514, 515, 0, 0, 0, 0, 0]])
    x = WEIGHTS["token_embedding.weight"][tokens] + WEIGHTS["positional_embedding"]
    x = norm(transformed(x, "transformer", causal=True), "ln_final")[[0, 1], [3, 1]] @ WEIGHTS["text_projection"]
    torch.testing.assert_close(model.embed_tokens(tokens), F.normalize(x))
    torch.testing.assert_close(model.embed_texts(["Red d", ""]), F.normalize(x))


def test_is_a_text_image(model):
    assert isinstance(model, TextImage)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    for embeddings in (model.embed_images(pixels(2, 3, 90, 70)), model.embed_texts(["red", "d"])):
        assert embeddings.shape == (2, 48)
        assert embeddings.dtype == torch.float32
        torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


def test_a_batch_is_its_members_one_by_one(model):
    images, texts = pixels(3, 3, 80, 64), ["red", "d r", "e"]
    torch.testing.assert_close(model.embed_images(images), torch.cat([model.embed_images(one[None]) for one in images]))
    torch.testing.assert_close(model.embed_texts(texts), torch.cat([model.embed_texts([text]) for text in texts]))


@pytest.mark.parametrize("size", [(64, 64), (100, 70), (40, 50)])
def test_gradients_reach_the_pixels(model, size):
    images = pixels(2, 3, *size).requires_grad_()
    (model.embed_images(images)[0] @ model.embed_texts(["red"])[0]).backward()
    assert images.grad.isfinite().all()
    assert images.grad[0].norm() > 0
    assert images.grad[1].norm() == 0


@pytest.mark.parametrize("size", [(300, 400), (401, 300), (64, 500), (64, 65), (30, 47)])
def test_pictures_are_resized_as_pillow_does(size):
    # Of low contrast: Pillow clips what overshoots after each of its two passes.
    photo = ((0.3 + 0.4 * pixels(1, 3, *size)) * 255).round()[0].permute(1, 2, 0).numpy().astype(np.uint8)
    height, width = (max(64, length * 64 // min(size)) for length in size)
    resized = Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC)
    top, left = round((height - 64) / 2), round((width - 64) / 2)
    square = np.asarray(resized.crop((left, top, left + 64, top + 64)))
    found = clip.middle(torch.from_numpy(photo).permute(2, 0, 1)[None] / 255, 64)
    # It also rounds after each.
    np.testing.assert_allclose(found[0].permute(1, 2, 0) * 255, square, atol=1.5)


def test_pictures_of_the_right_size_are_left_alone():
    images = pixels(1, 3, 64, 64)
    assert torch.equal(clip.middle(images, 64), images)
    assert torch.equal(clip.middle(F.pad(images, (3, 3)), 64), images)


def test_both_layouts_of_the_file_are_read(model, merges, tmp_path):
    path = tmp_path / "other.safetensors"
    ids = {"text_model.embeddings.position_ids": torch.arange(LENGTH)[None]}  # which the published file has
    save_file(clip.named(WEIGHTS) | ids, path)
    other = clip.load(path, merges)
    images = pixels(1, 3, 64, 64)
    torch.testing.assert_close(other.embed_images(images), model.embed_images(images))
    torch.testing.assert_close(other.embed_texts(["red"]), model.embed_texts(["red"]))
    assert other.name == "other"


def test_half_precision_becomes_single(merges, tmp_path):
    path = tmp_path / "half.safetensors"
    save_file({name: value.half() for name, value in WEIGHTS.items()}, path)
    assert clip.load(path, merges).embed_images(pixels(1, 3, 64, 64)).dtype == torch.float32


def test_reaches_no_network(saved, merges):
    with heard("socket.connect", lambda *_: pytest.fail("a network was asked")):
        clip.load(saved, merges).embed_texts(["red"])


def test_its_libraries_are_told_not_to_report(saved, merges, monkeypatch):
    for name in clip.QUIET:
        monkeypatch.setenv(name, "")
    clip.load(saved, merges)
    assert [os.environ[name] for name in clip.QUIET] == ["1", "1"]


def test_card_loads_it(saved, merges, monkeypatch, tmp_path):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    sentences = b"imagenet_templates = ['a picture of {}.', 'the {} of it']"
    contents = {"clip-vit-b32": saved.read_bytes(), "clip-tokens": merges.read_bytes(), "clip-templates": sentences}
    table = tuple(
        replace(cards.find(name), size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    )
    frames = []
    for card in table:
        cards.path(card).write_bytes(contents[card.name])
        if card.name != "clip-vit-b32":
            model = cards.load("clip-vit-b32", "text", table=table)
            assert isinstance(model, TextImage)
            assert model.name == "clip-vit-b32"
            frames.append(model.frames)
    assert frames == [(), ("a picture of {}.", "the {} of it")]


@pytest.mark.parametrize("part", ["file", "merges"])
def test_missing_library_is_named_with_the_remedy(saved, merges, monkeypatch, part):
    name = {"file": "transformers", "merges": "tokenizers"}[part]
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BadModel, match=rf"CLIP needs the package {name}; install it with: pip install 'kohl\[clip\]'"):
        clip.load(saved, merges)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: {"some": torch.ones(1)},
        lambda weights: {name: value for name, value in weights.items() if name != "visual.ln_post.bias"},
        lambda weights: weights | {"visual.proj": torch.ones(127, 48)},
        lambda weights: weights | {"more": torch.ones(1)},
    ],
    ids=["another", "missing", "shape", "more"],
)
def test_other_weights_are_refused(merges, tmp_path, change):
    path = tmp_path / "some.safetensors"
    save_file(change(WEIGHTS), path)
    with pytest.raises(BadModel, match=r"some\.safetensors: holds no CLIP"):
        clip.load(path, merges)


def test_merges_must_belong_to_the_weights(saved, tmp_path):
    path = tmp_path / "merges.txt.gz"
    path.write_bytes(gzip.compress(b"heading\nr e\n", mtime=0))
    with pytest.raises(BadModel, match=r"merges\.txt\.gz: has 515 tokens, but .* knows 516"):
        clip.load(saved, path)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("red", [513]),
        (" RED\n\tred ", [513, 513]),
        ("rd", [81, 256 + 67]),  # the first byte is "!", so "r" is 81 and "d" 67; at the end of a word 256 more
        ("re", [81, 256 + 68]),
        ("red's", [513, 6, 256 + 82]),
        ("red’s", [513, 6, 256 + 82]),
        ("12", [256 + 16, 256 + 17]),
        ("!!", [0, 256]),
        ("é", [127, 256 + 102]),  # bytes C3 and A9
        ("e\N{COMBINING ACUTE ACCENT}", [127, 256 + 102]),
        ("&lt;&amp;gt;", [27, 256 + 29]),  # < and >
    ],
)
def test_sentences_are_cut_into_pieces(merges, text, pieces):
    assert clip_tokens.load(merges)([text], 20).tolist() == [[514, *pieces, 515, *[0] * (18 - len(pieces))]]


def test_too_long_a_sentence_is_refused(model):
    assert model.embed_texts(["red " * (LENGTH - 2)]).shape == (1, 48)
    with pytest.raises(BadSetting, match="is 6 pieces of words long; use at most 5"):
        model.embed_texts(["red " * (LENGTH - 1)])


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(b"heading\none\n", mtime=0),
        gzip.compress(b"\xff\n", mtime=0),
        gzip.compress(b"h\n", mtime=0)[:-5],
    ],
)
def test_what_is_no_list_of_merges_is_refused(tmp_path, content):
    path = tmp_path / "merges.txt.gz"
    path.write_bytes(content)
    with pytest.raises(BadModel, match=r"merges\.txt\.gz: not a list of merges"):
        clip_tokens.load(path)


def test_elsewhere_it_pulls_a_picture_as_here(saved, merges, monkeypatch):
    crops = image("crops", 1, 256) / 4 + 0.5

    def slope(model, crops):
        images = crops.clone().requires_grad_()
        view = partial(perspective, amount=0.3, rng=numbers())
        loss = directional(Words(model, "red"), crops.flip(3), view=view)(Candidate(images, images)).sum()
        return torch.autograd.grad(loss, images)[0].cpu()

    here = slope(clip.load(saved, merges), crops)
    with elsewhere():
        there = slope(clip.load(saved, merges).to(THERE), crops.to(THERE))
    assert here.abs().max() > 0
    torch.testing.assert_close(there, here, rtol=1e-4, atol=1e-4 * float(here.abs().max()))


@pytest.fixture(scope="module")
def fixture():
    return np.load(GOLDEN)


@pytest.mark.slow
def test_parity_with_openai(fixture, merges, tmp_path, monkeypatch):
    wanted = {name: tuple(shape) for name, shape in json.loads(str(fixture["keys_json"])).items()}
    weights = filled(wanted, rules)
    checksums = json.loads(str(fixture["crc_json"]))
    assert {name: zlib.crc32(value.numpy().tobytes()) for name, value in weights.items()} == checksums
    save_file(weights, tmp_path / "full.safetensors")
    tokens = clip_tokens.load(merges)
    monkeypatch.setattr(clip_tokens, "load", lambda path: replace(tokens, start=49406, end=49407))
    model = clip.load(tmp_path / "full.safetensors", merges)

    normalised = image("input.image", 2, 224).requires_grad_()  # the fixture's input is CLIP's own
    images = normalised * model.deviation + model.mean
    found = model.embed_images(images)
    features = F.normalize(torch.from_numpy(fixture["image_features"]))
    torch.testing.assert_close(found, features, rtol=0, atol=2e-6)
    words = model.embed_tokens(torch.from_numpy(fixture["token_ids"]).long())
    torch.testing.assert_close(words, F.normalize(torch.from_numpy(fixture["text_features"])), rtol=0, atol=2e-6)
    logits = torch.from_numpy(fixture["logits_per_image"])
    torch.testing.assert_close(100 * found @ words.T, logits, rtol=0, atol=1e-3)

    (gradient,) = torch.autograd.grad((found * given("input.cotangent", (2, 512))).sum(), normalised)
    pooled = F.avg_pool2d(gradient, 224 // 16)
    expected = torch.from_numpy(fixture["grad_x_pool"])
    torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-3 * expected.abs().max().item())


@pytest.mark.golden  # needs `kohl models pull clip-tokens`
def test_tokens_are_openai_s(fixture):
    texts = json.loads(str(fixture["texts_json"]))
    assert cards.load("clip-tokens")(texts, 77).tolist() == fixture["token_ids"].tolist()
