"""`benchmarks/figures.py`: tables of cells in a Markdown file, of which no number is typed."""

import json
import sys
from pathlib import Path

import pytest
from benched import CELLS

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import figures

TEXT = """# Figures

<!-- kohl bench: verification -->
old | numbers
<!-- end -->

Kept.

<!-- kohl bench: made -->
<!-- end -->
"""


@pytest.fixture
def readme(tmp_path, monkeypatch):
    (tmp_path / "cells").mkdir()
    for one in CELLS:
        (tmp_path / "cells" / f"{one['key']}.json").write_text(json.dumps(one))
    path = tmp_path / "README.md"
    path.write_text(TEXT)
    monkeypatch.setattr("sys.argv", ["figures.py", str(path), str(tmp_path / "cells")])
    return path


def test_tables_take_their_places_and_stay_there(readme, monkeypatch):
    monkeypatch.setattr("sys.argv", [*sys.argv, "--check"])
    assert figures.main() == 1
    assert readme.read_text() == TEXT
    monkeypatch.setattr("sys.argv", sys.argv[:-1])
    assert figures.main() == 0
    found = readme.read_text()
    assert "| default | 75.0 [50.0, 100.0] | 0.0 [0.0, 0.0] | 34.0 [33.0, 35.0] |" in found
    assert "set: 2 photos of 2 people" in found
    assert "old | numbers" not in found
    assert "\n\nKept.\n\n" in found
    monkeypatch.setattr("sys.argv", [*sys.argv, "--check"])
    assert figures.main() == 0


def test_a_table_that_there_is_not_is_an_error(readme):
    readme.write_text("<!-- kohl bench: nothing -->\n<!-- end -->")
    with pytest.raises(KeyError):
        figures.main()
