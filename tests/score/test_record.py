from __future__ import annotations

import json

from kohl.score.record import record
from kohl.types import FaceRow, Judgement, Row

JUDGES = {"dlib": Judgement(1.0, 0.2, 0.4, 0.01)}
FACE = FaceRow(0, (1, 2, 3, 4), "protected", None, JUDGES, {}, 30.1, 0.93, 0.08, 0.02, 1)


def test_a_row_is_the_json_object_that_the_readme_shows():
    row = Row("a.jpg", "b.jpg", "protected", None, 3.1, [FACE], {"search": {"names": ("x", "y")}}, 7, "0.1.0")
    assert json.dumps(record(row)) == (
        '{"photo": "a.jpg", "output": "b.jpg", "status": "protected", "reason": null, "seconds": 3.1, '
        '"faces": [{"index": 0, "box": [1, 2, 3, 4], "status": "protected", "reason": null, '
        '"judges": {"dlib": {"before": 1.0, "after": 0.2, "threshold": 0.4, "far": 0.01, "matches": false}}, '
        '"psnr": 30.1, "ssim": 0.93, "nlpd": 0.08, "chance": 0.02, "tries": 1}], '
        '"recipe": {"search": {"names": ["x", "y"]}}, "seed": 7, "version": "0.1.0"}'
    )


def test_the_look_is_there_if_there_is_any():
    look = {"lipstick": "deep red, matte"}
    assert record(Row("a.jpg", None, "failed", look=look))["look"] == look
    assert "look" not in record(Row("a.jpg", None, "failed"))


def test_notes_are_there_if_there_are_any():
    assert record(Row("a.jpg", None, "failed", notes=("a", "b")))["notes"] == ["a", "b"]
    assert "notes" not in record(Row("a.jpg", None, "failed"))


def test_references_are_there_when_they_were_given():
    face = FaceRow(0, (1, 2, 3, 4), "not_protected", references={"other.jpg": {"dlib": Judgement(0.7, 0.5, 0.4, 0.01)}})
    (found,) = record(Row("a.jpg", "b.jpg", "not_protected", faces=[face]))["faces"]
    assert found["references"]["other.jpg"]["dlib"]["matches"] is True
    assert list(found)[-6:] == ["references", "psnr", "ssim", "nlpd", "chance", "tries"]


def test_no_face_found_is_null_and_so_is_infinity():
    face = FaceRow(
        0, (1, 2, 3, 4), "not_protected", None, {"x": Judgement(1.0, None, 0.4, 0.01)}, {}, float("inf"), 1.0
    )
    (found,) = record(Row("a.jpg", None, "not_protected", faces=[face]))["faces"]
    assert found["judges"]["x"]["matches"] is None
    assert found["psnr"] is None
    assert found["ssim"] == 1.0
