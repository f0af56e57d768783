"""Cells: their keys, and what is read and written."""

import json

import pytest
from benched import CELLS, scores

from kohl.bench import cells
from kohl.bench.sound import sound
from kohl.errors import BadSetting


def test_a_key_is_of_content_and_not_of_order():
    assert cells.key(a=1, b={"x": [1, 2], "y": None}) == cells.key(b={"y": None, "x": (1, 2)}, a=1)
    assert len({cells.key(a=1), cells.key(a=2), cells.key(b=1), cells.key(a=1.5)}) == 4


def test_written_is_read_again_and_infinity_becomes_nothing(tmp_path):
    where = cells.path(tmp_path / "new", "PGD at 34 dB, onnx:x/../y 0", "ab" * 32)
    assert where.name == "pgd-at-34-db-onnx-x-..-y-0-abababababababab.json"
    assert cells.read(where, "ab" * 32) is None
    content = {"kind": "photo", "file": "x", "figures": {"psnr": float("inf")}, "reason": ""}
    written = cells.write(where, "ab" * 32, content)
    assert written == {"key": "ab" * 32, **content, "figures": {"psnr": None}}
    assert cells.read(where, "ab" * 32) == written
    assert cells.every(tmp_path / "new") == [written]
    assert [path.name for path in where.parent.iterdir()] == [where.name]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"key": "cd"}', "[" * 100_000])
def test_another_file_in_its_place_is_refused(tmp_path, content):
    where = tmp_path / "x.json"
    where.write_text(content)
    with pytest.raises(BadSetting, match="is no cell of this benchmark"):
        cells.read(where, "ab" * 32)
    with pytest.raises(BadSetting, match="is no cell of this benchmark"):
        cells.every(tmp_path)


def test_the_hash_of_a_file_follows_its_content(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"one")
    first = cells.sha256(path)
    path.write_bytes(b"other")
    assert first != cells.sha256(path)


def test_weights_are_those_of_cards_and_of_files(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(b"model")
    bare = cells.weights([f"onnx:{path}"])
    (tmp_path / "m.onnx.toml").write_text("size = 112")
    assert cells.weights([f"onnx:{path}"]) != bare
    found = cells.weights(["sface", "dlib", "sface"])
    assert list(found) == ["dlib", "sface"]
    assert found["sface"].startswith("fb143eea")
    assert len(found["dlib"].split()) == 2  # with its landmarks


def test_what_made_it_can_be_said_in_json():
    assert {"version", "commit", "hardware"} == set(json.loads(json.dumps(cells.made_by())))


# -- what a cell must hold


def changed(cell, path, value):
    """The cell with another value at a path of names and indices; without it if the value is `...`."""
    first, *rest = path
    copy = dict(cell) if isinstance(cell, dict) else list(cell)
    if rest:
        copy[first] = changed(copy[first], rest, value)
    elif value is ...:
        del copy[first]
    else:
        copy[first] = value
    return copy


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["kind"], "another"),
        (["attack"], ...),
        (["attack"], 3),
        (["way"], "stolen"),
        (["seed"], -1),
        (["seed"], True),
        (["data", "photos"], "2"),
        (["data"], []),
        (["judge"], None),
        (["thresholds"], {"0.01": "high"}),
        (["thresholds"], {"one": 0.5}),
        (["thresholds"], {"0.01": float("nan")}),
        (["probes", 0, "genuine"], []),
        (["probes", 0, "genuine", 0], "near"),
        (["probes", 0, "genuine", 0], 1e300),
        (["probes", 0, "person"], ...),
        (["probes", 0, "rank"], 1.5),
        (["pairs", 0], [0, 2, 0.5]),
        (["pairs", 0], [0, 1]),
        (["pairs"], ...),
        (["white box"], 1),
        (["source"], "x" * 10**6),
    ],
)
def test_a_cell_that_lacks_something_is_none(path, value):
    whole = scores("default", 0.1, 0.2, 0.3, 0.4)
    assert sound(whole)
    assert not sound(changed(whole, path, value))


def test_every_cell_that_is_written_is_sound():
    assert all(map(sound, CELLS))
    assert not any(map(sound, (None, [], "cell", {"kind": "scores"}, {"key": "a", "kind": []})))
