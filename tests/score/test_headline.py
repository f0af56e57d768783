import pytest

from kohl.score.headline import headline
from kohl.types import FaceRow, Judgement, Row

GONE, KEPT = Judgement(1.0, 0.2, 0.4, 0.01), Judgement(1.0, 0.7, 0.4, 0.01)


def row(status, *faces):
    return Row("a.jpg", None, status, faces=[FaceRow(index, (0, 0, 9, 9), *face) for index, face in enumerate(faces)])


OPEN = ("skipped", "cut off", {"x": GONE, "y": KEPT})
BLURRED = ("skipped", "too small", {"x": Judgement(None, None, 0.4, 0.01)})
BY_REFERENCE = ("skipped", "cut off", {"x": GONE}, {"other.jpg": {"x": KEPT}})
LEFT_OUT = ("left_out", "left out")
GOOD = ("protected", None, {"x": GONE})


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("protected")], "This photo is protected"),
        ([row("failed")], "This photo is not protected"),
        ([row("protected"), row("protected")], "All 2 photos are protected"),
        ([row("no_face"), row("failed")], "None of 2 photos are protected"),
        ([row("protected"), row("failed")], "1 of 2 photos is protected"),
        ([row("protected", GOOD, BLURRED)], "This photo is protected"),
        (
            [row("not_protected", GOOD, OPEN)],
            "This photo is not protected: 1 face was skipped and can still be recognised",
        ),
        (
            [row("not_protected", OPEN, BY_REFERENCE), row("protected")],
            "1 of 2 photos is protected: 2 faces were skipped and can still be recognised",
        ),
        (
            [row("protected", LEFT_OUT, GOOD, LEFT_OUT)],
            "This photo is protected; 2 faces were left out (0, 2), as you asked",
        ),
        (
            [row("protected", GOOD, LEFT_OUT), row("protected")],
            "All 2 photos are protected; 1 face was left out, as you asked",
        ),
    ],
)
def test_the_headline_counts_and_tells_what_is_still_open(rows, words):
    assert headline(rows) == words
