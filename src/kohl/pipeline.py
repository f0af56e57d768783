"""The stages as one function: a photo in, the protected photo and its row out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kohl import __version__, memory
from kohl.align import crop, imageio
from kohl.align.detect import Detect
from kohl.errors import BadSetting, NoFace
from kohl.invert.closed_form import in_closed_form
from kohl.invert.pivotal import pivotal
from kohl.makeup.prompts import understood
from kohl.perturb import looks
from kohl.perturb.latent import LatentSearch
from kohl.perturb.terms import Surrogate, Words
from kohl.recipe import Recipe, as_dict
from kohl.restore.paste import paste
from kohl.score import quality, verify
from kohl.types import (
    Attack,
    Detector,
    Face,
    FaceRow,
    Faces,
    Generator,
    Goal,
    Images,
    Inverter,
    Photo,
    Row,
    Verifier,
    Watch,
    ignore,
)
from kohl.zoo import cards
from kohl.zoo.generators.decoys import Decoys
from kohl.zoo.generators.face_model import FaceModel
from kohl.zoo.generators.stylegan2 import StyleGAN2
from kohl.zoo.generators.stylegan2_ops import fast_dtype
from kohl.zoo.text.makeup_clip import MakeupCLIP

LOOKS = 64  # looks that are tried for a text model that only judges
ROOM = 500_000_000  # bytes that finding, changing and judging one face takes, with the models loaded
ROOM_PER_PIXEL = 2000  # of a StyleGAN2's image while it is tuned, beside that


@dataclass(frozen=True, eq=False)
class House:
    """Everything that is loaded once, however many photos follow."""

    recipe: Recipe
    detect: Detector
    attack: Attack
    decoys: Decoys
    judges: Sequence[Verifier]
    draws: bool = False  # makeup, which shows all the detail that the photo has
    room: int = ROOM  # bytes that it takes at the least, beside the photo's
    notes: Sequence[str] = ()  # what was made of the words, where it is not what was typed


def load(recipe: Recipe) -> House:
    """The models that `recipe` names; raises `BadSetting` for an unknown one, `BadModel` for a broken one."""
    models = recipe.models
    judges = [cards.judge(name) for name in models.judges]
    for judge in judges:
        verify.threshold(judge, models.far)  # found out now, not after the work
    generator = cards.generator(models.generator)
    words, look, notes = _asked(recipe, draws=isinstance(generator, FaceModel))
    surrogates = {name: _surrogate(name, models.far, recipe.search.distance) for name in models.surrogates}
    return House(
        recipe=recipe,
        detect=Detect(cards.load("yunet"), cards.load("landmarks68")),
        attack=LatentSearch(
            _inverter(generator, recipe, look),
            [surrogates[name] for name in models.surrogates],
            recipe.search.at(recipe.strength),
            words,
            crop.SIZE,
        ),
        decoys=cards.load("decoys"),
        judges=judges,
        draws=look is not None,
        room=ROOM + (ROOM_PER_PIXEL * generator.size**2 if isinstance(generator, StyleGAN2) else 0),
        notes=notes,
    )


def _asked(recipe: Recipe, *, draws: bool) -> tuple[Words | None, Tensor | None, Sequence[str]]:
    """The words of the recipe with the model that sees them, notes, and, if it `draws`, the look they stand for.

    Without words there is no model.
    """
    text = recipe.text.strip()
    if not text:
        return None, None, ()
    model = cards.load(recipe.models.text, "text")
    if not isinstance(model, MakeupCLIP):
        if not draws:
            return Words(model, text), None, ()
        candidates = looks.drawn(LOOKS, torch.Generator().manual_seed(0))
        return Words(model, text), looks.most_alike(model, text, cards.load("decoys")[0], candidates), ()
    prompt = understood(text, model.vocabulary)
    if not prompt.text:
        return None, None, prompt.notes
    return Words(model, prompt.text), model.look([prompt.text])[0] if draws else None, prompt.notes


def _inverter(generator: Generator, recipe: Recipe, look: Tensor | None) -> Inverter:
    """What makes a face's own generator: at once for the linear model, by tuning for a StyleGAN2."""
    models = recipe.models
    if isinstance(generator, FaceModel):
        return partial(in_closed_form, generator, look=look)
    assert isinstance(generator, StyleGAN2)  # there is no third kind
    encode, perceptual = cards.inverter(models.encoder), cards.load(models.perceptual, "perceptual")
    perceptual.dtype = torch.float32 if recipe.tuning.exact else fast_dtype()
    if encode.latent_shape != generator.latent_shape:
        found, wanted = (" × ".join(map(str, part.latent_shape)) for part in (encode, generator))
        raise BadSetting(
            f"models.encoder: {models.encoder} finds latents of {found}, but {models.generator} takes {wanted}; "
            "name an encoder that was trained with this generator"
        )
    return partial(pivotal, generator, encode, perceptual, settings=recipe.tuning)


def _surrogate(name: str, far: float, distance: str) -> Surrogate:
    encoder = cards.encoder(name)
    thresholds = cards.find(name).roles["encoder"].thresholds
    if far not in thresholds:
        known = ", ".join(f"{rate:g}" for rate in sorted(thresholds))
        raise BadSetting(f"models.far: the surrogate {name} has no threshold at {far:g}; it has {known}")
    return Surrogate(encoder, thresholds[far] if distance == "thresholds" else 0.0)


