"""Where the server listens, and what is said where it cannot."""

import socket
import subprocess
import sys

import pytest

from kohl import cli
from kohl.errors import BadSetting
from kohl.ui import serve

WITHOUT = "import sys; sys.modules['fastapi'] = None; from kohl.cli import main; sys.exit(main(['serve']))"


def test_without_the_extra_it_says_how_to_get_it():
    done = subprocess.run([sys.executable, "-P", "-c", WITHOUT], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "kohl: serve: needs fastapi, which is not here; run `pip install 'kohl[serve]'`\n"


def test_a_port_that_is_taken_is_refused_where_it_was_asked_for_and_passed_over_where_not():
    with serve.bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadSetting, match=rf"127\.0\.0\.1, port {port}: cannot be used \(Address already in use\)"):
            serve.bound("127.0.0.1", port)
    with serve.bound("127.0.0.1", None) as first, serve.bound("127.0.0.1", None) as second:
        assert first.getsockname() != second.getsockname()


@pytest.mark.parametrize("host", ["999.1.1.1", "no such host", "", "a" * 300, "ü\0"])
def test_an_address_that_is_none_is_refused(host):
    with pytest.raises(BadSetting, match="cannot be used"):
        serve.bound(host, 1)


@pytest.mark.parametrize(
    ("host", "key", "address"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:80/"),
        ("localhost", None, "http://localhost:80/"),
        ("::1", None, "http://[::1]:80/"),
        ("0.0.0.0", "k" * 16, f"http://127.0.0.1:80/#key={'k' * 16}"),
        ("::", "k" * 16, f"http://127.0.0.1:80/#key={'k' * 16}"),
    ],
)
def test_what_is_opened(host, key, address):
    assert serve.url(host, 80, key) == address


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--port", "x"], ["--port", "-1"], ["more"]])
def test_a_wrong_command_line_is_one_sentence(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["serve", *arguments])
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_server_that_others_reach_is_refused_without_a_key(capsys, monkeypatch):
    monkeypatch.delenv(serve.KEY, raising=False)
    assert cli.main(["serve", "--host", "0.0.0.0"]) == 2
    assert "KOHL_API_KEY" in capsys.readouterr().err


def test_no_page_is_opened_in_a_terminal(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert serve._has_screen() == (sys.platform != "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    assert serve._has_screen()


def test_it_listens_on_this_machine_alone():
    with serve.bound("127.0.0.1", 0) as made:
        assert made.getsockname()[0] == "127.0.0.1"
        with socket.create_connection(made.getsockname(), timeout=5):
            pass
