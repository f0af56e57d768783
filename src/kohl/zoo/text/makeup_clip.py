"""The bundled text-image model: faces that wear makeup, and sentences about it, in one space.

A pair in the manner of CLIP (Radford et al., ICML 2021), small because it knows one thing only. A picture goes through
a residual network (He et al., CVPR 2016) whose head keeps the place of what it sees: in a crop the eyes are always at
the same place. A sentence goes through a transformer (Vaswani et al., NeurIPS 2017) over words that are made of their
letters (Bojanowski et al., TACL 2017), so that an unknown word is read as its parts. See `training/makeup_clip.py`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kohl import settings
from kohl.errors import BadModel
from kohl.makeup.layers import DIALS, bare
from kohl.makeup.products import PRODUCTS
from kohl.types import Embeddings, Images, TextImage
from kohl.zoo.files import store

CROP = 256  # pixels of a side of the crop that it was trained on
PART = (slice(56, 248), slice(32, 224))  # the crop's rows and columns that show the face
FINEST = 4  # pixels of a side of the smallest place that the network tells apart
LONGEST = 48  # words of a sentence that are read
GRAMS = (3, 4, 5)  # letters of a part of a word
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]")
FRAMES = ("{}", "a face with {}")  # two readings of a sentence err less often than one
START = "<s>"  # stands before every sentence; no word that anybody types has these brackets


@dataclass(frozen=True)
class Sizes:
    """How large the two networks are."""

    channels: tuple[int, ...] = (32, 64, 128)  # at a quarter, an eighth, … of the part's side
    blocks: int = 2  # residual blocks at each
    kept: int = 16  # channels that the head reads at every place
    buckets: int = 8192  # of parts of words
    width: int = 128
    layers: int = 3
    heads: int = 4
    embedding: int = 256


class MakeupCLIP(TextImage):
    """Unit vectors of faces and of sentences, and the dials that a sentence asks for.

    `vocabulary` holds the words of the sentences it was trained on, by kind.
    """

    name = "makeup_clip"
    neutral = "no makeup"
    free = False

    def __init__(self, sizes: Sizes, vocabulary: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.sizes, self.vocabulary = sizes, vocabulary
        self.picture = Picture(sizes)
        self.sentence = Sentence(sizes)
        places = (PART[0].stop - PART[0].start) // (FINEST * 2 ** (len(sizes.channels) - 1))
        self.from_picture = nn.Linear(sizes.kept * places**2, sizes.embedding)
        self.from_sentence = nn.Linear(sizes.width * len(PRODUCTS), sizes.embedding)
        self.asked = nn.Sequential(
            nn.Linear(sizes.width, sizes.width), nn.GELU(), nn.Linear(sizes.width, 1 + len(DIALS))
        )

    def embed_images(self, images: Images) -> Embeddings:
        """Embeddings of aligned crops (n, 3, height, width)."""
        if images.shape[-2:] != (CROP, CROP):
            images = F.interpolate(images, (CROP, CROP), mode="bilinear", antialias=True)
        return F.normalize(self.from_picture(self.picture(images[..., *PART])))

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of sentences; case and accents do not count, nor what comes after `LONGEST` words."""
        return F.normalize(self.from_sentence(self.sentence(texts).flatten(1)))

    def look(self, texts: Sequence[str]) -> Tensor:
        """The dials (n, products, 8) that it takes the sentences to ask for; products that they do not are `bare`."""
        frames = [[frame.format(text) for text in texts] for frame in FRAMES]
        answers = torch.stack([self.asked(self.sentence(framed)) for framed in frames]).mean(0)
        return torch.where(answers[..., :1] > 0, answers[..., 1:].sigmoid(), bare().to(answers))


