"""What a shell completes, as bash itself does it."""

import shutil
import subprocess
from pathlib import Path

import pytest

import kohl
from kohl.cli import SHELLS, main

TRY = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_kohl kohl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
SCRIPTS = Path(kohl.__file__).parent / "completions"


def completed(*words, cwd="."):
    command = ["bash", "-c", TRY, "bash", SCRIPTS / "kohl.bash", "kohl", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("prot",), ["protect"]),
        (("protect", "--wat"), ["--watch"]),
        (("protect", "--style", "smoky-e"), ["smoky-eyes"]),
        (("protect", "--ray", "lo"), ["local"]),
        (("train", "style"), ["stylegan2"]),
        (("models", "pu"), ["pull"]),
        (("protect", "me"), ["me.jpg"]),
        (("protect", "-o", "fol"), ["folder"]),
        (("nothing", "--wat"), []),
    ],
)
def test_bash_completes(tmp_path, words, found):
    (tmp_path / "me.jpg").touch()
    (tmp_path / "folder").mkdir()
    assert completed(*words, cwd=tmp_path) == found


@pytest.mark.parametrize("shell", SHELLS)
def test_the_command_prints_the_script(capsys, shell):
    assert main(["completion", shell]) == 0
    assert capsys.readouterr().out == (SCRIPTS / f"kohl.{shell}").read_text("utf-8")


def test_another_shell_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "csh"])
    assert "invalid choice: 'csh'" in capsys.readouterr().err
