"""The set-up behind scripts/: nothing is downloaded, since `run`, which starts venv and pip, is a fake."""

import importlib.util
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
INPUTS = ["pyproject.toml", "constraints.txt", "scripts/_env.py"]
ECHO = """#!/bin/sh\nprintf '%s|' "$PWD" "$@"\n"""


class Killed(BaseException):
    """Ends a set-up as SIGKILL does: nobody catches it."""


class Fake:
    """Stands in for `run`: remembers what was started; "makes" an environment; pip answers as told."""

    def __init__(self, env):
        self.env, self.calls, self.pip = env, [], CompletedProcess([], 0, "")
        self.cpu, self.broken = False, False

    def __call__(self, *command, timeout_s=None):
        self.calls.append(" ".join(map(str, command)))
        if "venv" in command:
            write_program(self.env.PYTHON, ECHO)
            (self.env.VENV / "lib/python3.11/site-packages").mkdir(parents=True)
        if "install" in command:
            if self.pip is Killed:
                raise Killed
            return self.pip
        return CompletedProcess(command, int(self.broken and "import pip" in str(command)), "")

    def started(self, word):
        return [call for call in self.calls if word in call.split()]


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def clone(tmp_path):
    root = tmp_path / "a clone"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, root)
    (root / "src").mkdir()
    return root


