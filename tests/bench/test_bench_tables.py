"""Tables as text, CSV and LaTeX."""

import csv
import math

import pytest

from kohl.bench import tables
from kohl.bench.counting import Figure
from kohl.bench.tables import Table, said

SHARE = Figure(93.25, 88.0, 97.5, 40, 5, (92.0, 94.5))
ALONE = Figure(0.125, math.nan, math.nan, 3, 1, (0.125,))
TABLE = Table(
    "psr",
    "PSR & more",
    "100 %",
    ("onnx:a_b", "dB"),
    (("pgd", (SHARE, ALONE)), ("~x\\y", (None, "no"))),
    (1, 3),
    of="lfw",
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (SHARE, "93.2 [88.0, 97.5] ±1.2"),
        (ALONE, "0.1"),
        (None, "–"),
        ("no", "no"),
        (Figure(math.nan, 0, 0, 0, 0, ()), "–"),
    ],
)
def test_figures_for_people(value, text):
    assert said(value) == text


def test_text_is_in_columns():
    lines = tables.text(TABLE).splitlines()
    assert lines[:2] == ["lfw: PSR & more", "100 %"]
    assert lines[2].index("dB") == lines[4].index("0.125")
    assert lines[4] == "pgd   93.2 [88.0, 97.5] ±1.2  0.125"
    assert lines[5] == "~x\\y  –                       no"


def test_csv_has_every_number():
    rows = list(csv.DictReader(tables.as_csv([TABLE]).splitlines()))
    assert rows[0] == {
        "set": "lfw",
        "table": "psr",
        "row": "pgd",
        "column": "onnx:a_b",
        "value": "93.25",
        "low": "88",
        "high": "97.5",
        "count": "40",
        "people": "5",
        "seeds": "92 94.5",
    }
    assert (rows[1]["low"], rows[1]["value"]) == ("", "0.125")
    assert [row["value"] for row in rows[2:]] == ["no"]


def test_latex_obeys_no_name():
    found = tables.latex([TABLE])
    assert "\\caption{lfw: PSR \\& more. 100 \\%}" in found
    assert "onnx:a\\_b & dB \\\\" in found
    assert "pgd & 93.2 [88.0, 97.5] $\\pm$1.2 & 0.125 \\\\" in found
    assert "\\textasciitilde{}x\\textbackslash{}y & -- & no" in found
    assert "\\begin{tabular}{lrr}" in found
