from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kohl.errors import BadSetting
from kohl.score.verify import judge_face, says, threshold, verdict
from kohl.types import Judgement

A, B, REFERENCE = Path("a.jpg"), Path("b.jpg"), Path("other.jpg")


@dataclass(frozen=True)
class Judge:
    """Knows the similarity of every pair of files by heart."""

    scores: dict[tuple[Path, Path], float | None]
    name: str = "toy"
    thresholds: dict[float, float] = field(default_factory=lambda: {0.01: 0.4, 0.1: 0.3})

    def compare(self, probe, gallery, *, box=None, at=None):
        assert box == (1.0, 2.0, 3.0, 4.0)
        return [self.scores[probe, photo] for photo in gallery]


def judged(before, after):
    return Judgement(before, after, 0.4, 0.01)


KEPT, GONE, LOST, UNSEEN = judged(1.0, 0.7), judged(1.0, 0.2), judged(1.0, None), judged(None, None)


def test_a_face_is_compared_with_the_original_and_every_reference():
    scores = {(A, A): 1.0, (A, REFERENCE): 0.8, (B, A): 0.1, (B, REFERENCE): None}
    judges, references = judge_face([Judge(scores)], A, B, [REFERENCE], (1.0, 2.0, 3.0, 4.0), 0.1)
    assert judges == {"toy": Judgement(1.0, 0.1, 0.3, 0.1)}
    assert references == {"other.jpg": {"toy": Judgement(0.8, None, 0.3, 0.1)}}


def test_without_references_there_are_none():
    scores = {(A, A): 1.0, (B, A): 0.1}
    two = [Judge(scores), Judge(scores, name="other")]
    judges, references = judge_face(two, A, B, [], (1.0, 2.0, 3.0, 4.0), 0.01)
    assert list(judges) == ["toy", "other"]
    assert references == {}


def test_a_rate_without_a_threshold_is_a_bad_setting():
    with pytest.raises(BadSetting, match=r"models\.far: the toy judge has no threshold at 0\.05; it has 0\.01, 0\.1"):
        threshold(Judge({}), 0.05)


@pytest.mark.parametrize(
    ("judges", "references", "status", "reason"),
    [
        ({"x": GONE, "y": GONE}, {}, "protected", None),
        ({"x": GONE}, {"r": {"x": GONE}}, "protected", None),
        ({"x": GONE, "y": KEPT}, {}, "not_protected", "the y judge still matches the original (0.70, threshold 0.40)"),
        ({"x": judged(1.0, 0.4)}, {}, "not_protected", "the x judge still matches the original (0.40, threshold 0.40)"),
        ({"x": GONE}, {"folder/r": {"x": KEPT}}, "not_protected", "the x judge still matches r (0.70, threshold 0.40)"),
        (
            {"x": GONE, "y": LOST},
            {},
            "not_protected",
            "the y judge finds no face in the result, so it could not compare",
        ),
        ({"x": UNSEEN}, {}, "not_protected", "no judge finds a face to compare in the original"),
        ({}, {}, "not_protected", "no judge finds a face to compare in the original"),
        ({"x": GONE}, {"r": {"x": UNSEEN}}, "not_protected", "no judge finds a face to compare in r"),
        ({"x": GONE, "y": GONE}, {"r": {"x": GONE, "y": UNSEEN}}, "protected", None),
        ({"x": GONE, "y": UNSEEN}, {}, "protected", "not judged by y, which found no face in the original"),
        (
            {"x": GONE, "y": judged(None, 0.7)},
            {},
            "not_protected",
            "the y judge still matches the original (0.70, threshold 0.40)",
        ),
    ],
)
def test_protected_means_that_somebody_looked_and_nobody_matched(judges, references, status, reason):
    assert verdict(judges, references) == (status, reason)


@pytest.mark.parametrize(
    ("judgement", "words"),
    [
        (KEPT, "still matches"),
        (GONE, "no longer matches"),
        (LOST, "finds no face in the result, so it could not compare"),
        (UNSEEN, "found no face to compare"),
        (judged(0.3, 0.2), "does not match, and did not before"),
    ],
)
def test_a_judgement_in_words(judgement, words):
    assert says(judgement) == words
