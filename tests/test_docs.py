"""The documentation: every link leads somewhere, its examples run, and the site that is made of it loads nothing."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import photos
import pytest

import kohl

ROOT = Path(__file__).parent.parent


@pytest.fixture
def site(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import _site

    return _site


def test_the_newest_release_in_the_changes_is_this_version():
    newest = re.search(r"^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == kohl.__version__


def test_every_link_leads_somewhere(site, tmp_path):
    assert site.lay_out(tmp_path) == []


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("nowhere.md", "does not exist"),
        ("concepts.md#no-such-thing", "no such heading"),
        ("../src/kohl/none.py", "does not exist"),
    ],
)
def test_one_that_does_not_is_told(site, tmp_path, link, said):
    place = ROOT / "docs" / "quickstart.md"
    text, broken = site.page(place, {"docs/quickstart.md"})
    assert broken == []
    (tmp_path / "docs").mkdir()
    site.ROOT = tmp_path
    (tmp_path / "docs" / "a.md").write_text(f"[words]({link}) and [a page](a.md#one-two) and `code`\n## One, *two*\n")
    (tmp_path / "docs" / "concepts.md").write_text("# Concepts")
    text, broken = site.page(tmp_path / "docs" / "a.md", {"docs/a.md", "docs/concepts.md"})
    assert len(broken) == 1
    assert said in broken[0]
    assert "[a page](a.md#one-two)" in text


def test_every_page_is_in_the_contents():
    text = (ROOT / "docs" / "mkdocs.yml").read_text()
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    missing = {page for page in pages if f": {page}\n" not in text}
    assert {page for page in missing if not page.startswith(("docs/cards/", "docs/photos/"))} == set()
    cards = (ROOT / "docs" / "cards" / "README.md").read_text()
    assert all(f"({Path(page).name})" in cards for page in missing if page.startswith("docs/cards/"))


def test_the_reference_has_all_that_is_offered():
    text = (ROOT / "docs" / "reference.md").read_text()
    assert [name for name in kohl._WHERE if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.slow
def test_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    for name, turn in (("me", 0), ("us", 3), ("me_before", 6)):
        photos.portrait().rotate(turn).save(f"{name}.jpg", quality=95)
    text = (ROOT / "docs" / "guide" / "python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) > 1
    names = {}
    for block in blocks:
        exec(compile(block, "python.md", "exec"), names)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"me.jpg", "us.jpg"}


class Loaded(HTMLParser):
    """What a page loads by itself."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        loads = tag in ("script", "img", "iframe", "source") or (tag == "link" and given.get("rel") != "canonical")
        self.found += [given[name] for name in ("src", "href") if loads and given.get(name)]


@pytest.mark.release
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "_site.py", tmp_path / "site"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text())
        assert [name for name in loaded.found if re.match(r"(https?:)?//", name)] == []
    reference = (tmp_path / "site" / "docs" / "reference.html").read_text()
    assert all(f"kohl.api.{name}" in reference for name in ("protect", "Protector", "Result"))
    assert "../../src" not in (tmp_path / "site" / "docs" / "concepts.html").read_text()
