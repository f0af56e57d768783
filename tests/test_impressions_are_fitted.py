"""How what people see is fitted: `training/impressions.py`, on numbers of a known map and on three portraits."""

import argparse
import importlib
import json
import shutil
from pathlib import Path

import bundled
import numpy as np
import pytest

from kohl.zoo.files import store
from kohl.zoo.impressions import RATINGS

FACES = Path(__file__).parent / "faces"
TRAINING = Path(__file__).parent.parent / "training"


@pytest.fixture(scope="module")
def impressions():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TRAINING)
        return importlib.import_module("impressions")


def test_the_map_that_made_the_ratings_is_found_again(impressions):
    numbers = np.random.default_rng(0)
    embeddings, known = numbers.normal(size=(3000, 16)), numbers.normal(size=(16, len(RATINGS)))
    np.testing.assert_allclose(impressions.fitted(embeddings, embeddings @ known), known, atol=0.01)
    assert set(impressions.agreement(embeddings, embeddings @ known).values()) == {1.0}


def test_ratings_that_have_nothing_to_do_with_the_faces_are_not_told(impressions):
    numbers = np.random.default_rng(0)
    found = impressions.agreement(numbers.normal(size=(500, 16)), numbers.normal(size=(500, len(RATINGS))))
    assert max(map(abs, found.values())) < 0.2


@pytest.fixture(scope="module")
def portraits(tmp_path_factory):
    """Three portraits, and what people said of them."""
    folder = tmp_path_factory.mktemp("omi")
    faces = sorted(FACES.glob("*.jpg"))
    rows = [
        ",".join([str(int(face.stem)), *(str(10 * row + column) for column in range(len(RATINGS)))])
        for row, face in enumerate(faces)
    ]
    (folder / "ratings.csv").write_text("\n".join([",".join(["stimulus", *RATINGS]), *rows]), encoding="utf-8")
    return folder / "ratings.csv"


def test_the_file_has_a_map_for_each_recogniser_and_the_decoys(impressions, portraits, tmp_path, capsys, monkeypatch):
    output, few = tmp_path / "out.safetensors", [bundled.load("decoys")[number] for number in range(3)]
    load = impressions.cards.load
    monkeypatch.setattr(impressions.cards, "load", lambda *name: few if name == ("decoys",) else load(*name))
    impressions.fit(argparse.Namespace(faces=FACES, ratings=portraits, output=output))
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["recogniser"]: line["portraits"] for line in said} == dict.fromkeys(
        ("sface", "dlib", "faceres", "facelib"), 3
    )
    made, shipped = store.tensors(output), store.tensors(store.bundled("impressions.safetensors"))
    assert len(made["decoys"]) == len(few)
    shipped |= {"decoys": shipped["decoys"][: len(few)]}
    assert {name: one.shape for name, one in made.items()} == {name: one.shape for name, one in shipped.items()}


def moves(impressions, portraits, after, capsys):
    impressions.measure(argparse.Namespace(faces=FACES, ratings=portraits, before=FACES, after=after, judge="sface"))
    return json.loads(capsys.readouterr().out.splitlines()[1])


def test_photos_that_did_not_change_moved_nowhere(impressions, portraits, tmp_path, capsys):
    for face in FACES.glob("*.jpg"):
        shutil.copy(face, tmp_path)
    moved = moves(impressions, portraits, tmp_path, capsys)
    assert moved["photos"] == 3
    assert {abs(moved[name]) for name in RATINGS} == {0.0}


def test_a_photo_of_somebody_else_moved_as_far_as_their_ratings_say(impressions, portraits, tmp_path, capsys):
    first, _, last = sorted(FACES.glob("*.jpg"))  # every rating of the last is higher
    shutil.copy(last, tmp_path / first.name)
    up = moves(impressions, portraits, tmp_path, capsys)
    assert up["photos"] == 1
    assert all(up[name] > 0.3 for name in RATINGS)  # in sex, from a low rating upwards is towards the other
    (tmp_path / first.name).unlink()
    shutil.copy(first, tmp_path / last.name)
    down = moves(impressions, portraits, tmp_path, capsys)
    assert down["gender"] > 0.3  # from a high rating downwards is, too
    assert down["age"] < -0.3
