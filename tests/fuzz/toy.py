"""A process in which kohl is loaded, with toys for models: each run is a fork of it, so that hundreds are affordable.

For each line of JSON on stdin, `[FOLDER, ARGUMENT…]`, it prints the process that is to run, lets it go at the next
line, and prints how it ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import NoReturn

import pytest
import tiny
import tiny_training
import torch

from fuzz.downloads import CONTENT, card
from kohl import cli, commands, pipeline
from kohl.train import faces
from kohl.zoo import cards
from kohl.zoo.distances import features
from kohl.zoo.files import checkpoints

KNOWN = card(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())  # a model called "thing"
UNKNOWN = card(0, "", name="unpublished")  # nobody published its hash


def main() -> None:
    """Serve until stdin ends."""
    pipeline.load = lambda recipe: tiny.house(recipe=recipe, detect=tiny.detector(tiny.face(0, 0, 48)))
    cards.CARDS = (KNOWN, UNKNOWN, *cards.CARDS)
    assert commands.cards.find("thing")
    assert checkpoints  # it is loaded before the fork
    _learn_in_milliseconds(pytest.MonkeyPatch())
    for line in sys.stdin:
        folder, *arguments = json.loads(line)
        gate, opened = os.pipe()
        child = os.fork()
        if not child:
            _run(folder, arguments, gate, opened)
        os.close(gate)
        print(child, flush=True)
        sys.stdin.readline()
        os.close(opened)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _learn_in_milliseconds(patch: pytest.MonkeyPatch) -> None:
    """Training has toys too: faces that need not be found, and no network to compare them."""
    found = tiny_training.gallery()
    patch.setattr(faces, "people", lambda folders: [[]] * faces.HELD)
    patch.setattr(faces, "_found", lambda *_: (found.learned, found.held))
    patch.setattr(features, "load", lambda path: tiny_training.Apart())
    patch.setattr(torch, "set_num_threads", lambda count: None)  # no thread outlives a fork


def _run(folder: str, arguments: list[str], gate: int, opened: int) -> NoReturn:
    os.close(opened)
    os.chdir(folder)
    os.environ["KOHL_CACHE"] = f"{folder}/cache"
    null = os.open(os.devnull, os.O_RDWR)
    said = os.open(f"{folder}/said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for standard, file in ((0, null), (1, said), (2, said)):
        os.dup2(file, standard)
    os.read(gate, 1)  # comes back once nobody holds the other end
    os._exit(cli.main(arguments))


if __name__ == "__main__":
    main()
