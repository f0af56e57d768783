"""The command `kohl`: what it takes and which exit code it gives; nothing heavy is imported before a command runs."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from kohl import cpu, sending, taken
from kohl.bench import arguments as of_bench
from kohl.shown import shown
from kohl.status import Exit
from kohl.version import __version__

if TYPE_CHECKING:
    from kohl.parts import Parts

REFERENCE = "other photos of the same person, which the result must not match either"
KEEP = "what stays of the photo's metadata: date, camera, exposure, author, title, icc (default: nothing)"
JOURNAL = "what is done is noted here, and not done again (default with -r and --watch: DIR.journal.jsonl)"
WORKERS = "each with its own models (default: 1; with --ray as many as the cluster has processors)"
RAY = "work on this Ray cluster: HOST:PORT, auto for the one that this machine is of, or local for one of its own"
ONLY = "photos of one face each: only the faces that look like these are protected"
SPARED = "photos of one face each: all faces but those that surely are these"
STRENGTH = "from 0, hardly visible, to 1; auto is 0.5, as much as the photo needs (default: what the recipe says)"
DEVICE = "where the models run: cpu (the default, always the same result), cuda, mps, or auto: the first that is there"
JSON_MODELS = "print one JSON object per model, each on its own line"
PERSONS = (
    "A photo directly in FACES is a person of its own, those in a folder inside it are all of one; some people are "
    "kept out for measuring."
)
COMPLETIONS = Path(__file__).parent / "completions"
SHELLS = ("bash", "zsh")
EXIT_CODES = "exit codes: 0 all protected · 1 failed · 2 usage · 3 some photo has no face or is not protected"


def main(argv: Sequence[str] | None = None, *, parts: Parts | None = None) -> int:
    """Run one command and return its exit code; whatever goes wrong is one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal or a file name need not know every letter
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return _run(parser().parse_args(argv), parts)
        finally:  # here and not at the interpreter's exit, which would show a traceback
            if sys.stdout:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return _complain("interrupted", Exit.INTERRUPTED)
    except ImportError as error:
        return _complain(f"{error}; install kohl again", Exit.FAILED)
    except OSError as error:  # our output cannot be written: drop the rest of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read it has left: leave without a word
            return Exit.BROKEN_PIPE
        return _complain(f"the output cannot be written ({error.strerror})", Exit.FAILED)


def _run(arguments: argparse.Namespace, parts: Parts | None) -> int:
    if arguments.command == "completion":
        print((COMPLETIONS / f"kohl.{arguments.shell}").read_text("utf-8"), end="")
        return Exit.PROTECTED
    cpu.settle(getattr(arguments, "workers", None) or 1)
    from kohl import commands
    from kohl.batch import sentence
    from kohl.errors import BadSetting, KohlError
    from kohl.parts import Parts

    run: Callable[[argparse.Namespace, Parts], int] = getattr(commands, arguments.command)
    try:
        return run(arguments, parts or Parts())
    except BrokenPipeError:
        raise
    except BadSetting as error:
        return _complain(sentence(error), Exit.USAGE)
    except (KohlError, OSError, MemoryError) as error:
        return _complain(sentence(error), Exit.FAILED)


def _complain(text: str, code: int) -> int:
    print(f"kohl: {shown(text)}", file=sys.stderr)
    return code


class _Parser(argparse.ArgumentParser):
    """A parser that answers a wrong command line with one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say what was wrong and leave."""
        sys.exit(_complain(f"{message}; see {self.prog} --help", Exit.USAGE))


