"""The documentation as a site: `python _site.py [OUTPUT]`. Every link must lead somewhere, or nothing is built.

The pages are the files that stand in the repository, in the same folders, so that they read as well there. Links to
code lead nowhere on a site and become the code's name.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "site"
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "benchmarks/README.md")
PAGES += ("training/README.md",)
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def lay_out(folder: Path) -> list[str]:
    """Copies the pages and their pictures into the folder; says which links lead to nothing that is there."""
    shutil.rmtree(folder, ignore_errors=True)
    files = [ROOT / name for name in PAGES]
    files += [path for path in sorted((ROOT / "docs").rglob("*")) if path.suffix in (".md", ".jpg")]
    names = {path.relative_to(ROOT).as_posix() for path in files}
    broken = list[str]()
    for path in files:
        place = folder / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            text, lost = page(path, names)
            place.write_text(text)
            broken += lost
        else:
            shutil.copyfile(path, place.with_suffix(".txt") if path.name == "LICENSE" else place)
    return broken


def page(path: Path, names: set[str]) -> tuple[str, list[str]]:
    """The page for the site, and which of its links lead nowhere."""
    broken = list[str]()

    def link(found: re.Match[str]) -> str:
        picture, text, target = found.groups()
        file, mark, anchor = target.partition("#")
        if ":" in target or not file:
            return found[0]
        to = (path.parent / file).resolve()
        name = to.relative_to(ROOT).as_posix() if to.is_relative_to(ROOT) else ""
        if not to.exists():
            broken.append(f"{path.relative_to(ROOT)}: {target} does not exist")
        if anchor and anchor not in anchors(to):
            broken.append(f"{path.relative_to(ROOT)}: {target} has no such heading")
        if name == "LICENSE":
            return f"[{text}]({file}.txt)"
        if to.is_dir() and f"{name}/README.md" in names:
            return f"{picture}[{text}]({file.rstrip('/')}/README.md{mark}{anchor})"
        return found[0] if name in names else text

    return LINK.sub(link, path.read_text()), broken


def anchors(path: Path) -> set[str]:
    """The headings of a page, as links name them."""
    if path.is_dir():
        path /= "README.md"
    if path.suffix != ".md" or not path.is_file():
        return set()
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+ +(.+?) *$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", LINK.sub(r"\2", heading)).strip().lower() for heading in found)
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


def main(arguments: list[str]) -> str | None:
    """Lays the pages out and builds them; says what is wrong, if anything is."""
    if broken := lay_out(CACHE / "pages"):
        return "\n".join(broken)
    shutil.copyfile(ROOT / "docs" / "mkdocs.yml", CACHE / "mkdocs.yml")
    command = [sys.executable, "-P", "-m", "zensical", "build", "--strict", "--clean", "-f", CACHE / "mkdocs.yml"]
    built = subprocess.run(command)
    if built.returncode:
        return "the site was not built"
    if arguments:
        shutil.copytree(CACHE / "html", arguments[0], dirs_exist_ok=True)
    print(Path(arguments[0]) if arguments else CACHE / "html")
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
