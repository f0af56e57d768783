from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pytest

from kohl import console
from kohl.errors import BadPhoto
from kohl.score import report, verify
from kohl.status import Status
from kohl.types import FaceRow, Judgement, Photo, Row

GONE, KEPT, LOST = (Judgement(1.0, after, 0.4, 0.01) for after in (0.2, 0.7, None))
RECIPE = {"search": {"steps": 40, "names": ("a", "b")}, "strength": 0.5}
PROTECTED = Row(
    "/home/ada/a.jpg",
    "/home/ada/a_kohl.jpg",
    "protected",
    None,
    3.1,
    [
        FaceRow(
            0, (5, 5, 20, 20), "protected", None, {"dlib": GONE}, {"/home/ada/b.jpg": {"dlib": GONE}}, 33.41, 0.951
        ),
        FaceRow(1, (50, 5, 9, 9), "skipped", "only 9 pixels wide"),
    ],
    RECIPE,
    7,
    "1.2.3",
)
UNPROTECTED = Row(
    "c.jpg", "c_kohl.jpg", "not_protected", None, 1.0, [FaceRow(0, (5, 5, 20, 20), "x", None, {"x": KEPT, "y": LOST})]
)
NO_FACE = Row("d.jpg", None, "no_face", "no face in this photo")
FAILED = Row("<script>alert(1)</script>&.jpg", None, "failed", "not an <b>image</b>")


def read(path):
    if path.suffix == ".jpg" and "script" not in str(path):
        return Photo(np.full((60, 80, 3), 100 + ("kohl" in path.name), np.uint8), path)
    raise BadPhoto(f"{path}: not an image")


