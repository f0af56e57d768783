"""Who may ask, how much, and what browsers are told."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from kohl.errors import BadSetting
from kohl.ui import serve
from kohl.ui.guard import HEADERS, Guard, is_loopback

KEY = "k" * 32


async def answers(scope, receive, send):
    """Says how long the body was."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    await PlainTextResponse(str(length))(scope, receive, send)


async def fails(scope, receive, send):
    raise ZeroDivisionError("with a secret")


def client(app=answers, host="127.0.0.1:5645", **given):
    return TestClient(Guard(app, **given), base_url=f"http://{host}")


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("127.0.0.1:5645", 200),
        ("localhost", 200),
        ("LOCALHOST:80", 200),
        ("[::1]:5645", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:5645", 421),
        ("10.0.0.7:5645", 421),
        ("localhost:x", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_it_answers_to_its_own_names_only(host, code):
    answer = client().get("/v1/looks", headers={"host": host})
    assert answer.status_code == code
    assert answer.headers.keys() >= HEADERS.keys()


def test_beyond_the_loopback_it_answers_to_addresses_that_no_name_can_stand_for():
    everywhere = client(hosts=["box"], key=KEY, anywhere=True)
    for host, code in {"10.0.0.7:5645": 401, "[fe80::1]": 401, "box:1": 401, "evil.example": 421}.items():
        assert everywhere.get("/v1/looks", headers={"host": host}).status_code == code


@pytest.mark.parametrize(
    ("headers", "path", "code"),
    [
        ({"origin": "http://127.0.0.1:5645"}, "/v1/protect", 200),
        ({"origin": "http://evil.example"}, "/v1/protect", 403),
        ({"origin": "null"}, "/v1/protect", 403),
        ({"origin": "http://127.0.0.1:80"}, "/v1/protect", 403),
        ({"origin": "http://localhost:5645"}, "/v1/protect", 403),
        ({"sec-fetch-site": "same-origin"}, "/v1/protect", 200),
        ({"sec-fetch-site": "cross-site"}, "/v1/protect", 403),
        ({"sec-fetch-site": "same-site"}, "/v1/protect", 403),
        ({"sec-fetch-site": "cross-site"}, "/", 200),
        ({"sec-fetch-site": "none"}, "/v1/looks", 200),
    ],
)
def test_other_sites_cannot_ask(headers, path, code):
    assert client().post(path, headers=headers).status_code == code


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, 401),
        ("", 401),
        (KEY, 401),
        (f"Basic {KEY}", 401),
        (f"Bearer {KEY}x", 401),
        (f"Bearer {KEY[:-1]}", 401),
        ("Bearer \xff", 401),
        (f"Bearer {KEY}", 200),
        (f"bearer  {KEY} ", 200),
    ],
)
def test_a_key_is_asked_for_where_there_is_one(authorization, code):
    headers = {} if authorization is None else {"authorization": authorization.encode("latin-1")}
    answer = client(key=KEY).get("/v1/looks", headers=headers)
    assert (answer.status_code, answer.headers.get("www-authenticate")) == (code, "Bearer" if code == 401 else None)
    assert client(key=KEY).get("/").status_code == 200
    assert client(key=KEY).get("/v1/health").status_code == 200


def test_a_body_that_is_too_large_is_not_read():
    asked = {"headers": {"content-type": "multipart/form-data; boundary=x"}, "url": "/v1/protect"}
    small = client(largest=100)
    assert small.post(content=bytes(100), **asked).text == "100"
    answer = small.post(content=bytes(101), **asked)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert small.post(content=iter([bytes(60), bytes(60)]), **asked).status_code == 413
    assert client().post("/v1/download", content=bytes(2**16 + 1)).status_code == 413


def test_a_fault_is_one_sentence_that_tells_nothing(capsys):
    answer = client(fails).get("/")
    assert answer.status_code == 500
    assert answer.json() == {
        "error": "kohl itself failed (ZeroDivisionError); please report this sentence, without the photo"
    }
    assert capsys.readouterr().err == "kohl: ZeroDivisionError: with a secret\n"


def test_headers_that_decide_may_be_there_once():
    answer = client().get("/", headers=[("origin", "http://127.0.0.1:5645"), ("origin", "http://evil.example")])
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "box", "127.0.0.1.example"])
def test_beyond_this_machine_a_key_is_needed(host):
    with pytest.raises(BadSetting, match=r"KOHL_API_KEY"):
        serve.check(host, None)
    serve.check(host, KEY)


@pytest.mark.parametrize("key", ["short", "k" * 15, "ü" * 32, f"{KEY}\n{KEY}", "k k" * 9])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(BadSetting, match="openssl"):
        serve.check("127.0.0.1", key)


def test_what_is_the_loopback():
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost", "0.0.0.0", "x")] == [
        *[True] * 4,
        *[False] * 2,
    ]
