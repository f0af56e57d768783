"""Cells: their keys, and what is read and written."""

import json

import pytest

from kohl.bench import cells
from kohl.errors import BadSetting


def test_a_key_is_of_content_and_not_of_order():
    assert cells.key(a=1, b={"x": [1, 2], "y": None}) == cells.key(b={"y": None, "x": (1, 2)}, a=1)
    assert len({cells.key(a=1), cells.key(a=2), cells.key(b=1), cells.key(a=1.5)}) == 4


def test_written_is_read_again_and_infinity_becomes_nothing(tmp_path):
    where = cells.path(tmp_path / "new", "PGD at 34 dB, onnx:x/../y 0", "ab" * 32)
    assert where.name == "pgd-at-34-db-onnx-x-..-y-0-abababababababab.json"
    assert cells.read(where, "ab" * 32) is None
    written = cells.write(where, "ab" * 32, {"kind": "quality", "psnr": float("inf"), "probes": (1, 2)})
    assert (
        cells.read(where, "ab" * 32)
        == written
        == {
            "key": "ab" * 32,
            "kind": "quality",
            "psnr": None,
            "probes": [1, 2],
        }
    )
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
