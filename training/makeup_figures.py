"""How well a text-image model reads makeup: figures on faces, wordings and colour names that it has not met."""

from __future__ import annotations

import random
from collections.abc import Sequence

import captions
import torch
from colours import lab
from makeup_views import Sitters, pictures
from torch import Tensor

from kohl.makeup.products import NAMES
from kohl.zoo.text.makeup_clip import MakeupCLIP

GALLERY = 100  # sentences to choose from
SAME, SAME_SHAPE = 0.15, 0.3  # of opacities and of other dials: nearer scenes say the same thing
SAME_COLOUR = 12.0  # CIELAB's distance, of which 2.3 is just noticeable
APART = 2.0  # times as far are two scenes whose pictures are not to be taken for each other
LIPS = NAMES.index("lipstick")


def alike(some: Sequence[captions.Scene], others: Sequence[captions.Scene], times: float = 1.0) -> Tensor:
    """Whether two scenes say the same, bool (some, others): in colour and in each dial that the words of both fix."""
    said, said_by = (torch.stack([scene.said for scene in scenes]) for scenes in (some, others))
    fixed, fixed_by = (torch.stack([scene.weight for scene in scenes]) > 0.5 for scenes in (some, others))
    worn, worn_by = said[..., 0] > 0, said_by[..., 0] > 0
    both = worn[:, None] & worn_by[None]
    far = (said[:, None] - said_by[None]).abs()
    strength = far[..., 0] < times * SAME
    shape = ((far[..., 4:] < times * SAME_SHAPE) | ~(fixed[:, None] & fixed_by[None])[..., 4:]).all(-1)
    colours = torch.cdist(lab(said[..., 1:4]).transpose(0, 1), lab(said_by[..., 1:4]).transpose(0, 1))
    near = strength & shape & (colours.permute(1, 2, 0) < times * SAME_COLOUR)
    return torch.where(both, near, worn[:, None] == worn_by[None]).all(-1)


def figures(model: MakeupCLIP, held: Sitters, *, galleries: int = 11) -> dict[str, float]:
    """Shares of right answers, by name, and errors of colours that were asked for."""
    return {**retrieval(model, held, galleries), **families(model), **looks(model)}


def retrieval(model: MakeupCLIP, held: Sitters, galleries: int) -> dict[str, float]:
    """How often a picture's own sentence is the nearest, or among the nearest 5, of `GALLERY` that differ."""
    ranks = []
    for number in range(galleries):
        rng = random.Random(f"gallery {number}")
        scenes: list[captions.Scene] = []
        while len(scenes) < GALLERY:
            new = captions.scene(rng, held_out=True)
            if not scenes or not alike([new], scenes, APART).any():
                scenes.append(new)
        with torch.no_grad():
            texts = model.embed_texts([scene.text for scene in scenes])
            images = model.embed_images(pictures(held, scenes, f"gallery {number}"))
        scores = images @ texts.T
        ranks.append((scores > scores.diag()[:, None]).sum(1))
    rank = torch.cat(ranks)
    return {"top-1": float((rank < 1).float().mean()), "top-5": float((rank < 5).float().mean())}


def families(model: MakeupCLIP) -> dict[str, float]:
    """How often a held-out colour's name is taken for a colour of its family."""
    names, known = list(captions.HELD_OUT_COLOURS), list(captions.FAMILIES)
    right = [captions.family(captions.HELD_OUT_COLOURS[name]) for name in names]
    texts, among = ([f"{name} lipstick" for name in part] for part in (names, known))
    with torch.no_grad():
        nearest = (model.embed_texts(texts) @ model.embed_texts(among).T).argmax(1).tolist()
        seen = [captions.family(tuple(look[LIPS, 1:4].tolist())) for look in model.look(texts)]
    by_text = sum(known[index] == family for index, family in zip(nearest, right, strict=True))
    by_look = sum(map(str.__eq__, seen, right))
    return {"family by embedding": by_text / len(names), "family by look": by_look / len(names)}


def looks(model: MakeupCLIP, count: int = 1000) -> dict[str, float]:
    """How often `look` knows what is worn, how far off its colours are, and its other dials that the words fix."""
    rng = random.Random("looks")
    scenes = [captions.scene(rng, held_out=True) for _ in range(count)]
    said, weight = (torch.stack([getattr(scene, name) for scene in scenes]) for name in ("said", "weight"))
    with torch.no_grad():
        look = model.look([scene.text for scene in scenes])
    worn, seen = said[..., 0] > 0, look[..., 0] > 0
    asked = worn & seen & (weight[..., 1] > 0.5)
    colours = (lab(look[..., 1:4]) - lab(said[..., 1:4]))[asked]
    first, second = (torch.atan2(*lab(dials[..., 1:4])[asked][:, 1:].unbind(1)) for dials in (look, said))
    strong = lab(said[..., 1:4])[asked][:, 1:].norm(dim=1) > 20  # greys have no hue
    turn = (first - second).abs()
    hue = torch.minimum(turn, 2 * torch.pi - turn)[strong].rad2deg()
    fixed = (worn & seen)[..., None] & (weight > 0.5)
    fixed[..., 1:4] = False
    return {
        "worn": float((worn == seen).float().mean()),
        "all worn": float((worn == seen).all(1).float().mean()),
        "colour, CIELAB": float(colours.norm(dim=1).median()),
        "hue, degrees": float(hue.median()),
        "other dials": float((look - said)[fixed].abs().mean()),
    }
