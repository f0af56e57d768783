"""What is said and asked before a face leaves the machine: `kohl compare`, and `kohl protect`, which sends none."""

import io
import json
import sys
from pathlib import Path

import cloud
import pytest
from PIL import Image

from kohl.cli import main
from kohl.sending import YES
from kohl.zoo.services.terms import TERMS

FACES = sorted((Path(__file__).parent / "faces").glob("*.jpg"))
A, B = map(str, FACES[:2])


@pytest.fixture
def server(monkeypatch):
    with cloud.named(monkeypatch) as server:
        yield server


class Terminal(io.StringIO):
    def isatty(self):
        return True


def compare(*options, answer=None, monkeypatch=None):
    if answer is not None:
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
    return main(["compare", A, B, *options])


LIMITS = {
    "facepp": "20.00, threshold 62.33 (the service's, of a false-accept rate of 0.001): not the same person",
    "rekognition": (
        "20.00, threshold 80.00 (the service's own, of a false-accept rate that it does not publish): "
        "not the same person"
    ),
    "tencent": "20.00, threshold 40.00 (the service's, of a false-accept rate of 0.001): not the same person",
    "compreface": (
        "0.20, threshold 0.50 (the service's own, of a false-accept rate that it does not publish): not the same person"
    ),
}


@pytest.mark.parametrize("name", cloud.NAMES)
def test_compare_says_what_it_sends_and_then_what_the_service_said(server, capsys, name):
    assert compare("--judge", name, YES) == 0
    out, err = capsys.readouterr()
    assert out == f"{name}  {LIMITS[name]}\n"
    host, terms = server.address.removeprefix("http://"), TERMS[name]
    first, second, cost = err.splitlines()
    assert first == (
        f"kohl: {name}: sends at most 1 comparison of 2 pictures each to {host} ({terms.maker}), on the account of "
        f"{terms.keys[0]}"
    )
    assert f"the part of a photo around one face, at most {terms.longest} pixels, without metadata or name" in second
    assert cost == {
        "rekognition": "kohl: cost: at most $0.001, at $0.001 each (the first million a month in us-east-1, as "
        "https://aws.amazon.com/rekognition/pricing/ said on 2026-10-07); what is tried again may cost again",
        "compreface": "kohl: cost: none but your own machine's",
    }.get(name, f"kohl: cost: kohl knows no price; see {terms.prices}")
    assert len(server.asked) == 1
    assert not any(key in out + err for key in cloud.KEYS)


def test_of_a_copy_each_face_is_sent_and_counted(server, capsys, tmp_path):
    with Image.open(A) as one, Image.open(B) as other:
        both = Image.new("RGB", (3 * one.width, one.height))
        both.paste(one, (0, 0))
        both.paste(other, (2 * one.width, 0))
    for name, quality in (("a.jpg", 95), ("b.jpg", 80)):
        both.save(tmp_path / name, quality=quality)
    assert main(["compare", *(str(tmp_path / name) for name in ("a.jpg", "b.jpg")), "--judge=tencent", YES]) == 0
    out, err = capsys.readouterr()
    assert [line.partition(",")[0] for line in out.splitlines()] == ["face 0  tencent  20.00", "face 1  tencent  20.00"]
    assert "sends at most 2 comparisons of 2 pictures each" in err
    assert len({picture for pair in server.asked for picture in pair}) == 4


def test_nobody_at_the_terminal_and_no_flag_is_a_refusal(server, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert compare("--judge", "facepp") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("kohl: facepp: sends at most 1 comparison")
    assert err.splitlines()[-1] == "kohl: nobody is there to agree to that; pass --yes-send to send them"
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "code", "sent"), [("y\n", 0, 1), ("YES\n", 0, 1), ("\n", 1, 0), ("n\n", 1, 0), ("", 1, 0)]
)
def test_somebody_at_the_terminal_is_asked(server, capsys, monkeypatch, answer, code, sent):
    assert compare("--judge", "tencent", answer=answer, monkeypatch=monkeypatch) == code
    out, err = capsys.readouterr()
    assert "Do you want to send them? [y/N] " in err
    assert len(server.asked) == sent
    assert bool(out) == bool(sent)
    assert ("kohl: tencent: nothing was sent, as you wished" in err) == (not sent)


def test_each_service_is_asked_about_and_other_judges_are_not(server, capsys, monkeypatch):
    judges = ("--judge", "sface", "--judge", "facepp", "--judge", "compreface:0.1")
    assert compare(*judges, answer="y\nn\n", monkeypatch=monkeypatch) == 1
    assert len(server.asked) == 1
    assert capsys.readouterr().err.count("Do you want to send them?") == 2


def test_a_threshold_that_was_named(server, capsys):
    assert compare("--judge", "rekognition:10", YES) == 0
    assert capsys.readouterr().out == "rekognition:10  20.00, threshold 10.00: same person\n"


def test_in_json(server, capsys):
    assert compare("--judge", "facepp", "--judge", "rekognition", YES, "--json") == 0
    assert json.loads(capsys.readouterr().out)["judges"] == {
        "facepp": {"score": 20.0, "threshold": 62.327, "far": 0.001, "matches": False},
        "rekognition": {"score": pytest.approx(20.0), "threshold": 80.0, "far": None, "matches": False},
    }


def test_a_service_that_finds_no_face_has_no_threshold(server, capsys):
    assert compare("--judge", "facepp", YES) == 0
    server.faceless.add(cloud.digest(server.asked[0][0]))
    capsys.readouterr()
    assert compare("--judge", "facepp", YES, "--json") == 3
    assert json.loads(capsys.readouterr().out)["judges"]["facepp"] == {
        "score": None,
        "threshold": None,
        "far": None,
        "matches": None,
    }


def test_errors_are_one_sentence_and_no_traceback(server, capsys, monkeypatch):
    monkeypatch.setenv("FACEPP_API_SECRET", "wrong-secret-1")
    assert compare("--judge", "facepp", YES) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == (
        "kohl: facepp: refuses the account (AUTHENTICATION_ERROR); check FACEPP_API_KEY and FACEPP_API_SECRET"
    )
    monkeypatch.delenv("FACEPP_API_SECRET")
    assert compare("--judge", "facepp", YES) == 2
    assert capsys.readouterr().err == (
        "kohl: facepp: needs FACEPP_API_KEY and FACEPP_API_SECRET in the environment; set FACEPP_API_SECRET\n"
    )


@pytest.mark.parametrize("name", [*cloud.NAMES, "rekognition:99"])
def test_protect_sends_nothing(server, capsys, tmp_path, name):
    out = str(tmp_path / "out.jpg")
    with pytest.raises(SystemExit) as ended:
        main(["protect", A, "-o", out, "--judge", name])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "kohl: --judge: protect sends a photo nowhere, and models.judges says who judges it here; a service is asked "
        "with kohl compare or kohl bench; see kohl protect --help\n"
    )
    assert main(["protect", A, "-o", out, "--set", f'models.judges=["{name}"]']) == 2
    assert capsys.readouterr().err == (
        f"kohl: {name}: is a service elsewhere, and protecting a photo sends it nowhere; leave it out of "
        "models.judges, and ask it with `kohl compare` or `kohl bench`\n"
    )
    assert not (tmp_path / "out.jpg").exists()
    assert server.asked == []
