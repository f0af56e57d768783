"""The whole of `--recipe paper` on one photo, all its steps, through the pipeline, with random weights of real shapes.

Seconds and memory do not depend on what the weights are. They do not make a face: the result is no protected photo.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import paper_files
import torch

from kohl import pipeline, recipe
from kohl.job import Job
from kohl.perturb.latent import LatentSearch
from kohl.types import Step, Verifier
from kohl.zoo.generators.stylegan2_ops import fast_dtype

PHOTO = Path(__file__).parents[1] / "docs" / "photos" / "astronaut.jpg"
GOALS = {"bfloat16": 12, "float32": 30}  # minutes at most, from the start to the verdict of the judges, with --fast
MEMORY = 5  # GB of 10⁹ bytes at most, with --fast


def add(parser: ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("photo", type=Path, nargs="?", default=PHOTO)
    parser.add_argument("--fast", action="store_true", help="only the blocks up to 256 pixels, in bfloat16 where it is")
    parser.add_argument("--text", default="red lipstick")
    parser.add_argument("--size", type=int, choices=paper_files.SIZES, default=1024, help="of the generator")
    parser.add_argument("--tuning", type=int, metavar="N", help="fewer steps of tuning, for a trial")
    parser.add_argument("--search", type=int, metavar="N", help="fewer steps of the search, for a trial")


def measure(arguments: Namespace) -> dict[str, Any]:
    """The seconds of each stage, the steps taken and the peak memory, of a process that does nothing else."""
    steps = {"tuning": arguments.tuning, "search": arguments.search}
    settings = [
        f"text={arguments.text}",
        *(["tuning.exact=false"] if arguments.fast else []),
        *(f"{name}.steps={count}" for name, count in steps.items() if count is not None),
    ]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KOHL_CACHE"] = folder
        fresh(paper_files.write, arguments.size)
        found: dict[str, Any] = fresh(run, arguments.photo, Path(folder), settings)
    shortened = arguments.size != max(paper_files.SIZES) or any(count is not None for count in steps.values())
    return {"size": arguments.size, "settings": settings, "trial": shortened} | found


def table(found: dict[str, Any]) -> str:
    """The figures for people; of a trial and of the exact way without the goals, which are none for them."""
    steps, seconds, free = found["steps"], found["seconds"], found["trial"] or found["exact"]
    minutes, most = sum(seconds.values()) / 60, GOALS[found["dtype"]]
    drawn = "all blocks" if found["exact"] else f"blocks up to {min(256, found['size'])} px"
    short = [f"{name} {steps[name]} of {asked}" for name, asked in found["asked"].items() if steps[name] < asked]
    return "\n".join(
        [
            *(["A TRIAL, not the paper's path: a smaller generator or fewer steps."] if found["trial"] else []),
            *([f"STOPPED EARLY, by steps: {', '.join(short)}"] if short else []),
            f"{found['size']} px, {found['dtype']}, {drawn}, {found['threads']} threads to begin with, random weights",
            " · ".join(f"{name} {each:.1f} s" for name, each in seconds.items()),
            *(f"{name}: {count} steps, {seconds[name] / count:.2f} s each" for name, count in steps.items() if count),
            f"whole, with loading: {minutes:.1f} min{'' if free else goal(minutes, most)}",
            f"peak memory: {found['peak_gb']:.2f} GB{'' if free else goal(found['peak_gb'], MEMORY)}",
        ]
    )


def goal(value: float, most: float) -> str:
    """What was wanted, and whether it is so."""
    return f" (goal ≤ {most}: {'ok' if value <= most else 'missed'})"


def fresh(function: Callable[..., Any], *arguments: object) -> Any:
    """What the function returns in a new process, whose peak memory is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def run(photo: Path, folder: Path, settings: Sequence[str]) -> dict[str, Any]:
    """One photo through the pipeline with the files in the cache folder."""
    chosen = recipe.override(recipe.load("paper"), settings)
    took: dict[str, float] = defaultdict(float)
    threads = torch.get_num_threads()
    steps: Counter[str] = Counter()

    def watch(step: Step) -> None:
        steps["tuning" if "tuning" in step.losses else "search"] += 1

    started = time.perf_counter()
    house = pipeline.load(chosen)
    assert isinstance(house.attack, LatentSearch)
    house = replace(
        house,
        detect=timed(house.detect, "detect", took),
        attack=timed(replace(house.attack, invert=timed(house.attack.invert, "tuning", took)), "attack", took),
        judges=[Timed(judge, took) for judge in house.judges],
    )
    loaded = time.perf_counter()
    row = pipeline.protect(Job(photo, folder / "protected.png", faces=(0,)), house, watch=watch)
    total = time.perf_counter() - loaded
    return {
        "dtype": "float32" if chosen.tuning.exact else str(fast_dtype(house.shelf.device)).removeprefix("torch."),
        "exact": chosen.tuning.exact,
        "threads": threads,
        "asked": {"tuning": chosen.tuning.steps, "search": chosen.search.steps},
        "steps": {name: steps[name] for name in ("tuning", "search")},
        "seconds": {
            "loading": loaded - started,
            "detect": took["detect"],
            "tuning": took["tuning"],  # with encoding
            "search": took["attack"] - took["tuning"],
            "score": took["score"],
            "files": total - took["detect"] - took["attack"] - took["score"],  # reading, cutting, pasting, writing
        },
        "status": row.status,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }


def timed(function: Callable[..., Any], name: str, took: dict[str, float]) -> Callable[..., Any]:
    """The function, whose seconds are added to `took` under that name."""

    def same(*arguments: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            took[name] += time.perf_counter() - started

    return same


class Timed:
    """A judge, whose seconds are added to `took`."""

    def __init__(self, judge: Verifier, took: dict[str, float]) -> None:
        self.name, self.thresholds = judge.name, judge.thresholds
        self.compare = timed(judge.compare, "score", took)
