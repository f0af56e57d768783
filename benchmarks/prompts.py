"""How well `kohl protect` does what the words say: `python benchmarks/prompts.py WHAT FOLDER`.

    model FACES             retrieval and colour names of the text-image model, by training/makeup_clip.py --evaluate
    adherence FACES         the asked product changed to the asked colour, and the others did not change
    bare PHOTOS             what changes without any words inside lips, lids and cheeks, and outside the face
    beside FACES            what changes where no asked product reaches, with words and without: NLPD and PSNR
    protection PEOPLE       PSR, likeness and seconds with words against without; PEOPLE as protect.py takes them
    fairness FACES LABELS   PSR, PSNR and adherence by skin tone, and by the perceived sex and age in LABELS

FACES are the synthetic portraits; only every eighth by name is used, which the model did not learn from. What the
figures mean is in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import protect  # first: it settles the threads before torch is loaded
from pairs import Pair, differences, drawn, fit_sitter, lines, numbers, record, saved, sitter
from wishes import Wish, wishes

from kohl import pipeline, recipe
from kohl.align import crop
from kohl.bench.groups import Line, Outcome, by_group, ita, labels, mean, tone
from kohl.errors import NoFace
from kohl.job import Job
from kohl.pipeline import House
from kohl.recipe import Recipe
from kohl.types import Row, Verifier
from kohl.zoo import cards
from kohl.zoo.shelf import Shelf

DRAWN = 12  # prompts that every labelled face is drawn with: no group has easier ones
HELD = 8  # every eighth portrait is held out, as in training/makeup_views.py
BARE = {"lipstick": "lips", "eyeshadow": "lids", "blush": "cheeks"}
TRAINING = Path(__file__).parents[1] / "training"
Found = tuple[list[Line], list[dict[str, Any]]]  # the lines of the table, and what they are made of

SHELF = Shelf()  # the words differ from photo to photo, the models do not


def adherence(arguments: argparse.Namespace, chosen: Recipe, folder: Path) -> Found:
    """Some pairs of a face and a prompt, picked by lot, through the pipeline, and all of them as they are drawn."""
    plain = dressed(chosen)
    fit = [path for path in held_out(arguments.folder) if sitter(path, plain)]
    paths = fit[:: max(1, len(fit) // arguments.faces)][: arguments.faces]
    every = [(path, wish) for path in paths for wish in wishes()]
    found: dict[str, list[Pair]] = {"saved": [], "drawn": []}
    for path, wish in random.Random(arguments.seed).sample(every, min(arguments.pairs, len(every))):
        output, _ = protected(path, folder, dressed(chosen, wish), arguments.seed)
        found["saved"].append(saved(fit_sitter(path, plain), wish, output))
    for path in paths if arguments.drawn else ():
        sitting = fit_sitter(path, plain, crop.SIZE)
        found["drawn"] += [drawn(sitting, wish, dressed(chosen, wish)) for wish in wishes()]
    table = [line for name, pairs in found.items() if pairs for line in lines(name, pairs)]
    strays = max((one.strays for one in found["saved"]), default=0)
    table.append(("saved: pixels outside the face that changed, at most", "0", str(strays)))
    return table, [record(name, one) for name, pairs in found.items() for one in pairs]


def bare(arguments: argparse.Namespace, chosen: Recipe, folder: Path) -> Found:
    """What a protection without words changes."""
    house, found, strays = dressed(chosen), {}, []
    for path in sorted(arguments.folder.rglob("*.jpg"))[:: arguments.every]:
        if sitting := sitter(path, house):
            output, _ = protected(path, folder, house, arguments.seed)
            found[path] = sitting.changes(sitting.saved(output), sitting.places.regions)
            strays.append(sitting.strays(output))
    changes = list(found.values())
    inside = differences([one[name] for one in changes for name in BARE])
    table = [("no words: lips, lids and cheeks together, ΔE00", "≤ 3", inside)]
    table += [
        (f"no words: {BARE.get(name, name)}, ΔE00", "", differences([one[name] for one in changes]))
        for name in changes[0]
    ]
    table.append(("no words: pixels outside the face that changed, at most", "0", str(max(strays))))
    return table, [
        {"photo": path.name, **{name: numbers(one) for name, one in row.items()}} for path, row in found.items()
    ]


def beside(arguments: argparse.Namespace, chosen: Recipe, folder: Path) -> Found:
    """Each held-out portrait without words and with one prompt, seen where nothing that it asks for can reach."""
    plain, details = dressed(chosen), []
    for path, wish in zip(held_out(arguments.folder)[:: arguments.every], cycle(shuffled(arguments.seed))):
        if sitting := sitter(path, plain):
            row: dict[str, Any] = {"face": path.stem, "text": wish.text}
            for name, house in (("without", plain), ("with", dressed(chosen, wish))):
                output, outcome = protected(path, folder, house, arguments.seed)
                row[f"nlpd {name}"], row[f"psnr {name}"] = sitting.beside(sitting.saved(output), wish.asked)
                row[f"status {name}"] = outcome.status
            details.append(row)
    table = []
    for figure, goal, digits in (("nlpd", "≤ 0", 4), ("psnr", "≥ +1", 2)):
        pairs = [(row[f"{figure} with"], row[f"{figure} without"]) for row in details]
        words, none = (mean(side) for side in zip(*pairs, strict=True))
        less = sum((one > other) if figure == "psnr" else (one < other) for one, other in pairs)
        unit = " dB" if figure == "psnr" else ""
        both = f"({words:.{digits}f} − {none:.{digits}f})"
        measured = f"{words - none:+.{digits}f}{unit} {both}; better on {less} of {len(pairs)}"
        table.append(
            (f"outside the asked regions: {figure.upper()} with words minus without", f"{goal}{unit}", measured)
        )
    return table, details


def protection(arguments: argparse.Namespace, chosen: Recipe, folder: Path) -> Found:
    """Each photo without words and, right afterwards, with some: the machine's speed drifts."""
    people = [path for path in sorted(arguments.folder.iterdir()) if path.is_dir()]
    photos = [sorted(path.glob("*.jpg")) for path in people if not arguments.people or path.name in arguments.people]
    genuine = {photo: [other for other in all_ if other != photo] for all_ in photos for photo in all_}
    runs: dict[str, dict[Path, Path]] = {"without": {}, "with": {}}
    rows: dict[str, list[Row]] = {"without": [], "with": []}
    asked = cycle(shuffled(arguments.seed))
    for photo in (photo for all_ in photos for photo in all_[:: arguments.every]):
        for name, house in (("without", dressed(chosen)), ("with", dressed(chosen, next(asked)))):
            output = runs[name][photo] = folder / name / photo.parent.name / photo.name
            try:
                rows[name].append(pipeline.protect(Job(photo, output, arguments.seed, (0,), force=True), house))
            except NoFace as refusal:  # judged as it is, as in protect.py
                print(f"{photo.name}: {refusal}", file=sys.stderr)
                output.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(photo, output)
    table, details = [], []
    for judge in judges(arguments, chosen):
        rates = {name: protect.rates(judge, chosen.models.far, done, genuine) for name, done in runs.items()}
        linked = {name: protect.linked(judge, chosen.models.far, done) for name, done in runs.items()}
        table += [
            psr_line(judge.name, variant, rates["without"][variant]["psr"], rates["with"][variant]["psr"])
            for variant in rates["with"]
        ]
        both = f"{linked['with']:.1f} % / {linked['without']:.1f} %"
        table.append((f"{judge.name}: both protected, still matched, with words / without", "", both))
        details.append({"judge": judge.name, "rates": rates, "linked": linked})
    for figure in ("psnr", "ssim"):
        after, before = (
            mean(getattr(face, figure) for face in protect.first(rows[name])) for name in ("with", "without")
        )
        table.append((f"{figure.upper()}, with words / without", "", f"{after:.3f} / {before:.3f}"))
    pairs = zip(rows["without"][1:], rows["with"][1:], strict=True)  # the first of a run takes longer
    extra = [after.seconds - before.seconds for before, after in pairs]
    table.append(("extra seconds for words", "≤ 3", f"{mean(extra):.2f} (median {statistics.median(extra):.2f})"))
    return table, [*details, {"extra seconds": extra}]