def page(tmp_path, *rows):
    tmp_path.mkdir(exist_ok=True)
    path = tmp_path / "report.html"
    report.write(rows, path, licences={"sface": "Apache-2.0", "face_model": "CC BY-NC-SA 4.0"}, read=read)
    return path.read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Every tag with its attributes, and whether each that was opened is closed in turn."""

    def __init__(self, text):
        super().__init__()
        self.found, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def words(text):
    body = re.sub(r"<(style|script)>.*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_the_page_says_what_became_of_a_face(tmp_path):
    text = words(page(tmp_path, PROTECTED))
    for said in (
        "This photo is protected",
        "a.jpg protected saved as a_kohl.jpg in 3.1 s",
        "Compared with the original dlib no longer matches 1.00 → 0.20 , threshold 0.40",
        "Compared with b.jpg dlib no longer matches",
        "PSNR 33.4 dB, SSIM 0.951",
        "Face 1 skipped only 9 pixels wide",
        "1 in 100 pairs of strangers",
        "search.steps 40 search.names a, b strength 0.5",
        "seed 7",
        "kohl 1.2.3",
        "sface Apache-2.0 face_model CC BY-NC-SA 4.0",
        "does not promise",
    ):
        assert said in text


def test_notes_are_told_once(tmp_path):
    noted = replace(PROTECTED, notes=("net: not the <published> file", "another"))
    text = page(tmp_path, FAILED, noted, noted)
    assert text.count("net: not the &lt;published&gt; file") == 1
    assert text.count('<th scope="row">note</th>') == 2


def test_the_look_is_told_as_it_was_understood(tmp_path):
    look = {"lipstick": "deep red, matte", "eyeshadow": "soft <brown>"}
    made_up = replace(PROTECTED, look=look, recipe={**RECIPE, "text": "deep red lips & <brown> eyes"})
    said = "“deep red lips &amp; &lt;brown&gt; eyes”", "lipstick: deep red, matte; eyeshadow: soft &lt;brown&gt;"
    for text in (page(tmp_path / "a", made_up), page(tmp_path / "b", made_up, replace(made_up, photo="other.jpg"))):
        assert [words(text.split("<main>")[0]).count(each) for each in said] == [1, 1]  # once, at the top
        assert [words(text.split("<main>")[1].split("<footer>")[0]).count(each) for each in said] == [0, 0]
    text = words(page(tmp_path / "c", made_up, PROTECTED))  # where photos were to look otherwise, each says how
    assert text.index("a.jpg") < text.index(said[0])
    assert "asked for no visible makeup" in text


def test_the_worst_photo_comes_first_and_in_it_the_worst_face(tmp_path):
    def made(name, status, *faces):
        return Row(name, f"{name}_kohl.jpg", status, None, 1.0, faces, RECIPE)

    def face(index, status, after, chance=None):
        judge = {"dlib": Judgement(1.0, after, 0.4, 0.01)}
        return FaceRow(index, (5, 5, 20, 20), status, None, judge, {}, 33.0, 0.9, 0.1, chance, 1)

    rows = [
        made("likely.jpg", "protected", face(0, "protected", 0.1, 0.6)),
        made("good.jpg", "protected", face(0, "protected", 0.1, 0.02)),
        NO_FACE,
        FAILED,
        made("close.jpg", "not_protected", face(0, "not_protected", 0.41)),
        made("sure.jpg", "not_protected", face(0, "protected", 0.2), face(1, "not_protected", 0.8)),
    ]
    text = page(tmp_path, *rows)
    names = [re.sub("&.*?;", "", name)[:5] for name in re.findall("<h2>(.*?)</h2>", text)]
    assert names[:6] == ["sure.", "close", "scrip", "d.jpg", "likel", "good."]
    sure = text[text.index("sure.jpg") : text.index("close.jpg")]
    assert sure.index("Face 1") < sure.index("Face 0")


def test_faces_come_first_and_the_photo_is_behind_a_click(tmp_path):
    text = page(tmp_path, PROTECTED)
    face, whole = text.index('alt="The face in the result"'), text.index("<summary>The whole photo")
    assert face < whole < text.index('alt="The result"')


def test_a_reason_is_told_once(tmp_path):
    judged = {"x": Judgement(1.0, 0.72, 0.4, 0.01), "y": Judgement(1.0, 0.1, 0.4, 0.01)}
    reason = verify.verdict(judged, {})[1]
    face = FaceRow(0, (5, 5, 20, 20), Status.NOT_PROTECTED, reason, judged, {}, 33.0, 0.9)
    small = FaceRow(1, (5, 5, 9, 9), Status.SKIPPED, f"too small; {verify.still_matching(judged, {})}", judged)
    row = Row("c.jpg", "c_kohl.jpg", Status.NOT_PROTECTED, verify.of_faces([face, small]), 1.0, [face, small])
    text = words(page(tmp_path, row))
    assert (text.count("still matches"), text.count("0.72"), text.count("too small")) == (2, 2, 1)  # a face each
    said = console.summary(row)
    assert (said.count("still matches"), said.count("0.72"), said.count("too small")) == (2, 2, 1)
    assert "not protected (1.0 s)\n" in said


def test_of_many_photos_the_best_are_only_listed(tmp_path):
    rows = [replace(PROTECTED, photo=f"{number}.jpg") for number in range(5)] + [UNPROTECTED]
    path = tmp_path / "report.html"
    report.write(rows, path, licences={}, read=read, most=2)
    text = path.read_text()
    assert (text.count('alt="The face in the result"'), text.count("4 more photos")) == (2, 1)
    assert words(text).count("4.jpg protected") == 1


def test_every_other_outcome_has_its_own_clear_row(tmp_path):
    text = words(page(tmp_path, PROTECTED, UNPROTECTED, NO_FACE, FAILED))
    assert "1 of 4 photos is protected" in text
    assert "c.jpg not protected" in text
    assert "x still matches 1.00 → 0.70" in text
    assert "y finds no face in the result, so it could not compare" in text
    assert "d.jpg no face no face in this photo the original; nothing was changed" in text
    assert "failed not an &lt;b&gt;image&lt;/b&gt;" in text


def test_the_page_is_well_formed_and_asks_nobody_for_anything(tmp_path):
    elements = Elements(page(tmp_path, PROTECTED, UNPROTECTED, NO_FACE, FAILED))
    assert elements.open == []
    sources = [
        value for _, attrs in elements.found for name, value in attrs.items() if name in ("src", "href", "srcset")
    ]
    assert len(sources) == 3 + 3 + 1 + 3 + 3 + 1
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not {tag for tag, _ in elements.found} & {"link", "iframe", "object", "form", "a", "base"}
    assert all(attrs["alt"] for tag, attrs in elements.found if tag == "img")
    assert not any("style" in attrs for _, attrs in elements.found)  # the policy would refuse it


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else(tmp_path):
    text = page(tmp_path, PROTECTED, FAILED)
    policy = next(a["content"] for _, a in Elements(text).found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, flags=re.DOTALL)
        assert f"{tag}-src 'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'" in policy


def test_folders_are_not_shown(tmp_path):
    assert "/home/ada" not in page(tmp_path, PROTECTED)


def test_the_slider_works_by_keyboard(tmp_path):
    ranges = [attrs for tag, attrs in Elements(page(tmp_path, PROTECTED)).found if tag == "input"]
    assert [(attrs["type"], bool(attrs["aria-label"])) for attrs in ranges] == [("range", True)] * 2


def test_nothing_is_left_of_a_page_that_could_not_be_finished(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("before")

    def broken(path):
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        report.write([PROTECTED], path, licences={}, read=broken)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "before"


def test_a_name_that_is_no_utf8_is_written_all_the_same(tmp_path):
    assert "failed" in page(tmp_path, Row("bad\udcff.png", None, "failed", "not an image"))


def test_a_page_that_somebody_else_wrote_meanwhile_is_left_alone(tmp_path):
    page(tmp_path, PROTECTED)
    with pytest.raises(FileExistsError):
        page(tmp_path, PROTECTED)
    report.write([NO_FACE], tmp_path / "report.html", licences={}, read=read, force=True)
    assert "no face in this photo" in (tmp_path / "report.html").read_text()


def test_the_page_says_that_it_holds_the_original(tmp_path):
    text = words(page(tmp_path, PROTECTED))
    assert "This page contains the original photo : keep it to yourself." in text.replace("photo:", "photo :")


def test_a_face_that_was_skipped_comes_first_in_the_headline(tmp_path):
    skipped = FaceRow(1, (50, 5, 9, 9), "skipped", "cut off; the dlib judge still matches", {"dlib": KEPT})
    row = replace(PROTECTED, status="not_protected", faces=[PROTECTED.faces[0], skipped])
    assert "not protected: 1 face was skipped and can still be recognised" in words(page(tmp_path, row))


def test_the_page_says_what_to_expect_of_a_stranger(tmp_path):
    face = FaceRow(0, (5, 5, 20, 20), "protected", None, {"dlib": GONE}, {}, 36.0, 0.97, 0.12, 0.021, 2)
    said = " ".join(page(tmp_path, replace(PROTECTED, faces=[face])).split())
    assert "PSNR 36.0 dB, SSIM 0.970, NLPD 0.120" in said
    assert "about 2 in 100 recognisers like those asked, at this threshold, would still match; this is try 2." in said
