"""No word leaves the machine, and no file is written but where kohl says: as strace sees it, and as Python sees it."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import audited
import photos
import pytest
from fuzz import networks
from PIL import Image

import kohl
from kohl.zoo.files import runtime

TESTS = Path(__file__).parent
SOURCE = Path(kohl.__file__).parents[1]
COMMANDS = {
    "protect": (
        "protect",
        "a.jpg",
        "-o",
        "out",
        "--report",
        "out/report.html",
        "--text",
        "red lipstick",
        "--set",
        "search.steps=1",
    ),
    "compare": ("compare", "a.jpg", "b.png"),
    "an ONNX judge": ("compare", "a.jpg", "b.png", "--judge", "onnx:judge/model.onnx"),
    "models": ("models",),
    "refusal": ("protect", "nothing.jpg", "--report", "out/report.html"),
}
MAKES = ("creat", "mkdir", "mkdirat", "mknod", "mknodat", "truncate")
NAMES = ("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "rmdir")
MARKS = ("chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "utimensat", "setxattr", "lsetxattr")
CALL = re.compile(r"^(?:\d+ +)?([a-z_0-9]+)\((.*)$", re.MULTILINE)
PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"')
WRITES = re.compile(r"\bO_(?:WRONLY|RDWR|CREAT|TRUNC|TMPFILE)\b")
SINKS = ("/dev/null",)
BROKEN = ("text.jpg", "cut.jpg", "folder.jpg", "missing.jpg", "bomb.png")


@dataclass(frozen=True)
class Traced:
    """What one run did, by its system calls."""

    sockets: list[str]  # of any family but AF_UNIX, and every connection and datagram
    programs: list[str]  # that it started beside itself
    written: list[Path]  # every name that it opened for writing, made, moved, removed or marked


def laid_out(tmp_path):
    """A fresh home, a fresh folder for temporary files, a folder with photos; nothing else is in the environment."""
    folders = {name: tmp_path / name for name in ("home", "temporary", "work")}
    for folder in (*folders.values(), folders["work"] / "out"):
        folder.mkdir()
    photos.portrait().save(folders["work"] / "a.jpg", quality=95)
    photos.portrait().rotate(5).save(folders["work"] / "b.png")
    folders["work"].joinpath("judge").mkdir()
    (folders["work"] / "judge" / "model.onnx").write_bytes(networks.seed())
    (folders["work"] / "judge" / "model.onnx.toml").write_text(networks.CARD)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["temporary"]),
        "PYTHONPATH": f"{SOURCE}{os.pathsep}{TESTS}",
        "PYTHONDONTWRITEBYTECODE": "1",  # compiled modules are the interpreter's, beside the modules
        "OMP_NUM_THREADS": "1",
    }
    return SimpleNamespace(**folders, environment=environment, trace=tmp_path / "trace")


def traced(text, folder):
    """What a trace says, with relative names taken from `folder`."""
    sockets, programs, written = [], [], []
    for name, arguments in CALL.findall(text):
        if (name == "socket" and not arguments.startswith("AF_UNIX")) or name in (
            "connect",
            "sendto",
            "sendmsg",
            "bind",
        ):
            sockets.append(f"{name}({arguments[:120]}")
        elif name in ("execve", "execveat"):
            programs.append(arguments[:120])
        elif name in (*MAKES, *NAMES, *MARKS) or (name in ("open", "openat", "openat2") and WRITES.search(arguments)):
            if name.startswith("mkdir") and "EEXIST" in arguments:
                continue
            paths = PATH.findall(arguments.partition("O_")[0] if name.startswith("open") else arguments)
            written += [folder / place / path.encode().decode("unicode_escape") for place, path in paths]
    return Traced(sockets, programs, written)


@pytest.fixture
def place(tmp_path):
    return laid_out(tmp_path)


@pytest.mark.tools
@pytest.mark.parametrize("name", COMMANDS)
def test_no_socket_and_no_file_but_where_kohl_says(place, name):
    command = [sys.executable, "-P", "-m", "kohl", *COMMANDS[name]]
    wanted = ",".join(["%network", "%file", *(f"?{call}" for call in ("execveat", "openat2", "fchmodat2"))])
    strace = [
        "strace",
        "-f",
        "-y",
        "-qq",
        "-s",
        "4096",
        "-e",
        "signal=none",
        "-e",
        f"trace={wanted}",
        "-o",
        place.trace,
    ]
    done = subprocess.run([*strace, *command], cwd=place.work, env=place.environment, capture_output=True, text=True)
    assert done.returncode in ((1,) if name == "refusal" else (0, 3)), done.stderr
    seen = traced(place.trace.read_text(errors="replace"), place.work)
    documented = (place.work / "out", place.temporary)
    outside = [path for path in seen.written if str(path) not in SINKS and not path.is_relative_to(documented[0])]
    assert seen.sockets == []
    assert len(seen.programs) == 1, seen.programs
    assert [path for path in outside if not path.is_relative_to(documented[1])] == []
    assert list(place.home.iterdir()) == []
    assert list(place.temporary.iterdir()) == []
    assert sorted(path.name for path in place.work.iterdir()) == ["a.jpg", "b.png", "judge", "out"]


def test_what_the_tracer_sees_is_understood():
    seen = traced(
        """\
