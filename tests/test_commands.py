from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from kohl.cli import main
from kohl.zoo import cards


@pytest.fixture
def photos(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(name)


class Judge:
    thresholds = {0.01: 0.4}  # noqa: RUF012

    def __init__(self, name):
        self.name = name

    def compare(self, probe, gallery, *, box=None):
        return [{"yes": 0.5, "no": 0.1, "blind": None}[self.name] for _ in gallery]


@pytest.mark.parametrize(
    ("judges", "code", "said"),
    [
        (["yes"], 0, "yes  0.50, threshold 0.40: same person\n"),
        (["no", "blind"], 0, "no  0.10, threshold 0.40: not the same person\nblind  finds no face in one of them\n"),
        (["blind"], 3, "blind  finds no face in one of them\n"),
    ],
)
def test_compare_asks_every_judge(photos, monkeypatch, capsys, judges, code, said):
    monkeypatch.setattr(cards, "judge", Judge)
    assert main(["compare", "a.png", "b.png", *(f"--judge={judge}" for judge in judges)]) == code
    assert capsys.readouterr().out == said


def test_compare_in_json(photos, monkeypatch, capsys):
    monkeypatch.setattr(cards, "judge", Judge)
    assert main(["compare", "a.png", "b.png", "--judge", "yes", "--json"]) == 0
    judges = {"yes": {"score": 0.5, "threshold": 0.4, "far": 0.01, "matches": True}}
    assert json.loads(capsys.readouterr().out) == {"a": "a.png", "b": "b.png", "judges": judges}


def test_compare_refuses_what_is_no_photo(photos, capsys):
    assert main(["compare", "a.png", "missing.png"]) == 1
    assert capsys.readouterr().err == "kohl: missing.png: no such file; check its name\n"
    assert main(["compare", "a.png", "b.png", "--judge", "dlbi"]) == 2
    assert "dlbi: no such model; did you mean" in capsys.readouterr().err


def test_models_are_listed_with_their_licences(capsys):
    assert main(["models", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [model["name"] for model in listed] == [card.name for card in cards.CARDS]
    fields = {"name", "size", "sha256", "licence", "commercial", "source", "present"}
    assert all(set(model) == fields for model in listed)
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert all(card.sha256 in printed and card.source in printed for card in cards.CARDS)