@pytest.fixture
def env(clone):
    """scripts/_env.py of the clone, as a module."""
    spec = importlib.util.spec_from_file_location("_env", clone / "scripts/_env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fake(env, monkeypatch):
    fake = Fake(env)
    monkeypatch.setattr(env, "run", fake)
    monkeypatch.setattr(env, "wants_cpu_build", lambda: fake.cpu)
    return fake


@pytest.fixture
def programs(tmp_path):
    """A PATH with the few commands that a script needs, and no Python."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "bash", "cat", "readlink", "dirname"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    return tmp_path / "bin"


def script(path, *arguments, programs, **options):
    options |= {"env": {"PATH": str(programs)}, "stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    return subprocess.run([path, *arguments], **options)


def test_sets_up_once(env, fake, clone):
    env.set_up("run", INPUTS)
    assert len(fake.started("venv")) == len(fake.started("ensurepip")) == len(fake.started("install")) == 1
    assert "torch>=" in fake.started("install")[0]
    assert "pytest>=" not in fake.started("install")[0]
    assert (env.VENV / "run.stamp").read_text() == "".join((clone / name).read_text() for name in INPUTS)
    line = (env.VENV / "lib/python3.11/site-packages/kohl.pth").read_text().strip()
    assert (env.VENV / "lib/python3.11/site-packages" / line).resolve() == clone / "src"
    env.set_up("run", INPUTS)
    assert len(fake.started("install")) == 1


def test_tools_are_added_to_what_is_there(env, fake):
    env.set_up("run", INPUTS)
    env.set_up("dev", INPUTS)
    assert len(fake.started("venv")) == 1
    assert "pytest>=" in fake.started("install")[1]


def test_with_the_tools_nothing_is_missing_to_run(env, fake):
    env.set_up("dev", INPUTS)
    fake.calls.clear()
    env.set_up("run", INPUTS)
    assert fake.calls == []


@pytest.mark.parametrize("name", INPUTS)
def test_a_changed_input_updates(env, fake, clone, name):
    env.set_up("run", INPUTS)
    with (clone / name).open("a") as file:
        file.write("# changed\n")
    env.set_up("run", INPUTS)
    assert len(fake.started("venv")) == 1
    assert len(fake.started("install")) == 2


@pytest.mark.parametrize("before", [[], ["run"]], ids=["first", "update"])
def test_a_killed_set_up_starts_anew(env, fake, before):
    for done in before:
        env.set_up(done, INPUTS)
    fake.pip = Killed
    with pytest.raises(Killed):
        env.set_up("dev", INPUTS)
    assert not (env.VENV / "dev.stamp").exists()
    (env.VENV / "half a package").touch()
    fake.pip = CompletedProcess([], 0, "")
    env.set_up("dev", INPUTS)
    assert (env.VENV / "dev.stamp").exists()
    assert not (env.VENV / "half a package").exists()


def test_an_environment_needs_python_and_pip(env):
    assert not env.usable()
    write_program(env.PYTHON, "#!/bin/sh\nexit 1\n")  # import pip fails
    assert not env.usable()
    write_program(env.PYTHON, "#!/bin/sh\n")
    assert env.usable()


def test_an_environment_without_pip_is_made_anew(env, fake):
    env.set_up("run", INPUTS)
    (env.VENV / "run.stamp").write_text("")
    fake.broken = True
    env.set_up("run", INPUTS)
    assert len(fake.started("venv")) == 2


def test_two_at_once_set_up_once(env, fake, capsys):
    env.STATE.parent.mkdir()
    with env.STATE.open("a+") as first:
        env.fcntl.flock(first, env.fcntl.LOCK_EX)
        second = threading.Thread(target=env.set_up, args=("run", INPUTS))
        second.start()
        while "waiting" not in capsys.readouterr().err:
            time.sleep(0.01)
        env.VENV.mkdir()  # what the first has made by the time it lets go
        write_program(env.PYTHON, ECHO)
        (env.VENV / "run.stamp").write_bytes(b"".join((env.ROOT / name).read_bytes() for name in INPUTS))
    second.join(60)
    assert not second.is_alive()
    assert fake.calls == []


@pytest.mark.parametrize(
    ("platform", "nvidia", "answers", "cpu"),
    [
        ("linux", False, True, True),
        ("linux", False, False, False),
        ("linux", True, True, False),
        ("darwin", False, True, False),  # PyPI's build for macOS is for the CPU
    ],
)
def test_cpu_build_without_a_gpu_where_the_index_answers(env, platform, nvidia, answers, cpu):
    assert env.wants_cpu_build(platform, lambda: nvidia, lambda: answers) is cpu


@pytest.mark.skipif(Path("/proc/driver/nvidia").exists(), reason="has one")
def test_a_gpu_is_known_by_its_program(env, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not env.has_nvidia()
    write_program(tmp_path / "nvidia-smi", ECHO)
    assert env.has_nvidia()


def test_only_torch_comes_from_the_cpu_index(env, fake):
    fake.cpu = True
    env.set_up("run", INPUTS)
    torch, rest = fake.started("install")
    assert torch.endswith(f"--no-deps --extra-index-url {env.CPU_INDEX} torch")
    assert env.CPU_INDEX not in rest


@pytest.mark.parametrize(("index", "answers"), [("data:,a page", True), ("http://127.0.0.1:9", False)])
def test_probe_of_the_cpu_index(env, monkeypatch, index, answers):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert env.cpu_index_answers(index, timeout_s=600) is answers  # however busy we are


def test_probe_that_hangs(env):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not env.cpu_index_answers(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.3)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("WARNING: Retrying after connection broken by 'NewConnectionError'\nERROR: none", "no package index could"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: Cannot install numpy==9", "Cannot install numpy==9"),
        ("", "no reason was given"),
    ],
)
def test_says_why_pip_failed(env, fake, output, sentence):
    fake.pip = CompletedProcess([], 1, output)
    with pytest.raises(env.SetUpError, match=sentence):
        env.set_up("run", INPUTS)
    assert not (env.VENV / "run.stamp").exists()


def test_says_that_venv_is_missing(env, fake, monkeypatch):
    monkeypatch.setattr(env, "find_spec", lambda name: None)
    with pytest.raises(env.SetUpError, match=r"apt install python3\.\d+-venv"):
        env.set_up("run", INPUTS)


def test_failure_is_one_line(clone):
    command = [sys.executable, "-I", clone / "scripts/_env.py", "run", "no such file"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("kohl: set-up failed: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(("found", "version"), [(True, "Python 3.9.18"), (False, "none")])
def test_says_that_python_is_too_old(clone, programs, found, version):
    for name in ("python3", "python3.11", "python3.12", "python3.13") if found else ():
        write_program(programs / name, f'#!/bin/sh\n[ "$1" = --version ] && echo "{version}" || exit 1\n')
    result = script(clone / "scripts/kohl", "protect", programs=programs)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"kohl: needs Python 3.11 or newer, found {version}: install one")


def test_takes_a_newer_python_than_python3(clone, programs):
    write_program(programs / "python3", "#!/bin/sh\nexit 1\n")
    write_program(programs / "python3.12", '#!/bin/sh\n[ "$1" = -c ] || echo "$@" >&2\n')
    result = script(clone / "scripts/test", programs=programs)
    assert result.stderr.startswith(f"-I scripts/_env.py dev {' '.join(INPUTS)}\n")


def test_launcher_keeps_folder_and_arguments(env, fake, programs, tmp_path):
    env.set_up("run", INPUTS)
    (tmp_path / "link").symlink_to(env.ROOT / "scripts/kohl")
    # No Python on the PATH: had the stamp not been taken as current, this would fail.
    result = script(tmp_path / "link", "protect", "my photo.jpg", programs=programs, cwd=programs)
    assert result.stderr == ""
    assert result.stdout == f"{programs}|-P|-m|kohl|protect|my photo.jpg|"


def test_launcher_notices_a_lost_python(env, fake, programs):
    env.set_up("run", INPUTS)
    env.PYTHON.unlink()
    assert "needs Python" in script(env.ROOT / "scripts/kohl", programs=programs).stderr


def test_launcher_costs_milliseconds(env, fake, programs):
    env.set_up("run", INPUTS)

    def seconds():  # of a processor, with those of what it starts
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        script(env.ROOT / "scripts/kohl", programs=programs)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.05


@pytest.mark.parametrize(("check", "fuzz", "test"), [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_ci_runs_all_and_ends_with_the_count(clone, programs, check, fuzz, test):
    shutil.copytree(ROOT / ".ci", clone / ".ci")
    write_program(clone / "scripts/site", f"#!/bin/sh\necho built; exit {test}\n")
    write_program(clone / "scripts/check", f"#!/bin/sh\necho checked; exit {check}\n")
    write_program(clone / "scripts/fuzz", f"#!/bin/sh\necho tried $*; exit {fuzz}\n")
    write_program(clone / "scripts/test", f"#!/bin/sh\necho ${{*:-all}}: 3 passed; exit {test}\n")
    result = script(shutil.which("bash"), clone / ".ci/run", programs=programs, cwd="/")
    assert result.returncode == max(check, fuzz, test)
    slow = [f"tests/test_{name}.py" for name in ("cluster", "docs", "packaging")]
    slow += [f"tests/zoo/test_{name}.py" for name in ("e4e", "recogniser")]
    assert result.stdout.splitlines() == [
        "checked",
        "tried --seconds 120",
        "built",
        f"-m slow or release {' '.join(slow)}: 3 passed",
        "all: 3 passed",
    ]


def test_every_dependency_is_pinned_within_its_range():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pins = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if line[0] != "#"]
    versions = {pin.name.lower(): str(pin.specifier).removeprefix("==") for pin in pins}
    wanted = [*project["dependency-groups"].values(), *project["project"]["optional-dependencies"].values()]
    for text in [*project["project"]["dependencies"], *(text for group in wanted for text in group)]:
        needed = Requirement(text)
        assert versions[needed.name.lower()] in needed.specifier, text
