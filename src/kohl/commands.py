"""What each command of `kohl` does, once its arguments are known to be well formed."""

from __future__ import annotations

import json
import math
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kohl import batch, files, pipeline, preview, pull, recipe, sheets
from kohl.align import imageio
from kohl.console import Bar, summary
from kohl.errors import BadSetting
from kohl.job import Job
from kohl.makeup.words import reader
from kohl.parts import Parts
from kohl.recipe import Recipe
from kohl.score import report, verify
from kohl.score.headline import headline
from kohl.score.record import plain, record
from kohl.shown import shown
from kohl.status import Exit, Status
from kohl.types import Row
from kohl.zoo import cards
from kohl.zoo.card import Card

if TYPE_CHECKING:
    from kohl.train.learner import Training

SERVE = ("fastapi", "uvicorn", "h11", "multipart", "python_multipart", "starlette", "pydantic")  # of the extra


def protect(arguments: Namespace, parts: Parts) -> int:
    """Protect the photos, say what became of each as soon as it is known, and show all of them in the report."""
    chosen = settings(arguments)
    if arguments.preview:
        return _preview(arguments, chosen, parts)
    outputs = _outputs(arguments.photos, arguments.output)
    for folder in {path.absolute().parent for path in [*outputs, *filter(None, [arguments.report])]}:
        files.clean(folder)
    if arguments.report:
        used = [*arguments.photos, *outputs, *arguments.reference, Path(arguments.recipe)]
        _check_report(arguments.report, used, force=arguments.force)
    jobs = _jobs(arguments, outputs)
    pipeline.readable(arguments.reference)
    pull.check(chosen, arguments.recipe, parts.table)
    rows = []
    with Bar(arguments.photos) as bar:
        house = parts.load(chosen)
        for note in (*recipe.own_words(chosen, arguments.text, arguments.style), *sheets.told(house.look, house.notes)):
            bar.note(note)
        if arguments.target is not None:
            house.decoys[arguments.target]  # one that does not exist is found out now, not photo by photo
        bar.loaded()
        kept = _kept(arguments)
        for row in batch.protect_all(jobs, house, kept=kept, watch=bar.step, protect=parts.protect):
            rows.append(row)
            _say(row, bar, as_json=arguments.json)
    if arguments.report:
        _write_report(rows, arguments.report, licences=_licences(parts.table), force=arguments.force)
    if not arguments.json:
        print(f"{headline(rows)}.")
    return Exit.of(row.status for row in rows)


def settings(arguments: Namespace) -> Recipe:
    """The recipe that a command line asks for."""
    asked = [f"device={arguments.device}"] if arguments.device is not None else []
    chosen = recipe.override(recipe.load(arguments.recipe), [*arguments.set, *asked])
    if arguments.strength is not None:
        chosen = replace(chosen, strength=arguments.strength)
    if arguments.text is not None:
        chosen = replace(chosen, text=arguments.text)
    if arguments.style is not None:
        chosen = replace(chosen, text=reader.style(arguments.style))
    return chosen


def _jobs(arguments: Namespace, outputs: Sequence[Path]) -> list[Job]:
    """What is asked of each photo; where all show one person, the others that can be read are its references."""
    same = [photo for photo in arguments.photos if imageio.is_read(photo)] if arguments.same_person else []
    return [
        Job(
            photo,
            output,
            seed=arguments.seed,
            faces=arguments.faces,
            references=(*arguments.reference, *(other for other in same if other != photo)),
            decoy=arguments.target,
            force=arguments.force,
        )
        for photo, output in zip(arguments.photos, outputs, strict=True)
    ]


def _preview(arguments: Namespace, chosen: Recipe, parts: Parts) -> int:
    """Write a sheet for each photo, and nothing else."""
    if arguments.report is not None:
        raise BadSetting("--report: there is nothing to report of a --preview, which judges nothing")
    outputs = _outputs(arguments.photos, arguments.output, named=preview.default_output)
    pipeline.readable(arguments.reference)
    pull.check(chosen, arguments.recipe, parts.table)
    return sheets.previews(_jobs(arguments, outputs), chosen, as_json=arguments.json)