def fairness(arguments: argparse.Namespace, chosen: Recipe, folder: Path) -> Found:
    """Labelled portraits without words and with one prompt each; judges compare the result with the portrait itself."""
    known, plain, asked = labels(arguments.labels), dressed(chosen), shuffled(arguments.seed)
    outcomes = []
    for path, wish in zip(held_out(arguments.folder)[:: arguments.every], cycle(asked)):
        sitting = sitter(path, plain)
        if sitting is None or path.stem not in known:
            print(f"{path.name}: no face that can be protected, or no label", file=sys.stderr)
            continue
        figures = {}
        for name, house in (("", plain), (" with words", dressed(chosen, wish))):
            output, row = protected(path, folder, house, arguments.seed)
            for judge in judges(arguments, chosen):
                (score,) = judge.compare(output, [path])
                limit = judge.thresholds[chosen.models.far]
                figures[f"PSR % {judge.name}{name}"] = float("nan") if score is None else 100.0 * (score < limit)
            psnr = row.faces[0].psnr
            figures[f"PSNR dB{name}"] = float("nan") if psnr is None else psnr
        answer, small = saved(sitting, wish, output), fit_sitter(path, plain, crop.SIZE)
        figures |= {
            "adherence %": 100.0 * (answer.kept and answer.quiet("means")),
            "asked colour %": 100.0 * answer.kept,
            "asked colour as drawn %": mean(
                100.0 * drawn(small, one, dressed(chosen, one)).kept for one in asked[:DRAWN]
            ),
        }
        cheeks = sitting.changes(sitting.crops.crops, {"blush": sitting.places.regions["blush"]})["blush"].before
        outcomes.append(Outcome(path.stem, {"skin tone": tone(ita(cheeks)), **known[path.stem]}, figures))
    return list(by_group(outcomes, {"%": "≤ 10 points"})), [asdict(one) for one in outcomes]


