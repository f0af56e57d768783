"""`scripts/fuzz`: try every door with seeded inputs, for so many seconds, and say what must not be."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from fuzz.doors import DOORS
from fuzz.run import FOLDER, Run
from fuzz.worker import attempt


def main() -> int:
    """The exit code: 1 if anything was wrong."""
    parser = argparse.ArgumentParser("fuzz", description=__doc__)
    names = [door.name for door in DOORS]
    parser.add_argument("--door", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--seconds", type=float, metavar="N", help="(default: 60, or no end with --inputs)")
    parser.add_argument("--inputs", type=int, metavar="N", help="at most so many at each door")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the same seed makes the same inputs")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="(default: one per core)")
    parser.add_argument("--only", type=int, metavar="I", help="try this input of the door alone, here and now")
    arguments = parser.parse_args()
    chosen = [door for door in DOORS if door.name in arguments.door]
    if arguments.only is not None:
        return _once(chosen[0], arguments.seed, arguments.only)
    for door in chosen:
        if why := door.missing():
            print(f"{door.name}: not tried, {why}")
    chosen = [door for door in chosen if not door.missing()]
    seconds = arguments.seconds or (60 if arguments.inputs is None else float("inf"))
    run = Run(chosen, arguments.seed, seconds, arguments.inputs, arguments.workers)
    run()
    for line in run.lines():
        print(line)
    if run.finds:
        print(f"{len(run.finds)} sorts of finds; their inputs are in {FOLDER}")
    return 1 if run.finds else 0


def _once(door, seed: int, index: int) -> int:
    """What becomes of one input, in this process: a debugger can be there, and nothing is bounded."""
    with tempfile.TemporaryDirectory(prefix="kohl-fuzz-") as temporary:
        os.environ["KOHL_CACHE"] = f"{temporary}/cache"
        (Path(temporary) / "given").mkdir()
        outcome, find = attempt(door, seed, index, Path(temporary) / "given")
    print(f"{door.name} {index}: {outcome}")
    if find:
        print(find.given[:500] if len(find.given) > 500 else find.given)
        print(find.text)
    return 1 if find else 0


if __name__ == "__main__":
    sys.exit(main())
