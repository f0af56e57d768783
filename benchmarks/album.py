"""Albums: killed at random moments and gone on with; two workers against one, here and on Ray; memory over many photos.

    python benchmarks/album.py [PORTRAITS] [--only kills|workers|ray|memory …] [--kills 50] [--photos 8] [--many 100]

The photos are made from the portraits in a folder (`tests/faces` by default), each a little another. Kills use a light
recipe, since what is tried is the album and not the search; each run, and all of its workers, is ended by SIGKILL after
a random time, or its first process alone, whose workers then end by themselves. Two workers are compared with one on
all cores and with one on a single core: a worker uses two where it can, so that the second is what a cluster gains.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
LIGHT = ("--set", "search.steps=1", "--set", "search.tries=1", "--set", "search.scouts=1")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
KINDS = ("kills", "workers", "ray", "memory")
EVERY_S = 0.1  # between looks at memory
LONGEST_S = 20.0  # until a kill


def portraits(folder: Path) -> list[Path]:
    """The photos in the folder."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def album(folder: Path, faces: Sequence[Path], count: int, *, side: int, size: tuple[int, int] | None = None) -> None:
    """So many photos in folders of five, no two alike; each portrait has `side` pixels, on a wall of that `size`."""
    rng = np.random.default_rng(0)
    for index, face in enumerate(islice(cycle(faces), count)):
        with Image.open(face) as file:
            portrait = file.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        wide, high = size or (side, side)
        wall = Image.fromarray(rng.integers(90, 170, (6, 9, 3), np.uint8)).resize((wide, high))
        wall.paste(portrait, ((wide - side) // 2, (high - side) // 2))
        wall.putpixel((0, 0), (index % 256, index // 256, 0))
        path = folder / f"{index // 5:02}" / f"{index % 5}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        wall.save(path, quality=90)


def command(*options: str) -> list[str]:
    """`kohl protect` of an album."""
    return [sys.executable, "-P", "-m", "kohl", "protect", "-r", "in", "-o", "out", *options]


def start(place: Path, *options: str, cores: int | None = None) -> subprocess.Popen[bytes]:
    """The same as a process with a group of its own, on so many cores or on all."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    pinned = [] if cores is None else ["taskset", "-c", f"0-{cores - 1}"]
    with (place / "said").open("ab") as said:
        return subprocess.Popen(
            [*pinned, *command(*options)], cwd=place, env=environment, stdout=said, stderr=said, start_new_session=True
        )


def lines(place: Path) -> Iterator[dict[str, object]]:
    """Each whole line of the journal."""
    path = place / "out.journal.jsonl"
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:  # torn by a kill
            continue


def results(place: Path) -> dict[str, str]:
    """Each result that has its name, and its hash; what is not finished has another name."""
    found = (path for path in (place / "out").rglob("*") if path.is_file() and not path.name.startswith(".kohl-"))
    return {str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def kills(faces: Sequence[Path], count: int, photos: int, seed: int) -> dict[str, int]:
    """What was lost, stood half or was done twice in an album that was killed so often, and then ended."""
    rng, found = random.Random(seed), {"kills": 0, "lost": 0, "half": 0, "twice": 0, "rounds": 0}
    while found["kills"] < count:
        with tempfile.TemporaryDirectory() as temporary:
            place, done, told = Path(temporary), dict[str, str](), 0
            album(place / "in", faces, photos, side=200)
            found["rounds"] += 1
            while len(done) < photos:
                workers = rng.choice((1, 2))
                process = start(place, *LIGHT, "--workers", str(workers))
                ends = found["kills"] >= count
                try:
                    process.wait(None if ends else rng.uniform(0.5, LONGEST_S))
                except subprocess.TimeoutExpired:
                    alone = rng.random() < 0.3
                    (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
                    process.wait()
                    found["kills"] += 1
                    while alone and _alive(process.pid):
                        time.sleep(0.1)
                said = [line for line in lines(place) if line["sha256"]]
                now, last = results(place), {str(line["output"]): str(line["sha256"]) for line in said}
                found["half"] += sum(last.get(name) != hash_ for name, hash_ in now.items())
                found["lost"] += sum(now.get(name) != hash_ for name, hash_ in done.items())
                found["twice"] += sum(str(line["output"]) in done for line in said[told:])
                done, told = now, len(said)
            print(json.dumps(found), flush=True)
    return found


def _alive(group: int) -> bool:
    """Whether a process of the group still runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def workers(faces: Sequence[Path], photos: int, *asked: str) -> None:
    """Seconds per photo of 12 megapixels, with one worker and with two; start included, and without it."""
    took = {}
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        album(place / "in", faces, photos, side=1600, size=(4000, 3000))
        for name, count, cores in (("one, on one core", 1, 1), ("one", 1, None), ("two", 2, None)):
            started, first = time.monotonic(), 0.0
            (place / "out.journal.jsonl").unlink(missing_ok=True)
            process = start(place, "--workers", str(count), "--force", *asked, cores=cores)
            while process.poll() is None:
                if not first and sum(1 for _ in lines(place)) >= count:
                    first = time.monotonic()  # those that load and those that look for the first photo are done
                time.sleep(EVERY_S)
            ended = time.monotonic()
            made = sum(1 for line in lines(place) if line["sha256"])
            if made != photos:
                sys.exit(f"{made} of {photos} were made:\n{(place / 'said').read_text()[-2000:]}")
            took[name] = (ended - first) / (photos - count)
            print(f"{name}: {(ended - started) / photos:.1f} s a photo; {took[name]:.1f} after the first", flush=True)
    for name in ("one, on one core", "one"):
        print(f"two against {name}: {took[name] / took['two']:.2f} times as fast, after the first photos")


def memory(faces: Sequence[Path], photos: int) -> None:
    """The most memory while each photo was at work, of an album of 12-megapixel photos."""
    with tempfile.TemporaryDirectory() as temporary:
        place, peaks = Path(temporary), list[float]()
        album(place / "in", faces, photos, side=1600, size=(4000, 3000))
        process, started = start(place, *LIGHT), time.monotonic()
        while process.poll() is None:
            count, now = sum(1 for _ in lines(place)), _resident(process.pid)
            while len(peaks) <= count:
                peaks.append(0.0)
            peaks[count] = max(peaks[count], now)
            time.sleep(EVERY_S)
        took = time.monotonic() - started
    for at in (1, 5, 10, 20, 50, 100):
        if at < len(peaks):
            print(f"photo {at}: {peaks[at - 1]:.2f} GB")
    from_ten = [peak for peak in peaks[10:photos] if peak]
    print(f"most: {max(peaks):.2f} GB; from photo 10 on {min(from_ten):.2f} to {max(from_ten):.2f} GB")
    print(f"{took / photos:.1f} s a photo, with the light recipe")


def _resident(process: int) -> float:
    """GB of memory that the process has."""
    try:
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines())
        return int(fields["VmRSS"].split()[0]) / 1e6
    except (OSError, KeyError):
        return 0.0


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", nargs="?", type=Path, default=ROOT / "tests" / "faces")
    parser.add_argument("--only", action="append", choices=KINDS)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--many", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    faces, asked = portraits(arguments.portraits), arguments.only or KINDS
    if "kills" in asked:
        print(kills(faces, arguments.kills, 12, arguments.seed))
    if "workers" in asked:
        workers(faces, arguments.photos)
    if "ray" in asked:
        workers(faces, arguments.photos, "--ray", "local")
    if "memory" in asked:
        memory(faces, arguments.many)


if __name__ == "__main__":
    main()
