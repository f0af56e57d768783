"""REST against the real application and models: every route, and every refusal as one sentence with a code."""

import base64
import io
import json
import zipfile

import pytest
import site_server as site
from fuzz.door import check_said
from PIL import Image
from starlette.testclient import TestClient

from kohl.cli import main
from kohl.ui import serve

LOOK = "red lipstick"


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    return site.studio(tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def client(studio):
    with TestClient(serve.guarded(studio), base_url=site.HERE) as client:
        yield client


@pytest.fixture(scope="module")
def photo(client):
    """One that was brought."""
    return client.post("/v1/photos", files=site.sent()).json()


@pytest.fixture(scope="module")
def job(client, photo):
    """One that is done, with its events."""
    begun = client.post(f"/v1/photos/{photo['id']}/protect", json={"text": LOOK, "strength": 0.7, "seed": 3})
    assert begun.status_code == 202
    heard = client.get(f"/v1/jobs/{begun.json()['id']}/events").text
    return [json.loads(part.removeprefix("data: ")) for part in heard.strip().split("\n\n")]


def refused(answer):
    """The code and the sentence."""
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error"]
    check_said(f"{answer.json()['error']}\n")
    return answer.status_code, answer.json()["error"]


def opened(content):
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image


def test_a_photo_comes_back_protected_as_the_command_line_would_make_it(client, studio, tmp_path):
    answer = client.post("/v1/protect", files=site.sent(), data={"seed": 3})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''me_kohl.jpg"
    assert json.loads(answer.headers["kohl-summary"])["status"] == answer.headers["kohl-status"]
    original = tmp_path / "me.jpg"
    original.write_bytes(site.PHOTO)
    few = [f"--set=search.{name}" for name in ("steps=2", "scouts=0", "tries=1")]
    main(["protect", str(original), "--seed", "3", *few])
    assert answer.content == (tmp_path / "me_kohl.jpg").read_bytes()
    assert list(studio.tray.folder.iterdir()) == []


def test_the_whole_row_comes_as_json(client):
    asked = {"style": "smoky-eyes", "strength": 1, "faces": "0"}
    found = client.post("/v1/protect", files=site.sent(), data=asked, headers={"accept": "application/json"}).json()
    assert found["row"]["photo"] == "me.jpg"
    assert found["row"]["recipe"]["strength"] == 1
    assert "eyeshadow" in found["words"]["look"]
    assert opened(base64.b64decode(found["photo"]["base64"])).size == (512, 512)


def test_a_job_is_answered_at_once_and_can_be_called_off(client, studio):
    answer = client.post("/v1/protect", files=site.sent(), headers={"prefer": "respond-async"})
    assert answer.status_code == 202
    where = answer.headers["location"]
    assert where == f"/v1/jobs/{answer.json()['id']}"
    assert answer.json()["state"] in ("waiting", "running")
    assert client.delete(where).status_code == 204
    assert refused(client.get(where))[0] == 404


def test_a_photo_that_was_brought_is_described(photo):
    assert (photo["name"], photo["width"], photo["height"]) == ("me.jpg", 512, 512)
    ((face),) = photo["faces"]
    assert face["reason"] is None
    assert face["shown"]


def test_faces_and_looks_are_pictures(client, photo):
    whole = client.get(f"/v1/photos/{photo['id']}/picture")
    assert opened(whole.content).size == (512, 512)
    path = f"/v1/photos/{photo['id']}/faces/0"
    plain, made_up = (client.get(path, params={"side": 160, "text": text}).content for text in ("", LOOK))
    assert opened(plain).size == opened(made_up).size == (160, 160)
    assert plain != made_up


def test_the_slider_asks_for_no_second_search(client, photo, studio):
    path = f"/v1/photos/{photo['id']}/faces/0/preview"
    first = client.get(path, params={"strength": 0.1, "text": LOOK})
    searched = dict(studio._dials)
    second = client.get(path, params={"strength": 0.9, "text": LOOK})
    assert dict(studio._dials) == searched
    assert opened(first.content).size == opened(second.content).size == (640, 640)
    assert float(first.headers["kohl-chance"]) >= float(second.headers["kohl-chance"])
    assert first.headers["kohl-says"].endswith("would still match (estimated)")


def test_a_job_tells_how_far_it_is_and_then_its_row(job):
    assert {event["state"] for event in job} <= {"waiting", "running", "done"}
    shares = [event["progress"] for event in job]
    assert shares == sorted(shares)
    last = job[-1]
    assert (last["state"], last["progress"], last["result"]) == ("done", 1.0, "me_kohl.jpg")
    assert last["words"]["look"] == "lipstick: red"
    assert [judge["name"] for judge in last["words"]["faces"][0]["judges"]] == ["SFace", "dlib", "facelib"]
    assert last["row"]["seed"] == 3
    assert last["row"]["output"] == "me_kohl.jpg"


def test_results_are_downloaded_one_by_one_or_together(client, photo, job):
    number = job[-1]["id"]
    one = client.get(f"/v1/jobs/{number}/photo")
    assert one.headers["content-type"] == "image/jpeg"
    assert len(one.content) == job[-1]["bytes"]
    assert opened(client.get(f"/v1/jobs/{number}/faces/0").content).size == (640, 640)
    again = client.post(f"/v1/photos/{photo['id']}/protect", json={}).json()["id"]
    client.get(f"/v1/jobs/{again}/events")
    both = client.post("/v1/download", json={"jobs": [number, again]})
    with zipfile.ZipFile(io.BytesIO(both.content)) as file:
        assert file.namelist() == ["me_kohl.jpg", "me_kohl_2.jpg"]
        assert file.read("me_kohl.jpg") == one.content
    client.delete(f"/v1/jobs/{again}")


def test_what_is_taken_away_leaves_nothing(client, studio):
    before = set(studio.tray.folder.iterdir())
    brought = client.post("/v1/photos", files=site.sent()).json()["id"]
    assert set(studio.tray.folder.iterdir()) != before
    assert client.delete(f"/v1/photos/{brought}").status_code == 204
    assert set(studio.tray.folder.iterdir()) == before
    assert refused(client.get(f"/v1/photos/{brought}/picture"))[0] == 404


@pytest.mark.parametrize(
    ("content", "asked", "code", "said"),
    [
        (b"no photo", {}, 422, "me.jpg: is not a picture that kohl can read"),
        (b"", {}, 422, "me.jpg: is empty"),
        (site.PHOTO[:3000], {}, 422, "me.jpg: is damaged or incomplete"),
        (site.PHOTO, {"text": "a nice day"}, 400, "names no makeup"),
        (site.PHOTO, {"style": "smoky-eye"}, 400, "did you mean smoky-eyes?"),
        (site.PHOTO, {"strength": 2}, 400, "strength: input should be less than or equal to 1"),
        (site.PHOTO, {"seed": -1}, 400, "seed: "),
        (site.PHOTO, {"faces": "one"}, 400, "faces: "),
        (site.PHOTO, {"faces": "7"}, 422, "there is no face 7"),
    ],
)
def test_what_is_refused_is_one_sentence(client, studio, content, asked, code, said):
    before = set(studio.tray.folder.iterdir())
    found, sentence = refused(client.post("/v1/protect", files=site.sent(content), data=asked))
    assert (found, said in sentence) == (code, True), sentence
    assert set(studio.tray.folder.iterdir()) == before


def test_a_photo_without_a_face_is_refused_when_it_is_protected_and_shown_before(client):
    blank = io.BytesIO()
    Image.new("RGB", (64, 64), "grey").save(blank, "PNG")
    assert client.post("/v1/photos", files=site.sent(blank.getvalue(), "a.png")).json()["faces"] == []
    assert refused(client.post("/v1/protect", files=site.sent(blank.getvalue(), "a.png")))[0] == 422


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/page/../app.py", 404),
        ("GET", "/page/%2e%2e%2fapp.py", 404),
        ("GET", "/v1/jobs/nobody", 404),
        ("DELETE", "/v1/photos/nobody", 404),
        ("PUT", "/v1/protect", 405),
        ("POST", "/v1/protect", 400),
        ("POST", "/v1/download", 400),
    ],
)
def test_what_is_not_there_is_one_sentence(client, method, path, code):
    assert refused(client.request(method, path))[0] == code


