"""Four services as judges, against a server of our own that speaks their interfaces; no other is ever asked."""

import json
import logging
import random
import socket
import sys
import time
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path

import bundled
import cloud
import numpy as np
import photos
import pytest
from cloud import says
from PIL import Image
from served import PROXIES

from kohl.errors import BadPhoto, BadSetting, Broken, KohlError, Unavailable
from kohl.zoo import cards
from kohl.zoo.services import judge as services
from kohl.zoo.services import wire
from kohl.zoo.services.again import TRIES, Paced
from kohl.zoo.services.terms import TERMS, named

FOUND = {}
FACES = sorted((Path(__file__).parents[1] / "faces").glob("*.jpg"))


class Pauses(list):
    """Pauses that nobody waits for."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def sleep(self, seconds):
        self.append(seconds)
        self.now += seconds

    def paced(self, every_s=0.0):
        return Paced(every_s, clock=lambda: self.now, sleep=self.sleep, rng=random.Random(1))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with cloud.serving() as server:
        yield server


@pytest.fixture
def heard():
    """Whatever anybody logs."""
    root, handler = logging.getLogger(), logging.StreamHandler(StringIO())
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def pauses():
    return Pauses()


@pytest.fixture
def made(server, pauses):
    def made(name, folder=None, **environment):
        found = services.judge(name, folder, environment=server.environment(**environment), paced=pauses.paced())
        found.find = partial(once, found.find)
        found.allow(99)
        return found

    return made


def once(find, pixels):
    """What YuNet finds in a photo, which it is shown once in all these tests."""
    content = pixels.tobytes()
    if content not in FOUND:
        FOUND[content] = find(pixels)
    return FOUND[content]


each = pytest.mark.parametrize("name", cloud.NAMES)


def test_the_table_and_the_tests_know_the_same_services():
    assert tuple(TERMS) == cloud.NAMES
    assert all(named(f"{name}:5") is terms for name, terms in TERMS.items())
    assert named("sface") is named("onnx:facepp") is None


@each
def test_a_service_is_a_judge_like_any_other(made, server, name):
    judge = made(name)
    first, second, _ = FACES
    top = TERMS[name].top
    assert judge.compare(first, [second, first]) == pytest.approx([cloud.DIFFER * top, cloud.MATCH * top])
    assert (judge.asked, len(server.asked)) == (2, 2)
    assert [*judge.thresholds.values()] == {
        "facepp": [62.327, 69.101, 73.975],
        "tencent": [40.0, 50.0, 60.0],
    }.get(name, [])


@each
def test_where_no_face_is_found_here_nothing_is_sent(made, server, tmp_path, name):
    Image.new("RGB", (300, 200), "grey").save(tmp_path / "wall.png")
    judge = made(name)
    assert judge.compare(FACES[0], [tmp_path / "wall.png"]) == [None]
    assert judge.compare(tmp_path / "wall.png", FACES) == [None] * 3
    assert server.asked == []


@each
def test_where_the_service_finds_no_face_there_is_no_number(made, server, name):
    judge = made(name)
    judge.compare(*_pair())
    server.faceless.add(cloud.digest(server.asked[0][1]))
    assert made(name).compare(*_pair()) == [None]


@each
def test_the_face_at_a_place_is_the_one_that_is_sent(made, server, tmp_path, name):
    with Image.open(FACES[0]) as one, Image.open(FACES[1]) as other:
        side = max(one.size[1], other.size[1])
        beside = one.size[0] + side
        both = Image.new("RGB", (beside + other.size[0], side))
        both.paste(one, (0, 0))
        both.paste(other, (beside, 0))
        both.save(tmp_path / "both.png")
    judge = made(name)
    (box,) = (face.box for face in judge.find(np.asarray(Image.open(FACES[1]).convert("RGB"))))
    moved = (box[0] + beside, *box[1:])
    judge.compare(tmp_path / "both.png", [FACES[1]], box=moved)
    (tmp_path / "sent.png").write_bytes(server.asked[0][0])
    itself, other = bundled.SHELF(cards.judge, "sface").compare(tmp_path / "sent.png", [FACES[1], FACES[0]])
    assert itself > 0.9 > 0.5 > other
    assert judge.compare(tmp_path / "both.png", [FACES[1]], box=(0, 0, 3, 3)) == [None]


@pytest.mark.parametrize("name", ["facepp", "tencent"])  # whose limits are the narrowest
def test_photos_leave_without_metadata_and_no_larger_than_is_taken(made, server, tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 256, (1600, 1600, 3), np.uint8)
    with Image.open(FACES[0]) as face:  # the hardest to compress around the largest face
        large = Image.fromarray(noise)
        large.paste(face.convert("RGB").resize((700, 700)), (450, 450))
        exif = Image.Exif()
        exif[0x010E] = photos.SECRET.decode()
        large.save(tmp_path / "large.jpg", quality=95, exif=exif)
    judge = made(name)
    assert judge.compare(tmp_path / "large.jpg", [tmp_path / "large.jpg"]) == pytest.approx(
        [90 * judge.terms.top / 100]
    )
    (picture, _) = server.asked[0]
    assert photos.SECRET not in picture
    with Image.open(BytesIO(picture)) as sent:
        assert max(sent.size) == judge.terms.longest


@each
def test_a_small_face_is_enlarged_rather_than_overlooked(made, server, tmp_path, name):
    with Image.open(FACES[0]) as face:
        face.resize((120, 120)).save(tmp_path / "small.png")
    made(name).compare(tmp_path / "small.png", [FACES[1]])
    with Image.open(BytesIO(server.asked[0][0])) as sent:
        assert max(sent.size) == 400


@each
def test_nothing_is_sent_that_nobody_allowed(server, name, pauses):
    judge = services.judge(name, environment=server.environment(), paced=pauses.paced())
    with pytest.raises(Broken, match=f"{name}: nobody has agreed to send more"):
        judge.compare(*_pair())
    judge.allow(1)
    judge.compare(*_pair())
    judge.compare(*_pair())  # known
    with pytest.raises(Broken):
        judge.compare(FACES[1], [FACES[2]])
    assert len(server.asked) == 1


# Answers that are kept


@each
def test_no_pair_is_paid_for_twice(made, server, tmp_path, name):
    first = made(name, tmp_path / "seen")
    scores = first.compare(FACES[0], FACES)
    (tmp_path / "elsewhere.jpg").write_bytes(FACES[1].read_bytes())  # the same content under another name
    again = made(name, tmp_path / "seen")
    assert again.compare(FACES[0], [FACES[0], tmp_path / "elsewhere.jpg", FACES[2]]) == scores
    assert (again.asked, len(server.asked)) == (0, 3)
    assert again.thresholds == first.thresholds
    assert made(f"{name}:0.5", tmp_path / "seen").compare(FACES[0], FACES) == scores  # the threshold is no question
    assert len(server.asked) == 3


@each
def test_a_face_that_was_not_found_is_known_too(made, server, tmp_path, name):
    made(name).compare(*_pair())
    server.faceless.add(cloud.digest(server.asked[0][0]))
    assert [made(name, tmp_path).compare(*_pair()) for _ in range(3)] == [[None]] * 3
    assert len(server.asked) == 2


@each
def test_an_interrupted_run_goes_on_where_it_was(made, server, tmp_path, name):
    judge = made(name, tmp_path)
    judge.compare(FACES[0], FACES[:2])
    server.first += [says(500, b"gone")] * TRIES
    with pytest.raises(Unavailable):
        judge.compare(FACES[0], FACES)
    assert len(server.asked) == 2
    assert made(name, tmp_path).compare(FACES[0], FACES) == made(name, tmp_path).compare(FACES[0], FACES)
    assert len(server.asked) == 3


@each
def test_another_address_is_another_service(made, server, tmp_path, name):
    made(name, tmp_path).compare(*_pair())
    made(name, tmp_path, **{TERMS[name].endpoint: server.address.replace("127.0.0.1", "localhost")}).compare(*_pair())
    assert len(server.asked) == 2


def test_what_is_no_answer_is_asked_for_again(made, server, tmp_path):
    scores = made("compreface", tmp_path).compare(*_pair())
    (kept,) = tmp_path.rglob("*.json")
    contents = [
        *("", "[]", "{}", '{"similarity": 1}', '{"similarity": "x", "model": "", "thresholds": {}}', "[" * 9999, "NaN"),
        *('{"similarity": NaN, "model": "", "thresholds": {}}', '{"similarity": null, "model": 5, "thresholds": {}}'),
        '{"similarity": 1, "model": "", "thresholds": {"x": 1}}',
    ]
    judge = made("compreface", tmp_path)
    for count, content in enumerate(contents):
        kept.write_text(content)
        assert judge.compare(*_pair()) == scores
        assert len(server.asked) == count + 2


def test_two_recognisers_are_not_mixed(made, server, tmp_path):
    made("facepp", tmp_path).compare(*_pair())
    server.thresholds = {**cloud.THRESHOLDS, "1e-3": 60.0}
    judge = made("facepp", tmp_path)
    assert judge.compare(*_pair()) == [20.0]
    with pytest.raises(Unavailable, match=r"facepp: is another recogniser than before .* start a new folder"):
        judge.compare(FACES[1], [FACES[2]])
    server.model = "2.0"
    with pytest.raises(Unavailable, match=r"answers as FaceModelVersion 2\.0, and thresholds of 3\.0 are known"):
        made("tencent").compare(*_pair())


# Errors


@each
def test_a_service_that_is_busy_is_asked_again_later(made, server, pauses, name):
    server.first += [cloud.throttled(name), says(503, b"", Retry_After=7), says(502, b"<html>"), says(500, {})]
    assert made(name).compare(*_pair()) == pytest.approx([cloud.DIFFER * TERMS[name].top])
    assert len(server.asked) == 1
    assert len(pauses) == 4
    assert 0 <= pauses[0] <= 1
    assert 7 <= pauses[1] <= 7.7
    assert all(0 <= pause <= most for pause, most in zip(pauses[2:], (4, 8), strict=True))


@each
def test_a_service_that_stays_busy_is_left_alone(made, server, pauses, name):
    server.first += [cloud.throttled(name)] * TRIES
    with pytest.raises(Unavailable, match=rf"^{name}: answers \d+ ?.*, {TRIES} times; ask later$"):
        made(name).compare(*_pair())
    assert len(pauses) == TRIES - 1
    server.first[:] = [says(503, b"", Retry_After=86400)]
    with pytest.raises(Unavailable, match="answers 503 and wants to be left alone for 86400 seconds"):
        made(name).compare(*_pair())
    assert server.asked == []


@each
def test_a_wrong_key_is_a_sentence_that_does_not_repeat_it(made, server, name):
    (first, *_) = TERMS[name].keys
    with pytest.raises(Unavailable) as caught:
        made(name, **{first: "another-wrong-key-1234"}).compare(*_pair())
    assert str(caught.value).startswith(f"{name}: refuses the account (")
    assert str(caught.value).endswith(f"); check {' and '.join(TERMS[name].keys)}")
    assert "another-wrong-key-1234" not in str(caught.value)
    assert len(server.asked) == 0


@pytest.mark.parametrize("name", ["rekognition", "tencent"])
def test_a_wrong_signature_is_noticed(made, name):
    with pytest.raises(Unavailable, match="Signature"):
        made(name, **{TERMS[name].keys[1]: "wrong"}).compare(*_pair())


ERRORS = {
    "facepp": [
        (413, b"Request Entity Too Large", "does not take the pictures (413, too large)"),
        (400, {"error_message": "IMAGE_FILE_TOO_LARGE: image_file2"}, "does not take the pictures (IMAGE_FILE_TOO"),
        (403, {"error_message": "AUTHORIZATION_ERROR:Denied by Admin"}, "refuses the account (AUTHORIZATION_ERROR"),
        (400, {"error_message": "BAD_ARGUMENTS:api_key"}, "answers 400 (BAD_ARGUMENTS:api_key)"),
        (200, {"faces1": [{}], "faces2": [{}]}, "gives no thresholds"),
        (200, {"confidence": 50}, "gives no thresholds"),
    ],
    "rekognition": [
        (400, {"__type": "ImageTooLargeException"}, "does not take the pictures (ImageTooLargeException)"),
        (400, {"__type": "AccessDeniedException"}, "refuses the account (AccessDeniedException)"),
        (400, {"__type": "NewException"}, "answers 400 (NewException)"),
        (200, {"FaceMatches": 5}, "something that boto3 does not understand"),
        (200, {"FaceMatches": [], "UnmatchedFaces": []}, "names no face that it compared"),
        (200, {"FaceMatches": [{"Similarity": "many"}]}, "gives no similarity from 0 to 100"),
    ],
    "tencent": [
        (200, cloud.of_tencent("FailedOperation.ImageSizeExceed"), "does not take the pictures (FailedOperation.Im"),
        (200, cloud.of_tencent("ResourceUnavailable.InArrears"), "refuses the account (ResourceUnavailable.InArr"),
        (200, cloud.of_tencent("UnsupportedOperation"), "answers 200 (UnsupportedOperation)"),
        (404, {"Response": {}}, "answers 404"),
    ],
    "compreface": [
        (400, {"code": 21, "message": "File size"}, "does not take the pictures (File size)"),
        (500, {"code": 41}, f"answers 500, {TRIES} times"),
        (404, {"message": "no such page"}, "answers 404 (no such page)"),
    ],
}


@each
def test_each_documented_error_is_a_sentence(made, server, name):
    judge = made(name)
    for status, said, sentence in ERRORS[name]:
        server.first[:] = [says(status, said)] * TRIES
        with pytest.raises(Unavailable) as caught:
            judge.compare(*_pair())
        assert sentence in str(caught.value)
    assert server.asked == []


HOSTILE = [
    says(200, b"<!doctype html><title>Log in</title>", Content_Type="text/html"),
    says(200, b"\xff\xfe\x00"),
    says(200, b"[" * 100_000),
    says(200, b"[]"),
    says(200, b"{}"),
    says(200, b"x" * (2**20 + 1)),
    says(200, b'{"x": 1}', Content_Encoding="gzip"),
    says(302, b"", Location="https://elsewhere.example/steal"),
    says(307, b"", Location="http://[bad"),
    says(418, b""),
]


@each
def test_a_hostile_answer_is_a_sentence(made, server, name):
    judge = made(name)
    for answer in HOSTILE:
        server.first.append(answer)
        with pytest.raises(Unavailable) as caught:
            judge.compare(*_pair())
        assert str(caught.value).startswith(f"{name}: ")
        assert len(str(caught.value)) < 300
    assert server.first == server.asked == []  # each was asked once, and nobody was followed


@each
def test_what_is_no_similarity_is_none(made, server, name):
    body = {
        "facepp": '{"confidence": VALUE, "thresholds": {"1e-3": 1, "1e-4": 2, "1e-5": 3}, "faces2": [{}]}',
        "rekognition": '{"FaceMatches": [{"Similarity": VALUE}], "UnmatchedFaces": []}',
        "tencent": '{"Response": {"Score": VALUE, "FaceModelVersion": "3.0"}}',
        "compreface": '{"result": [{"face_matches": [{"similarity": VALUE}]}]}',
    }[name]
    judge = made(name)
    for value in ("NaN", "Infinity", "-5", "1e9", '"50"', "null", "true", "[]", "1" + "0" * 400):
        server.first.append(says(200, body.replace("VALUE", value).encode()))
        with pytest.raises(Unavailable, match=f"^{name}: "):
            judge.compare(*_pair())
    assert server.asked == []


@each
def test_who_never_answers_is_not_waited_for(server, pauses, name):
    def drips(handler, body):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        try:
            while True:
                handler.wfile.write(b"X-A: b\r\n")
                handler.wfile.flush()
                time.sleep(0.02)
        except OSError:
            handler.close_connection = True

    server.first += [lambda handler, body: time.sleep(2), drips]
    bounds = wire.Bounds(silent_s=1, whole_s=1.5)  # others work here, too
    judge = services.judge(name, environment=server.environment(), paced=pauses.paced(), bounds=bounds)
    judge.allow(1)
    began = time.monotonic()
    assert judge.compare(*_pair()) == pytest.approx([cloud.DIFFER * TERMS[name].top])
    assert len(pauses) == 2
    assert time.monotonic() - began < 30


@each
def test_a_port_where_nobody_listens_is_a_sentence(pauses, server, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        found = services.judge(
            name, environment=server.environment(**{TERMS[name].endpoint: nobody}), paced=pauses.paced()
        )
        found.allow(1)
        with pytest.raises(Unavailable, match=rf"^{name}: no connection: .*, {TRIES} times; ask later$"):
            found.compare(*_pair())


# Keys


@each
@pytest.mark.parametrize("level", [logging.INFO, logging.DEBUG])
def test_keys_are_in_no_representation_error_log_or_file(made, server, tmp_path, heard, name, level):
    heard.setLevel(level)
    judge = made(name, tmp_path)
    echo = json.dumps({"error_message": " ".join(cloud.KEYS), "code": 1, "message": " ".join(cloud.KEYS)}).encode()
    aws = {"__type": " ".join(cloud.KEYS)}
    tencent = cloud.of_tencent(" ".join(cloud.KEYS))
    server.first.append(says(400, {"rekognition": aws, "tencent": tencent}.get(name, echo)))
    with pytest.raises(Unavailable) as caught:
        judge.compare(*_pair())
    judge.compare(*_pair())
    log = heard.stream.getvalue()
    assert log
    own = [judge.service.keys[key] for key in TERMS[name].keys]
    shown = [str(caught.value), repr(judge), repr(judge.service), repr(judge.service.keys), repr(vars(judge))]
    shown += [str(judge.identity), log, *(path.read_text() for path in tmp_path.rglob("*") if path.is_file())]
    assert all(key not in text for key in own for text in shown)
    assert "…" in str(caught.value)  # they had been there


@each
def test_a_key_that_is_missing_or_none_is_said_without_it(server, name):
    for key in TERMS[name].keys:
        environment = server.environment()
        del environment[key]
        with pytest.raises(BadSetting, match=rf"^{name}: needs .*; set {key}$"):
            services.judge(name, environment=environment)
        with pytest.raises(BadSetting, match=f"^{key}: is no key") as caught:
            services.judge(name, environment=server.environment(**{key: "line\r\nX-Evil: 1"}))
        assert "Evil" not in str(caught.value)


@each
def test_keys_and_faces_go_to_no_address_where_others_listen(server, name):
    for place in (
        *("http://example.com", "ftp://127.0.0.1", "https://me:pass@127.0.0.1", "https://127.0.0.1/?key=1", "nowhere"),
        *("http://127.0.0.1.example.com", "https://[1", "http://192.168.1.5:8000", "https://127.0.0.1:99999"),
    ):
        with pytest.raises(BadSetting, match=f"^{TERMS[name].endpoint}: must be an https address") as caught:
            services.judge(name, environment=server.environment(**{TERMS[name].endpoint: place}))
        assert "pass" not in str(caught.value)


@each
def test_what_is_for_this_machine_goes_through_no_proxy(made, monkeypatch, name):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:1")
    assert made(name).compare(*_pair()) == pytest.approx([cloud.DIFFER * TERMS[name].top])


def test_usual_addresses_are_the_makers():
    environment = dict(cloud.ENVIRONMENT)
    hosts = {name: services.judge(name, environment=environment).service.endpoint for name in cloud.NAMES[:3]}
    assert hosts == {
        "facepp": "https://api-us.faceplusplus.com",
        "rekognition": "https://rekognition.eu-west-1.amazonaws.com",
        "tencent": "https://iai.tencentcloudapi.com",
    }
    with pytest.raises(BadSetting, match="compreface: set COMPREFACE_ENDPOINT to its address"):
        services.judge("compreface", environment=environment)
    for region, said in (("", "rekognition: set AWS_REGION"), ("eu.evil.example/", "AWS_REGION: is no region")):
        with pytest.raises(BadSetting, match=said):
            services.judge("rekognition", environment={**environment, "AWS_REGION": region})


def test_files_and_profiles_of_aws_are_not_read(made, server, tmp_path, monkeypatch):
    (tmp_path / "config").write_text("[default]\nregion = us-east-1\nendpoint_url = https://elsewhere.example\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "somebody-else")
    assert made("rekognition").compare(*_pair()) == [20.0]


def test_a_session_token_is_sent_and_hidden(made, server):
    judge = made("rekognition", AWS_SESSION_TOKEN="token-never-shown")
    assert judge.compare(*_pair()) == [20.0]  # it is signed, too
    assert judge.service.keys.hidden("a token-never-shown b") == "a … b"


# Names


@pytest.mark.parametrize("text", ["", "x", "-1", "101", "nan", "1e9"])
def test_a_similarity_in_a_name_is_on_the_services_scale(server, text):
    with pytest.raises(BadSetting, match="name a similarity from 0 to 100, such as tencent:80"):
        services.judge(f"tencent:{text}", environment=server.environment())
    assert services.judge("tencent:99", environment=server.environment()).limit == 99


@pytest.mark.parametrize(("name", "package"), [("facepp", "httpx2"), ("rekognition", "boto3")])
def test_without_the_extra_it_is_said_how_to_get_it(server, monkeypatch, name, package):
    for module in [module for module in sys.modules if module.startswith("kohl.zoo.services.")]:
        if module.rpartition(".")[2] in ("wire", *cloud.NAMES):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        BadSetting, match=rf"{name}: needs {package}, which is not here; run `pip install 'kohl\[cloud\]'`"
    ):
        services.judge(name, environment=server.environment())


def test_a_photo_that_is_gone_is_a_sentence(made, tmp_path):
    with pytest.raises(BadPhoto):
        made("facepp").compare(tmp_path / "gone.jpg", FACES)
    with pytest.raises(KohlError, match="no such service"):
        services.judge("dlib")


def _pair():
    return FACES[0], [FACES[1]]
