"""What is done with photos that were brought: each is looked at, tried in looks, and protected, and then forgotten."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeAlias, TypeVar

from kohl import contact_sheet, dial, pipeline
from kohl import recipe as recipes
from kohl.align import imageio
from kohl.api import Protector
from kohl.dial import Dial
from kohl.errors import KohlError
from kohl.job import Job
from kohl.recipe import Models, Recipe
from kohl.types import Detector, Watch
from kohl.ui import pictures, tray
from kohl.ui.desk import Desk, Work
from kohl.ui.pictures import Seen
from kohl.ui.refusals import Refused
from kohl.ui.tray import Kept, Protected, Tray
from kohl.zoo.shelf import Shelf

if TYPE_CHECKING:
    from fastapi import UploadFile

P = ParamSpec("P")
T = TypeVar("T")
DIALS = 4  # that are kept; each is a few tens of megabytes
Wait: TypeAlias = Callable[[Work], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    """How a photo is to be protected."""

    text: str = ""
    strength: float | None = None
    faces: tuple[int, ...] | None = None
    seed: int = 0


class Studio:
    """Two threads: one for searches, of which there is one at a time, and one for what takes no second.

    The models are loaded in the first of them, while the page is already there.
    """

    def __init__(
        self,
        folder: Path,
        recipe: Recipe | None = None,
        *,
        shelf: Shelf | None = None,
        detector: Callable[[], Detector] = contact_sheet.detector,
        desk: Desk | None = None,
        keep: Tray | None = None,
    ) -> None:
        self.desk, self.tray = desk or Desk(), keep or Tray(folder)
        self.recipe, self._shelf, self._detector = recipe or recipes.load("default"), shelf, detector
        self._protector: Protector | None = None  # the first thread's
        self._detect: Detector | None = None  # the second thread's
        self._mirror = pictures.Mirror()  # and its
        self._light = ThreadPoolExecutor(1, thread_name_prefix="kohl-pictures")
        self._dials: OrderedDict[tuple[str, int, str], Work] = OrderedDict()
        self._wanted: dict[Work, int] = {}  # by how many requests
        self._going: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Begins to work; the event loop must run."""
        self.desk.open()
        self.desk.submit(self._prepared)

    async def close(self) -> None:
        """Ends all work, and keeps nothing."""
        await self.desk.close()
        for kept in self.tray.all():
            self.drop(kept)
        await asyncio.gather(*self._going)
        self._light.shutdown(wait=True, cancel_futures=True)

    @property
    def ready(self) -> bool:
        """Whether the models are loaded."""
        return self._protector is not None

    @property
    def free(self) -> bool:
        """Whether the text model may read words that kohl's own tables have not."""
        return self.recipe.models.text != Models().text

    async def light(self, task: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What the task gives, done in the second thread."""
        return await asyncio.get_running_loop().run_in_executor(self._light, partial(task, *arguments, **named))

    async def bring(self, photo: UploadFile) -> Kept:
        """The photo, kept; raises `Refused`."""
        kept = self.tray.place(photo.filename)
        try:
            await self.light(tray.fill, kept, photo.file)
        except BaseException:
            self.drop(kept)
            raise
        return kept

    async def see(self, kept: Kept) -> Seen:
        """What is in the photo; one that cannot be read is forgotten at once."""
        if kept.seen is None:
            try:
                kept.seen = await self.light(self._see, kept)
                kept.size += kept.seen.memory
            except BaseException:
                self.drop(kept)
                raise
        return kept.seen

    async def face(self, kept: Kept, index: int, side: int, text: str) -> bytes:
        """A JPEG of a face as it is, or in the look that words ask for."""
        seen = await self.see(kept)
        _check_face(seen, index)
        if side not in pictures.SIDES:
            known = ", ".join(map(str, pictures.SIDES))
            raise Refused(HTTPStatus.BAD_REQUEST, f"side: must be one of {known}, not {side}")
        if text.strip():
            return await self.light(self._mirror, seen, index, side, text)
        return await self.light(pictures.face, seen, index, side)

    async def preview(self, kept: Kept, index: int, text: str, strength: float, wait: Wait) -> tuple[bytes, float]:
        """A JPEG of a face about as it will be, and the chance that goes with it; `wait` returns once work is over."""
        seen = await self.see(kept)
        _check_face(seen, index)
        if (reason := seen.found[index].reason) is not None:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"face {index} is {reason}")
        key = kept.id, index, text.strip()
        work = self._dials.get(key)
        if work is None or work.cancel.is_set() or work.refused:
            work = self._dials[key] = self.desk.submit(partial(self._dial, kept, index, text), urgent=False)
            while len(self._dials) > DIALS:
                self.desk.call_off(self._dials.popitem(last=False)[1])
        self._dials.move_to_end(key)
        self._wanted[work] = self._wanted.get(work, 0) + 1
        try:
            await wait(work)
        finally:
            self._wanted[work] -= 1
            if not self._wanted[work]:
                del self._wanted[work]
        if not isinstance(work.result, Dial):
            raise Refused(HTTPStatus.CONFLICT, "this preview was called off")
        return await self.light(_turned, work.result, strength, seen.icc_profile)

    def leave(self, work: Work) -> None:
        """Somebody does not wait for this work any more; it is called off if nobody else does."""
        if self._wanted.get(work, 1) <= 1:
            self.desk.call_off(work)

    def protect(self, kept: Kept, asked: Asked) -> Kept:
        """The photo, at work on now; raises `Refused`, and then it is forgotten."""
        try:
            kept.work = self.desk.submit(partial(self._protected, kept, asked))
        except Refused:
            self.drop(kept)
            raise
        return kept

    def protect_again(self, photo: Kept, asked: Asked) -> Kept:
        """A job with a copy of a photo that stays, so that other words can be tried."""
        kept = self.tray.place(photo.name)
        try:
            kept.path.hardlink_to(photo.path)
        except OSError:  # no hard links here
            shutil.copyfile(photo.path, kept.path)
        kept.size, kept.seen = photo.size, photo.seen
        return self.protect(kept, asked)

    def drop(self, kept: Kept) -> None:
        """Calls off what is done with it, and forgets it."""
        for key in [key for key in self._dials if key[0] == kept.id]:
            self.desk.call_off(self._dials.pop(key))
        if kept.seen is not None and kept.work is None:
            self._light.submit(self._mirror.forget, kept.seen)
        self.tray.forget(kept)
        if kept.work is None:
            tray.remove(kept)
            return
        self.desk.call_off(kept.work)
        going = asyncio.get_running_loop().create_task(_gone(kept, kept.work))
        self._going.add(going)
        going.add_done_callback(self._going.discard)

    def _see(self, kept: Kept) -> Seen:
        self._detect = self._detect or self._detector()
        with _named(kept):
            return pictures.seen(kept.path, self._detect)

    def _prepared(self, watch: Watch) -> Protector:  # noqa: ARG002
        self._protector = self._protector or Protector(self.recipe, shelf=self._shelf)
        return self._protector

    def _dial(self, kept: Kept, index: int, text: str, watch: Watch) -> Dial:
        house = self._prepared(watch).again(text=text.strip()).house
        with _named(kept):
            return dial.dial(kept.path, index, house, watch=watch)

    def _protected(self, kept: Kept, asked: Asked, watch: Watch) -> Protected:
        house = self._prepared(watch).again(text=asked.text, strength=asked.strength).house
        with _named(kept):
            output = kept.folder / f"protected{imageio.result_suffix(kept.path)}"
            row = pipeline.protect(Job(kept.path, output, asked.seed, asked.faces), house, watch=watch)
        faces = pictures.faces_of(imageio.read(output), kept.seen.found) if kept.seen else []
        return Protected(row, output, faces)


@contextmanager
def _named(kept: Kept) -> Iterator[None]:
    """What is refused inside is said of the photo by the name that its owner gave it."""
    try:
        yield
    except KohlError as error:
        error.said = re.sub(rf"{re.escape(str(kept.folder))}/[\w.]+", kept.name.replace("\\", "/"), error.said)
        raise


async def _gone(kept: Kept, work: Work) -> None:
    """Removes the files once nobody writes there any more: what is written makes its folder anew."""
    while not work.over:
        await work.change(1.0)
    tray.remove(kept)


def _turned(dial: Dial, strength: float, icc_profile: bytes | None) -> tuple[bytes, float]:
    pixels, chance = dial(strength)
    return pictures.jpeg(pixels, icc_profile), chance


def _check_face(seen: Seen, index: int) -> None:
    if not 0 <= index < len(seen.tiles):
        raise Refused(HTTPStatus.NOT_FOUND, f"there is no face {index}; the photo has {len(seen.found)}")
