"""CLIP (Radford et al., ICML 2021): any picture and any sentence in one space, as a `TextImage`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kohl.errors import BadModel
from kohl.types import Embeddings, Images, TextImage
from kohl.zoo.files import store
from kohl.zoo.text import clip_tokens, sentences

if TYPE_CHECKING:
    from transformers import CLIPConfig, CLIPModel

MEAN = (0.48145466, 0.4578275, 0.40821073)  # of red, green and blue in CLIP's training pictures, on 0..1
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
PROJECTIONS = ("visual_projection.weight", "text_projection.weight")
QUIET = ("HF_HUB_DISABLE_TELEMETRY", "DISABLE_TELEMETRY")  # huggingface_hub reads them when it is imported
HEAD = 64  # numbers per attention head, in every published CLIP
TELLING = {  # weights whose shapes tell the sizes of the two transformers, and how many dimensions they have
    "vision_model.embeddings.patch_embedding.weight": 4,
    "vision_model.embeddings.position_embedding.weight": 2,
    "vision_model.encoder.layers.0.mlp.fc1.weight": 2,
    "text_model.embeddings.token_embedding.weight": 2,
    "text_model.embeddings.position_embedding.weight": 2,
    "text_model.encoder.layers.0.mlp.fc1.weight": 2,
    "visual_projection.weight": 2,
}

NAMES = (  # OpenAI's names of the weights, and those of the Transformers library
    (r"^visual\.conv1\b", "vision_model.embeddings.patch_embedding"),
    (r"^visual\.class_embedding$", "vision_model.embeddings.class_embedding"),
    (r"^visual\.positional_embedding$", "vision_model.embeddings.position_embedding.weight"),
    (r"^visual\.ln_pre\b", "vision_model.pre_layrnorm"),
    (r"^visual\.ln_post\b", "vision_model.post_layernorm"),
    (r"^visual\.proj$", "visual_projection.weight"),
    (r"^visual\.transformer\.resblocks\b", "vision_model.encoder.layers"),
    (r"^transformer\.resblocks\b", "text_model.encoder.layers"),
    (r"^token_embedding\b", "text_model.embeddings.token_embedding"),
    (r"^positional_embedding$", "text_model.embeddings.position_embedding.weight"),
    (r"^ln_final\b", "text_model.final_layer_norm"),
    (r"^text_projection$", "text_projection.weight"),
    (r"\.attn\.in_proj_", ".self_attn.{}_proj."),
    (r"\.attn\.out_proj\b", ".self_attn.out_proj"),
    (r"\.ln_([12])\b", r".layer_norm\1"),
    (r"\.mlp\.c_fc\b", ".mlp.fc1"),
    (r"\.mlp\.c_proj\b", ".mlp.fc2"),
)


class CLIP(TextImage):
    """A vision transformer and a text transformer whose embeddings are compared by cosine."""

    neutral = "face"  # as CLIP2Protect has it

    mean: Tensor
    deviation: Tensor

    def __init__(self, name: str, model: CLIPModel, tokens: clip_tokens.Tokens, frames: Sequence[str] = ()) -> None:
        super().__init__()
        self.name, self.tokens, self.frames = name, tokens, frames
        self.model: Any = model
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1))
        self.eval().requires_grad_(requires_grad=False)

    def embed_images(self, images: Images) -> Embeddings:
        """Embeddings of the middle squares of pictures (n, 3, height, width) in [0, 1], of any size."""
        square = middle(images, self.model.config.vision_config.image_size)
        features = self.model.vision_model(pixel_values=(square - self.mean) / self.deviation).pooler_output
        return F.normalize(self.model.visual_projection(features))

    def embed_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings of sentences; raises `BadSetting` for one that is longer than CLIP can read."""
        return self.embed_tokens(self.tokens(texts, self.model.config.text_config.max_position_embeddings))

    def embed_tokens(self, tokens: Tensor) -> Embeddings:
        """Embeddings of sentences as rows of numbers (n, length)."""
        features = self.model.text_model(input_ids=tokens.to(self.mean.device)).pooler_output
        return F.normalize(self.model.text_projection(features))