class Picture(nn.Module):
    """What a face wears, place by place: (n, 3, 192, 192) to (n, kept · 12 · 12)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        inputs = 3 * FINEST**2
        stages: list[nn.Module] = []
        for channels in sizes.channels:
            stages += [nn.Conv2d(inputs, channels, 3, 2 if stages else 1, 1), nn.ReLU()]
            stages += [Residual(channels) for _ in range(sizes.blocks)]
            inputs = channels
        self.stages = nn.Sequential(nn.PixelUnshuffle(FINEST), *stages)
        self.head = nn.Conv2d(inputs, sizes.kept, 1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not declare it

    def forward(self, part: Images) -> Tensor:
        """Features of the part of the crop that shows the face."""
        return F.relu(self.head(self.stages((part - 0.5) * 4))).flatten(1)


class Residual(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(channels, channels, 3, 1, 1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """`x` (n, channels, height, width) with what the convolutions add."""
        return F.relu(x + self.second(F.relu(self.first(x))))


class Sentence(nn.Module):
    """What sentences say about each product: (n, products, width)."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.parts = nn.EmbeddingBag(sizes.buckets, sizes.width, mode="sum")
        nn.init.normal_(self.parts.weight, std=0.1)  # parts of words that training never shows stay this small
        self.positions = nn.Parameter(0.1 * torch.randn(LONGEST + 1, sizes.width))
        self.layers = nn.ModuleList(Layer(sizes.width, sizes.heads) for _ in range(sizes.layers))
        self.products = nn.Parameter(torch.randn(len(PRODUCTS), sizes.width))
        self.read = Attention(sizes.width, sizes.heads)
        self.norm = nn.LayerNorm(sizes.width)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Each product gathers what the words say about it."""
        x, there = self.words([[START, *words(text)] for text in texts])
        for layer in self.layers:
            x = layer(x, there)
        asking = self.products.expand(len(texts), -1, -1)
        gathered: Tensor = asking + self.read(asking, self.norm(x), there)
        return gathered

    def words(self, sentences: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """Vectors of words (n, longest, width), and where there is a word at all (n, 1, 1, longest)."""
        found = [parts(word, self.sizes.buckets) for sentence in sentences for word in sentence]
        device = self.positions.device
        counts = torch.tensor([len(one) for one in found], dtype=torch.long, device=device)
        flat = torch.tensor([part for one in found for part in one], dtype=torch.long, device=device)
        vectors = self.parts(flat, counts.cumsum(0) - counts) / counts[:, None] ** 0.5
        lengths = torch.tensor([len(sentence) for sentence in sentences], device=device)
        places = torch.arange(max(map(len, sentences), default=0), device=device)
        there = places < lengths[:, None]
        x = vectors.new_zeros(*there.shape, self.sizes.width).masked_scatter(there[..., None], vectors)
        return x + self.positions[: len(places)], there[:, None, None]


class Layer(nn.Module):
    """One layer of a transformer, normalised before its two parts."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = Attention(width, heads)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mixed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor, there: Tensor) -> Tensor:
        """`x` (n, words, width) after it has looked at the words that are `there`."""
        seen = self.first(x)
        x = x + self.attention(seen, seen, there)
        mixed: Tensor = x + self.mixed(self.second(x))
        return mixed


class Attention(nn.Module):
    """What the asking gather from the words."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.result = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)

    def forward(self, asking: Tensor, words: Tensor, there: Tensor) -> Tensor:
        """(n, asking, width) from `asking` of that shape and `words` (n, words, width)."""
        parts = (self.query(asking), *self.key_value(words).chunk(2, -1))
        query, key, value = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        gathered = F.scaled_dot_product_attention(query, key, value, attn_mask=there)
        result: Tensor = self.result(gathered.transpose(1, 2).flatten(2))
        return result


def words(text: str) -> list[str]:
    """The words and the punctuation of a sentence, in small letters without accents, `LONGEST` at most."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return WORD.findall(plain.replace("’", "'"))[:LONGEST]


@lru_cache(maxsize=1 << 14)
def parts(word: str, buckets: int) -> list[int]:
    """The buckets of a word and of the parts of 3 to 5 letters that it is made of, its two ends marked."""
    marked = f"<{word}>"
    grams = {marked[i : i + size] for size in GRAMS for i in range(len(marked) - size + 1)}
    return [crc32(gram.encode()) % buckets for gram in sorted(grams | {marked})]


def load(path: Path) -> MakeupCLIP:
    """The model in a file of `training/makeup_clip.py`, in evaluation mode and without gradients of its own."""
    tensors, about = store.tensors(path), metadata(path)
    model = MakeupCLIP(settings.build(Sizes, about["sizes"]), about["vocabulary"])
    try:
        model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise BadModel(f"{path}: not a text-image model of kohl ({str(error).splitlines()[0]}).") from error
    return model.eval().requires_grad_(False)


def metadata(path: Path) -> dict[str, Any]:
    """What the file says about itself: `sizes`, `vocabulary`, `seed`, and the `figures` of its training."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        found = file.metadata() or {}
    if "makeup_clip" not in found:
        raise BadModel(f"{path}: not a text-image model of kohl; it does not say how large it is.")
    about: dict[str, Any] = json.loads(found["makeup_clip"])
    return about
