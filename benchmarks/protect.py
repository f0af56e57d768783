"""How well `kohl protect` protects: every photo of every person in a folder NAME/*.jpg against that person's others.

    python benchmarks/protect.py FOLDER --judge sface --judge dlib --judge onnx:MODEL.onnx [--people A,B] [--set …]

A protected photo is compared with the person's other photos, which the search never saw. The saved file is what is
judged: as it is, after JPEG at quality 75, after resizing to half, and after both. A photo whose face a judge no longer
finds is counted as lost, not as protected; one that kohl refuses is judged unchanged. `linked` compares two protected
photos of one person.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from kohl import cpu

cpu.settle()  # before torch is loaded

from kohl import pipeline, recipe  # noqa: E402
from kohl.align import crop, imageio  # noqa: E402
from kohl.bench.posting import POSTINGS  # noqa: E402
from kohl.contours import new_contours  # noqa: E402
from kohl.errors import NoFace  # noqa: E402
from kohl.job import Job  # noqa: E402
from kohl.types import FaceRow, Row, Verifier  # noqa: E402
from kohl.zoo import cards  # noqa: E402

VARIANTS = ("jpeg 75", "half", "half, jpeg 75")  # of `kohl.bench.posting`


def variants(protected: Path) -> Iterator[tuple[str, Path]]:
    """The saved file, and copies of it as others might store it."""
    yield "saved", protected
    for name in VARIANTS:
        copy = protected.with_name(f"{protected.stem}-{name.replace(' ', '').replace(',', '-')}.jpg")
        POSTINGS[name](protected, copy)
        yield name, copy


def rates(
    judge: Verifier, far: float, protected: dict[Path, Path], genuine: dict[Path, list[Path]]
) -> dict[str, dict[str, float]]:
    """Per variant: the share of comparisons with other photos that fail (PSR, %), and the share of photos lost."""
    limit = judge.thresholds[far]
    scores: dict[str, list[float | None]] = {}
    for photo, output in protected.items():
        for variant, path in variants(output):
            scores.setdefault(variant, []).extend(judge.compare(path, genuine[photo]))
    clean = [score for photo in protected for score in judge.compare(photo, genuine[photo]) if score is not None]
    found = {name: [score for score in all_ if score is not None] for name, all_ in scores.items()}
    return {"clean": {"psr": share(score < limit for score in clean), "lost": 0.0}} | {
        name: {
            "psr": share(score < limit for score in kept),
            "lost": 100 - 100 * len(kept) / len(scores[name]),
            "mean": statistics.mean(kept) - limit if kept else float("nan"),
        }
        for name, kept in found.items()
    }


def linked(judge: Verifier, far: float, protected: dict[Path, Path]) -> float:
    """The share (%) of pairs of one person's protected photos that still match each other."""
    pairs = [(a, b) for a, b in combinations(protected, 2) if a.parent == b.parent]
    scores = [judge.compare(protected[a], [protected[b]])[0] for a, b in pairs]
    return share(score >= judge.thresholds[far] for score in scores if score is not None)


def drawn(before: Path, after: Path, house: pipeline.House) -> int:
    """How many pixels of the face lie on a line that was not there (`kohl.contours`), at 256 pixels."""
    faces = house.detect(photo := imageio.read(before))[:1]
    return int(new_contours(*(crop.crops(one, faces).crops for one in (photo, imageio.read(after)))))


def share(values: Iterator[bool] | Sequence[bool]) -> float:
    """Per cent of the values that are true."""
    values = list(values)
    return 100 * sum(values) / len(values) if values else float("nan")


