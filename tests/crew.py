"""Houses for workers: what a new process can be told to load by its name, and photos over which workers die."""

import os
import signal
import time
from pathlib import Path

import tiny

from kohl import pipeline
from kohl.errors import BadModel


def load(recipe):
    return tiny.house(recipe=recipe)


def broken(recipe):
    raise BadModel("sface: is not the right file; get another")


def dies(recipe):
    os.kill(os.getpid(), signal.SIGKILL)


def protect(job, house, *, watch, **more):
    """What a photo's name says: it kills the worker, always or the first time, or takes long; others are protected."""
    if job.photo.stem.startswith("kills") or (job.photo.stem.startswith("once") and _first(job.photo)):
        os.kill(os.getpid(), signal.SIGKILL)
    if job.photo.stem.startswith("slow"):
        time.sleep(0.2)
    if job.photo.stem.startswith("endless"):
        time.sleep(600)
    row = pipeline.protect(job, house, watch=watch, **more)
    if job.photo.stem.startswith("placed"):
        os.kill(os.getpid(), signal.SIGKILL)
    return row


def _first(photo: Path) -> bool:
    mark = photo.with_suffix(".mark")
    there = mark.exists()
    mark.touch()
    return not there
