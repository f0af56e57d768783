"""A process that runs commands of kohl and prints what Python saw of sockets, programs and files that are written."""

import json
import os
import sys
from pathlib import Path

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
NAMES = ("mkdir", "rename", "link", "symlink", "remove", "rmdir", "truncate", "chmod", "chown", "utime", "setxattr")
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")

seen: list[tuple[str, str]] = []


def absolute(path: str | bytes) -> str:
    """Where it is, links and all."""
    return str(Path(os.fsdecode(path)).absolute())


def hook(event: str, arguments: tuple) -> None:
    """Note what may leave a trace."""
    if event.startswith("socket.") or event in PROGRAMS:
        seen.append((event, repr(arguments)))
    elif event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES:
        if not isinstance(arguments[0], int):  # a file that is open already
            seen.append(("file", absolute(arguments[0])))
    elif event.removeprefix("os.") in NAMES:
        seen.extend(("file", absolute(each)) for each in arguments if isinstance(each, str | bytes))


def main() -> None:
    """Judge with the real judges, protect with toys, list the models."""
    sys.addaudithook(hook)  # before anything of kohl is imported
    import tiny

    from kohl import cli, pipeline

    assert cli.main(["compare", "a.jpg", "b.png"]) in (0, 3)
    pipeline.load = lambda recipe: tiny.house(recipe=recipe)
    assert cli.main(["protect", "a.jpg", "-o", "out", "--report", "out/report.html"]) in (0, 3)
    assert cli.main(["models"]) == 0
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