def looks(arguments: Namespace, parts: Parts) -> int:
    """Show many looks on one face, to choose by looking."""
    return sheets.looks(arguments, parts)


def compare(arguments: Namespace, parts: Parts) -> int:
    """Print what each judge says of the two photos; Exit.UNPROTECTED if none of them finds a face in both."""
    defaults = recipe.load("default").models
    for path in (arguments.a, arguments.b):
        imageio.read(path)
    found, judges = {}, arguments.judge or defaults.judges
    for judge in map(parts.judge, judges):
        (score,) = judge.compare(arguments.a, [arguments.b])
        limit = verify.threshold(judge, defaults.far)
        matches = None if score is None or math.isnan(score) else score >= limit
        found[judge.name] = {"score": score, "threshold": limit, "far": defaults.far, "matches": matches}
        if not arguments.json:
            said = "finds no face in one of them" if score is None else f"{score:.2f}, threshold {limit:.2f}"
            said = "gives no number" if score is not None and matches is None else said
            verdict = {True: ": same person", False: ": not the same person", None: ""}[matches]
            print(shown(f"{judge.name}  {said}{verdict}"), flush=True)
    for note in cards.notes(judges, parts.table):
        pull.tell(f"kohl: {note}")
    if arguments.json:
        print(_json({"a": str(arguments.a), "b": str(arguments.b), "judges": found}))
    return Exit.UNPROTECTED if all(judgement["matches"] is None for judgement in found.values()) else Exit.PROTECTED


def models(arguments: Namespace, parts: Parts) -> int:
    """Print the table of models, or that of the named ones once they have been pulled, or convert a file."""
    if arguments.action == "convert":
        return _convert(arguments)
    listed = pull.pull(arguments, parts.table) if arguments.action == "pull" else parts.table
    for card in listed:
        known = {name: getattr(card, name) for name in ("name", "size", "licence", "commercial", "source")}
        known |= {"sha256": cards.sha256(card), "present": cards.present(card), "accepted": bool(cards.accepted(card))}
        if arguments.json:
            print(_json(known))
        else:
            print(shown(f"{card.name}  {pull.size(card)}, {'present' if known['present'] else 'missing'}"))
            other = f", accepted here: not the published file, which has {card.sha256}" if known["accepted"] else ""
            for line in (pull.licence(card), card.source, f"sha256 {known['sha256'] or 'not published'}{other}"):
                print(f"  {shown(line)}")
    return Exit.PROTECTED


def train(arguments: Namespace, parts: Parts) -> int:
    """Learn a small StyleGAN2 from folders of faces, say how it goes, and how to use it."""
    import torch

    from kohl.train import faces, stylegan2  # late: no other command learns
    from kohl.zoo.distances import features

    torch.set_num_threads(os.cpu_count() or 1)  # one network at a time
    asked = training(arguments)
    output, said = arguments.output, _print
    if os.path.lexists(output / stylegan2.CHECKPOINT) and not arguments.resume:
        raise BadSetting(f"{output}: holds a checkpoint; pass --resume to go on, or choose another folder with -o")
    stylegan2.check_folder(output)
    files.clean(output)
    known = output / "faces.safetensors"
    gallery = faces.gallery(arguments.faces, asked.size, known, looks=asked.looks, find=parts.find, said=said)
    seen = parts.features() if parts.features else features.load(cards.checked(cards.find("sface")))
    generator, encoder = stylegan2.learn(gallery, seen, output, asked, said=said)
    made = f"--set models.generator=stylegan2:{generator} --set models.encoder=stylegan2:{encoder}"
    _print(f"use it with --recipe mini {made}")
    return Exit.PROTECTED


def serve(arguments: Namespace, parts: Parts) -> int:
    """Show the page until it is interrupted."""
    try:
        from kohl.ui import serve  # late: no other command needs a server
    except ModuleNotFoundError as error:
        if error.name not in SERVE:
            raise
        raise BadSetting(f"serve: needs {error.name}, which is not here; run `pip install 'kohl[serve]'`") from None
    chosen = settings(arguments)
    pull.check(chosen, arguments.recipe, parts.table)
    key = os.environ.get(serve.KEY) or None
    serve.serve(chosen, host=arguments.host, port=arguments.port, browser=arguments.browser, key=key)
    return Exit.PROTECTED


