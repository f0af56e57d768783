"""How near the mean colour that is drawn comes to the pigment: `python benchmarks/pigments.py FACES [--json FILE]`.

    ΔE00 by product and by skin tone, as drawn at usual opacity, for every shade of the product's palette, in the light
    that is on the face

FACES are the synthetic portraits, of which every eighth by name is used: nothing was looked at or learned on those. The
mean is over the product's region (benchmarks/regions.py), weighted by its cover.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from kohl import cpu

cpu.settle()  # before torch is loaded

import numpy as np  # noqa: E402
import torch  # noqa: E402
from pairs import sitter  # noqa: E402
from regions import Places, lab  # noqa: E402
from skimage.color import deltaE_ciede2000, rgb2lab  # noqa: E402

from kohl import pipeline, recipe  # noqa: E402
from kohl.align import crop  # noqa: E402
from kohl.bench.groups import ita, tone  # noqa: E402
from kohl.makeup.layers import Makeup, bare  # noqa: E402
from kohl.makeup.palettes import ASKED, PALETTES  # noqa: E402
from kohl.makeup.pigments import pigment  # noqa: E402
from kohl.makeup.products import NAMES  # noqa: E402
from kohl.types import Faces  # noqa: E402

HELD = 8  # every eighth portrait is held out, as in training/makeup_views.py
OPACITY = 0.85
COVERING = ("lipstick", "eyeshadow", "face paint")  # what hides the skin; the others let it through on purpose


def misses(faces: Faces) -> Iterator[tuple[str, str, float]]:
    """The product, the shade and ΔE00 of the mean drawn to the pigment, on one face."""
    makeup, places = Makeup(faces, COVERING), Places(faces)
    skin, light = makeup.layers[0][0].tone, makeup.layers[0][0].light
    for product in COVERING:
        palette, weight = PALETTES[product], places.regions[product]
        if weight.sum() < 1:
            continue  # hidden
        for name in (*palette.shades, *palette.nudes):
            look, number = bare(), NAMES.index(product)
            look[number, 0] = OPACITY
            look[number, 1:4] = torch.tensor(ASKED[name]) / 255
            wish = torch.tensor(rgb2lab(np.array(ASKED[name]) / 255), dtype=torch.float32)
            with torch.no_grad():
                after = lab(makeup(faces.crops, look[None]))
            drawn = np.average(after.reshape(-1, 3), 0, weight.reshape(-1))
            yield product, name, float(deltaE_ciede2000(pigment(product, wish, skin, light)[0].numpy(), drawn))


def main() -> None:
    """Measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every Nth of them")
    parser.add_argument("--json", type=Path, help="write every pair here")
    arguments = parser.parse_args()
    house, found = pipeline.load(recipe.load("default")), []
    for path in sorted(arguments.folder.glob("*.jpg"))[:: HELD * arguments.every]:
        if one := sitter(path, house, crop.SIZE):
            cheeks = one.changes(one.crops.crops, {"blush": one.places.regions["blush"]})["blush"].before
            found += [(path.stem, tone(ita(cheeks)), *miss) for miss in misses(one.crops)]
    print(f"{len({face for face, *_ in found})} faces\n")
    print("| product | skin | ΔE00: median | nine in ten below |\n|---|---|---|---|")
    for product in COVERING:
        for skin in ("all", *dict.fromkeys(skin for _, skin, *_ in found)):
            some = [miss for _, its, name, _, miss in found if name == product and skin in ("all", its)]
            print(f"| {product} | {skin} | {np.median(some):.1f} | {np.quantile(some, 0.9):.1f} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
