"""`benchmarks/figures.py`: tables of cells in a Markdown file, of which no number is typed."""

import json
import sys
from pathlib import Path

import pytest
from benched import CELLS

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import figures

from kohl.bench import tables

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


def test_of_a_wide_table_only_the_columns_that_are_named(readme):
    readme.write_text("<!-- kohl bench: verification | PSNR, dB | face lost, % -->\n<!-- end -->\n")
    assert figures.main() == 0
    found = readme.read_text()
    assert "|  | PSNR, dB | face lost, % |" in found
    assert "| default | 34.0 [33.0, 35.0] | 0.0 [0.0, 0.0] |" in found
    readme.write_text("<!-- kohl bench: verification | beauty -->\n<!-- end -->\n")
    with pytest.raises(KeyError, match="verification has no column beauty; it has PSR"):
        figures.main()


def test_each_column_that_is_named_keeps_its_digits():
    table = tables.Table("t", "T", "", ("a", "b"), (("row", ("1", "2")),), (1, 3))
    chosen = figures.chosen_of(table, ["b"])
    assert (chosen.columns, chosen.rows, chosen.digits) == (("b",), (("row", ("2",)),), (3,))