def test_faces_that_are_not_there_and_odd_sizes_are_refused(client, photo):
    path = f"/v1/photos/{photo['id']}/faces"
    assert refused(client.get(f"{path}/9"))[0] == 404
    assert refused(client.get(f"{path}/-1"))[0] == 404
    assert refused(client.get(f"{path}/0", params={"side": 5000}))[0] == 400
    assert refused(client.get(f"{path}/0/preview", params={"strength": "nan"}))[0] == 400


def test_words_are_read(client):
    assert client.get("/v1/words", params={"text": "red lipstik"}).json() == {
        "look": "lipstick: red",
        "notes": ["read “lipstik” as “lipstick”"],
    }
    assert len(client.get("/v1/looks").json()) == 64


def test_the_page_is_whole_and_asks_nobody_else(client):
    page = client.get("/").text
    for name in ("page.css", "page.js", "icon.svg"):
        assert f"/page/{name}" in page
    for name in ("index.html", "page.css", "page.js", "server.js", "stage.js", "looks.js", "preview.js", "verdict.js"):
        answer = client.get(f"/page/{name}")
        assert answer.status_code == 200
        assert "https://" not in answer.text
        assert "http://" not in answer.text
    assert "<script>" not in page
    assert " style=" not in page
    assert " onclick" not in page


def test_everything_is_described(client):
    described = client.get("/v1/openapi.json").json()
    assert "/v1/protect" in described["paths"]
    told = [operation for path in described["paths"].values() for operation in path.values()]
    assert all(operation.get("summary") for operation in told)
    error = described["components"]["schemas"]["Refusal"]
    assert error["required"] == ["error"]
    assert "HTTPValidationError" not in str(told)


def test_nothing_is_told_to_anybody_else(studio):
    app = serve.guarded(studio).app
    told = {name: value for name, value in app._telemetry.items() if isinstance(value, bool)}
    assert {"tracing", "metrics", "logs", "operation_spans", "auto_configure"} <= told.keys()
    assert not any(told.values())
    assert not app._native_telemetry.enabled()
