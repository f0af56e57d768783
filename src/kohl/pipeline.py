"""The stages as one function: a photo in, the protected photo and its row out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch

from kohl import memory
from kohl.align import crop, imageio
from kohl.choice import chosen_faces, left_out
from kohl.geometry import resized
from kohl.house import House, load
from kohl.job import Job
from kohl.perturb.chance import CURVE, strangeness
from kohl.restore.paste import paste
from kohl.score import quality, verify
from kohl.status import Status
from kohl.types import Face, FaceRow, Faces, Goal, Images, Photo, Row, Watch, ignore
from kohl.version import __version__

__all__ = ["House", "aim", "load", "protect", "random_numbers", "readable", "references"]


Seal: TypeAlias = Callable[[Row, Path], None]  # told of a row and of the file that is about to get its name


def protect(job: Job, house: House, *, watch: Watch = ignore, seal: Seal | None = None) -> Row:
    """Protects the faces of the job's photo and writes the result, then judges the written file.

    Faces that a judge of the file still matches are searched again, with another decoy and more effort, as often as
    `search.tries` says; the best file is kept. A face that is unfit is judged too: as long as a judge matches it, the
    photo is not protected. The file gets its name once it has been judged and `seal` has returned. Raises `NoFace` and
    `BadPhoto`; nothing is written then, nor after any other error. The references must be photos: `readable` finds out.
    """
    started = time.perf_counter()
    imageio.check_output(job.output, job.photo, force=job.force)
    others = references(job.references, house)
    photo = imageio.read(job.photo, spare=house.room, keep=job.keep)
    found = house.detect(photo)
    left = left_out(job, house, found)
    chosen, content = chosen_faces(found, job.faces, left), imageio.digest(photo)
    memory.give_back()  # what reading and looking took

    def search(photo: Photo, indices: Sequence[int], attempt: int = 0) -> tuple[Photo, dict[int, Change]]:
        changes = {}
        for index in indices:  # one after the other: where faces overlap, each is searched as it is by then
            rng = random_numbers(content, job.seed + attempt, index)
            changes[index] = changed(
                photo, found[index], house, others, job.decoy, rng=rng, attempt=attempt, watch=watch
            )
            photo = pasted(photo, [changes[index]])
        return photo, changes

    original = {index: _crops(photo, found[index]) for index in chosen}
    judged = partial(_judged, job, house, found, left, original)
    after, changes = search(photo, chosen)
    writing = imageio.writing(after, job.output, force=job.force)
    del photo, after  # a large photo is not kept twice while it is encoded and judged
    memory.give_back()
    with writing as file:
        rows = judged(file, changes)
        for attempt in range(1, 1 + len(house.harder)):
            failed = [row.index for row in rows if row.status == Status.NOT_PROTECTED]
            if not failed:
                break
            kept, best = {index: one for index, one in changes.items() if index not in failed}, file.read_bytes()
            after, again = search(
                pasted(imageio.read(job.photo, spare=house.room, keep=job.keep), kept.values()), failed, attempt
            )
            again |= kept
            imageio.rewrite(after, job.output, file)
            del after
            memory.give_back()
            better = judged(file, again)
            if _matches(better) < _matches(rows):
                rows, changes = better, again
            else:
                file.write_bytes(best)
        row = _row(job, house, rows, time.perf_counter() - started)
        if seal is not None:
            seal(row, file)
    return row


def _row(job: Job, house: House, rows: Sequence[FaceRow], seconds: float) -> Row:
    """What became of the photo whose faces these are."""
    reason = verify.of_faces(rows)
    return Row(
        photo=str(job.photo),
        output=str(job.output),
        status=Status.NOT_PROTECTED if reason else Status.PROTECTED,
        reason=reason,
        seconds=seconds,
        faces=rows,
        recipe=asdict(house.recipe),
        seed=job.seed,
        version=__version__,
        look=house.look,
        notes=house.notes,
    )


def readable(references: Sequence[Path]) -> None:
    """Raises `BadPhoto` for the first that is no photo: found out before any work, once for all photos."""
    for reference in references:
        imageio.read(reference)


def references(paths: Sequence[Path], house: House) -> Sequence[Faces]:
    """The faces in other photos of a person that the search can look at: a batch for each photo that has any."""
    batches = []
    for path in paths:
        photo = imageio.read(path)
        if fit := [face for face in house.detect(photo) if face.reason is None]:
            batches.append(crop.crops(photo, fit).to(house.shelf.device))
    return batches


def random_numbers(content: bytes, seed: int, face: int) -> torch.Generator:
    """The same numbers for the same photo (its digest), seed and face, whatever else is protected in the same run."""
    drawn = hashlib.sha256(content + f"{seed}:{face}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(drawn[:8], "big") >> 1)


@dataclass(frozen=True, eq=False)
class Change:
    """What becomes of one face: its crop as it was and as it is to be, and whom it left."""

    to_crop: np.ndarray
    before: Faces
    after: Images
    goal: Goal
    tries: int


def changed(
    photo: Photo,
    face: Face,
    house: House,
    others: Sequence[Faces],
    decoy: int | None,
    *,
    rng: torch.Generator,
    attempt: int = 0,
    watch: Watch = ignore,
) -> Change:
    """This face protected, at the first attempt or a later one."""
    size = crop.own_size(face) if house.draws else crop.SIZE
    before = crop.crops(photo, [face], size)
    moved = before.to(house.shelf.device)
    goal = aim(moved, house, others, decoy=decoy, rng=rng)
    attack = house.harder[attempt - 1] if attempt else house.attack
    after = attack(moved, goal, rng=rng, watch=watch).cpu()
    return Change(crop.at_size(face.to_crop, size), before, after, goal, attempt + 1)


def pasted(photo: Photo, changes: Iterable[Change]) -> Photo:
    """The photo with every change on it."""
    for change in changes:
        photo = paste(photo, [change.to_crop], change.before, change.after)
    return photo


def aim(
    source: Faces, house: House, others: Sequence[Faces] = (), *, decoy: int | None = None, rng: torch.Generator
) -> Goal:
    """Dodging towards a decoy of the face's kind, another from photo to photo, or impersonating the one asked for."""
    place = source.crops.device
    if decoy is not None:
        return Goal.impersonate(source, house.decoys[decoy].to(place))
    numbers = house.kin(source) if house.kin else range(len(house.decoys))
    drawn = numbers[int(torch.randint(len(numbers), (), generator=rng))]
    return Goal.dodge(source, house.decoys[drawn].to(place), house.recipe.search.decoy, others)