def training(arguments: Namespace) -> Training:
    """The settings that a command line asks for."""
    from kohl.train.learner import Training  # late: no other command learns

    given = {name: getattr(arguments, name) for name in ("images", "size", "batch", "seed")}
    asked = Training(**{name: value for name, value in given.items() if value is not None})
    return recipe.override(asked, arguments.set)


def _convert(arguments: Namespace) -> int:
    """Write a published StyleGAN2 as safetensors, and say how to use it."""
    from kohl.zoo.files import checkpoints  # late: it loads torch

    file = arguments.file
    output = arguments.output or file.parent / f"{file.stem}.safetensors"
    if output.is_dir():
        raise BadSetting(f"{output}: is a folder; name a file with -o")
    if batch.real(output) == batch.real(file):
        raise BadSetting(f"{output}: is the checkpoint itself; choose another name with -o")
    files.clean(output.absolute().parent)
    if os.path.lexists(output) and not arguments.force:
        raise BadSetting(f"{output}: already exists; pass --force to overwrite it, or choose another name with -o")
    checkpoints.convert(file, output, force=arguments.force)
    setting = f"models.generator=stylegan2:{output}"
    if arguments.json:
        print(_json({"output": str(output), "set": setting}))
    else:
        _print(f"{output}: use it with --set {setting}")
    return Exit.PROTECTED


def _print(text: str) -> None:
    """Say a line of the result at once."""
    print(shown(text), flush=True)


def _json(value: object) -> str:
    """One line of JSON, which knows neither infinity nor nonsense: such a number becomes null."""
    return json.dumps(plain(value), allow_nan=False)


def _outputs(
    photos: Sequence[Path], output: Path | None, *, named: Callable[..., Path] = imageio.default_output
) -> list[Path]:
    """The file to write for each photo."""
    if output and imageio.is_photo_name(output) and len(photos) > 1:
        raise BadSetting(f"{output}: is one file for {len(photos)} photos; name a folder with -o")
    if output and output.exists() and not output.is_dir() and not imageio.is_photo_name(output):
        raise BadSetting(f"{output}: is not a folder; name another one with -o")
    return [named(photo, output) for photo in photos]


def _check_report(path: Path, used: Sequence[Path], *, force: bool) -> None:
    """Find out before the work whether the report may be written."""
    if path.is_dir():
        raise BadSetting(f"{path}: is a folder; name a file for the report")
    if batch.real(path) in map(batch.real, used):
        raise BadSetting(f"{path}: is a photo, a result or a recipe of this run; choose another name for the report")
    if path.exists() and not path.is_file():
        raise BadSetting(f"{path}: is no ordinary file; name another one for the report")
    if os.path.lexists(path) and not force:
        raise BadSetting(f"{path}: already exists; pass --force to overwrite it, or choose another name for the report")
    path.parent.mkdir(parents=True, exist_ok=True)


def _kept(arguments: Namespace) -> dict[Path, str]:
    """The files that no result may overwrite, beside photos and references, and what they are."""
    kept = {Path(arguments.recipe): "the recipe"}
    return {**kept, arguments.report: "the report"} if arguments.report else kept


def _write_report(rows: Sequence[Row], path: Path, *, licences: Mapping[str, str], force: bool) -> None:
    try:
        report.write(rows, path, licences=licences, read=imageio.read, force=force)
    except FileExistsError:
        raise BadSetting(f"{path}: has come to be during the run and was left as it is; name another report") from None


def _say(row: Row, bar: Bar, *, as_json: bool) -> None:
    if as_json:
        bar.finished(_json(record(row)))
    elif row.status == Status.FAILED:
        bar.finished(shown(f"kohl: {row.photo}: {row.reason}"), sys.stderr)
    else:
        bar.finished(summary(row))


def _licences(table: Sequence[Card]) -> dict[str, str]:
    """Of every model that is here."""
    return {card.name: f"{pull.licence(card)}; {card.source}" for card in table if cards.present(card)}
