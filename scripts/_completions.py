"""The scripts by which shells complete `kohl`, from its own parser: `python _completions.py` writes them anew."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import shtab

from kohl import cli, taken

PACKAGE = Path(cli.__file__).parent
FILES = (taken.path, taken.place)  # what is completed by the files that are there


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


def script(shell: str) -> str:
    """What the shell reads."""
    styles = tomllib.loads((PACKAGE / "makeup" / "words" / "styles.toml").read_text("utf-8"))
    choices = {
        "--style": ["none", *sorted(name.replace(" ", "-") for name in styles)],
        "--device": ["auto", "cpu", "cuda", "mps"],
        "--ray": ["local", "auto"],
        "--strength": ["auto"],
    }
    parser = cli.parser()
    for each in parsers(parser):
        for action in each._actions:
            name = next((name for name in action.option_strings if name in choices), None)
            if name is not None:
                action.choices = choices[name]
            elif action.type in FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    text = shtab.complete(parser, shell)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def main() -> None:
    """Write one for each shell."""
    for shell in cli.SHELLS:
        (PACKAGE / "completions" / f"kohl.{shell}").write_text(script(shell), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