def protect(
    path: Path,
    output: Path,
    house: House,
    *,
    seed: int = 0,
    faces: tuple[int, ...] | None = None,
    references: Sequence[Path] = (),
    decoy: int | None = None,
    force: bool = False,
    watch: Watch = ignore,
) -> Row:
    """Protects the faces of the photo at `path` and writes the result to `output`, then judges the written file.

    `faces` chooses among the detected faces, the largest first; all by default. With `decoy` the result shall be
    matched as that synthetic person; without, as nobody. A face that is unfit is judged too: as long as a judge matches
    it, the photo is not protected. The file gets its name once it has been judged. Raises `NoFace` and `BadPhoto`;
    nothing is written then, nor after any other error.
    """
    started = time.perf_counter()
    imageio.check_output(output, path, force=force)
    for reference in references:
        imageio.read(reference)  # what is no photo is found out now, not after the work
    photo = imageio.read(path, spare=house.room)
    found = house.detect(photo)
    chosen = _chosen(found, faces)
    content, changed = imageio.digest(photo), photo
    memory.give_back()  # what reading and looking took
    for index in chosen:
        rng = random_numbers(content, seed, index)
        changed = _protected(changed, found[index], house, rng=rng, decoy=decoy, watch=watch)
    before = [_crop(photo, found[index]) for index in chosen]
    writing = imageio.writing(changed, output, force=force)
    del photo, changed  # a large photo is not kept twice while it is encoded and judged
    memory.give_back()
    with writing as file:
        written = imageio.read(file)
        likeness = {
            index: _likeness(crop, _crop(written, found[index])) for index, crop in zip(chosen, before, strict=True)
        }
        del written
        memory.give_back()
        judged = partial(_judged, original=path, protected=file, house=house, references=references)
        rows = [
            judged(index, face, likeness=likeness.get(index))
            if faces is None or index in faces
            else FaceRow(index, _whole(face.box), "left_out", "left out with --faces, and so not changed")
            for index, face in enumerate(found)
        ]
    skipped = [f"face {row.index} was skipped: {row.reason}" for row in rows if _is_open(row)]
    failed = [f"face {row.index}: {row.reason}" for row in rows if row.status == "not_protected"]
    return Row(
        photo=str(path),
        output=str(output),
        status="not_protected" if skipped or failed else "protected",
        reason="; ".join([*skipped, *failed]) or None,
        seconds=time.perf_counter() - started,
        faces=rows,
        recipe=as_dict(house.recipe),
        seed=seed,
        version=__version__,
    )


def random_numbers(content: bytes, seed: int, face: int) -> torch.Generator:
    """The same numbers for the same photo (its digest), seed and face, whatever else is protected in the same run."""
    drawn = hashlib.sha256(content + f"{seed}:{face}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(drawn[:8], "big") >> 1)


def _chosen(found: Sequence[Face], wanted: tuple[int, ...] | None) -> list[int]:
    """The indices of the faces to protect; raises `NoFace` with the reasons if there is none."""
    if not found:
        raise NoFace("no face was found in the photo; kohl needs one that is seen from the front and not too small")
    if unknown := [index for index in wanted or () if index >= len(found)]:
        raise NoFace(f"there is no face {unknown[0]}; the photo has faces 0 to {len(found) - 1}, the largest first")
    asked = range(len(found)) if wanted is None else wanted
    fit = sorted({index for index in asked if found[index].reason is None})
    if not fit:
        raise NoFace("; ".join(f"face {index} is {found[index].reason}" for index in asked))
    return fit


def _protected(
    photo: Photo, face: Face, house: House, *, rng: torch.Generator, decoy: int | None, watch: Watch
) -> Photo:
    """The photo with this face protected."""
    size = crop.own_size(face) if house.draws else crop.SIZE
    before = crop.crops(photo, [face], size)
    goal = _goal(before, house, decoy=decoy, rng=rng)
    return paste(photo, [crop.at_size(face.to_crop, size)], before, house.attack(before, goal, rng=rng, watch=watch))


def _goal(source: Faces, house: House, *, decoy: int | None, rng: torch.Generator) -> Goal:
    """Dodging towards a decoy that differs from photo to photo, or impersonating the one that was asked for."""
    if decoy is not None:
        return Goal.impersonate(source, house.decoys[decoy])
    drawn = int(torch.randint(len(house.decoys), (), generator=rng))
    return Goal.dodge(source, house.decoys[drawn], house.recipe.search.decoy)


def _judged(
    index: int,
    face: Face,
    *,
    likeness: tuple[float, float] | None,
    original: Path,
    protected: Path,
    house: House,
    references: Sequence[Path],
) -> FaceRow:
    """What the judges say of one face in the written file, and how much it changed, if it was to."""
    judges, others = verify.judge_face(house.judges, original, protected, references, face.box, house.recipe.models.far)
    if likeness is None:
        reason = f"{face.reason}; {verify.still_matching(judges, others) or 'no judge recognises it'}"
        return FaceRow(index, _whole(face.box), "skipped", reason, judges, others)
    status, verdict = verify.verdict(judges, others)
    return FaceRow(index, _whole(face.box), status, verdict, judges, others, *likeness)


def _is_open(row: FaceRow) -> bool:
    """Whether it is a face that kohl could not change and a judge can still match."""
    return row.status == "skipped" and row.recognised


def _crop(photo: Photo, face: Face) -> Images:
    """The face as it is measured."""
    return quality.face_crop(photo.pixels, face.points.astype(np.float32))


def _likeness(before: Images, after: Images) -> tuple[float, float]:
    """PSNR and SSIM."""
    return float(quality.psnr(before, after)), float(quality.ssim(before, after))


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top, width, height = (round(value) for value in box)
    return left, top, width, height
