"""`benchmarks/scores.py`: which pictures are drawn, and what scores become; no picture is scored here."""

import csv
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from photos import SAMPLE
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import scores

KEY = [
    ["1", "new", "blush", "a.jpg", "pink blush"],
    ["2", "old", "blush", "a.jpg", "pink blush"],
    ["3", "old", "style", "b.jpg", "goth"],
    ["4", "new", "style", "b.jpg", "goth"],
]


def test_every_product_is_drawn_and_each_person_before_one_comes_again():
    people = [Path(f"{number}.jpg") for number in range(7)]
    pictures = scores.chosen(people, 42, random.Random(0))
    assert len(pictures) == len(set(pictures)) == 42
    products = Counter(product for product, *_ in pictures)
    assert products.keys() == scores.asked().keys() >= {*scores.SKIN, "lipstick", "style", "two products"}
    assert set(Counter(face for _, face, _ in pictures).values()) == {6}
    assert pictures == scores.chosen(people, 42, random.Random(0)) != scores.chosen(people, 42, random.Random(1))


def test_scores_become_means_by_version_and_product():
    given = [["4", "3", "2"], ["1", "2", "3"], ["2", "1", "0"], ["3", "2", "1"]]
    table = [*scores.summary(KEY, given)]
    assert table[1] == "| all | 4 | 1.50 · 0.50 | 2.50 · 2.50 |"
    assert table[2:4] == ["| blush | 2 | 1.00 · 0.00 | 2.00 · 3.00 |", "| style | 2 | 2.00 · 1.00 | 3.00 · 2.00 |"]
    assert [line.strip() for line in table[4:]] == ["old: realism 0 on 1 of 2", "new: realism 0 on 0 of 2"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [([], "not scored: 4"), ([["4", "4", "1"]], "not from 0 to 3: 4"), ([["4", "1", "-1"]], "not from 0 to 3: 4")],
)
def test_what_is_missing_or_no_score_is_refused(line, reason):
    given = [[number, "1", "1"] for number in "123"]
    with pytest.raises(ValueError, match="twice"):
        [*scores.summary(KEY, [*given, ["3", "1", "1"]])]
    with pytest.raises(ValueError, match="no picture"):
        [*scores.summary(KEY, [*given, ["5", "1", "1"]])]
    with pytest.raises(ValueError, match=reason):
        [*scores.summary(KEY, given + line)]


def test_a_face_is_drawn_bare_and_made_up_and_a_file_of_scores_is_read(tmp_path, capsys):
    (tile,) = scores.drawn([("lipstick", str(SAMPLE), "red lipstick")])
    width, height = scores.FACE
    assert tile.shape == (height, 2 * width, 3)
    change = np.abs(tile[:, width:].astype(int) - tile[:, :width]).max(-1) > 20
    rows, columns = np.nonzero(change)
    assert change.mean() < 0.1
    assert height * 0.55 < rows.mean() < height * 0.9
    assert width * 0.3 < columns.mean() < width * 0.7
    assert Image.fromarray(scores.label(tile, "1: red lipstick")).size == (2 * width, height + scores.LINE)
    (tmp_path / "key").mkdir()
    for name, lines in {"key/key.csv": KEY, "scores.csv": [[number, "3", "3"] for number, *_ in KEY]}.items():
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(lines)
    scores.main(["read", str(tmp_path)])
    assert "| all | 4 | 3.00 · 3.00 | 3.00 · 3.00 |" in capsys.readouterr().out
