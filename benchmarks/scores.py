"""Makeup scored by eye, blind to the version: `python benchmarks/scores.py draw FACES FOLDER`, then `… read FOLDER`.

    draw FACES FOLDER   draws held-out prompts on held-out people as an earlier commit draws them (--old) and as this
                        tree does, and mixes both at random into numbered sheets; the key lies apart, in FOLDER/key
    read FOLDER         prints the means of FOLDER/scores.csv, whose lines are: number,adherence,realism

FACES holds a folder of photos for each person; those with even numbers are used. Half of the prompts is held out: every
second one of wishes.py, what only skin wears, and every second style.

How to score. Look at each picture at twice its size, beside the bare face, and never at the key. Whole numbers only.

    adherence   3  all that is asked for is there, in its colour and its place, as strong as the words say
                2  it is there, but one thing is off: a shade, a little too faint or too strong, an edge
                1  one has to look for it, or half of it is missing or in another colour
                0  it is not there, or something else is
    realism     3  would pass for a photo of somebody made up by a professional
                2  believable at first sight; a closer look finds an edge, a texture or a tone that is drawn
                1  seen to be drawn at first sight, but a face that one could show
                0  grotesque: a stain, a mask, a wrong place, something that nobody would post

What asks for fancy dress is judged as fancy dress, and bare skin asked for ("soft", "sheer") by how soft it is.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path

from kohl import cpu

cpu.settle()  # before torch is loaded

import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image, ImageDraw, ImageFont  # noqa: E402
from wishes import wishes  # noqa: E402

from kohl.align import crop, imageio  # noqa: E402
from kohl.contact_sheet import detector  # noqa: E402
from kohl.makeup.layers import Makeup  # noqa: E402
from kohl.makeup.words import reader, tables  # noqa: E402
from kohl.perturb.looks import dressed  # noqa: E402

ROOT = Path(__file__).parents[1]
SKIN = ("foundation", "concealer", "contour", "bronzer", "highlighter", "freckles", "stubble")
SIDE, FACE, LINE = 512, (330, 400), 22  # pixels: of the crop, of the face that is cut from it, of the text below
ROWS, PAIRS = 3, 2  # of a sheet; a pair is the bare face and the picture
Picture = tuple[str, str, str]  # product, face, prompt


def asked() -> dict[str, list[str]]:
    """The held-out prompts by product."""
    found: dict[str, list[str]] = {}
    for wish in wishes()[1::2]:
        found.setdefault("two products" if len(wish.asked) > 1 else next(iter(wish.asked)), []).append(wish.text)
    found |= {name: [name, f"soft {name}"] for name in SKIN}
    return found | {"style": [name for name in tables.styles() if name][1::2]}


def chosen(people: Sequence[Path], count: int, rng: random.Random) -> list[Picture]:
    """So many pictures: each product in turn with one of its prompts, each on the next face."""
    by_product = [[(product, text) for text in rng.sample(texts, len(texts))] for product, texts in asked().items()]
    in_turn = [one for one in chain.from_iterable(zip_longest(*by_product)) if one][:count]
    faces = chain.from_iterable(rng.sample(people, len(people)) for _ in range(count))
    return [(product, str(face), text) for (product, text), face in zip(in_turn, faces, strict=False)]


def drawn(pictures: Sequence[Picture]) -> Iterator[np.ndarray]:
    """Each face bare and as it is drawn, side by side, by the kohl that is imported."""
    detect = detector()
    for _, path, text in pictures:
        photo = imageio.read(Path(path))
        face = crop.crops(photo, detect(photo)[:1], SIDE)
        look = reader.read(text)
        with torch.no_grad():
            made_up = Makeup(face, [*look.dials])(face.crops, dressed(look)[None])
        middle, unit = face.landmarks[0, 27:36].mean(0), face.landmarks[0, 45] - face.landmarks[0, 36]
        half = unit.norm() * torch.tensor([0.92, 0.92 * FACE[1] / FACE[0]])
        left, top, right, bottom = (min(max(x, 0.0), SIDE) for x in torch.cat([middle - half, middle + half]).tolist())
        pair = [
            Image.fromarray((one[0].permute(1, 2, 0) * 255).round().byte().numpy()).resize(
                FACE, Image.Resampling.LANCZOS, box=(left, top, right, bottom)
            )
            for one in (face.crops, made_up)
        ]
        yield np.concatenate([np.asarray(one) for one in pair], 1)


def by_version(tree: Path, pictures: Sequence[Picture], folder: Path) -> list[np.ndarray]:
    """The pictures as another tree draws them, in a process of its own."""
    folder.mkdir()
    (folder / "pictures.json").write_text(json.dumps(pictures), encoding="utf-8")
    paths = [str(tree / "src"), str(Path(__file__).parent)]
    command = f"import sys; sys.path[:0] = {paths}; import scores; scores.child()"
    subprocess.run([sys.executable, "-c", command, str(folder), str(tree / "src")], check=True)
    return [np.asarray(Image.open(folder / f"{number}.png")) for number in range(len(pictures))]


def child() -> None:
    """Draws what `by_version` asks for into its folder."""
    import kohl

    folder, source = (Path(one) for one in sys.argv[1:3])
    if source not in Path(kohl.__file__).parents:
        raise SystemExit(f"{kohl.__file__} was imported, and not {source}")
    for number, tile in enumerate(drawn(json.loads((folder / "pictures.json").read_text(encoding="utf-8")))):
        Image.fromarray(tile).save(folder / f"{number}.png")


def draw(arguments: argparse.Namespace) -> None:
    """Writes the sheets, and the key."""
    rng = random.Random(arguments.seed)
    people = [path for path in sorted(arguments.faces.iterdir()) if path.is_dir() and int(path.name) % 2 == 0]
    first = [min(path.glob("*.jpg")) for path in people if path.name not in arguments.without]
    pictures = chosen(first, arguments.pictures // 2, rng)
    with tempfile.TemporaryDirectory() as scratch:
        old = Path(scratch) / "old"
        old.mkdir()
        archive = subprocess.run(["git", "archive", arguments.old, "src"], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "-x", "-C", old], input=archive.stdout, check=True)
        trees = {"old": old, "new": ROOT}
        tiles = {name: by_version(tree, pictures, Path(scratch) / f"{name} drawn") for name, tree in trees.items()}
    mixed = [(name, number) for name in tiles for number in range(len(pictures))]
    rng.shuffle(mixed)
    (arguments.folder / "key").mkdir(parents=True)
    places = [*enumerate(mixed, start=1)]
    with (arguments.folder / "key" / "key.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows((place, name, *pictures[number]) for place, (name, number) in places)
    labelled = [label(tiles[name][number], f"{place}: {pictures[number][2]}") for place, (name, number) in places]
    for start in range(0, len(labelled), ROWS * PAIRS):
        some = labelled[start : start + ROWS * PAIRS]
        some += [np.full_like(some[0], 255)] * (-len(some) % PAIRS)
        rows = [np.concatenate(some[at : at + PAIRS], 1) for at in range(0, len(some), PAIRS)]
        Image.fromarray(np.concatenate(rows)).save(arguments.folder / f"sheet_{start // (ROWS * PAIRS) + 1:02}.png")


def label(tile: np.ndarray, text: str) -> np.ndarray:
    """The tile with a line of text below."""
    image = Image.fromarray(np.pad(tile, ((0, LINE), (0, 0), (0, 0)), constant_values=255))
    ImageDraw.Draw(image).text((4, len(tile) + 3), text, fill=(0, 0, 0), font=ImageFont.load_default(size=15))
    return np.asarray(image)


def summary(key: Sequence[Sequence[str]], scores: Sequence[Sequence[str]]) -> Iterator[str]:
    """The table of means, in Markdown; raises `ValueError` for wrong numbers and for no score."""
    given = {number: (int(adherence), int(realism)) for number, adherence, realism in scores}
    if len(given) < len(scores) or given.keys() - {number for number, *_ in key}:
        raise ValueError("a number is scored twice, or belongs to no picture")
    missing = [number for number, *_ in key if number not in given]
    wrong = [number for number, both in given.items() if not all(0 <= one <= 3 for one in both)]
    if missing or wrong:
        raise ValueError(f"not scored: {', '.join(missing) or 'none'}; not from 0 to 3: {', '.join(wrong) or 'none'}")
    products = dict.fromkeys(product for _, _, product, *_ in key)
    yield "| | pictures | old: adherence · realism | new: adherence · realism |\n|---|---|---|---|"
    for product in ("all", *products):
        some = {
            name: [given[number] for number, version, its, *_ in key if version == name and product in ("all", its)]
            for name in ("old", "new")
        }
        means = (" · ".join(f"{statistics.mean(part):.2f}" for part in zip(*one, strict=True)) for one in some.values())
        yield f"| {product} | {sum(map(len, some.values()))} | {' | '.join(means)} |"
    for name in ("old", "new"):
        grotesque = [given[number][1] == 0 for number, version, *_ in key if version == name]
        yield f"\n{name}: realism 0 on {sum(grotesque)} of {len(grotesque)}"


def read(arguments: argparse.Namespace) -> None:
    """Prints the table."""
    rows = []
    for name in ("key/key.csv", "scores.csv"):
        with (arguments.folder / name).open(newline="", encoding="utf-8") as file:
            rows.append([line for line in csv.reader(file) if line])
    print("\n".join(summary(*rows)))


def main(argv: Sequence[str] | None = None) -> None:
    """Draws, or reads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    command = commands.add_parser("draw")
    command.add_argument("faces", type=Path)
    command.add_argument("folder", type=Path)
    command.add_argument("--old", default="87394ac", help="the commit that is drawn beside this tree")
    command.add_argument("--pictures", type=int, default=96, help="of both together")
    command.add_argument("--without", nargs="*", default=[], help="people to leave out, by name")
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(act=draw)
    command = commands.add_parser("read")
    command.add_argument("folder", type=Path)
    command.set_defaults(act=read)
    arguments = parser.parse_args(argv)
    arguments.act(arguments)


if __name__ == "__main__":
    main()