def main() -> None:
    """Protects, judges, prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--judge", action="append", default=[])
    parser.add_argument("--people", type=lambda text: text.split(","))
    parser.add_argument("--every", type=int, default=1, help="take every Nth photo of a person")
    parser.add_argument(
        "--references", type=int, default=0, help="leave so many of the others too; compare with the rest"
    )
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="write the protected photos here")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    chosen = recipe.override(recipe.load(arguments.recipe), arguments.set)
    started = time.perf_counter()
    house = pipeline.load(chosen)
    loading = time.perf_counter() - started
    people = {folder: sorted(folder.glob("*.jpg")) for folder in sorted(arguments.folder.iterdir()) if folder.is_dir()}
    people = {
        folder: photos for folder, photos in people.items() if not arguments.people or folder.name in arguments.people
    }
    genuine = {photo: [other for other in photos if other != photo] for photos in people.values() for photo in photos}
    references = {photo: tuple(others[: arguments.references]) for photo, others in genuine.items()}
    genuine = {photo: others[arguments.references :] for photo, others in genuine.items()}
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.keep or Path(scratch)
        protected, rows = {}, []
        for folder, photos in people.items():
            for photo in photos[:: arguments.every]:
                output = out / folder.name / photo.name
                protected[photo] = output
                try:  # only the largest face is the person whose other photos we have
                    job = Job(photo, output, arguments.seed, (0,), references[photo], force=True)
                    rows.append(pipeline.protect(job, house))
                except NoFace as refusal:  # judged as it is: what is not protected counts against us
                    print(f"{photo.name}: {refusal}", file=sys.stderr)
                    output.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(photo, output)
        result: dict[str, Any] = {
            "photos": len(protected),
            "psnr": [round(face.psnr, 2) for face in first(rows) if face.psnr is not None],
            "ssim": [round(face.ssim, 4) for face in first(rows) if face.ssim is not None],
            "nlpd": [round(face.nlpd, 4) for face in first(rows) if face.nlpd is not None],
            "contours": [drawn(Path(row.photo), Path(row.output), house) for row in rows if row.output],
            "chance": [round(face.chance, 4) for face in first(rows) if face.chance is not None],
            "tries": [face.tries for face in first(rows)],
            "first": 100 * sum(row.status == "protected" and row.faces[0].tries == 1 for row in rows) / len(protected),
            "seconds": [round(row.seconds, 2) for row in rows],
            "loading": round(loading, 2),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "status": 100 * sum(row.status == "protected" for row in rows) / len(protected),
            "judges": {
                judge.name: rates(judge, chosen.models.far, protected, genuine)
                | {"linked": linked(judge, chosen.models.far, protected)}
                for judge in map(cards.judge, arguments.judge or chosen.models.judging)
            },
        }
    print(json.dumps(result) if arguments.json else table(result))


def first(rows: Sequence[Row]) -> list[FaceRow]:
    """The row of the face that was protected, for each photo."""
    return [row.faces[0] for row in rows]


def table(result: dict[str, Any]) -> str:
    """The figures as a table for people."""
    lines = []
    for name, found in result["judges"].items():
        psr = " · ".join(f"{variant} {found[variant]['psr']:.1f}" for variant in ("clean", "saved", *VARIANTS))
        lines.append(
            f"{Path(name).name}: PSR % {psr} · linked {found['linked']:.1f} % · lost {found['saved']['lost']:.1f} % · "
            f"mean margin {found['saved']['mean']:+.3f}"
        )
    mean = {
        key: statistics.mean(result[key] or [float("nan")])
        for key in ("psnr", "ssim", "nlpd", "contours", "chance", "seconds")
    }
    tenth = {key: sorted(result[key])[len(result[key]) // 10] for key in ("psnr", "ssim")}
    lines += [
        f"{result['photos']} photos, {result['status']:.0f} % protected, {result['first']:.0f} % at the first try",
        f"PSNR {mean['psnr']:.2f} dB (a tenth below {tenth['psnr']:.1f}, least {min(result['psnr']):.1f}) · "
        f"SSIM {mean['ssim']:.3f} (a tenth below {tenth['ssim']:.3f}, least {min(result['ssim']):.3f})",
        f"NLPD {mean['nlpd']:.3f} · new contours {mean['contours']:.1f} pixels a face (most {max(result['contours'])})",
        f"chance that a stranger's recogniser matches, as estimated: {100 * mean['chance']:.1f} %",
        f"{mean['seconds']:.2f} s a photo (median {statistics.median(result['seconds']):.2f}) · "
        f"loading {result['loading']:.1f} s · peak {result['peak_mb']} MB",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
