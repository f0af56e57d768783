"""Set up `.venv` with the standard library alone: `python3 _env.py SET INPUT…`; a kill at any moment is repaired.

SET is `run`, `dev` with the developer's tools, or `release` with those for packages and the site, too. INPUTs are the
files that decide what is installed; the stamp is their text.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = ROOT / ".cache" / "setup"  # locked while a set-up runs; not empty once one has begun and not ended
SETS = ("run", "dev", "release")  # each is more than the one before
DOWNLOAD_MB = {"run": 414, "dev": 670, "release": 712}  # Linux, x86-64, CPU build: benchmarks/README.md
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
AGAIN = "and run the same command again"


class SetUpError(Exception):
    """One sentence: what is missing, and what to do."""


def say(text: str) -> None:
    """Tell the person at the terminal; standard output belongs to the command that runs afterwards."""
    print(f"kohl: {text}", file=sys.stderr, flush=True)


def run(*command: str | Path, timeout_s: float | None = None) -> subprocess.CompletedProcess[str]:
    """What a command printed and how it ended."""
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        close_fds=False,  # hands on the lock: if we are killed, a pip that still writes goes on holding it
        env={**os.environ, "PIP_USER": "0"},  # some systems make --user pip's default, which no venv allows
    )


def cpu_index_answers(index: str = CPU_INDEX, timeout_s: float = 5) -> bool:
    """Whether PyTorch's index of CPU builds can be reached: known within seconds, and silent when not."""
    request = "import sys, urllib.request as web; web.urlopen(sys.argv[1], timeout=4)"
    try:  # in a process of its own: looking up a host's name knows no timeout
        return run(sys.executable, "-I", "-c", request, f"{index}/torch/", timeout_s=timeout_s).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def has_nvidia() -> bool:
    """Whether the machine has an NVIDIA GPU."""
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def wants_cpu_build(
    system: str = sys.platform,
    nvidia: Callable[[], bool] = has_nvidia,
    answers: Callable[[], bool] = cpu_index_answers,
) -> bool:
    """Whether torch should come from the CPU index: PyPI's build for Linux brings gigabytes of CUDA."""
    return system == "linux" and not nvidia() and answers()


def reason(output: str) -> str:
    """One sentence for what pip or venv printed when it failed."""
    if "No space left on device" in output:
        return f"the disk is full: free some gigabytes {AGAIN}"
    if any(sign in output for sign in ("connection broken by", "Could not fetch URL", "timed out", "ProxyError")):
        return f"no package index could be reached: connect to a network (or set pip's proxy and index) {AGAIN}"
    return "; ".join(output.strip().splitlines()[-3:]) or "no reason was given"


def checked(*command: str | Path) -> None:
    """Run a command that must succeed."""
    result = run(*command)
    if result.returncode:
        raise SetUpError(reason(result.stdout))


def pip_install(*arguments: str) -> None:
    """Install wheels at the pinned versions."""
    options = ("--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-c", ROOT / "constraints.txt")
    checked(PYTHON, "-I", "-m", "pip", "install", *options, *arguments)


def usable() -> bool:
    """Whether `.venv` has a Python that is new enough, and pip."""
    test = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return os.access(PYTHON, os.X_OK) and run(PYTHON, "-I", "-c", test).returncode == 0


def create() -> None:
    """Make an empty `.venv`, whatever is there."""
    if not (find_spec("venv") and find_spec("ensurepip")):
        package = f"python3.{sys.version_info.minor}-venv"
        raise SetUpError(f"this Python cannot make environments: install venv (Debian: apt install {package}) {AGAIN}")
    for stamp in VENV.glob("*.stamp"):
        stamp.unlink()  # first: nobody may take a half-deleted environment for a whole one
    if VENV.is_dir():
        shutil.rmtree(VENV)
    # By the real path, with the version in it: /usr/bin/python3 becomes another Python when the system is upgraded.
    checked(os.path.realpath(sys.executable), "-I", "-m", "venv", "--without-pip", VENV)
    checked(PYTHON, "-I", "-m", "ensurepip")  # by itself, since venv would not tell why this failed


def install(requirements: list[str], cpu_build: bool) -> None:
    """Bring `.venv` to the pinned versions and let it find `src`."""
    if cpu_build:
        pip_install("--no-deps", "--extra-index-url", CPU_INDEX, "torch")  # and nothing else from that index
    pip_install(*requirements)
    # Rather than an editable install, which would have to fetch the build backend.
    for packages in VENV.glob("lib/python3*/site-packages"):
        (packages / "kohl.pth").write_text(os.path.relpath(ROOT / "src", packages) + "\n")


def set_up(wanted: str, inputs: list[str]) -> None:
    """Make `.venv` current, one process at a time; what a killed set-up left is thrown away."""
    STATE.parent.mkdir(exist_ok=True)
    with STATE.open("a+") as state:
        os.set_inheritable(state.fileno(), True)
        try:
            fcntl.flock(state, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up to end…")
            fcntl.flock(state, fcntl.LOCK_EX)
        content = b"".join((ROOT / name).read_bytes() for name in inputs)
        stamp = VENV / f"{wanted}.stamp"
        if os.access(PYTHON, os.X_OK) and stamp.is_file() and stamp.read_bytes() == content:
            return

        start = time.monotonic()
        state.seek(0)
        fresh = bool(state.read()) or not usable()
        state.write("not finished")
        state.flush()
        cpu_build = wants_cpu_build()
        torch = (
            "torch's CPU build" if cpu_build else "torch as the package index has it (for Linux: CUDA, some GB more)"
        )
        first = f"setting up {VENV}, once: {DOWNLOAD_MB[wanted]} MB to download, with {torch}…"
        say(first if fresh else f"updating {VENV}…")
        if fresh:
            create()
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        sets = SETS[: SETS.index(wanted) + 1]
        tools = [tool for name in sets[1:] for tool in project["dependency-groups"][name]]
        extras = project["project"]["optional-dependencies"]  # a clone has the page, and reads phones' photos, at once
        install([*project["project"]["dependencies"], *extras["serve"], *extras["heif"], *tools], cpu_build)
        for name in sets:
            part = VENV / f"{name}.part"
            part.write_bytes(content)
            part.replace(VENV / f"{name}.stamp")
        state.truncate(0)
        say(f"ready after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    try:
        set_up(sys.argv[1], sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit("kohl: set-up interrupted; the same command starts it again")
    except SetUpError as error:
        sys.exit(f"kohl: set-up failed: {error}")
    except OSError as error:
        full = error.errno == errno.ENOSPC
        sys.exit(f"kohl: set-up failed: {reason('No space left on device') if full else error}")