def parser() -> argparse.ArgumentParser:
    """What takes a command line apart."""
    parser = _Parser("kohl", description="Makeup that protects a photo from face recognition.")
    parser.add_argument("--version", action="version", version=f"kohl {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    new = partial(commands.add_parser, allow_abbrev=False)  # a shortened option is an unknown one
    _add_protect(new("protect", help="make protected copies of photos", epilog=EXIT_CODES))
    _add_report(new("report", help="write a page about an album, from its journal"))
    _add_looks(new("looks", help="show the styles on a face, in one picture, to choose by looking"))
    _add_compare(new("compare", help="ask each judge whether two photos show the same person"))
    of_bench.add_to(new("bench", help="compare attacks on photos of people, with intervals"), taken.path)
    _add_models(new("models", help="list the models with their licences and where they come from, or pull some"))
    _add_serve(new("serve", help="open a page in your browser to protect photos, with REST beside it"))
    _add_train(new("train", help="learn a small StyleGAN2, or a baseline's makeup, from your own folder of faces"))
    completion = new("completion", help="print what lets your shell complete kohl's commands and options")
    completion.description = 'Print a script for your shell: eval "$(kohl completion bash)" in its start-up file.'
    completion.add_argument("shell", choices=SHELLS, metavar="bash|zsh")
    return parser


def _add_protect(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write a protected copy of each photo, and say what face recognisers make of the saved file."
    add = parser.add_argument
    add("photos", nargs="*", type=taken.place, metavar="PHOTO", help="a photo; the file itself is never changed")
    add(
        "-o",
        "--output",
        type=taken.place,
        metavar="DIR",
        help="folder for the results, or a file (default: beside each)",
    )
    add("-r", "--recursive", action="store_true", help="PHOTO may be a folder; its folders are mirrored in DIR")
    add(
        "--watch",
        type=taken.place,
        metavar="FOLDER",
        help="protect what is in FOLDER and what comes into it, until Ctrl-C",
    )
    add("--journal", type=taken.path, metavar="FILE", help=JOURNAL)
    add("--workers", type=taken.count, metavar="N", help=WORKERS)
    add("--ray", type=taken.address, metavar="ADDRESS", help=RAY)
    look = parser.add_mutually_exclusive_group()
    look.add_argument("--text", metavar="WORDS", help='the look, such as "red lipstick and soft brown eyeshadow"')
    look.add_argument(
        "--style", metavar="NAME", help="a look by name, such as smoky-eyes (kohl looks shows all), or none"
    )
    add("--strength", type=taken.strength, metavar="S|auto", help=STRENGTH)
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--faces", type=taken.faces, metavar="N,N", help="only these faces, numbered from 0 as in the results"
    )
    which.add_argument("--only", type=taken.path, nargs="+", action="extend", default=[], metavar="FACE", help=ONLY)
    which.add_argument(
        "--except", dest="spared", type=taken.path, nargs="+", action="extend", default=[], metavar="FACE", help=SPARED
    )
    add("--target", type=taken.decoy, metavar="decoy:N", help="be taken for this synthetic person, not only for nobody")
    add("--reference", type=taken.path, nargs="+", action="extend", default=[], metavar="OTHER", help=REFERENCE)
    add("--same-person", action="store_true", help="the photos show one person: each must not match the others either")
    add("--keep-metadata", type=taken.kinds, default=(), metavar="A,B", help=KEEP)
    add("--seed", type=taken.seed, default=0, metavar="N", help="the same seed gives the same result (default: 0)")
    add("--device", metavar="NAME", help=DEVICE)
    add(
        "--recipe",
        default="default",
        metavar="FILE|NAME",
        help="settings: default, subtle, strong, mini, paper, released, or a TOML file",
    )
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="one setting, such as search.steps=80")
    add("--preview", action="store_true", help="only write a sheet with each face before and after, at three strengths")
    add("--json", action="store_true", help="print one JSON object per photo, each on its own line")
    add("--report", type=taken.path, metavar="FILE", help="also write an HTML page that shows the results")
    add("--force", action="store_true", help="overwrite results and reports that exist")
    sending.refuse_on(parser)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write the page that shows what became of the photos of an album, the worst first."
    parser.add_argument("journal", type=taken.path, metavar="JOURNAL", help="as kohl protect -r names it")
    parser.add_argument("-o", "--output", type=taken.path, metavar="FILE", help="(default: JOURNAL's name with .html)")
    parser.add_argument("--force", action="store_true", help="overwrite a page that exists")


