"""What is given to others: packages, the container's recipe, completions; with the tools of the group `release`."""

import email.policy
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import kohl

pytestmark = pytest.mark.release
ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "kohl"
EXTRAS = {"clip", "cloud", "heif", "onnx", "ray", "serve"}


def run(*command, **more):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The sdist, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "-o", folder, ROOT)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def metadata(packages):
    with zipfile.ZipFile(packages[1]) as wheel:
        return email.message_from_string(
            wheel.read(f"kohl-{kohl.__version__}.dist-info/METADATA").decode(), policy=email.policy.default
        )


def test_an_index_would_take_them(packages):
    assert run(sys.executable, "-m", "twine", "check", "--strict", *packages).count("PASSED") == 2
    assert all(package.stat().st_size < 100e6 for package in packages)  # the most that PyPI takes


def test_the_version_comes_from_one_place(packages, metadata):
    assert metadata["Version"] == kohl.__version__
    assert {package.name.split("-")[1].removesuffix(".tar.gz") for package in packages} == {kohl.__version__}
    for name in ("pyproject.toml", "CITATION.cff", "Dockerfile"):
        assert kohl.__version__ not in re.sub(r"[\w.-]+[>=]=[\w.]+", "", (ROOT / name).read_text())


def test_the_wheel_has_all_that_the_package_has_and_nothing_else(packages):
    there = run(
        "git", "ls-files", "--cached", "--others", "--exclude-standard", "src/kohl", "recipes", cwd=ROOT
    ).split()
    expected = {name.removeprefix("src/") if name.startswith("src/") else f"kohl/{name}" for name in there}
    with zipfile.ZipFile(packages[1]) as wheel:
        names = {name for name in wheel.namelist() if not name.startswith(f"kohl-{kohl.__version__}.dist-info/")}
    assert names == expected


def test_the_sdist_has_what_builds_and_tests_it(packages):
    with tarfile.open(packages[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "constraints.txt", "scripts/_env.py", "tests/tiny.py", "docs/threat-model.md"} <= names
    assert not [name for name in names if name.startswith((".cache/", ".git/", ".venv", "dist/"))]


def test_every_extra_is_there_and_says_what_it_brings(metadata):
    assert {*metadata.get_all("Provides-Extra")} == EXTRAS
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    required = metadata.get_all("Requires-Dist")
    for extra, names in wanted.items():
        assert len([text for text in required if text.endswith(f"extra == '{extra}'")]) == len(names)


def test_it_works_where_nothing_else_of_it_is(packages, tmp_path):
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    inside = next((tmp_path / "venv").glob("lib/python3*/site-packages"))
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", inside, packages[1])
    others = Path(importlib.util.find_spec("torch").origin).parents[1]
    (inside / "others.pth").write_text(f"{others}\n")  # what it needs, but not this clone
    python = tmp_path / "venv" / "bin" / "python"
    place = {"cwd": tmp_path, "env": {**{name: os.environ[name] for name in ("PATH", "HOME")}, "OMP_NUM_THREADS": "1"}}
    assert run(python, "-c", "import kohl.cli; print(kohl.cli.__file__)", **place).startswith(str(inside))
    assert run(python, "-m", "kohl", "--version", **place) == f"kohl {kohl.__version__}\n"
    assert "_shtab_kohl" in run(python, "-m", "kohl", "completion", "bash", **place)
    shutil.copy(ROOT / "docs" / "photos" / "astronaut.jpg", tmp_path / "me.jpg")
    light = [part for name in ("steps", "tries", "scouts") for part in ("--set", f"search.{name}=1")]
    done = subprocess.run([python, "-m", "kohl", "protect", "me.jpg", *light], capture_output=True, text=True, **place)
    assert done.returncode in (0, 3), done.stderr
    assert (tmp_path / "me_kohl.jpg").stat().st_size > 10_000


def test_the_container_s_recipe_is_sound():
    run(Path(sys.executable).with_name("hadolint"), "--strict-labels", ROOT / "Dockerfile")
    text = (ROOT / "Dockerfile").read_text()
    built, last = text.split("\nFROM ")[1:]
    assert re.search(r"^USER [1-9]\d+$", last, re.MULTILINE)  # a number, so that who runs it sees that it is not root
    assert last.index("USER ") < last.index("ENTRYPOINT")
    assert "HEALTHCHECK" in last
    assert "/v1/health" in last
    assert all(":" in line and "latest" not in line for line in re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    brought = [line.split()[1:-1] for line in built.splitlines() if line.startswith("COPY")]
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name in (name for names in brought for name in names):
        assert (ROOT / name).exists()
        assert name in let_in


def test_completions_are_those_of_the_parser(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import _completions

    for shell in ("bash", "zsh"):
        there = (PACKAGE / "completions" / f"kohl.{shell}").read_text("utf-8")
        assert there == _completions.script(shell), "run scripts/_completions.py"


def test_forms_and_hooks_can_be_read():
    import yaml

    for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text())
        if path.name != "config.yml":
            assert {"name", "description", "body"} <= form.keys()
            assert all(part["type"] in ("markdown", "textarea", "input") for part in form["body"])
    for hook in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]:
        assert hook["language"] == "system"  # nothing is fetched
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "title", "message", "authors", "type", "license"} <= cited.keys()
