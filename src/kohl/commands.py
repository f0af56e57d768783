"""What each command of `kohl` does, once its arguments are known to be well formed."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from kohl import batch, choice, comparing, files, pipeline, preview, protecting, pull, recipe, sending, sheets
from kohl.console import Bar, summary
from kohl.errors import BadSetting
from kohl.makeup.words import reader
from kohl.parts import Parts
from kohl.recipe import Recipe
from kohl.score.headline import headline
from kohl.score.record import plain, record
from kohl.shown import shown
from kohl.status import Exit, Status
from kohl.types import Row
from kohl.zoo import cards
from kohl.zoo.card import Card

SERVE = ("fastapi", "uvicorn", "h11", "multipart", "python_multipart", "starlette", "pydantic")  # of the extra


def protect(arguments: Namespace, parts: Parts) -> int:
    """Protect the photos, say what became of each as soon as it is known, and show all of them in the report."""
    chosen = settings(arguments)
    if protecting.is_album(arguments):
        return protecting.protect(arguments, chosen, parts, _licences(parts.table))
    if not arguments.photos:
        raise BadSetting("name a photo, or a folder with -r or --watch")
    if arguments.preview:
        return _preview(arguments, chosen, parts)
    outputs = protecting.outputs(arguments.photos, arguments.output)
    for folder in {path.absolute().parent for path in [*outputs, *filter(None, [arguments.report])]}:
        files.clean(folder)
    if arguments.report:
        used = [*arguments.photos, *outputs, *protecting.inputs(arguments)]
        protecting.check_report(arguments.report, used, force=arguments.force)
    jobs = list(map(protecting.asking(arguments, arguments.photos), arguments.photos, outputs))
    pipeline.readable([*arguments.reference, *arguments.only, *arguments.spared])
    pull.check(chosen, arguments.recipe, parts.table)
    rows = []
    with Bar(arguments.photos) as bar:
        house = parts.load(chosen)
        for note in (*recipe.own_words(chosen, arguments.text, arguments.style), *sheets.told(house.look, house.notes)):
            bar.note(note)
        if arguments.target is not None:
            house.decoys[arguments.target]  # one that does not exist is found out now, not photo by photo
        choice.known_faces([*arguments.only, *arguments.spared], house)
        bar.loaded()
        kept = protecting.kept(arguments)
        for row in batch.protect_all(jobs, house, kept=kept, watch=bar.step, protect=parts.protect):
            rows.append(row)
            _say(row, bar, as_json=arguments.json)
    if arguments.report:
        protecting.write_report(rows, arguments.report, _licences(parts.table), force=arguments.force)
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


def _preview(arguments: Namespace, chosen: Recipe, parts: Parts) -> int:
    """Write a sheet for each photo, and nothing else."""
    if arguments.report is not None:
        raise BadSetting("--report: there is nothing to report of a --preview, which judges nothing")
    outputs = protecting.outputs(arguments.photos, arguments.output, named=preview.default_output)
    pipeline.readable(arguments.reference)
    pull.check(chosen, arguments.recipe, parts.table)
    jobs = list(map(protecting.asking(arguments, arguments.photos), arguments.photos, outputs))
    return sheets.previews(jobs, chosen, as_json=arguments.json)


def report(arguments: Namespace, parts: Parts) -> int:
    """Write the page about an album, from its journal."""
    return protecting.told_report(arguments, _licences(parts.table))


def looks(arguments: Namespace, parts: Parts) -> int:
    """Show many looks on one face, to choose by looking."""
    return sheets.looks(arguments, parts)


def compare(arguments: Namespace, parts: Parts) -> int:
    """Print what each judge says of the two photos; Exit.UNPROTECTED if none of them finds a face in both.

    Where one is a copy of the other, each face is compared with the one at its own place, as `protect` does.
    """
    names = arguments.judge or recipe.load("default").models.judges
    judges = (sending.judge(name, parts) for name in names)
    allow = partial(sending.allow, yes=arguments.yes_send)
    found = comparing.compared(arguments.a, arguments.b, judges, parts.detector, allow)
    for said in found:
        if not arguments.json:
            for text in comparing.lines(said):
                print(shown(text), flush=True)
    for note in cards.notes(names, parts.table):
        pull.tell(f"kohl: {note}")
    if arguments.json:
        print(_json(comparing.record(arguments.a, arguments.b, found)))
    return Exit.PROTECTED if any(said.matches is not None for said in found) else Exit.UNPROTECTED


def bench(arguments: Namespace, parts: Parts) -> int:
    """Compare attacks on photos of people."""
    from kohl.bench import command  # late: no other command measures

    command.bench(arguments, parts)
    return Exit.PROTECTED


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
    """Learn a model from folders of faces, say how it goes, and how to use it."""
    from kohl import learning  # late: no other command learns

    learning.KINDS[arguments.kind](arguments, parts)
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
