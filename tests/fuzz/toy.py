"""A process in which kohl is loaded, with toys for models: each run is a fork of it, so that hundreds are affordable.

For each line of JSON on stdin, `[FOLDER, ARGUMENT…]`, it prints the process that is to run, lets it go at the next
line, and prints how it ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import NoReturn
from zlib import crc32

import tiny
import tiny_training
import torch
import torch.nn.functional as F

from fuzz.downloads import CONTENT, card
from kohl import cli, commands
from kohl.train import stylegan2
from kohl.types import Faces
from kohl.zoo import cards
from kohl.zoo.distances import features
from kohl.zoo.files import checkpoints

KNOWN = card(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())  # a model called "thing"
UNKNOWN = card(0, "", name="unpublished")  # nobody published its hash


def main() -> None:
    """Serve until stdin ends."""
    assert checkpoints  # they are loaded before the fork
    assert stylegan2
    assert features
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


def _face(path: Path, side: int) -> Faces:
    """A face in every photo."""
    crop = tiny_training.gallery(seed=crc32(path.name.encode())).learned[:1].float() / 255
    return Faces(F.interpolate(crop, (side, side)), torch.zeros(1, 5, 2), torch.zeros(1, 68, 2))


def _run(folder: str, arguments: list[str], gate: int, opened: int) -> NoReturn:
    os.close(opened)
    os.chdir(folder)
    os.environ["KOHL_CACHE"] = f"{folder}/cache"
    null = os.open(os.devnull, os.O_RDWR)
    said = os.open(f"{folder}/said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for standard, file in ((0, null), (1, said), (2, said)):
        os.dup2(file, standard)
    os.read(gate, 1)  # comes back once nobody holds the other end
    torch.set_num_threads = lambda count: None  # no thread outlives a fork
    parts = commands.Parts(
        load=lambda recipe: tiny.house(recipe=recipe, detect=tiny.detector(tiny.face(0, 0, 48))),
        table=(KNOWN, UNKNOWN, *cards.CARDS),
        find=_face,
        features=tiny_training.Apart,
    )
    os._exit(cli.main(arguments, parts=parts))


if __name__ == "__main__":
    main()