def _add_looks(parser: argparse.ArgumentParser) -> None:
    parser.description = "Write one picture with the face as it is and in each look; nothing is protected or judged."
    add = parser.add_argument
    add("photo", type=taken.path, metavar="PHOTO", help="a photo; the file itself is never changed")
    add(
        "-o",
        "--output",
        type=taken.path,
        metavar="SHEET",
        help="a .png or a folder (default: PHOTO_looks.png beside it)",
    )
    add("--style", type=taken.names, action="extend", metavar="A,B|all", help="looks by name, such as office,soft-glam")
    add("--text", action="append", metavar="WORDS", help="a look in your own words; may be given several times")
    add("--faces", type=taken.faces, metavar="N,N", help="these faces, numbered from 0 (default: the largest)")
    add("--json", action="store_true", help="print one JSON object")
    add("--force", action="store_true", help="overwrite a sheet that exists")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.description = "Ask each judge how similar the largest face in A is to the faces in B."
    parser.add_argument("a", type=taken.path, metavar="A")
    parser.add_argument("b", type=taken.path, metavar="B")
    parser.add_argument("--judge", action="append", metavar="NAME", help=f"ask only this judge, {sending.JUDGES}")
    sending.add_to(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.description = "List every model: size, sha256, licence, commercial use, source, and whether it is here."
    parser.add_argument("--json", action="store_true", help=JSON_MODELS)
    actions = parser.add_subparsers(dest="action", metavar="[pull|convert]")
    pull = actions.add_parser("pull", allow_abbrev=False, help="download models that do not come with kohl")
    pull.description = "Download models, and what they need, into the cache folder; their licences are shown first."
    pull.add_argument("names", nargs="*", metavar="NAME", help="a model that `kohl models` lists")
    pull.add_argument("--recipe", metavar="FILE|NAME", help="all models that this recipe names")
    pull.add_argument(
        "--from", dest="file", type=taken.path, metavar="FILE", help="copy this file that you fetched by hand"
    )
    pull.add_argument(
        "--accept-hash", type=taken.sha256, metavar="SHA256", help="take in the file of this hash, and only it"
    )
    pull.add_argument("--yes", action="store_true", help="accept the licences without being asked")
    pull.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=JSON_MODELS)
    convert = actions.add_parser("convert", allow_abbrev=False, help="write a published StyleGAN2 as safetensors")
    convert.description = "Read a published StyleGAN2 (.pt or .pkl) without running anything in it; write safetensors."
    convert.add_argument("file", type=taken.path, metavar="FILE")
    convert.add_argument("-o", "--output", type=taken.path, metavar="OUT", help="(default: FILE.safetensors)")
    convert.add_argument("--force", action="store_true", help="overwrite a file that exists")
    convert.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Open a page in your browser that protects photos, and answer REST beside it (/v1/openapi.json): on this "
        "machine alone, unless --host says otherwise. Nothing is kept when it ends."
    )
    add = parser.add_argument
    add("--port", type=taken.port, metavar="N", help="(default: 5645, or any that is free if that is taken)")
    add("--host", default="127.0.0.1", metavar="H", help="another than the loopback wants a key in KOHL_API_KEY")
    add("--no-browser", dest="browser", action="store_false", help="only say where the page is")
    add("--device", metavar="NAME", help=DEVICE)
    add("--recipe", default="default", metavar="FILE|NAME", help="settings, as of kohl protect")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="one setting, such as search.steps=80")
    parser.set_defaults(strength=None, text=None, style=None)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.description = "Learn models from your own photos."
    kinds = parser.add_subparsers(dest="kind", metavar="stylegan2|adv-makeup|amt-gan", required=True)
    new = partial(kinds.add_parser, allow_abbrev=False)
    stylegan2 = new("stylegan2", help="a small StyleGAN2 and its encoder")
    stylegan2.description = (
        f"Learn a small StyleGAN2 and its encoder from photos of faces, for --recipe mini. {PERSONS}"
    )
    add = stylegan2.add_argument
    add(
        "--images",
        type=taken.count,
        metavar="N",
        help="pictures to learn from, each of them different (default: 20000)",
    )
    add("--size", type=taken.count, metavar="PIXELS", help="64, 128 and so on up to 1024 (default: 128)")
    add("--batch", type=taken.count, metavar="N", help="pictures a step (default: 16)")
    _add_learning(stylegan2, "networks.width=512")
    for name, what, steps, setting in (
        ("adv-makeup", "eye makeup that is taken for one synthetic person", 1000, "attack=10"),
        ("amt-gan", "makeup carried over from a reference, taken for one synthetic person", 6000, "channels=32"),
    ):
        makeup = new(name, help=f"{what}, to compare with")
        makeup.description = f"Learn {what} by recognisers; the makeup is drawn. {PERSONS}"
        add = makeup.add_argument
        add("--target", type=taken.decoy, default=0, metavar="decoy:N", help="the synthetic person (default: decoy:0)")
        add("--surrogate", action="append", metavar="NAME", help="learn from this recogniser (default: as protect)")
        add("--perceptual", default="sface", metavar="NAME", help="what pictures are seen by (default: sface) or lpips")
        add("--steps", type=taken.count, metavar="N", help=f"(default: {steps})")
        _add_learning(makeup, setting)


def _add_learning(parser: argparse.ArgumentParser, setting: str) -> None:
    add = parser.add_argument
    add("faces", nargs="+", type=taken.path, metavar="FACES", help="a folder of photos")
    add(
        "-o",
        "--output",
        type=taken.path,
        metavar="DIR",
        required=True,
        help="folder for the weights, the log and samples",
    )
    add("--seed", type=taken.seed, default=0, metavar="N", help="the same seed learns the same (default: 0)")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help=f"one more setting, such as {setting}")
    add("--resume", action="store_true", help="go on from the checkpoint in DIR, if there is one")
