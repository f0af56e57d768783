"""A process that runs commands of kohl and prints what Python saw of sockets, programs and files that are written."""

import json
import os
import sys
from pathlib import Path

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
NAMES = ("mkdir", "rename", "link", "symlink", "remove", "rmdir", "truncate", "chmod", "chown", "utime", "setxattr")
PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn")
QUIET = ("ORT_DISABLE_TELEMETRY", "ORT_TELEMETRY_DISABLED")
ABSENT = {"onnx", "onnxruntime", "google", "transformers", "huggingface_hub", "matplotlib", "torch._dynamo"}

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
    """Load every model of the default recipe, judge with the real judges, protect with toys, list the models."""
    for name in QUIET:
        os.environ.pop(name, None)
    sys.addaudithook(hook)  # before anything of kohl is imported
    import tiny

    from kohl import cli
    from kohl.commands import Parts
    from kohl.zoo.files import runtime

    assert cli.main(["protect", *sys.argv[1:]]) == 1
    heavy, before = sorted(ABSENT & set(sys.modules)), [os.environ.get(name) for name in QUIET]
    assert cli.main(["compare", "a.jpg", "b.png"]) in (0, 3)
    toys = Parts(load=lambda recipe: tiny.house(recipe=recipe))
    assert cli.main(["protect", "a.jpg", "-o", "out", "--report", "out/report.html"], parts=toys) in (0, 3)
    assert cli.main(["models"]) == 0
    events = [*seen]
    runtime.libraries()
    told = [os.environ.get(name) for name in QUIET], "onnxruntime" in sys.modules
    print(json.dumps({"events": events, "heavy": heavy, "before": before, "told": told}))


if __name__ == "__main__":
    main()
