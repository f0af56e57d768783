"""What became of a photo, as JSON for programs and in words for people: the same words as on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kohl.makeup.words.look import Look, sentence
from kohl.score.headline import headline
from kohl.score.record import record
from kohl.score.verify import in_a_hundred, says
from kohl.types import FaceRow, Judgement, Row
from kohl.ui.desk import Desk, State, Work
from kohl.ui.tray import Kept, Protected

NAMES = {"sface": "SFace", "faceres": "FaceRes"}  # as they are written; others are as their cards call them


def job(kept: Kept, desk: Desk) -> dict[str, Any]:
    """How far a photo is; once it is done, its row and the words."""
    work = kept.work
    assert work is not None  # a photo without work is no job
    found: dict[str, Any] = {"id": kept.id, "name": kept.name, **state(work, desk)}
    if work.state == State.DONE:
        result: Protected = work.result
        found |= {"result": kept.result_name, "bytes": result.path.stat().st_size, **row(result.row, kept)}
    return found


def state(work: Work, desk: Desk) -> dict[str, Any]:
    """How far any work is."""
    found = {"state": work.state, "progress": round(work.progress, 3), "before": desk.before(work)}
    return {**found, "error": work.refused.said} if work.refused else found


def row(found: Row, kept: Kept) -> dict[str, Any]:
    """The row as `kohl protect --json` prints it, with the names that its owner gave; and the words."""
    named = replace(found, photo=kept.name, output=kept.result_name)
    counted = replace(found, faces=[replace(one, index=one.index + 1) for one in found.faces])  # people count from 1
    words = {
        "headline": headline([counted]),
        "look": sentence(found.look),
        "faces": [face(one) for one in found.faces],
    }
    return {"row": record(named), "words": words}


def face(found: FaceRow) -> dict[str, Any]:
    """One face."""
    words: dict[str, Any] = {
        "status": found.status.replace("_", " "),
        "judges": [_judge(name, judgement) for name, judgement in found.judges.items()],
    }
    return words if found.chance is None else {**words, "chance": chance(found.chance)}


def chance(found: float) -> str:
    """An estimate, never a promise."""
    return f"{in_a_hundred(found)} recognisers like those asked would still match (estimated)"


def look(found: Look) -> Mapping[str, Any]:
    """What was made of words."""
    return {"look": sentence(found.said), "notes": list(found.notes)}


def _judge(name: str, judgement: Judgement) -> dict[str, Any]:
    return {"name": NAMES.get(name, name), "says": says(judgement), "matches": judgement.matches}
