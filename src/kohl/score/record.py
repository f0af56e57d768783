"""What became of one photo as one JSON object, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from kohl.status import Status
from kohl.types import FaceRow, Judgement, Row


def record(row: Row) -> dict[str, Any]:
    """The row as plain JSON values, in the order of its fields; each judgement says whether it matches.

    `references` is there only if photos were given to compare with, `look` and `notes` only if there are any.
    JSON knows no infinity: the PSNR of an unchanged face becomes null.
    """
    values: dict[str, Any] = plain({**asdict(row), "faces": [_face(face) for face in row.faces]})
    return {name: value for name, value in values.items() if name not in ("look", "notes") or value}


def _face(face: FaceRow) -> dict[str, Any]:
    references = {photo: _judgements(judges) for photo, judges in face.references.items()}
    values = {**asdict(face), "judges": _judgements(face.judges), "references": references}
    return {name: value for name, value in values.items() if name != "references" or references}


def _judgements(judges: Mapping[str, Judgement]) -> dict[str, dict[str, Any]]:
    return {name: {**asdict(judgement), "matches": judgement.matches} for name, judgement in judges.items()}


def row_of(values: Mapping[str, Any]) -> Row:
    """The row that `record` gave these values of; raises `ValueError`, `TypeError` or `KeyError` for any others."""
    return Row(
        photo=_text(values["photo"]),
        output=None if values["output"] is None else _text(values["output"]),
        status=Status(values["status"]),
        reason=None if values["reason"] is None else _text(values["reason"]),
        seconds=_number(values["seconds"]),
        faces=[_face_of(face) for face in values["faces"]],
        recipe=_table(values["recipe"]),
        seed=int(values["seed"]),
        version=_text(values["version"]),
        look={_text(name): _text(said) for name, said in _table(values.get("look", {})).items()},
        notes=[_text(note) for note in values.get("notes", ())],
    )


def _face_of(values: Mapping[str, Any]) -> FaceRow:
    left, top, width, height = (int(_number(value)) for value in values["box"])
    figures = {name: _maybe(values.get(name)) for name in ("psnr", "ssim", "nlpd", "chance")}
    references = _table(values.get("references", {}))
    return FaceRow(
        index=int(values["index"]),
        box=(left, top, width, height),
        status=Status(values["status"]),
        reason=None if values["reason"] is None else _text(values["reason"]),
        judges=_judgements_of(values["judges"]),
        references={_text(photo): _judgements_of(judges) for photo, judges in references.items()},
        tries=None if values.get("tries") is None else int(values["tries"]),
        **figures,
    )


def _judgements_of(values: Mapping[str, Any]) -> dict[str, Judgement]:
    return {
        _text(name): Judgement(
            _maybe(said["before"]), _maybe(said["after"]), _number(said["threshold"]), _number(said["far"])
        )
        for name, said in _table(values).items()
    }


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("must be a text")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("must be a number")
    return float(value)


def _maybe(value: Any) -> float | None:
    return None if value is None else _number(value)


def _table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("must be a table")
    return value


def plain(value: Any) -> Any:
    """`value` with nothing in it but what JSON can say."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
