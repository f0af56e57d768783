"""What each command of `kohl` does, once its arguments are known to be well formed."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kohl import batch, pipeline, recipe
from kohl.align import imageio
from kohl.cli import FAILED, PROTECTED, UNPROTECTED
from kohl.console import Bar, summary
from kohl.score import report, verify
from kohl.score.record import record
from kohl.types import BadSetting, Row
from kohl.zoo import cards


def protect(arguments: Namespace) -> int:
    """Protect the photos, say what became of each as soon as it is known, and show all of them in the report."""
    chosen = recipe.override(recipe.load(arguments.recipe), arguments.set)
    if arguments.strength is not None:
        chosen = replace(chosen, strength=arguments.strength)
    outputs = _outputs(arguments.photos, arguments.output)
    if arguments.report:
        _check_report(arguments.report, [*arguments.photos, *outputs, *arguments.reference], force=arguments.force)
    for reference in arguments.reference:
        imageio.read(reference)  # what is no photo is found out now, not after the models are loaded
    rows = []
    with Bar(arguments.photos) as bar:
        house = pipeline.load(chosen)
        if arguments.target is not None:
            house.decoys[arguments.target]  # one that does not exist is found out now, not photo by photo
        bar.loaded()
        for row in batch.protect_all(
            arguments.photos,
            outputs,
            house,
            seed=arguments.seed,
            faces=arguments.faces,
            references=arguments.reference,
            decoy=arguments.target,
            force=arguments.force,
            watch=bar.step,
        ):
            rows.append(row)
            _say(row, bar, as_json=arguments.json)
    if arguments.report:
        report.write(rows, arguments.report, licences=_licences(), read=imageio.read)
    return _exit_code(rows)


def compare(arguments: Namespace) -> int:
    """Print what each judge says of the two photos; UNPROTECTED if none of them finds a face in both."""
    defaults = recipe.load("default").models
    for path in (arguments.a, arguments.b):
        imageio.read(path)
    found = {}
    for judge in map(cards.judge, arguments.judge or defaults.judges):
        (score,) = judge.compare(arguments.a, [arguments.b])
        limit = verify.threshold(judge, defaults.far)
        matches = None if score is None else score >= limit
        found[judge.name] = {"score": score, "threshold": limit, "far": defaults.far, "matches": matches}
        if not arguments.json:
            said = "finds no face in one of them" if score is None else f"{score:.2f}, threshold {limit:.2f}"
            verdict = {True: ": same person", False: ": not the same person", None: ""}[matches]
            print(f"{judge.name}  {said}{verdict}", flush=True)
    if arguments.json:
        print(json.dumps({"a": str(arguments.a), "b": str(arguments.b), "judges": found}))
    return UNPROTECTED if all(judgement["matches"] is None for judgement in found.values()) else PROTECTED


def models(arguments: Namespace) -> int:
    """Print the table of models."""
    for card in cards.CARDS:
        known = {name: getattr(card, name) for name in ("name", "size", "sha256", "licence", "commercial", "source")}
        known["present"] = cards.present(card)
        if arguments.json:
            print(json.dumps(known))
        else:
            print(f"{card.name}  {card.size / 1e6:.1f} MB, {'present' if known['present'] else 'missing'}")
            print(f"  {_licence(card)}\n  {card.source}\n  sha256 {card.sha256}")
    return PROTECTED


def _outputs(photos: Sequence[Path], output: Path | None) -> list[Path]:
    """The file to write for each photo."""
    if output and imageio.is_photo_name(output) and len(photos) > 1:
        raise BadSetting(f"{output}: is one file for {len(photos)} photos; name a folder with -o")
    if output and output.exists() and not output.is_dir() and not imageio.is_photo_name(output):
        raise BadSetting(f"{output}: is not a folder; name another one with -o")
    return [imageio.default_output(photo, output) for photo in photos]


def _check_report(path: Path, used: Sequence[Path], *, force: bool) -> None:
    """Find out before the work whether the report may be written."""
    if path.is_dir():
        raise BadSetting(f"{path}: is a folder; name a file for the report")
    if batch.real(path) in map(batch.real, used):
        raise BadSetting(f"{path}: is one of the photos; choose another name for the report")
    if path.exists() and not force:
        raise BadSetting(f"{path}: already exists; pass --force to overwrite it, or choose another name for the report")
    path.parent.mkdir(parents=True, exist_ok=True)


def _say(row: Row, bar: Bar, *, as_json: bool) -> None:
    if as_json:
        bar.finished(json.dumps(record(row)))
    elif row.status == "failed":
        bar.finished(f"kohl: {row.photo}: {row.reason}", sys.stderr)
    else:
        bar.finished(summary(row))


def _exit_code(rows: Sequence[Row]) -> int:
    statuses = {row.status for row in rows}
    if "failed" in statuses:
        return FAILED
    return PROTECTED if statuses == {"protected"} else UNPROTECTED


def _licences() -> dict[str, str]:
    """Of every model that is here."""
    return {card.name: f"{_licence(card)}; {card.source}" for card in cards.CARDS if cards.present(card)}


def _licence(card: cards.Card) -> str:
    """Its name, and whether commercial use is allowed, or on what condition."""
    if isinstance(card.commercial, str):
        return f"{card.licence}, {card.commercial}"
    return f"{card.licence}, {'commercial use allowed' if card.commercial else 'no commercial use'}"
