"""The stages as one function: a photo in, the protected photo and its row out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from kohl import device, memory
from kohl.align import crop, imageio
from kohl.align.detect import Detect
from kohl.errors import BadSetting, NoFace
from kohl.invert import inverters
from kohl.invert.inversions import Inversions
from kohl.job import Job
from kohl.perturb import attacks, looks
from kohl.perturb.terms import FRAMES, Surrogate, Words
from kohl.recipe import Models, Recipe, names
from kohl.restore.paste import paste
from kohl.score import quality, verify
from kohl.status import Status
from kohl.types import (
    Attack,
    Detector,
    Face,
    FaceRow,
    Faces,
    Goal,
    Images,
    Photo,
    Row,
    Verifier,
    Watch,
    ignore,
)
from kohl.version import __version__
from kohl.zoo import cards
from kohl.zoo.generators.decoys import Decoys
from kohl.zoo.recognisers import squeezed
from kohl.zoo.shelf import Shelf

ROOM = 500_000_000  # bytes that finding, changing and judging one face takes, with the models loaded


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
    notes: Sequence[str] = ()  # what was made of the words, where it is not what was typed; models of another file
    shelf: Shelf = field(default_factory=Shelf)  # what was loaded, for the next house, and on which device


def load(recipe: Recipe, shelf: Shelf | None = None, inversions: Inversions | None = None) -> House:
    """The models that `recipe` names, on its device; raises `BadSetting` for unknown ones, `BadModel` for broken ones.

    With the `shelf` of another house only what that has not is loaded: for other words, another strength or attack.
    With `inversions`, faces that were inverted in the same way are not inverted again.
    """
    recipe = replace(recipe, device=device.found(recipe.device))
    make, shelf, models = attacks.find(recipe.attack), (shelf or Shelf()).on(recipe.device), recipe.models
    judges = [shelf(cards.judge, name) for name in models.judging]
    for judge in judges:
        verify.threshold(judge, models.far)  # found out now, not after the work
    generator, text = shelf(cards.generator, models.generator), recipe.text.strip()
    way = inverters.way(generator)
    words, look, notes = (
        looks.asked(
            shelf(cards.load, models.text, "text"),
            text,
            lambda: shelf(cards.load, "decoys")[0].to(shelf.device),
            draws=way.draws,
        )
        if text
        else (None, None, ())
    )
    aids = inverters.Aids(models.generator, models.encoder, models.perceptual, recipe.tuning, look, shelf)
    invert = way.inverter(generator, aids)
    given = attacks.Given(
        invert if inversions is None else inversions.remembering(invert, aids.key),
        [_surrogate(shelf, name, models, recipe.search.distance) for name in models.searched],
        recipe.search.at(recipe.strength),
        recipe.pixel.at(recipe.strength),
        words,
        crop.SIZE,
    )
    return House(
        recipe=recipe,
        detect=Detect(shelf(cards.load, "yunet"), shelf(cards.load, "landmarks68"), crop.ALIGNMENTS[models.alignment]),
        attack=make(given),
        decoys=shelf(cards.load, "decoys"),
        judges=judges,
        draws=look is not None,
        room=ROOM + way.bytes_per_pixel(recipe.tuning) * generator.size**2,
        notes=(*notes, *_borrowed(words, recipe), *cards.notes(names(recipe, words=bool(text)))),
        shelf=shelf,
    )


def _borrowed(words: Words | None, recipe: Recipe) -> Sequence[str]:
    """That the words stand in sentences of kohl's own, where the text model should have published ones and has none."""
    if words is None or words.model.frames or recipe.search.text_loss != "contrastive":
        return ()
    wanted = map(cards.find, cards.find(recipe.models.text).roles["text"].wants)
    missing = [card.name for card in wanted if not cards.present(card)]
    remedy = f"; `kohl models pull {' '.join(missing)}` brings the published ones" if missing else ""
    return (f"the words stand in kohl's own {len(FRAMES)} sentences{remedy}",)


def _surrogate(shelf: Shelf, name: str, models: Models, distance: str) -> Surrogate:
    encoder, far = shelf(cards.encoder, name), models.far
    if models.shown == "squeezed":
        encoder = shelf(squeezed.shown, encoder, shelf(cards.load, "yunet"))
    thresholds = cards.find(name).roles["encoder"].thresholds
    if far not in thresholds:
        known = ", ".join(f"{rate:g}" for rate in sorted(thresholds))
        raise BadSetting(f"models.far: the surrogate {name} has no threshold at {far:g}; it has {known}")
    return Surrogate(encoder, thresholds[far] if distance == "thresholds" else 0.0)


