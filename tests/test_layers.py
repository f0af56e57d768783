"""Imports point one way: base ← makeup ← zoo ← stages ← assembly ← front ends."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "src" / "kohl"
LAYERS = (
    {"adam", "colour", "decode", "device", "errors", "files", "filters", "geometry", "icc", "job", "memory"}
    | {
        "contours",
        "exif",
        "heif",
        "nlpd",
        "plain_file",
        "private",
        "ranges",
        "reader",
        "settings",
        "shown",
        "ssim",
        "status",
        "stores",
        "templates",
        "toml",
        "types",
    }
    | {"version"},
    {"makeup"},
    {"zoo"},
    {"align", "invert", "perturb", "restore", "score"},
    {"baselines", "choice", "contact_sheet", "dial", "house", "pipeline", "preview", "recipe", "tiles"},
    {
        "album",
        "api",
        "batch",
        "bench",
        "cli",
        "cluster",
        "completions",
        "commands",
        "comparing",
        "console",
        "cpu",
        "elsewhere",
        "journal",
        "learning",
        "parts",
        "places",
        "processes",
        "progress",
        "protecting",
        "pull",
        "sending",
        "sheets",
        "taken",
        "train",
        "ui",
        "work",
        "workers",
        "__main__",
        "__init__",
    },
)
STAGES = LAYERS[3]
FRONT = len(LAYERS) - 1
LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}


def imported(node, package):
    """Full names of what one piece of syntax imports; `package` is that of its file, as a list."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = package[: len(package) - node.level + 1] if node.level else []
        return [".".join([*base, *filter(None, [node.module]), alias.name]) for alias in node.names]
    by_name = isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__"))
    if by_name and isinstance(node.args[0], ast.Constant):
        return [node.args[0].value]
    return []


def part_of(name):
    """The part of kohl that an imported name belongs to, or None if it is somebody else's."""
    first, *rest = name.split(".")
    if first != "kohl" or rest == ["__version__"]:
        return None
    return rest[0] if rest and rest[0] in LAYER else "__init__"  # what the package itself offers is for front ends


def violations(package):
    """`file:line imports part`, for each import that points the wrong way."""
    found = []
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package).with_suffix("").parts
        for node in ast.walk(ast.parse(path.read_text())):
            parts = {part_of(name) for name in imported(node, ["kohl", *inside[:-1]])} - {None, inside[0]}
            for part in sorted(parts):
                siblings = {part, inside[0]} <= STAGES
                if siblings or LAYER.get(part, FRONT) > LAYER.get(inside[0], FRONT):
                    found.append(f"{'/'.join(inside)}:{node.lineno} imports {part}")
    return found


def test_imports_point_one_way():
    assert violations(PACKAGE) == []


def circles(package):
    """The modules that import each other, directly or not, also late or for their types alone."""
    modules = {
        ".".join(["kohl", *path.relative_to(package).with_suffix("").parts]).removesuffix(".__init__"): path
        for path in package.rglob("*.py")
    }
    leads = {}
    for module, path in modules.items():
        inside = path.relative_to(package).with_suffix("").parts
        names = {
            name for node in ast.walk(ast.parse(path.read_text())) for name in imported(node, ["kohl", *inside[:-1]])
        }
        leads[module] = {name if name in modules else name.rpartition(".")[0] for name in names} & (
            modules.keys() - {module}
        )
    while free := {module for module, to in leads.items() if not to & leads.keys()}:
        for module in free:
            del leads[module]
    return sorted(leads)


def test_no_imports_go_in_circles():
    assert circles(PACKAGE) == []


def test_a_circle_is_noticed(tmp_path):
    (tmp_path / "zoo").mkdir()
    for name, code in {
        "__init__": "",
        "files": "",
        "zoo/__init__": "",
        "zoo/a": "from kohl.zoo import b",
        "zoo/b": "def f():\n    from kohl import files, reader",
        "reader": "if TYPE_CHECKING:\n    from kohl.zoo.a import thing",
    }.items():
        (tmp_path / f"{name}.py").write_text(code)
    assert circles(tmp_path) == ["kohl.reader", "kohl.zoo.a", "kohl.zoo.b"]


def test_every_part_has_a_layer():
    there = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path.is_dir() and any(path.rglob("*.py")))
    }
    assert there <= set(LAYER)


@pytest.mark.parametrize(
    ("file", "code", "part"),
    [
        ("types", "import kohl.geometry, kohl.zoo.cards", "zoo"),
        ("geometry", "from kohl.zoo import cards", "zoo"),
        ("zoo/cards", "from kohl import __version__, align", "align"),
        ("zoo/cards", "from kohl import protect", "__init__"),
        ("score/verify", "from kohl.align.detect import faces", "align"),
        ("score/verify", "from ..align import detect", "align"),
        ("score/verify", "from .. import pipeline", "pipeline"),
        ("score/verify", "from . import quality", None),
        ("score/verify", "from kohl.score.quality import psnr", None),
        ("score/verify", "from kohl.zoo import cards", None),
        ("score/__init__", "from ..perturb import terms", "perturb"),
        ("perturb/latent", "def f():\n    import kohl.restore.paste", "restore"),
        ("perturb/latent", "if TYPE_CHECKING:\n    from kohl.invert.pivotal import pivotal", "invert"),
        ("perturb/latent", "importlib.import_module('kohl.invert.pivotal')", "invert"),
        ("perturb/latent", "import numpy, torch.nn, typing", None),
        ("pipeline", "from .cli import main", "cli"),
        ("pipeline", "from kohl.recipe import Recipe", None),
        ("recipe", "from . import perturb, ui", "ui"),
        ("ui/app", "import kohl, kohl.cli, kohl.align", None),
        ("bench/run", "from kohl import pipeline, parts", None),
        ("score/quality", "from kohl.bench import counting", "bench"),
    ],
)
def test_notices(tmp_path, file, code, part):
    path = tmp_path / f"{file}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(code)
    line = 1 + code.count("\n")
    assert violations(tmp_path) == ([f"{file}:{line} imports {part}"] if part else [])
