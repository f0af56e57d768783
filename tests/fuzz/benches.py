"""The doors of `kohl bench`: lists of pairs, groups, and cells that somebody else measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from benched import CELLS, cell

from fuzz.arguments import name
from fuzz.door import ACCEPTED, Door, check, obeyed
from fuzz.mutate import mutated
from kohl.bench import cells as bench_cells
from kohl.bench import groups, lists, report
from kohl.bench.results import Results
from kohl.shown import shown

SEEN = {"pairs seen": 3, "threshold": 0.5, "link threshold": 0.4, "probes": [], "pairs": []}
WHOLE = [*CELLS, cell("adapted", "default", 0, judge="strict", far=0.01, adapted=[SEEN])]
LISTS = (
    b"10\t2\nAnn\t1\t2\nAnn\t1\tBob\t3\n",
    b"Ann\t1\t2\nBob\tx.png\t3\n",
    b"photo,other,person,same\na.jpg,b.jpg,ann,1\na.jpg,c.jpg,,0\n",
    b"0 119613 119614.jpg\n1 99093 099094.jpg\n",
    b"119614.jpg 28\n000006.jpg 28\n",
    b"name,tone,age\na,light,\nb1,dark,young\n",
)
READERS: tuple[Callable[[Path, Path], Any], ...] = (
    lists.lfw,
    lists.list_of,
    lambda path, folder: lists.table(path),
    lambda path, folder: lists.celeba_hq(folder, path, path),
    lambda path, folder: groups.labels(path),
)


def listed(rng: Random) -> tuple[int, bytes]:
    """Which reader, and a list that may be anything."""
    lines = [
        rng.choice(("\t", " ", ",")).join(
            rng.choice((name(rng), "1", "2", "", "..", "0" * 500)) for _ in range(rng.randrange(5))
        )
        for _ in range(rng.randrange(6))
    ]
    odd = "\n".join(lines).encode("utf-8", "surrogatepass")
    return rng.randrange(len(READERS)), rng.choice((odd, mutated(rng, rng.choice(LISTS)), rng.choice(LISTS)))


def read_list(given: tuple[int, bytes], folder: Path) -> str:
    """Try a list; whatever it says, no photo outside of the folder of images is named by it."""
    reader, content = given
    path, images = folder / "list.txt", folder / "images"
    images.mkdir()
    path.write_bytes(content)
    found = READERS[reader](path, images)
    if reader in (0, 1):
        for file in found.files:
            check(images.resolve() in file.resolve().parents, "contract", f"{file} is outside of {images}")
    return ACCEPTED


def measured(rng: Random) -> list[bytes]:
    """Files of cells, with hostile names and values in them."""
    return [_cell(rng) for _ in range(rng.choice((1, 2, 4)))]


def _cell(rng: Random) -> bytes:
    made = json.loads(json.dumps(rng.choice(WHOLE)))
    for _ in range(rng.choice((0, 1, 1, 3))):
        spoil(rng, made)
    data = json.dumps(made).encode("utf-8", "surrogatepass")
    return data if rng.random() < 0.8 else mutated(rng, data)


def spoil(rng: Random, made: Any) -> None:
    """Puts something else at one place of a cell."""
    while isinstance(made, dict | list) and made:
        place = rng.choice(list(made)) if isinstance(made, dict) else rng.randrange(len(made))
        if not isinstance(made[place], dict | list) or not made[place] or rng.random() < 0.2:
            made[place] = rng.choice((name(rng), None, -1, 0, 10**30, 1e308, float("nan"), [], {}, True, 0.5, [[]]))
            return
        made = made[place]


def show(given: list[bytes], folder: Path) -> str:
    """Try cells; of what is accepted there are tables that steer no terminal, and a page that only shows."""
    for index, content in enumerate(given):
        (folder / f"{index}.json").write_bytes(content)
    found = bench_cells.every(folder)
    report.check_one(found, folder)
    text = report.write(Results(found), folder / "out", notes=())
    for line in text.splitlines():
        check(not obeyed(shown(line)), "sentence", f"has {obeyed(shown(line))} in it")
    page = (folder / "out" / "index.html").read_text("utf-8")
    check("<script" not in page, "contract", "the page runs something")
    return ACCEPTED


LISTED = Door("lists", listed, read_list)
CELLS_SHOWN = Door("cells", measured, show)
