"""What became of one photo as one JSON object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

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


def plain(value: Any) -> Any:
    """`value` with nothing in it but what JSON can say."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