def _judged(
    job: Job,
    house: House,
    found: Sequence[Face],
    left: Mapping[int, str],
    original: Mapping[int, tuple[Images, Images]],
    file: Path,
    changes: Mapping[int, Change],
) -> list[FaceRow]:
    """What the judges say of each face in the written file, and how much it changed, if it was to."""
    written = imageio.read(file)
    after = {index: _crops(written, found[index]) for index in changes}
    del written
    memory.give_back()
    rows = []
    for index, face in enumerate(found):
        row = FaceRow(index, _whole(face.box), Status.LEFT_OUT, left.get(index))
        if index not in left:
            judges, references = verify.judge_face(
                house.judges, job.photo, file, job.references, face.box, house.recipe.models.far
            )
            status, reason = verify.verdict(judges, references)
            if index not in changes:
                reason = f"{face.reason}; {verify.still_matching(judges, references) or 'no judge recognises it'}"
                status = Status.SKIPPED
            row = replace(row, status=status, reason=reason, judges=judges, references=references)
        if index in changes:
            change, (psnr, ssim, nlpd) = changes[index], _likeness(original[index], after[index])
            row = replace(
                row,
                psnr=psnr,
                ssim=ssim,
                nlpd=nlpd,
                chance=chance(change.goal, after[index][1], house),
                tries=change.tries,
            )
        rows.append(row)
    return rows


def chance(goal: Goal, crops: Images, house: House) -> float | None:
    """That a recogniser which nobody asked matches the face; None where nobody was to be left, or nobody can say."""
    search = house.recipe.search
    if not goal.away or not house.surrogates or search.distance != "thresholds":  # the curve is over those
        return None
    goal = replace(goal, source=resized(goal.source, crops.shape[-1]))  # makeup is drawn on larger crops
    rng = torch.Generator().manual_seed(0)  # the same views for every face
    far = strangeness(house.surrogates, goal, search.views, rng)
    return CURVE(float(far(crops.to(house.shelf.device))))


def _matches(rows: Sequence[FaceRow]) -> tuple[int, float]:
    """How far the faces are from being protected: those that are not, then how sure the judges are."""
    failed = [row for row in rows if row.status == Status.NOT_PROTECTED]
    sure = [
        inf if judgement.after is None else judgement.after - judgement.threshold  # to blind a judge proves nothing
        for row in failed
        for judges in (row.judges, *row.references.values())
        for judgement in judges.values()
        if judgement.before is not None or judgement.after is not None
    ]
    return len(failed), max(sure, default=0.0)


def _crops(photo: Photo, face: Face) -> tuple[Images, Images]:
    """The face as it is measured, by PSNR and SSIM and as it is looked at by NLPD."""
    return quality.face_crop(photo.pixels, face.points.astype(np.float32)), crop.crops(photo, [face]).crops


def _likeness(before: tuple[Images, Images], after: tuple[Images, Images]) -> tuple[float, float, float]:
    """PSNR, SSIM and NLPD."""
    (small, large), (small_after, large_after) = before, after
    figures = quality.psnr(small, small_after), quality.ssim(small, small_after), quality.nlpd(large, large_after)
    psnr, ssim, nlpd = map(float, figures)
    return psnr, ssim, nlpd


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    left, top, width, height = (round(value) for value in box)
    return left, top, width, height
