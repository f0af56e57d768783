"""kohl from Python: a photo in, a `Result` out; `import kohl` alone loads none of this."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol, TypeAlias, TypedDict, Unpack

import numpy as np
from PIL import Image, ImageOps

from kohl import cpu

if "torch" not in sys.modules:
    cpu.settle()  # whoever has loaded torch has made a choice already

from kohl import choice, heif, pipeline, pull
from kohl import recipe as recipes
from kohl.align import imageio
from kohl.errors import BadPhoto, BadSetting, Cancelled, KohlError
from kohl.invert.inversions import Inversions
from kohl.job import Job
from kohl.recipe import Recipe
from kohl.status import Status
from kohl.types import Row, Step, Watch, ignore
from kohl.zoo.shelf import Shelf

PhotoLike: TypeAlias = "str | Path | bytes | Image.Image | np.ndarray"

IN_MEMORY = "photo in memory"


class Flag(Protocol):
    """Such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether the work is to end."""
        ...


class Asked(TypedDict, total=False):
    """What the call of a `Protector` takes beside the photo; its defaults stand there."""

    seed: int
    faces: Sequence[int] | None
    references: Sequence[PhotoLike]
    only: Sequence[PhotoLike]
    spared: Sequence[PhotoLike]
    decoy: int | None
    suffix: str | None
    keep: Sequence[str]
    watch: Watch
    cancel: Flag | None


@dataclass(frozen=True, eq=False)
class Result:
    """A protected photo: the very file that the judges looked at, and what they said of it."""

    row: Row
    content: bytes
    suffix: str  # of the file's format, such as ".jpg"

    @property
    def status(self) -> Status:
        """Whether it is protected: read it before you publish anything."""
        return self.row.status

    @property
    def image(self) -> Image.Image:
        """The picture, decoded."""
        content = BytesIO(self.content)
        with heif.opened(content) if heif.is_heif(self.content) else Image.open(content) as file:
            file.load()
            return file.copy()

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Writes the file, whole or not at all, and gives its path back; with `force` over one that exists.

        Raises `BadSetting` for the suffix of another format, which would not be what was judged, and `BadPhoto` where
        it cannot be written, or would be over the original.
        """
        path = Path(path)
        if imageio.SUFFIXES.get(path.suffix.lower()) != imageio.SUFFIXES[self.suffix]:
            raise BadSetting(f"{path}: the file that was judged is {self.suffix}; ask for another by `suffix` before")
        imageio.check_output(path, Path(self.row.photo), force=force)
        with imageio.placed(self.content, path, force=force):
            return path