def model(arguments: argparse.Namespace) -> None:
    """Prints the figures of the text-image model, as its training does."""
    weights = cards.path(cards.find(recipe.load(arguments.recipe).models.text))
    subprocess.run([sys.executable, TRAINING / "makeup_clip.py", arguments.folder, weights, "--evaluate"], check=True)


def held_out(folder: Path) -> list[Path]:
    """The portraits that the text-image model did not learn from."""
    return sorted(folder.glob("*.jpg"))[::HELD]


def shuffled(seed: int) -> list[Wish]:
    """All prompts in a random order, the same for the same seed."""
    return random.Random(seed).sample(wishes(), len(wishes()))


def dressed(chosen: Recipe, wish: Wish | None = None) -> House:
    """Everything that is loaded, for the words of a wish or for none."""
    return pipeline.load(replace(chosen, text=wish.text if wish else ""), SHELF)


@cache
def known_judge(name: str) -> Verifier:
    """The judge of that name, loaded once."""
    return cards.judge(name)


def judges(arguments: argparse.Namespace, chosen: Recipe) -> list[Verifier]:
    """Those that were named, or the recipe's own."""
    return [known_judge(name) for name in arguments.judge or chosen.models.judges]


def protected(path: Path, folder: Path, house: House, seed: int) -> tuple[Path, Row]:
    """The protected photo, saved without loss, and its row."""
    words = "".join(sign if sign.isalnum() else "-" for sign in house.recipe.text) or "no-words"
    output = folder / path.parent.name / f"{path.stem}-{words}.png"
    return output, pipeline.protect(Job(path, output, seed, (0,), force=True), house)


def psr_line(judge: str, variant: str, before: float, after: float) -> Line:
    """A judge's PSR with words against without."""
    goal = "≥ 0 points" if variant == "saved" else ""
    figure = f"{judge}: PSR with words minus without, {variant}"
    return figure, goal, f"{after - before:+.1f} points ({after:.1f} − {before:.1f})"


def main() -> None:
    """Measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    for name in ("model", "adherence", "bare", "beside", "protection", "fairness"):
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path)
        if name == "fairness":
            command.add_argument("labels", type=Path)
        command.add_argument("--recipe", default="default")
        if name == "model":
            continue
        command.add_argument("--set", action="append", default=[])
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--keep", type=Path, help="write the protected photos here")
        command.add_argument("--json", type=Path, help="write everything that the table is made of here")
        if name == "adherence":
            command.add_argument("--faces", type=int, default=20)
            command.add_argument("--pairs", type=int, default=60, help="how many go through the whole pipeline")
            command.add_argument("--drawn", action="store_true", help="also all pairs as the search starts from them")
        else:
            command.add_argument("--every", type=int, default=1, help="take every Nth photo")
        if name in ("protection", "fairness"):
            command.add_argument("--judge", action="append", default=[])
        if name == "protection":
            command.add_argument("--people", type=lambda text: text.split(","))
    arguments = parser.parse_args()
    if arguments.what == "model":
        model(arguments)
        return
    measure = {
        "adherence": adherence,
        "bare": bare,
        "beside": beside,
        "protection": protection,
        "fairness": fairness,
    }[arguments.what]
    chosen = recipe.override(recipe.load(arguments.recipe), arguments.set)
    with tempfile.TemporaryDirectory() as scratch:
        table, details = measure(arguments, chosen, arguments.keep or Path(scratch))
    print("| figure | goal | measured |\n|---|---|---|")
    print("\n".join(f"| {' | '.join(line)} |" for line in table))
    if arguments.json:
        arguments.json.write_text(json.dumps(details, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