def middle(images: Images, size: int) -> Images:
    """The middle square of each picture, after its shorter side was brought to `size`: what Pillow's bicubic gives."""
    shorter = min(images.shape[2:])
    height, width = (length * size // shorter for length in images.shape[2:])
    if shorter != size:
        images = F.interpolate(images, (height, width), mode="bicubic", antialias=True).clamp(0, 1)
    top, left = round((height - size) / 2), round((width - size) / 2)
    return images[:, :, top : top + size, left : left + size]


def load(path: Path, merges: Path, templates: Path | None = None) -> CLIP:
    """The model in a safetensors file, under OpenAI's names or the Transformers library's, its tokens and sentences."""
    weights = named(store.tensors(path))
    tokens = clip_tokens.load(merges)
    os.environ.update(dict.fromkeys(QUIET, "1"))
    try:
        from transformers import CLIPModel
    except ImportError as error:
        raise BadModel(f"CLIP needs the package {error.name}; {clip_tokens.HOW_TO_INSTALL}.") from error
    if any(name not in weights or weights[name].dim() != dimensions for name, dimensions in TELLING.items()):
        raise BadModel(f"{path}: holds no CLIP (it does not tell its sizes).")
    with torch.device("meta"):  # no time is lost on first guesses
        model = CLIPModel(_config(weights, tokens.end))
    try:
        model.load_state_dict(weights, assign=True)
    except RuntimeError as error:  # of other names or shapes
        raise BadModel(f"{path}: holds no CLIP ({error}).") from error
    known = model.config.text_config.vocab_size
    if known != tokens.end + 1:
        raise BadModel(f"{merges}: has {tokens.end + 1} tokens, but {path} knows {known}; pull both again.")
    for part in (model.text_model, model.vision_model):  # these are in no file
        count = part.embeddings.position_embedding.num_embeddings
        part.embeddings.position_ids = torch.arange(count)[None]
    return CLIP(path.stem, model, tokens, sentences.load(templates) if templates else ())


def named(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in float32 under the Transformers library's names, whichever they have."""
    values = {name: value.float() for name, value in weights.items() if not name.endswith(".position_ids")}
    return dict(_renamed(values)) if "visual.proj" in values else values


def _renamed(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """OpenAI's weights: queries, keys and values get a matrix each, and the projections are transposed."""
    for name, value in weights.items():
        other = _other_name(name)
        if "{}" in other:
            yield from zip(map(other.format, "qkv"), value.chunk(3), strict=True)
        else:
            yield other, value.T.contiguous() if other in PROJECTIONS else value


def _other_name(name: str) -> str:
    """The Transformers library's name; `{}` in it stands for q, k and v."""
    for pattern, other in NAMES:
        name = re.sub(pattern, other, name)
    return name


def _config(weights: Mapping[str, Tensor], end: int) -> CLIPConfig:
    """The sizes of the two transformers, from the shapes of their weights."""
    from transformers import CLIPConfig

    patches = weights["vision_model.embeddings.patch_embedding.weight"]
    places = weights["vision_model.embeddings.position_embedding.weight"]
    words = weights["text_model.embeddings.token_embedding.weight"]
    side = round((len(places) - 1) ** 0.5)  # patches; one more place is for the class
    return CLIPConfig(
        projection_dim=len(weights["visual_projection.weight"]),
        vision_config=_sizes(weights, "vision_model", len(patches))
        | {"patch_size": patches.shape[2], "image_size": side * patches.shape[2]},
        text_config=_sizes(weights, "text_model", words.shape[1])
        | {
            "vocab_size": len(words),
            "max_position_embeddings": len(weights["text_model.embeddings.position_embedding.weight"]),
            "bos_token_id": end - 1,
            "eos_token_id": end,  # the sentence's embedding is read off there
        },
    )


def _sizes(weights: Mapping[str, Tensor], part: str, width: int) -> dict[str, Any]:
    """What both transformers have."""
    layers = {name.split(".")[3] for name in weights if name.startswith(f"{part}.encoder.layers.")}
    return {
        "hidden_size": width,
        "num_hidden_layers": len(layers),
        "num_attention_heads": width // HEAD,
        "intermediate_size": len(weights[f"{part}.encoder.layers.0.mlp.fc1.weight"]),
        "hidden_act": "quick_gelu",
    }