class Protector:
    """Models that are loaded once, for many photos.

    `recipe` is a name, the path of a TOML file, or a `Recipe`; `settings` are such as "search.steps=80"; `text` and
    `strength` stand in place of the recipe's. Raises `BadSetting` and `BadModel`.
    """

    def __init__(
        self,
        recipe: str | Path | Recipe = "default",
        *,
        text: str | None = None,
        strength: float | None = None,
        settings: Sequence[str] = (),
        shelf: Shelf | None = None,
        inversions: Inversions | None = None,
    ) -> None:
        start, name = (recipe, "default") if isinstance(recipe, Recipe) else (recipes.load(recipe), str(recipe))
        chosen = recipes.override(start, settings)
        chosen = replace(
            chosen,
            text=chosen.text if text is None else text,
            strength=chosen.strength if strength is None else strength,
        )
        pull.check(chosen, name)
        self.inversions = inversions or Inversions()
        self.house = pipeline.load(chosen, shelf, self.inversions)

    @property
    def recipe(self) -> Recipe:
        """Every setting."""
        return self.house.recipe

    @property
    def look(self) -> Mapping[str, str]:
        """The words as they were understood: each product, and how it is worn."""
        return self.house.look

    @property
    def notes(self) -> Sequence[str]:
        """What was made of the words, where it is not what was typed."""
        return self.house.notes

    def again(
        self, *, text: str | None = None, strength: float | None = None, settings: Sequence[str] = ()
    ) -> Protector:
        """Another one, with other words, strength or settings; what is loaded is shared, and the last inversions."""
        return Protector(
            self.recipe,
            text=text,
            strength=strength,
            settings=settings,
            shelf=self.house.shelf,
            inversions=self.inversions,
        )

    def __call__(
        self,
        photo: PhotoLike,
        *,
        seed: int = 0,
        faces: Sequence[int] | None = None,
        references: Sequence[PhotoLike] = (),
        only: Sequence[PhotoLike] = (),
        spared: Sequence[PhotoLike] = (),
        decoy: int | None = None,
        suffix: str | None = None,
        keep: Sequence[str] = (),
        watch: Watch = ignore,
        cancel: Flag | None = None,
    ) -> Result:
        """Protects the faces of a photo: a path, the bytes of a file, an image, or an array uint8 (height, width, 3).

        `faces` are those to change, numbered from 0, the largest first; `references` other photos of the person, which
        the result must not match either; `only` photos of one face each, whose faces alone are changed, or `spared` of
        those that are left as they are; `decoy` is the synthetic person that it shall be matched as; `suffix` asks for
        a format, the photo's own if None and PNG for images and arrays; `keep` names metadata that stays, such as
        "date". `watch` hears of every step; once `cancel` is set, `Cancelled` is raised at the next. Raises `BadPhoto`
        and `NoFace`.

        What is in memory lies in a private temporary folder while the judges, who open files, look at it.
        """
        with TemporaryDirectory(prefix="kohl-") as temporary:
            folder = Path(temporary)
            try:
                given = (photo, *references, *only, *spared)
                path, *others = (_file(each, folder / str(index)) for index, each in enumerate(given))
                people = others[len(references) :]
                output = folder / f"protected{suffix or imageio.result_suffix(path)}"
                job = Job(
                    *(path, output, seed, None if faces is None else tuple(faces), tuple(others[: len(references)])),
                    decoy=decoy,
                    keep=tuple(keep),
                    only=tuple(people[: len(only)]),
                    spared=tuple(people[len(only) :]),
                )
                pipeline.readable(others)
                choice.known_faces(people, self.house)
                row = pipeline.protect(job, self.house, watch=_watched(watch, cancel))
            except KohlError as error:
                error.said = re.sub(rf"{re.escape(temporary)}/\w+", IN_MEMORY, error.said)
                raise
            content = output.read_bytes()
        named = str(photo) if isinstance(photo, str | Path) else IN_MEMORY
        return Result(replace(row, photo=named, output=None), content, output.suffix)


def protect(
    photo: PhotoLike,
    *,
    recipe: str | Path | Recipe = "default",
    text: str | None = None,
    strength: float | None = None,
    settings: Sequence[str] = (),
    **asked: Unpack[Asked],
) -> Result:
    """Protects one photo; for many, make a `Protector`, whose arguments and call's these are."""
    return Protector(recipe, text=text, strength=strength, settings=settings)(photo, **asked)


def _file(photo: PhotoLike, place: Path) -> Path:
    """The path of the photo; what is in memory is written to `place`."""
    if isinstance(photo, str | Path):
        return Path(photo)
    if isinstance(photo, bytes):
        place.write_bytes(photo)
        return place
    if isinstance(photo, Image.Image):
        upright = ImageOps.exif_transpose(photo)
        kept = upright if upright.mode in ("RGB", "RGBA", "L", "LA") else upright.convert("RGB")
        kept.save(place, "PNG", icc_profile=photo.info.get("icc_profile"))
        return place
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        raise BadPhoto(f"{IN_MEMORY}: must be uint8 (height, width, 3), not {photo.dtype} {photo.shape}")
    Image.fromarray(photo).save(place, "PNG")
    return place


def _watched(watch: Watch, cancel: Flag | None) -> Watch:
    """`watch`, which ends the work when that is asked for."""

    def watched(step: Step) -> None:
        if cancel is not None and cancel.is_set():
            raise Cancelled("cancelled")
        watch(step)

    return watched
