"""`kohl bench` before a service: what it may be sent, what it is asked, and what is not asked twice."""

import json
import shutil
from dataclasses import replace
from math import comb
from pathlib import Path

import cloud
import pytest
import tiny
from PIL import Image

from kohl.bench import data, elsewhere
from kohl.bench.answers import gallery
from kohl.bench.made import Target
from kohl.cli import main
from kohl.parts import Parts

FACES = sorted((Path(__file__).parents[1] / "faces").glob("*.jpg"))


def house(recipe, shelf):
    return tiny.house(recipe=replace(tiny.house().recipe, models=recipe.models, strength=recipe.strength))


PARTS = Parts(load_with=house)


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with cloud.named(monkeypatch) as server:
        yield server


@pytest.fixture
def people(server, tmp_path):
    """Three people with two photos each, in a folder."""
    for face, person in zip(FACES, ("ann", "bob", "cat"), strict=True):
        (tmp_path / "people" / person).mkdir(parents=True)
        shutil.copy(face, tmp_path / "people" / person / "0.jpg")
        with Image.open(face) as image:
            image.rotate(4, Image.Resampling.BICUBIC).save(tmp_path / "people" / person / "1.png")
    return tmp_path


def bench(*options):
    return main(["bench", "people", "--yes-send", *options], parts=PARTS)


def allowed(said):
    """How many comparisons it asked for."""
    return int(said.partition("sends at most ")[2].partition(" ")[0].replace(",", ""))


def test_no_more_is_sent_than_was_said_and_nothing_twice(people, server, capsys):
    command = ("--attack", "clean", "--judge", "compreface", "-o", "out")
    assert bench(*command) == 0
    out, err = capsys.readouterr()
    # Six photos, each against the other one of its person and two more people, and three pairs of results: the photos
    # themselves, whose pairs are those of the photos.
    assert allowed(err) == 6 * (1 + 2) + 3
    assert len(server.asked) == 6 * (1 + 2)
    assert f"what it has answered before is in {Path('out') / 'seen'}, and is not sent again" in err
    assert "thresholds from your own CompreFace, of a rate that it does not publish" in out
    assert "PSR % compreface" in out
    assert bench(*command, "--post", "half") == 0
    assert allowed(capsys.readouterr().err) == 6 * (1 + 2) + 3 + 6 + 3
    assert len(server.asked) == 18 + 6 + 3
    assert bench(*command, "--post", "half", "--seeds", "2") == 0
    assert len(server.asked) == 27  # the same photos again
    whole = [path.read_text(errors="replace") for path in (people / "out").rglob("*") if path.is_file()]
    assert not any(key in text for key in cloud.KEYS for text in [*whole, out, err])


def test_a_run_that_was_cut_off_pays_for_the_rest_alone(people, server, capsys):
    command = ("--attack", "clean", "--judge", "tencent", "--far", "1e-3", "-o", "out")
    refusal = cloud.says(200, cloud.of_tencent("ResourceUnavailable.LowBalance"))

    def after(count):
        """Whoever answers `count` times, and then no more."""

        def answer(handler, body):
            server.first[:] = [refusal if len(server.asked) >= count else answer]
            cloud.send(handler, *cloud.tencent(server, "/", handler.headers, body))

        return answer

    server.first.append(after(7))
    assert bench(*command) == 1
    assert "kohl: tencent: refuses the account (ResourceUnavailable.LowBalance)" in capsys.readouterr().err
    assert len(server.asked) == 8
    server.first.clear()
    assert bench(*command) == 0
    assert len(server.asked) == 18
    assert "thresholds from Tencent Cloud Face Recognition" in capsys.readouterr().out


def test_thresholds_of_a_service_that_tells_them_with_its_answers(people, server, capsys):
    command = ("--attack", "clean", "--judge", "facepp", "-o", "out", "--people", "ann")
    assert bench(*command) == 2
    assert "--far: facepp has no threshold at 0.01; pass one of 1e-05, 0.0001, 0.001, or --calibrate" in (
        capsys.readouterr().err
    )
    assert server.asked == []
    assert bench(*command, "--far", "0.001") == 0
    out, err = capsys.readouterr()
    assert "Verification at a false-accept rate of 0.001" in out
    assert allowed(err) == 2 + 1 + 2  # each photo with the other one, both results, and whoever is asked for thresholds
    cells = [json.loads(path.read_text()) for path in (people / "out" / "cells").iterdir()]
    (thresholds,) = [cell["thresholds"] for cell in cells if cell["kind"] == "scores"]
    assert thresholds == {"0.001": 62.327, "0.0001": 69.101, "1e-05": 73.975}


def test_thresholds_that_were_named_or_measured(people, server, capsys):
    command = ("--attack", "clean", "--judge", "rekognition:99", "--judge", "rekognition", "-o", "out")
    assert bench(*command, "--people", "ann") == 0
    out, _ = capsys.readouterr()
    assert "thresholds from Amazon Rekognition, of a rate that it does not publish, rekognition:99's name" in out
    assert len(server.asked) == 2  # both are one service
    (people / "others").mkdir()
    for person in ("bob", "cat"):
        shutil.copytree(people / "people" / person, people / "others" / person)
    assert bench("--attack", "clean", "--judge", "facepp", "--people", "ann", "--calibrate", "others") == 0
    out, err = capsys.readouterr()
    assert allowed(err) == 2 + 1 + comb(4, 2)
    assert "thresholds from 4 pairs of people who are not measured on" in out


def test_what_cannot_be_measured_with_a_service_is_said_before_anything_is_sent(people, server, capsys):
    assert bench("--attack", "clean", "--judge", "facepp", "--adapt", "people") == 2
    assert "--adapt: " in capsys.readouterr().err
    assert main(["bench", "people", "--attack", "clean", "--judge", "compreface"], parts=PARTS) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "kohl: nobody is there to agree to that; pass --yes-send to send them"
    )
    assert server.asked == []


def test_how_many_comparisons_a_run_needs():
    probes = [
        data.Probe(person, Path(f"{person}{index}"), tuple(Path(f"{person}o{other}") for other in range(3)))
        for person in "ab"
        for index in range(2)
    ]
    them = data.DataSet("them", probes)
    strangers = {name: [Path(name)] for name in ("x", "y", "z")}
    count = elsewhere.comparisons
    assert count(them, None, (), results=1, postings=0) == 4 * 3 + 2
    assert count(them, None, (), results=3, postings=2) == 3 * 3 * (4 * 3 + 2)
    assert count(them, gallery(them, strangers), (), results=1, postings=1) == 2 * (4 * 3 + 2) + 4 * 4
    target = Target("t", Path("t0"), (Path("t1"), Path("t2")))
    assert count(them, gallery(them, {}), [target], results=1, postings=0) == 4 * (3 + 2) + 2 + 4 * 1


def test_the_key_of_a_service_says_where_and_what_is_asked_and_nothing_else(server):
    from kohl.zoo.services import judge as services

    def key(name, **more):
        return elsewhere.key(services.judge(name, environment=server.environment(**more)))

    assert key("facepp") == key("facepp:50") == key("facepp", FACEPP_API_KEY="another")
    others = [key("tencent"), key("facepp", FACEPP_ENDPOINT="https://api-cn.faceplusplus.com"), key("compreface")]
    assert len({key("facepp"), *others}) == 4


def test_the_list_names_services_and_their_keys(capsys):
    assert main(["bench", "--list"]) == 0
    assert "needs TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY" in capsys.readouterr().out
