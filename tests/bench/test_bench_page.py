"""The page: what it draws, what it escapes, and that it needs nothing but itself."""

import re
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise

import pytest
from benched import CELLS, cell, quality, scores

from kohl.bench import findings, groups, plots, report
from kohl.bench.counting import Figure
from kohl.bench.results import Results
from kohl.errors import BadSetting


def test_a_curve_goes_through_the_strengths_of_one_attack():
    found = plots.trade(Results(CELLS), "strict")
    curves = {curve.name: curve for curve in found.curves}
    assert {name: curve.ours for name, curve in curves.items()} == {"default": True, "pgd": False}
    height = found.bottom - found.top
    assert [dot.y for dot in curves["pgd"].dots] == pytest.approx(
        [found.bottom - height / 2, found.bottom - height / 4]
    )
    (dot,) = curves["default"].dots
    assert dot.y == pytest.approx(found.bottom - 0.75 * height)
    left, right = curves["pgd"].dots
    assert (dot.x - left.x) / (right.x - left.x) == pytest.approx((34 - 30) / (38 - 30))
    assert dot.low > dot.y > dot.high  # of the interval, 50 and 100 %, on a canvas that counts downwards
    assert curves["pgd"].path[0] == "M"
    assert curves["pgd"].path.count("L") == 1
    assert [number for _, number in found.lines] == ["0", "25", "50", "75", "100"]


def test_names_do_not_lie_on_each_other():
    crowd = [
        part for index in range(6) for part in (quality(f"attack{index}", 34.0), scores(f"attack{index}", 0.1, 0.9))
    ]
    labels = sorted(curve.label[1] for curve in plots.trade(Results(crowd), "strict").curves)
    assert all(later - earlier >= plots.LINE for earlier, later in pairwise(labels))


def test_nothing_to_draw():
    assert plots.trade(Results(CELLS[:1]), "strict") is None


def test_bars_are_shares_with_intervals():
    protected, linked = plots.bars(Results(CELLS))
    assert [(bar.name, bar.value, bar.low, bar.high) for bar in protected.bars] == [
        ("clean", 0.0, 0.0, 0.0),
        ("default", 75.0, 50.0, 100.0),
        ("pgd@0.2", 25.0, 0.0, 50.0),
        ("pgd@0.8", 50.0, 50.0, 50.0),
    ]
    assert {bar.value for bar in linked.bars} == {100.0}


@pytest.fixture
def written(tmp_path):
    hostile = [
        quality('<b>"x', 33.0),
        scores('<b>"x', 0.1, 0.9),
        scores('<b>"x', 0.1, 0.9, posting="half"),
        scores("clean", 0.9, 0.9, posting="half"),
    ]
    report.write(Results([*CELLS, *hostile]), tmp_path, notes=["<script>note</script>"])
    return (tmp_path / "index.html").read_text()


def test_the_page_allows_its_own_style_and_nothing_else(written):
    (style,) = re.findall(r"<style>(.*?)</style>", written, re.DOTALL)
    allowed = b64encode(sha256(style.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{allowed}&#39;" in written or (
        f"default-src 'none'; style-src 'sha256-{allowed}'" in written
    )
    assert "style=" not in written
    assert not re.search(r"(src|href)=|https?://|<script", written)


def test_names_from_outside_are_text(written):
    assert '<b>"x' not in written
    assert "&lt;b&gt;&#34;x" in written
    assert "&lt;script&gt;note" in written


def test_every_number_of_the_tables_is_on_the_page(written):
    for text in ("75.0 [50.0, 100.0]", "34.0 [33.0, 35.0]", "set: 2 photos of 2 people, 1 seed", "commit abc"):
        assert text in written


def test_grids_are_shaded_by_tens(written):
    grid = written[written.index('<table class="grid">') :]
    assert 'class="p80">75.0' in grid  # of 75 %, the nearest ten
    assert 'class="p0">0.0' in grid


def test_sets_stand_apart(tmp_path):
    other = [{**one, "data": {**one["data"], "name": "other"}} for one in CELLS]
    said = report.write(Results([*CELLS, *other]), tmp_path, notes=())
    assert "\n\nother: Verification at a false-accept rate of 0.01\n" in said
    assert said.startswith("set: Verification at a false-accept rate of 0.01\n")
    aimed = [{**one, "goal": "impersonate"} for one in CELLS]
    parts = report.by_data(Results([*CELLS, *other, *aimed]))
    assert [report.name(part) for part in parts] == ["set", "other", "set, impersonation"]


def test_cells_of_one_name_and_two_settings_are_refused(tmp_path):
    report.check_one([*CELLS, *CELLS], tmp_path)
    with pytest.raises(BadSetting, match=r"holds pgd@0\.2 on set, with other settings"):
        report.check_one([*CELLS, {**CELLS[-3], "key": "another"}], tmp_path)


# -- groups, and attackers who adapt


def test_groups_are_of_photos_or_of_people(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text("# as seen\nname,tone,age\na,light,\nb1,dark,young\n")
    labels = groups.labels(path)
    assert labels == {"a": {"tone": "light"}, "b1": {"tone": "dark", "age": "young"}}
    one = scores("default", 0.1, 0.2, 0.3, 0.6)
    for probe, photo in zip(one["probes"], ("a1.jpg", "b1.jpg"), strict=True):
        probe["photo"] = photo
    tables = {table.title: table for table in findings.grouped(Results([one], labels=labels))}
    assert list(tables) == ["PSR by tone, before strict", "PSR by age, before strict"]
    tone = tables["PSR by tone, before strict"]
    assert tone.columns == ("dark", "light", "gap")
    assert [value.value for value in tone.rows[0][1][:2]] == [50.0, 100.0]
    assert tone.rows[0][1][2] == "–"  # one person says nothing of a group


def test_the_gap_is_between_large_groups():
    found = [Figure(value, 0, 0, 9, people, ()) for value, people in ((90.0, 5), (60.0, 7), (0.0, 4))]
    assert findings._gap(["a", "b", "c"], found) == "30.0, b to a"


@pytest.mark.parametrize(("content", "said"), [("a,b\n", "must name a column name"), (b"\xff", "no text in UTF-8")])
def test_other_files_are_no_groups(tmp_path, content, said):
    path = tmp_path / "groups.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadSetting, match=said):
        groups.labels(path)


def test_what_an_attacker_has_seen_is_a_curve_and_a_table():
    def adapted(count, *similarities):
        probes = [{"person": name, "genuine": [score]} for name, score in zip("ab", similarities, strict=True)]
        return {"pairs seen": count, "threshold": 0.5, "link threshold": 0.3, "probes": probes, "pairs": [[0, 1, 0.4]]}

    one = cell(
        "adapted", "default", 0, judge="strict", far=0.01, adapted=[adapted(0, 0.1, 0.2), adapted(100, 0.9, 0.2)]
    )
    found = Results([*CELLS, one])
    (curve,) = plots.adaptive(found, "strict").curves
    assert [dot.y for dot in curve.dots] == [plots.TOP, pytest.approx((plots.TOP + plots.HEIGHT - plots.BOTTOM) / 2)]
    assert curve.ours
    (table,) = findings.adaptive(found)
    assert table.columns == ("PSR %, 0 seen", "PSR %, 100 seen", "linked %, 0 seen", "linked %, 100 seen")
    assert [value.value for value in table.rows[0][1]] == [100.0, 50.0, 100.0, 100.0]
    assert plots.adaptive(Results(CELLS), "strict") is None
