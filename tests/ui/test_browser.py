"""The page in a real browser: what a person does, by mouse and by keyboard, and what goes wrong.

Needs the group `browser` (playwright's package) and Debian's chromium; for the rules of accessibility also
`npm pack axe-core@4.14.1`, unpacked in `.cache/axe-core`. The pictures of the guide come from here too, into
`.cache/serve`.
"""

import io
import json
import shutil
import zipfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import site_server as site
from PIL import Image

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".cache" / "axe-core" / "package" / "axe.min.js"
SHOTS = ROOT / ".cache" / "serve"
CHROMIUM = shutil.which("chromium")
FACE = site.FACES / "0433.jpg"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SLOW = replace(site.QUICK, search=replace(site.QUICK.search, steps=2000, patience=2000))
WAIT_MS = 60_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = site.studio(tmp_path_factory.mktemp("kept"))
    with site.running(made) as running:
        running.studio = made
        yield running


@pytest.fixture
def visit(browser):
    """Opens the page; at the end, that nothing was said to the console, asked of others, or left in a cookie."""
    said, asked = [], []
    with ExitStack() as stack:

        def visit(url, *, viewport=WIDE, scheme="light", loud=False):
            context = browser.new_context(viewport=viewport, color_scheme=scheme, accept_downloads=True)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(WAIT_MS)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("console", lambda message: said.append(message.text) if not loud else None)
            page.on("request", lambda request: asked.append(request.url))
            page.goto(url)
            stack.callback(lambda: check(context, url))
            return page

        def check(context, url):
            assert said == []
            assert [one for one in asked if not one.startswith((url.partition("#")[0], "blob:"))] == []
            assert context.cookies() == []

        yield visit


def previewed(page):
    """Waits until the face is shown as it will be."""
    page.locator("#compare:not(.busy) #after-tag", has_text="preview").wait_for()


