"""The page: what it draws, what it escapes, and that it needs nothing but itself."""

import re
from base64 import b64encode
from hashlib import sha256
from itertools import pairwise

import pytest

from kohl.bench import page, plots, report
from kohl.bench.results import Results


def quality(attack, psnr, seed=0, **more):
    probes = [{"person": name, "figures": {"psnr": psnr + shift}} for name, shift in (("a", -1.0), ("b", 1.0))]
    return cell("quality", attack, seed, probes=probes, **more)


def scores(attack, *similarities, seed=0, judge="strict", **more):
    """A cell of two people whose results have these similarities to their other photos."""
    half = len(similarities) // 2
    probes = [
        {"person": name, "genuine": list(part), "rank": 1, "known": 9}
        for name, part in (("a", similarities[:half]), ("b", similarities[half:]))
    ]
    about = {"judge": judge, "thresholds": {"0.01": 0.5}, "posting": "saved", "white box": False, "calibration": "card"}
    return cell("scores", attack, seed, probes=probes, pairs=[[0, 1, 0.9]], **{**about, **more})


def cell(kind, attack, seed, **more):
    settings = {"attack": "latent" if "default" in attack else "pgd", "search": {"distance": "thresholds"}}
    about = {
        "key": f"{kind}{attack}{seed}",
        "kind": kind,
        "attack": attack,
        "way": "clean" if attack == "clean" else "attack",
        "source": "somewhere",
        "surrogates": ["sface"],
        "settings": settings,
        "goal": "dodge",
        "seed": seed,
        "data": {"name": "set", "photos": 2, "people": 2},
        "date": "2026-01-02T03:04:05",
        "commit": "abc",
        "hardware": "2 × CPU",
    }
    return {**about, **more}


CELLS = [
    scores("clean", 0.9, 0.9, 0.9, 0.9),
    quality("default", 34.0),
    scores("default", 0.1, 0.2, 0.3, 0.6),
    quality("pgd@0.2", 38.0),
    scores("pgd@0.2", 0.9, 0.9, 0.9, 0.4),
    quality("pgd@0.8", 30.0),
    scores("pgd@0.8", 0.9, 0.4, 0.9, 0.4),
]


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
    other = [{**one, "data": {"name": "other", "photos": 2, "people": 2}} for one in CELLS]
    said = report.write(Results([*CELLS, *other]), tmp_path, notes=())
    assert said.count("Verification at a false-accept rate of 0.01") == 2
    sections = [page.section(part, "") for part in report.by_data(Results([*CELLS, *other]))]
    assert [section.name for section in sections] == ["set", "other"]
