"""The door for names and arguments of the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from random import Random

import photos
import tiny

from fuzz.door import ACCEPTED, REFUSED, Door, check, check_foreseen, check_said, check_unchanged, ended, obeyed, tree
from kohl import cli, pipeline
from kohl.recipe import Recipe
from kohl.zoo import cards

PIECES = (
    *(
        "a",
        "photo",
        ".",
        "..",
        "-",
        "--",
        "~",
        "$HOME",
        "%s",
        "{}",
        "*",
        "?",
        " ",
        "",
        "'",
        '"',
        "\\",
        "NUL",
        "con.jpg",
    ),
    *(
        "\x1b[2J",
        "\x1b]0;x\x07",
        "\n",
        "\r",
        "\t",
        "\x00",
        "\x7f",
        "\x9b1m",
        "\u202e",
        "\u2028",
        "\udcff",
        "é",
        "e\u0301",
        "🙂",
    ),
    *(
        "a" * 250,
        "b" * 5000,
        ".jpg",
        ".png",
        ".gif",
        ".heic",
        "_kohl",
        "http://127.0.0.1/x",
        "file:///etc/passwd",
        "/dev/zero",
    ),
    *(
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "&amp;",
        "]]>",
        "{{ 1 }}",
        "{% raw %}",
        "';--",
        "</style>",
    ),
)
COMMANDS = (
    "protect",
    "protect",
    "protect",
    "looks",
    "compare",
    "models",
    "models pull",
    "models convert",
    "train stylegan2",
    "",
    "x",
)
OPTIONS = (
    *("-o", "--output", "--text", "--style", "--strength", "--faces", "--target", "--reference", "--seed", "--recipe"),
    *("--set", "--json", "--report", "--force", "--judge", "--from", "--yes", "--help", "--version", "--rep", "-x"),
    *("--accept-hash", "--device"),
    *("--images", "--size", "--batch", "--resume"),
)
VALUES = (
    *(
        "0",
        "1",
        "-1",
        "0.5",
        "nan",
        "inf",
        "1e999",
        "9" * 5000,
        "٣",
        "0,1",
        ",",
        "0," * 3000,
        "decoy:0",
        "decoy:" + "9" * 30,
    ),
    *(
        "none",
        "cuda",
        "smoky-eyes",
        "office,goth",
        "all",
        "lipstick, not red; eyes: #aa2233",
        "default",
        "search.steps=80",
        "search.steps=1e9",
        "text=x",
        "models.judges=[]",
        "red lipstick",
    ),
)
FILES = ("photo.png", "other.jpg", "notes.txt", "cut.jpg", "empty.png", "folder", "link.png", "loop.png", "pipe.png")


def name(rng: Random) -> str:
    """A name that a file may have, or that none can have."""
    return "".join(rng.choice(PIECES) for _ in range(rng.choice((1, 1, 2, 3))))


def argument(rng: Random) -> str:
    """A name as an argument: the system passes none with a zero in it."""
    return name(rng).replace("\0", "")


def line(rng: Random) -> list[str]:
    """Arguments of the command."""
    made = rng.choice(COMMANDS).split() if rng.random() < 0.95 else [argument(rng)]
    for _ in range(rng.choice((0, 1, 1, 2, 3, 6))):
        chosen = rng.random()
        if chosen < 0.45:
            made.append(rng.choice(FILES))
        elif chosen < 0.6:
            made.append(argument(rng))
        else:
            made.append(rng.choice(OPTIONS))
            if rng.random() < 0.8:
                made.append(rng.choice((*VALUES, *FILES)) if rng.random() < 0.7 else argument(rng))
    if rng.random() < 0.3:
        made[-1:] = [f"{made[-1]}={argument(rng)}"] if made else []
    return made


def run(given: list[str], folder: Path) -> str:
    """Try the command line among a few files; it ends with an exit code and sentences, and changes no file."""
    _lay_out(folder)
    before = tree(folder)
    out, err = StringIO(), StringIO()
    with _inside(folder), redirect_stdout(out), redirect_stderr(err):
        code = ended(lambda: cli.main(given))
    check(code in (0, 1, 2, 3), "contract", f"exit code {code}")
    check_said(err.getvalue(), lines=100)
    check_foreseen(out.getvalue())
    for printed in out.getvalue().splitlines():
        check(not obeyed(printed), "sentence", f"has {obeyed(printed)} in it: {printed[:400]!r}")
    options = given[: given.index("--")] if "--" in given else given  # what comes behind it are names
    if "--json" in options and code != 2 and "--help" not in options and "--version" not in options:
        for printed in out.getvalue().splitlines():
            json.loads(printed, parse_constant=_no_number)
    check(
        code != 2 or err.getvalue().count("\n") == 1, "sentence", f"a usage error is not one line: {err.getvalue()!r}"
    )
    said = " ".join(given)
    kept = before if "--force" not in given else {name: what for name, what in before.items() if name not in said}
    check_unchanged(kept, tree(folder))
    return ACCEPTED if code in (0, 3) else REFUSED


def _no_number(text: str) -> None:
    check(False, "contract", f"{text} is in the JSON")


def _lay_out(folder: Path) -> None:
    """A photo, a foreign text and what is no photo."""
    photo = folder / "photo.png"
    photo.write_bytes(_portrait())
    (folder / "other.jpg").write_bytes(_portrait("JPEG"))
    (folder / "notes.txt").write_text("mine")
    (folder / "cut.jpg").write_bytes(_portrait("JPEG")[:300])
    (folder / "empty.png").touch()
    (folder / "folder").mkdir()
    (folder / "link.png").symlink_to("photo.png")
    (folder / "loop.png").symlink_to("loop.png")
    os.mkfifo(folder / "pipe.png")


_KNOWN: dict[str, bytes] = {}


def _portrait(kind: str = "PNG") -> bytes:
    if kind not in _KNOWN:
        _KNOWN[kind] = photos.encoded(photos.portrait().resize((60, 64)), kind)
    return _KNOWN[kind]


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """In that folder, with a house of toys, and with nothing learnt, converted at length or fetched."""
    here, load = Path.cwd(), pipeline.load
    os.chdir(folder)
    os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is downloaded
    pipeline.load = _house
    try:
        yield
    finally:
        pipeline.load = load
        os.environ.pop("HF_HUB_OFFLINE", None)
        os.chdir(here)


def _house(recipe: Recipe) -> pipeline.House:
    """Toys, once what the recipe names by a path of the user's is loaded."""
    for named in recipe.models.judges:
        if named.startswith("onnx:"):
            cards.judge(named)
    if recipe.models.generator.startswith("stylegan2:"):
        cards.generator(recipe.models.generator)
    return tiny.house(recipe=recipe, detect=tiny.detector(tiny.face(0, 0, 48)))


NAMES = Door("arguments", line, run, share=2)