def protect(job: Job, house: House, *, watch: Watch = ignore) -> Row:
    """Protects the faces of the job's photo and writes the result, then judges the written file.

    A face that is unfit is judged too: as long as a judge matches it, the photo is not protected. The file gets its
    name once it has been judged. Raises `NoFace` and `BadPhoto`; nothing is written then, nor after any other error.
    The references must be photos: `readable` finds out.
    """
    started = time.perf_counter()
    path, output, faces = job.photo, job.output, job.faces
    imageio.check_output(output, path, force=job.force)
    photo = imageio.read(path, spare=house.room)
    found = house.detect(photo)
    chosen = _chosen(found, faces)
    content, changed = imageio.digest(photo), photo
    memory.give_back()  # what reading and looking took
    for index in chosen:
        rng = random_numbers(content, job.seed, index)
        changed = _protected(changed, found[index], house, rng=rng, decoy=job.decoy, watch=watch)
    before = [_crop(photo, found[index]) for index in chosen]
    writing = imageio.writing(changed, output, force=job.force)
    del photo, changed  # a large photo is not kept twice while it is encoded and judged
    memory.give_back()
    with writing as file:
        written = imageio.read(file)
        likeness = {
            index: _likeness(crop, _crop(written, found[index])) for index, crop in zip(chosen, before, strict=True)
        }
        del written
        memory.give_back()
        judged = partial(_judged, original=path, protected=file, house=house, references=job.references)
        rows = [
            judged(index, face, likeness=likeness.get(index))
            if faces is None or index in faces
            else FaceRow(index, _whole(face.box), Status.LEFT_OUT, "left out, as was asked, and so not changed")
            for index, face in enumerate(found)
        ]
    skipped = [f"face {row.index} was skipped: {row.reason}" for row in rows if _is_open(row)]
    failed = [f"face {row.index}: {row.reason}" for row in rows if row.status == Status.NOT_PROTECTED]
    return Row(
        photo=str(path),
        output=str(output),
        status=Status.NOT_PROTECTED if skipped or failed else Status.PROTECTED,
        reason="; ".join([*skipped, *failed]) or None,
        seconds=time.perf_counter() - started,
        faces=rows,
        recipe=asdict(house.recipe),
        seed=job.seed,
        version=__version__,
        notes=house.notes,
    )


def readable(references: Sequence[Path]) -> None:
    """Raises `BadPhoto` for the first that is no photo: found out before any work, once for all photos."""
    for reference in references:
        imageio.read(reference)


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
    moved = before.to(house.shelf.device)
    goal = _goal(moved, house, decoy=decoy, rng=rng)
    after = house.attack(moved, goal, rng=rng, watch=watch).cpu()
    return paste(photo, [crop.at_size(face.to_crop, size)], before, after)


def _goal(source: Faces, house: House, *, decoy: int | None, rng: torch.Generator) -> Goal:
    """Dodging towards a decoy that differs from photo to photo, or impersonating the one that was asked for."""
    place = source.crops.device
    if decoy is not None:
        return Goal.impersonate(source, house.decoys[decoy].to(place))
    drawn = int(torch.randint(len(house.decoys), (), generator=rng))
    return Goal.dodge(source, house.decoys[drawn].to(place), house.recipe.search.decoy)


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
        return FaceRow(index, _whole(face.box), Status.SKIPPED, reason, judges, others)
    status, verdict = verify.verdict(judges, others)
    return FaceRow(index, _whole(face.box), status, verdict, judges, others, *likeness)


def _is_open(row: FaceRow) -> bool:
    """Whether it is a face that kohl could not change and a judge can still match."""
    return row.status == Status.SKIPPED and row.recognised


def _crop(photo: Photo, face: Face) -> Images:
    """The face as it is measured."""
    return quality.face_crop(photo.pixels, face.points.astype(np.float32))


def _likeness(before: Images, after: Images) -> tuple[float, float]:
    """PSNR and SSIM."""
    return float(quality.psnr(before, after)), float(quality.ssim(before, after))


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top, width, height = (round(value) for value in box)
    return left, top, width, height
