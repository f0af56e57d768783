"""What `kohl bench` takes; nothing heavy is imported."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from kohl import sending

KINDS = "people, lfw, list, celeba-hq, folders, ladn or csv (default: what DATA looks like)"
EPILOG = "What was measured is kept in DIR: the same command goes on where it was interrupted, and does nothing twice."


def add_to(parser: argparse.ArgumentParser, path: Callable[[str], Path]) -> None:
    """The arguments of `kohl bench`; `path` reads one that is a path."""
    parser.description = (
        "Run attacks on photos of people, let judges look at the saved files, and write tables with 95 % intervals: as "
        "text, CSV, LaTeX and one HTML page."
    )
    parser.epilog = EPILOG
    add = parser.add_argument
    add("data", nargs="*", type=path, metavar="DATA", help="a folder with NAME/*.jpg, or what --as says")
    add(
        "--list", action="store_true", help="name the attacks, with the source of their settings, and what --post takes"
    )
    add("-o", "--output", type=path, metavar="DIR", help="folder for results, cells and tables (default: kohl-bench)")
    add("--as", dest="kind", metavar="KIND", help=KINDS)
    add(
        "--attack",
        action="append",
        default=[],
        metavar="NAME",
        help="one of --list or a recipe; NAME@0.25: that strength",
    )
    add("--ablate", action="append", default=[], metavar="RECIPE", help="a recipe, and it without each of its parts")
    add(
        "--judge",
        action="append",
        default=[],
        metavar="NAME",
        help=f"{sending.JUDGES}; no attack may look into it",
    )
    sending.add_to(parser)
    add(
        "--leave-one-out",
        action="store_true",
        help="each recogniser of an attack judges it in turn, and is not seen by it",
    )
    add("--white-box", action="store_true", help="judges may be recognisers that an attack looks into")
    add("--people", type=_names, action="extend", default=[], metavar="A,B", help="attack only their photos")
    add("--every", type=_count, default=1, metavar="N", help="attack only every Nth photo of a person")
    add("--photos", type=_count, metavar="N", help="attack at most N photos, of as many people as there are")
    add("--aligned", action="store_true", help="the photos are faces that are cut already: take them as they are")
    add("--gallery", type=path, metavar="FOLDER", help="more people whom a photo may be taken for")
    add(
        "--target",
        type=path,
        metavar="FOLDER",
        help="make photos resemble the people in FOLDER, two photos each or more",
    )
    add("--calibrate", type=path, metavar="FOLDER", help="measure the judges' thresholds on other people")
    add("--calibrate-pairs", action="store_true", help="the same on the pairs of two people that DATA names")
    add("--adapt", type=path, metavar="FOLDER", help="also ask an attacker who saw photos in FOLDER before and after")
    add("--pairs", type=_counts, default=(0, 10, 100), metavar="N,N", help="how many of them (default: 0,10,100)")
    add("--far", type=_rate, default=0.01, metavar="RATE", help="false-accept rate of the tables (default: 0.01)")
    add("--seeds", type=_count, default=1, metavar="N", help="repeat with so many seeds (default: 1; report 3 or more)")
    add("--post", type=_names, action="extend", default=[], metavar="A,B|all", help="judge also what becomes of a file")
    add("--lossless", action="store_true", help="run each attack also with results as PNG: what encoding costs")
    add("--psnr", type=_decibels, metavar="DB", help="run each attack also at the strength that gives faces this PSNR")
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one setting of all attacks, as of kohl protect",
    )
    add("--fid", type=path, metavar="FILE", help="pytorch-fid's weights of Inception: the FID of faces too")
    add(
        "--groups",
        type=path,
        metavar="CSV",
        help="tables by group too: a column name (photo or person), others its groups",
    )
    add("--cells", type=path, action="append", metavar="DIR", help="measure nothing: tables of the cells in DIR")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in re.split(r",(?! jpeg| then)", text)]  # "half, jpeg 75" is one
    if not all(names):
        raise argparse.ArgumentTypeError(f"must be names with commas between them, not {text!r}")
    return names


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return int(text)


def _counts(text: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6})*", text):
        raise argparse.ArgumentTypeError(f"must be whole numbers, such as 0,10,100, not {text!r}")
    return tuple(int(count) for count in text.split(","))


def _rate(text: str) -> float:
    rate = _number(text)
    if not 0 < rate < 1:
        raise argparse.ArgumentTypeError(f"must be a rate between 0 and 1, not {text!r}")
    return rate


def _decibels(text: str) -> float:
    level = _number(text)
    if not 10 <= level <= 60:
        raise argparse.ArgumentTypeError(f"must be a PSNR from 10 to 60 dB, not {text!r}")
    return level


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, not {text!r}") from None
