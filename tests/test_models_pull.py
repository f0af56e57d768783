"""`kohl models pull`: licences first, then the files; what it says and which exit code it gives."""

from __future__ import annotations

import hashlib
import io
import json
import signal
import sys
import threading
import time
from dataclasses import replace

import pytest
from served import PROXIES, resumable_from, send, serving

from kohl import cli
from kohl.commands import Parts
from kohl.zoo.card import Card, Role

CONTENT = b"weights"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TOKENS = Card(
    name="tokens",
    package=None,
    file="tokens.bin",
    size=len(CONTENT),
    sha256=SHA256,
    licence="MIT",
    commercial=True,
    source="https://example.org/tokens",
    roles={},
)
NET = replace(
    TOKENS,
    name="net",
    file="net.bin",
    sha256="",
    size=0,
    licence="research only",
    commercial=False,
    roles={"text": Role("m:f", needs=("tokens",))},
)
BY_HAND = replace(TOKENS, name="by-hand", file="by-hand.pth", member="assets/by-hand.pth")
SHIPPED = replace(TOKENS, name="shipped", package="kohl", file="types.py")


@pytest.fixture
def server():
    with serving() as server:
        server.says["it"] = resumable_from(CONTENT)
        yield server


@pytest.fixture
def run(server):
    """The command, with a table of our own, of which a server has two."""
    net, tokens = (replace(card, urls=(server.url("it"),)) for card in (NET, TOKENS))
    return lambda *line: cli.main(line, parts=Parts(table=(SHIPPED, net, tokens, BY_HAND)))


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """An empty cache folder, and no terminal."""
    for name in (*PROXIES, "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path / "cache"))
    terminal(monkeypatch, None)
    return tmp_path / "cache"


def terminal(monkeypatch, answer):
    """Somebody who types `answer`; nobody if it is None."""
    stream = io.StringIO(answer or "")
    stream.isatty = lambda: answer is not None
    monkeypatch.setattr("sys.stdin", stream)


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_what_is_needed_comes_too_and_is_listed(run, folder, capsys):
    assert run("models", "pull", "net", "--yes") == 0
    assert files(folder) == ["net.bin", "pins.json", "tokens.bin"]
    printed = capsys.readouterr()
    assert "net  size not published, present\n  research only, no commercial use\n" in printed.out
    assert "tokens  0.0 MB, present\n  MIT, commercial use allowed\n" in printed.out
    assert printed.out.count(f"sha256 {SHA256}") == 2
    assert "shipped" not in printed.out
    assert f"net: nobody publishes its sha256; {SHA256} is pinned in {folder / 'pins.json'}\n" in printed.err
    assert f"tokens: now in {folder / 'tokens.bin'}\n" in printed.err


@pytest.mark.parametrize("arguments", [["--json", "pull", "net"], ["pull", "net", "--json"]])
def test_json(run, arguments, capsys):
    assert run("models", *arguments, "--yes") == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(model["name"], model["present"], model["sha256"]) for model in listed] == [
        ("net", True, SHA256),
        ("tokens", True, SHA256),
    ]


