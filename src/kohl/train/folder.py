"""What a run of learning keeps in its folder, so that it can be stopped at any time: a checkpoint and tables."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

import torch
from torch import Tensor

from kohl import files, plain_file
from kohl.adam import Adam
from kohl.errors import BadModel, BadSetting, KohlError
from kohl.zoo.files import torch_files

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CHECKPOINT, LOG, PICTURE = "checkpoint.pt", "log.csv", "samples.png"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what Adam remembers of a weight
LONGEST_LOG = 2**26  # bytes


class Descending(Protocol):
    """Weights, and what takes them down a loss."""

    @property
    def weights(self) -> Sequence[Tensor]:
        """The weights."""
        ...

    @property
    def adam(self) -> Adam:
        """What remembers their gradients."""
        ...


class Learning(Protocol):
    """Networks as they learn."""

    @property
    def settings(self) -> DataclassInstance:
        """With which they learn."""
        ...

    @property
    def descents(self) -> Sequence[Descending]:
        """All that moves their weights, always in the same order."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Their weights by name."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any:
        """Takes weights of the same names and shapes; raises `RuntimeError` for others."""
        ...


def check(folder: Path, written: Sequence[str]) -> None:
    """Raises `BadSetting` where files would be overwritten that no checkpoint beside them says to be of learning."""
    if not os.path.lexists(folder / CHECKPOINT):
        for name in written:
            if os.path.lexists(folder / name):
                raise BadSetting(
                    f"{folder}: holds {name}, but no checkpoint to go on from; choose another folder with -o"
                )


def forget(path: Path, seen: int) -> None:
    """Drops the rows of a table that lie behind so many pictures: they will come again."""
    if not os.path.lexists(path):
        return
    try:
        heading, *rows = plain_file.content(path, LONGEST_LOG).decode("utf-8").splitlines(keepends=True) or [""]
        kept = "".join([heading, *(row for row in rows if int(row.split(",")[0]) <= seen)])
    except (OSError, ValueError) as error:  # no file, no text, or no number
        raise BadSetting(f"{path}: is no table of this run; remove it, or choose another folder with -o") from error
    with files.placed(path, force=True) as part:
        part.write_text(kept, "utf-8")


def log(path: Path, row: Mapping[str, float], columns: Sequence[str]) -> None:
    """Appends a row to a table, the first under a heading."""
    new = not (path.exists() and path.stat().st_size)
    with path.open("a", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        if new:
            table.writeheader()
        table.writerow({name: value if isinstance(value, int) else f"{value:.5g}" for name, value in row.items()})


def save(path: Path, learner: Learning, done: int) -> None:
    """Writes all that going on needs, whole or not at all."""
    optimizers = [_moments(descent.adam) for descent in learner.descents]
    kept = {"learner": learner.state_dict(), "optimizers": optimizers, "done": done}
    try:
        with files.placed(path, force=True) as part:
            torch.save({**kept, "settings": asdict(learner.settings)}, part)
    except RuntimeError as error:  # torch's way to say that the disk is full
        raise KohlError(f"{path}: cannot be written ({error}); free some space and go on with --resume") from error


def resumed(path: Path, learner: Learning, may_change: Collection[str]) -> int:
    """How many steps are done, once the learner is as it was then; only settings that `may_change` are others now."""
    if not path.exists():
        return 0
    unreadable = BadModel(f"{path}: this checkpoint cannot be read; remove it to begin again.")
    try:
        kept = torch_files.read(path)
    except (OSError, *torch_files.DAMAGED) as error:
        raise unreadable from error
    if not isinstance(kept, dict) or not isinstance(kept.get("settings"), dict):
        raise unreadable
    for name, value in asdict(learner.settings).items():
        if name not in may_change and kept["settings"].get(name, value) != value:
            raise BadSetting(f"{path}: was learned with {name} {kept['settings'][name]}; choose another folder")
    done, weights, optimizers = kept.get("done"), kept.get("learner"), kept.get("optimizers")
    if type(done) is not int or done < 0 or not _are_tensors(weights):
        raise unreadable
    if not isinstance(optimizers, list) or len(optimizers) != len(learner.descents):
        raise unreadable
    moments = [_remembered(*pair) for pair in zip(learner.descents, optimizers, strict=True)]
    try:
        learner.load_state_dict(weights)
    except RuntimeError as error:  # of other names or shapes
        raise unreadable from error
    for descent, found in zip(learner.descents, moments, strict=True):
        if found is None:
            raise unreadable
        descent.adam.index, descent.adam.means, descent.adam.squares = found
    return done


def steps(
    folder: Path,
    learner: Learning,
    *,
    step: Callable[[int], Mapping[str, float]],
    picture: Callable[[Path], None],
    total: int,
    report: int,
    save_s: float,
    columns: Sequence[str],
    may_change: Collection[str],
    said: Callable[[str], None],
) -> None:
    """Takes all steps that are left, from the checkpoint in the folder if there is one.

    Every `report` steps the losses are said and logged, every `save_s` seconds a checkpoint and a picture are written.
    """
    first = resumed(folder / CHECKPOINT, learner, may_change)
    if not first:
        save(folder / CHECKPOINT, learner, 0)  # from now on what is in the folder is known to be of this run
    forget(folder / LOG, first)
    saved = started = time.monotonic()
    for number in range(first, total):
        losses, done = step(number), number + 1
        if done % report == 0 or done == total:
            log(folder / LOG, {"steps": done, **losses}, ("steps", *columns))
            parts = "  ".join(f"{name} {loss:.4f}" for name, loss in losses.items())
            said(f"{done} of {total}  {parts}  {(time.monotonic() - started) / (done - first):.2f} s a step")
        if time.monotonic() - saved >= save_s or done == total:
            save(folder / CHECKPOINT, learner, done)
            picture(folder / PICTURE)
            saved = time.monotonic()


def _moments(adam: Adam) -> dict[str, Any]:
    """What Adam remembers, under the names that torch's has for it."""
    pairs = enumerate(zip(adam.means, adam.squares, strict=True))
    return {"state": {number: dict(zip(MOMENTS, (adam.index, *pair), strict=True)) for number, pair in pairs}}


def _remembered(descent: Descending, kept: Any) -> tuple[int, list[Tensor], list[Tensor]] | None:
    """What Adam shall remember, by what was `kept`, if that is of these weights; all else follows from the settings."""
    found = kept.get("state") if isinstance(kept, dict) else None
    if not isinstance(found, dict):
        return None
    if not found:  # before the first step
        return 0, [], []
    if [*found] != [*range(len(descent.weights))]:
        return None
    if not all(isinstance(each, dict) and set(each) == {*MOMENTS} for each in found.values()):
        return None
    (index, *others), means, squares = ([each[name] for each in found.values()] for name in MOMENTS)
    if type(index) is not int or index < 1 or any(type(other) is not int or other != index for other in others):
        return None
    for moments in (means, squares):
        for weight, moment in zip(descent.weights, moments, strict=True):
            if not isinstance(moment, Tensor) or moment.shape != weight.shape or moment.dtype != weight.dtype:
                return None
    return index, [mean.clone() for mean in means], [square.clone() for square in squares]


def _are_tensors(kept: Any) -> TypeGuard[dict[str, Tensor]]:
    """Whether that is a table of tensors by name."""
    return isinstance(kept, dict) and all(isinstance(name, str) and isinstance(x, Tensor) for name, x in kept.items())
