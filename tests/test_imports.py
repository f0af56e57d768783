"""Importing kohl and asking for help are free; nothing but the named files can reach a network."""

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "kohl"
HEAVY = {"torch", "onnx", "onnxruntime", "dlib", "cv2", "numpy", "PIL"}
NETWORK = {"aiohttp", "ftplib", "http", "httpx", "requests", "smtplib", "socket", "socketserver", "ssl", "urllib3"}
NETWORK |= {
    "asyncio",
    "telnetlib",
    "urllib.request",
    "webbrowser",
    "websockets",
    "xmlrpc",
    "fsspec",
    "ray",
    "httpx2",
    "boto3",
    "botocore",
}
# A download that was asked for by name, a judge, a store and a cluster that the user names, and a page for this
# machine's own browser.
MAY_REACH_A_NETWORK = {"zoo/files/download.py", "zoo/files/answers.py", "zoo/services/wire.py"}
MAY_REACH_A_NETWORK |= {"stores.py", "cluster.py"}
MAY_REACH_A_NETWORK |= {"zoo/services/rekognition.py"}  # which hands what boto3 signed to the wire
COMMANDS = {"import": ["-c", "import kohl"], "help": ["-m", "kohl", "--help"]}


def started(command):
    """The command's end, and the seconds that it kept a processor busy, in a Python of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run([sys.executable, "-P", *command], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_loads_nothing_heavy(command):
    result, _ = started(["-X", "importtime", *command])
    assert result.returncode == 0, result.stderr
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:")}
    assert "kohl" in loaded
    assert loaded & (HEAVY | {"requests", "urllib3", "http.client", "urllib.request", "ssl"}) == set()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_takes_less_than_half_a_second(command):
    assert min(started(command)[1] for _ in range(3)) < 0.5


def imported(path):
    """Every module that a file names in an import, with its parents: `urllib.request` is also `urllib`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name[:end] for name in names for end in [*(i for i, c in enumerate(name) if c == "."), len(name)]}


def test_only_named_files_can_reach_a_network():
    reaching = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if imported(path) & NETWORK}
    assert {path for path in reaching if not path.startswith("ui/")} <= MAY_REACH_A_NETWORK


@pytest.mark.parametrize(
    "code", ["import http.client", "def f():\n    from urllib import request", "import requests as r"]
)
def test_notices_a_network_module(tmp_path, code):
    (tmp_path / "module.py").write_text(code)
    assert imported(tmp_path / "module.py") & NETWORK