7 socket(AF_UNIX, SOCK_STREAM, 0) = 3<UNIX>
7 socket(AF_NETLINK, SOCK_RAW, 0) = 4
8 connect(3, {sa_family=AF_INET, sin_port=htons(443)}, 16 <unfinished ...>
7 openat(AT_FDCWD</work>, "read \\303\\274.txt", O_RDONLY|O_CLOEXEC) = 3</work/read>
7 openat(AT_FDCWD</work>, "made.txt", O_RDWR|O_CREAT, 0666) = 3</work/made.txt>
7 openat(5</home>, "kept", O_WRONLY <unfinished ...>
7 mkdir("/work/there", 0777) = -1 EEXIST (File exists)
7 rename("/work/a", "b") = 0
""",
        Path("/work"),
    )
    assert len(seen.sockets) == 2
    assert list(map(str, seen.written)) == ["/work/made.txt", "/home/kept", "/work/a", "/work/b"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A process of its own that loads the default recipe's models, protects nobody and then somebody, and compares."""
    place = laid_out(tmp_path_factory.mktemp("process"))
    bad = photos.bad_files(place.work / "bad")
    Image.new("RGB", (1, 1)).save(place.work / "1x1.png")
    names = [bad[name] for name in BROKEN]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "audited", *names, "1x1.png"],
        cwd=place.work,
        env=place.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(place=place, done=done, said=json.loads(done.stdout.splitlines()[-1]))


def test_python_itself_opens_no_socket_and_writes_nothing_elsewhere(run):
    events, place = run.said["events"], run.place
    assert [event for event in events if event[0].startswith("socket.")] == []
    assert [event for event in events if not event[0].startswith(("socket.", "file"))] == []
    outside = {path for kind, path in events if kind == "file" and path not in SINKS}
    assert {path for path in outside if not Path(path).is_relative_to(place.work / "out")} == set()
    assert list(place.home.iterdir()) == []
    assert sorted(path.name for path in (place.work / "out").iterdir()) == ["a_kohl.jpg", "report.html"]


def test_what_could_report_to_others_is_not_loaded_for_a_photo_and_is_told_not_to_for_a_judge(run):
    assert set(runtime.QUIET) == set(audited.QUIET)
    assert (run.said["heavy"], run.said["before"]) == ([], [None, None])
    assert run.said["told"] == [["1", "1"], True]


def test_as_a_process_it_ends_without_a_traceback(run):
    # Real models are loaded, and none of them has to do anything.
    assert [line.startswith("kohl: ") for line in run.done.stderr.splitlines()] == [True] * len(BROKEN)
    assert "1x1.png  no face (" in run.done.stdout
