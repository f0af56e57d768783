"""Whether kohl writes the same bytes as it did at another commit: of each photo, with the same settings and seed.

    python benchmarks/unchanged.py COMMIT PHOTO … [-- …]

What follows `--` goes to `kohl protect` of both. Bytes depend on the processor, so both are run here and compared,
and no hash is kept for other machines. Exit code 1 if any differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]


def protected(source: Path, photos: Sequence[Path], output: Path, options: Sequence[str]) -> dict[str, str]:
    """By name, the sha256 of each result of the kohl whose modules are in `source`."""
    command = ["protect", *(str(photo) for photo in photos), "-o", str(output), *options]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "kohl", *command], env={**os.environ, "PYTHONPATH": str(source)}, check=False
    )
    if done.returncode not in (0, 3):
        sys.exit(f"{source}: kohl ended with {done.returncode}")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(output.iterdir())}


def main() -> None:
    """Check out the other commit, run both, and print a line for each photo."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit")
    parser.add_argument("photos", nargs="+", type=Path)
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    arguments, options = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1 :]
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", folder / "tree", arguments.commit], check=True)
        try:
            sources = {"before": folder / "tree" / "src", "after": ROOT / "src"}
            found = {name: protected(path, arguments.photos, folder / name, options) for name, path in sources.items()}
        finally:
            subprocess.run([*git, "remove", "--force", folder / "tree"], check=True)
    same = [name for name, known in found["before"].items() if found["after"].get(name) == known]
    for name, known in found["before"].items():
        print(f"{'same' if name in same else 'DIFFERENT'}  {known[:16]}  {name}")
    print(f"{len(same)} of {len(found['before'])} are the same as at {arguments.commit}")
    sys.exit(len(same) != len(found["before"]))


if __name__ == "__main__":
    main()