def test_json_of_what_is_not_here(run, capsys):
    assert run("models", "--json") == 0
    listed = {model["name"]: model for model in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (listed["net"]["size"], listed["net"]["sha256"], listed["net"]["present"]) == (0, "", False)
    assert run("models") == 0
    assert "net  size not published, missing\n" in (printed := capsys.readouterr().out)
    assert "sha256 not published\n" in printed


def test_licences_are_shown_and_asked_for(run, folder, capsys, monkeypatch):
    terminal(monkeypatch, "y\n")
    assert run("models", "pull", "net") == 0
    said = capsys.readouterr().err
    shown = [said.index(text) for text in ("research only, no commercial use", "MIT, commercial", "[y/N]", "now in")]
    assert shown == sorted(shown)
    assert "net.bin" in files(folder)


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n", ""])
def test_nothing_is_fetched_without_consent(run, folder, capsys, monkeypatch, answer):
    terminal(monkeypatch, answer)
    assert run("models", "pull", "net") == 1
    assert capsys.readouterr().err.endswith("kohl: the licences were not accepted, so nothing was fetched\n")
    assert files(folder) == []


def test_nobody_to_ask(run, folder, capsys, fetched_by_hand):
    for arguments in (["net"], ["tokens", "--from", fetched_by_hand]):
        assert run("models", "pull", *arguments) == 2
        assert "pass --yes to accept them\n" in capsys.readouterr().err
    assert files(folder) == []


def test_what_is_here_is_not_fetched_again(run, server, capsys):
    assert run("models", "pull", "net", "--yes") == 0
    asked = len(server.asked)
    capsys.readouterr()
    assert run("models", "pull", "net", "tokens", "shipped") == 0  # nothing to accept
    assert len(server.asked) == asked
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count(", present") == 2  # the third has another size than its card


def test_what_is_wrong_is_fetched_again(run, folder, capsys):
    folder.mkdir()
    (folder / "tokens.bin").write_bytes(CONTENT[::-1])
    assert run("models", "pull", "tokens", "--yes") == 0
    assert (folder / "tokens.bin").read_bytes() == CONTENT


@pytest.fixture
def fetched_by_hand(tmp_path):
    path = tmp_path / "Downloads.pth"
    path.write_bytes(CONTENT)
    return str(path)


def test_file_fetched_by_hand(run, folder, capsys, fetched_by_hand, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert run("models", "pull", "by-hand", "--yes") == 1
    said = capsys.readouterr().err
    assert "fetch the archive with assets/by-hand.pth by hand from https://example.org/tokens and run" in said
    assert "licence" not in said  # asking would be of no use
    terminal(monkeypatch, "yes\n")
    assert run("models", "pull", "by-hand", "--from", fetched_by_hand) == 0
    assert files(folder) == ["by-hand.pth"]
    assert "by-hand  0.0 MB, present" in capsys.readouterr().out


def test_one_file_is_not_many_models(run, capsys, fetched_by_hand):
    assert run("models", "pull", "net", "tokens", "--from", fetched_by_hand) == 2
    assert "is one file for 2 models; name one of them" in capsys.readouterr().err


def test_what_comes_with_kohl_is_not_replaced(run, capsys, fetched_by_hand):
    assert run("models", "pull", "shipped", "--from", fetched_by_hand, "--yes") == 2
    assert capsys.readouterr().err == "kohl: shipped: comes with kohl; leave it as it is\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pull"], "kohl: name a model to pull, or a recipe with --recipe; `kohl models` lists the models\n"),
        (["pull", "nett"], "nett: no such model; did you mean net?"),
        (["push", "net"], "invalid choice: 'push'"),
        (["pull", "net", "--from"], "--from: expected one argument"),
    ],
)
def test_usage(run, arguments, said, capsys):
    try:
        code = run("models", *arguments)
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert said in capsys.readouterr().err


def test_offline(run, monkeypatch, capsys, folder):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert run("models", "pull", "net", "--yes") == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "kohl: net: nothing is downloaded while HF_HUB_OFFLINE is set; unset it, or fetch it by hand"
    )
    assert said.count("\n") == 1
    assert files(folder) == []


def test_failure_is_one_sentence_after_the_licences(run, server, capsys):
    server.says["it"] = lambda handler: send(handler, 500, b"")
    assert run("models", "pull", "tokens", "--yes") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("kohl: tokens: not downloaded (127.0.0.1: answers 500 Internal Server Error); run the same")


def test_interruption(run, server, capsys, folder):
    def interrupting(handler):
        send(handler, 200, CONTENT[:3], Content_Length=len(CONTENT))
        while not ((folder / "tokens.bin.part").exists() and waiting()):
            time.sleep(0.01)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)  # it waits for the rest
        interrupted.wait(30)

    def waiting():  # for the network: the file is not only there, but in the care of who opened it
        return sys._current_frames()[threading.main_thread().ident].f_code.co_name == "readinto"

    interrupted, before = threading.Event(), signal.signal(signal.SIGINT, signal.default_int_handler)
    server.says["it"] = interrupting
    try:
        assert run("models", "pull", "tokens", "--yes") == 130
    finally:
        signal.signal(signal.SIGINT, before)
        interrupted.set()
    assert files(folder) == ["tokens.bin.part"]
    assert capsys.readouterr().err.endswith("kohl: interrupted\n")
