"""Which of a photo's faces are to be protected: by number, or by whose they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from kohl.align import imageio
from kohl.errors import BadSetting, NoFace
from kohl.house import House
from kohl.job import Job
from kohl.score import people
from kohl.types import Face


def left_out(job: Job, house: House, found: Sequence[Face]) -> dict[int, str]:
    """Why nobody asked for a face, by its index: its number is not among those asked for, or it is somebody else's.

    Where it is a matter of recognition, one judge is enough to protect a face; to leave one, all have to be sure.
    """
    judges, far = house.judges, house.recipe.models.far
    left = {}
    for index, face in enumerate(found):
        if job.faces is not None and index not in job.faces:
            left[index] = "left out, as was asked, and so not changed"
        elif job.only and people.perhaps(judges, job.photo, face.box, job.only, far) is None:
            left[index] = f"left out, as it is not {_named(job.only)}, and so not changed"
        elif job.spared and (who := people.surely(judges, job.photo, face.box, job.spared, far)) is not None:
            left[index] = f"left out, as it is {who.name}, and so not changed"
    return left


def known_faces(paths: Sequence[Path], house: House) -> None:
    """Raises `BadSetting` for the first photo that does not show one face, so that it would not say who is meant."""
    for path in paths:
        found = house.detect(imageio.read(path))
        if len(found) != 1:
            shows = f"shows {len(found)} faces" if found else "shows no face that was found"
            raise BadSetting(f"{path}: {shows}; crop a photo to the one that is meant")
        seen = [judge.compare(path, [path])[0] for judge in house.judges]
        if all(score is None for score in seen):
            raise BadSetting(f"{path}: no judge recognises the face in it; take a larger or sharper photo of it")


def _named(paths: Sequence[Path]) -> str:
    return " or ".join(path.name for path in paths)


def chosen_faces(
    found: Sequence[Face], wanted: tuple[int, ...] | None, left: Mapping[int, str] = MappingProxyType({})
) -> list[int]:
    """The indices of the faces to protect; raises `NoFace` with the reasons if there is none."""
    if not found:
        raise NoFace("no face was found in the photo; kohl needs one that is seen from the front and not too small")
    if unknown := [index for index in wanted or () if index >= len(found)]:
        raise NoFace(f"there is no face {unknown[0]}; the photo has faces 0 to {len(found) - 1}, the largest first")
    asked = [index for index in (range(len(found)) if wanted is None else wanted) if index not in left]
    if not asked:
        raise NoFace("; ".join(f"face {index} was {reason}" for index, reason in left.items()))
    fit = sorted({index for index in asked if found[index].reason is None})
    if not fit:
        raise NoFace("; ".join(f"face {index} is {found[index].reason}" for index in asked))
    return fit