def group():
    """Three people who do not exist, in one picture, and a fourth too small."""
    whole = Image.new("RGB", (1500, 900), (176, 164, 150))
    faces = [Image.open(path).convert("RGB") for path in sorted(site.FACES.glob("*.jpg"))]
    for index, face in enumerate(faces):
        whole.paste(face.resize((460, 460), Image.Resampling.LANCZOS), (20 + 490 * index, 380 - 60 * (index % 2)))
    whole.paste(faces[0].resize((60, 60)), (1400, 40))
    content = io.BytesIO()
    whole.save(content, "JPEG", quality=94)
    return {"name": "us.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}


def test_a_photo_is_brought_made_up_by_words_protected_and_downloaded(visit, server, tmp_path):
    page = visit(server.url)
    page.set_input_files("#choose", FACE)
    previewed(page)
    page.fill("#words", "red lipstik")
    page.locator("#words-said", has_text="lipstick: red. read “lipstik” as “lipstick”").wait_for()
    page.locator("#after-tag", has_text="the look").wait_for()
    previewed(page)
    page.click("#protect")
    page.locator("#verdict h2", has_text="This photo is").wait_for()
    assert "SFace" in page.inner_text("#verdict")
    assert "recognisers like those asked would still match (estimated)" in page.inner_text("#verdict")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "0433_kohl.jpg"
    download.value.save_as(tmp_path / "saved.jpg")
    with Image.open(tmp_path / "saved.jpg") as saved, Image.open(FACE) as original:
        assert saved.size == original.size
    page.click("#again")
    assert page.is_visible("#choices")


def test_a_look_is_clicked_and_the_slider_searches_no_more(visit, server):
    page = visit(server.url)
    page.set_input_files("#choose", FACE)
    previewed(page)
    page.locator("#tiles label", has_text="goth").click()
    page.locator("#after-tag", has_text="the look").wait_for()
    previewed(page)
    searches = len(server.studio._dials)
    before = page.get_attribute("#after", "src")
    for value in (10, 95):
        page.fill("#strength", str(value))
        page.locator(f"#after:not([src='{before}'])").wait_for()
        before = page.get_attribute("#after", "src")
    assert len(server.studio._dials) == searches


def test_some_faces_of_a_photo(visit, server):
    page = visit(server.url)
    page.set_input_files("#choose", group())
    previewed(page)
    assert page.locator(".outline").count() == 4
    assert "Face 4 is too small" in page.inner_text("#skipped")
    page.get_by_label("Face 2", exact=True).uncheck()
    assert page.inner_text("#faces-said") == "3 faces; 2 will be protected."
    previewed(page)
    page.click("#protect")
    page.locator("#download").wait_for()
    assert "Face 2: left out" in page.inner_text("#verdict")
    assert "Face 4: skipped" in page.inner_text("#verdict")
    page.get_by_label("Show face 3").click()
    page.locator("#after-tag", has_text="result").wait_for()


def test_two_at_once_and_both_in_one_file(visit, server, tmp_path):
    page = visit(server.url)
    page.set_input_files("#choose", [FACE, site.FACES / "0697.jpg"])
    page.locator("#protect", has_text="Protect both photos").click()
    page.locator("#download-all").wait_for()
    with page.expect_download() as download:
        page.click("#download-all")
    download.value.save_as(tmp_path / "all.zip")
    with zipfile.ZipFile(tmp_path / "all.zip") as file:
        assert sorted(file.namelist()) == ["0433_kohl.jpg", "0697_kohl.jpg"]


def test_what_cannot_be_protected_is_said(visit, server):
    page = visit(server.url, loud=True)
    blank = io.BytesIO()
    Image.new("RGB", (80, 80), "grey").save(blank, "PNG")
    page.set_input_files(
        "#choose",
        [
            {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no photo"},
            {"name": "wall.png", "mimeType": "image/png", "buffer": blank.getvalue()},
        ],
    )
    page.locator("#stage-message", has_text="notes.txt: is not a picture that kohl can read").wait_for()
    page.locator("#photos button").nth(1).click()
    page.locator("#stage-message", has_text="No face was found in this photo").wait_for()
    assert not page.is_visible("#choices")
    page.click("#remove")
    page.click("#remove")
    assert page.is_visible("#welcome")


def test_words_that_say_nothing_are_refused_where_they_are_typed(visit, server):
    page = visit(server.url, loud=True)
    page.set_input_files("#choose", FACE)
    previewed(page)
    page.fill("#words", "a nice day")
    page.locator("#words-said.wrong", has_text="names no makeup that kohl knows").wait_for()


def test_a_search_is_called_off(visit, tmp_path):
    made = site.studio(tmp_path / "kept", SLOW)
    with site.running(made) as server:
        page = visit(server.url)
        page.set_input_files("#choose", FACE)
        page.locator("#protect:enabled").click()
        page.locator("#cancel").wait_for()
        page.locator("#verdict progress[value]").wait_for()
        page.click("#cancel")
        page.locator("#choices").wait_for()
        assert page.evaluate("document.activeElement.id") == "protect"
        page.click("#remove")
        page.wait_for_timeout(2000)
        assert list(made.tray.folder.iterdir()) == []


def test_a_server_that_is_gone_is_said(visit, tmp_path):
    with site.running(site.studio(tmp_path / "kept")) as server:
        page = visit(server.url, loud=True)
        page.locator("#tiles label").nth(3).wait_for(state="attached")
    page.set_input_files("#choose", FACE)
    page.locator("#stage-message", has_text="kohl does not answer; is it still running?").wait_for()


def test_when_the_page_goes_its_photos_go(visit, server):
    before = set(server.studio.tray.folder.iterdir())
    page = visit(server.url)
    page.set_input_files("#choose", FACE)
    previewed(page)
    assert set(server.studio.tray.folder.iterdir()) != before
    page.goto("about:blank")
    page.wait_for_timeout(1500)
    assert set(server.studio.tray.folder.iterdir()) <= before


def test_everything_by_keyboard(visit, server):
    page = visit(server.url)
    page.set_input_files("#choose", FACE)  # the file chooser is the browser's own
    previewed(page)
    page.focus("#words")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "radio"
    page.keyboard.press("ArrowRight")
    page.locator("#after-tag", has_text="the look").wait_for()
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "strength":
            break
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "100 of 100"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#download").wait_for()
    page.focus("#split")
    page.keyboard.press("ArrowRight")
    assert page.input_value("#split") == "51"


def test_a_key_is_asked_for_and_one_in_the_address_is_enough(visit, tmp_path):
    key = "k" * 32
    with site.running(site.studio(tmp_path / "kept"), key=key) as server:
        page = visit(server.url, loud=True)
        page.fill("#key-value", key)
        page.keyboard.press("Enter")
        page.locator("#tiles label").nth(3).wait_for(state="attached")
        page = visit(f"{server.url}/#key={key}")
        page.locator("#tiles label").nth(3).wait_for(state="attached")
        assert key not in page.url
        page.set_input_files("#choose", FACE)
        previewed(page)
        page.locator("#tiles label:not([hidden]) img.old").first.wait_for(state="detached")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not in .cache")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_no_rule_of_accessibility_is_broken(visit, server, viewport, scheme):
    page = visit(server.url, viewport=viewport, scheme=scheme)
    faults = [("welcome", broken(page))]
    page.set_input_files("#choose", group())
    previewed(page)
    page.click("#all-looks")
    page.locator("#tiles img.old").first.wait_for(state="detached")
    faults.append(("choices", broken(page)))
    page.click("#protect")
    page.locator("#cancel").wait_for()
    faults.append(("under way", broken(page)))
    page.locator("#download").wait_for()
    faults.append(("result", broken(page)))
    assert [(where, what) for where, what in faults if what] == []


def broken(page):
    """What axe finds, of any weight."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then((found) => JSON.stringify(found.violations))")
    return [
        f"{one['impact']} {one['id']}: {node['target']} {node['failureSummary']}"
        for one in json.loads(found)
        for node in one["nodes"]
    ]


def test_the_pictures_of_the_guide(visit, tmp_path):
    SHOTS.mkdir(parents=True, exist_ok=True)
    with site.running(site.studio(tmp_path / "kept", site.DEFAULT)) as server:
        for name, viewport, scheme in (("wide", WIDE, "light"), ("phone", PHONE, "dark")):
            page = visit(server.url, viewport=viewport, scheme=scheme)
            page.set_input_files("#choose", FACE)
            previewed(page)
            page.locator("#tiles label", has_text="classic").click()
            page.locator("#after-tag", has_text="the look").wait_for()
            previewed(page)
            page.evaluate("document.activeElement.blur()")
            page.screenshot(path=SHOTS / f"{name}-choices.png")
            page.click("#protect")
            page.locator("#download").wait_for()
            page.locator("#after-tag", has_text="result").wait_for()
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=SHOTS / f"{name}-result.png")
