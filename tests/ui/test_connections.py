"""Connections to the real server: slow ones, cut ones, and many at once; others are served, and nothing is left."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack

import numpy as np
import pytest
import site_server as site
from PIL import Image

from kohl.ui.patience import Patience

HEAD = b"POST /v1/protect HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\ncontent-disposition: form-data; name="photo"; filename="me.jpg"\r\n\r\n'
WHOLE = PART + site.PHOTO + b"\r\n--b--\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = site.studio(tmp_path_factory.mktemp("kept"))
    patience = Patience(head_s=0.4, read_s=0.6, look_s=0.1)
    with site.running(made, patience=patience, guard={"patience_s": 0.5}) as running:
        running.folder = made.tray.folder
        yield running


def connected(server):
    return socket.create_connection(server.address, timeout=10)


def heard(connection):
    """Everything until the server closes."""
    parts = []
    try:
        while part := connection.recv(2**16):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def healthy(server):
    with urllib.request.urlopen(f"{server.url}/v1/health", timeout=2) as answer:
        return json.load(answer)["version"]


def emptied(folder):
    """Whether the folder is empty before long."""
    until = time.monotonic() + 10
    while list(folder.iterdir()) and time.monotonic() < until:
        time.sleep(0.05)
    return list(folder.iterdir()) == []


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: "])
def test_a_head_that_does_not_come_is_not_waited_for(server, said):
    with connected(server) as slow:
        slow.sendall(said)
        assert heard(slow) == b""


def test_a_body_that_does_not_come_is_told_so(server):
    with connected(server) as slow:
        slow.sendall(HEAD + b"content-length: 1000\r\n\r\n" + PART)
        answer = heard(slow)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not come within" in answer
    assert emptied(server.folder)


def test_many_slow_ones_keep_nobody_waiting(server):
    with ExitStack() as stack:
        for _ in range(50):
            slow = stack.enter_context(connected(server))
            slow.sendall(HEAD + b"content-length: 1000\r\n\r\n" + PART)
        assert healthy(server)


@pytest.mark.parametrize("sent", [1, len(PART), len(PART) + 5000, len(WHOLE) - 1])
def test_an_upload_that_is_cut_leaves_nothing(server, sent):
    with connected(server) as cut:
        cut.sendall(HEAD + f"content-length: {len(WHOLE)}\r\n\r\n".encode() + WHOLE[:sent])
    assert healthy(server)
    assert emptied(server.folder)


def test_who_leaves_before_the_result_has_the_work_called_off(tmp_path):
    made = site.studio(tmp_path / "kept", site.DEFAULT)
    with site.running(made) as server:
        with connected(server) as leaving:
            leaving.sendall(HEAD + f"content-length: {len(WHOLE)}\r\n\r\n".encode() + WHOLE)
            while made.desk.running is None or not made.ready:
                time.sleep(0.02)
        assert emptied(made.tray.folder)


def test_an_answer_that_nobody_takes_is_given_up(server):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (1600, 1600, 3), np.uint8))
    content = io.BytesIO()
    noise.save(content, "PNG", compress_level=0)
    body = PART + content.getvalue() + b"\r\n--b--\r\n"
    with connected(server) as fast:
        head = HEAD.replace(b"protect", b"photos") + b"connection: close\r\n"
        fast.sendall(head + f"content-length: {len(body)}\r\n\r\n".encode() + body)
        number = json.loads(heard(fast).partition(b"\r\n\r\n")[2])["id"]
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(10)
        slow.connect(server.address)
        slow.sendall(f"GET /v1/photos/{number}/picture HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode() * 3)
        time.sleep(2)
        assert healthy(server)
        assert len(heard(slow)) < 3 * 2**20
    urllib.request.urlopen(urllib.request.Request(f"{server.url}/v1/photos/{number}", method="DELETE"))
    assert emptied(server.folder)


def test_what_is_no_http_is_refused(server):
    for said in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 70_000):
        with connected(server) as odd:
            odd.sendall(said)
            assert heard(odd)[:10] in (b"HTTP/1.1 4", b"")


def test_who_breaks_http_after_the_answer_leaves_no_trace(server, capfd):
    with connected(server) as odd:
        odd.sendall(HEAD.replace(b"/v1/protect", b"/v1/nothing") + b"transfer-encoding: chunked\r\n\r\n")
        assert odd.recv(2**16).startswith(b"HTTP/1.1 404 ")
        odd.sendall(b"zz\r\n")
        heard(odd)
    assert healthy(server)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(other, marks=pytest.mark.slow) for other in (signal.SIGINT, signal.SIGHUP))],
)
def test_it_ends_with_nothing_left_whatever_ends_it(tmp_path, number):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-P", "-m", "kohl", "serve", "--no-browser", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        url = process.stderr.readline().split()[0]
        brought = urllib.request.Request(f"{url}v1/photos", PART + site.PHOTO + b"\r\n--b--\r\n")
        brought.add_header("content-type", "multipart/form-data; boundary=b")
        with urllib.request.urlopen(brought, timeout=30) as answer:
            assert answer.status == 201
        assert len(list(tmp_path.glob("kohl-private-*/*/photo.jpg"))) == 1
        process.send_signal(number)
        assert process.wait(20) == 0
        assert process.stderr.read() == "ended; no photo is kept\n"
    finally:
        process.kill()
        process.communicate()
    assert list(tmp_path.iterdir()) == []


def test_twenty_at_once_are_all_answered(tmp_path):
    made = site.studio(tmp_path / "kept")
    with site.running(made) as server:
        for _ in range(20):
            with connected(server) as one:
                asked = HEAD + b"prefer: respond-async\r\nconnection: close\r\n"
                one.sendall(asked + f"content-length: {len(WHOLE)}\r\n\r\n".encode() + WHOLE)
                assert heard(one).startswith(b"HTTP/1.1 202 ")
        assert made.desk.waiting >= 10
    assert list(made.tray.folder.iterdir()) == []
