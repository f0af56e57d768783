"""`kohl models pull` of recipes, archives of several models and files that are not the published ones, by a server."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from types import SimpleNamespace

import pytest
from photos import SAMPLE
from scarce import full_disk
from served import PROXIES, resumable_from, send, serving

from kohl import cli
from kohl.commands import Parts
from kohl.errors import BadModel
from kohl.zoo import cards
from kohl.zoo.card import Archive, Card, Role
from kohl.zoo.files import store

CONTENT, OTHER = b"weights of ", b"other weights of "
ALONE = ("net", "near", "tokens")
RECIPE = """[models]
generator = "net"
encoder = "net"
perceptual = "near"
surrogates = ["one", "two", "one"]
text = "words"
judges = ["shipped"]

[search]
keep = 0.0
"""


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def weights(path):
    """What every card is for."""
    if b"weights" not in path.read_bytes():
        raise BadModel(f"{path}: holds no weights; fetch the published file.")


def card(name, **changes):
    content = CONTENT + name.encode()
    known = {"name": name, "package": None, "file": f"{name}.bin", "size": len(content), "sha256": sha256(content)}
    known |= {"licence": f"licence of {name}", "commercial": False, "source": f"https://example.org/{name}"}
    return Card(**known | {"roles": {"part": Role("toy:weights")}} | changes)


def zipped(*names, content=CONTENT):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(f"assets/models/{name}.pth", content + name.encode())
    return file.getvalue()


@pytest.fixture
def server():
    with serving() as server:
        yield server


class Pull:
    """The command, with a table of models."""

    def __init__(self, table):
        self.table = table

    def __call__(self, *arguments):
        return self.run("models", "pull", *arguments)

    def run(self, *line):
        return cli.main([*map(str, line)], parts=Parts(table=self.table))


@pytest.fixture
def pull(server):
    """With models that a server has: three of them in one archive, without hashes."""
    packed = Archive("pack.zip", server.url("pack"))
    unknown = {"size": 0, "sha256": "", "archive": packed}
    alone = {name: card(name, urls=(server.url(name),)) for name in ALONE}
    words = card("words", urls=(server.url("words"),), roles={"text": Role("toy:weights", needs=("tokens",))})
    shipped = card("shipped", package="kohl", file="types.py")
    members = [card(name, member=f"{name}.pth", **unknown) for name in ("one", "two", "three")]
    return Pull((shipped, words, *alone.values(), *members))


@pytest.fixture(autouse=True)
def folder(server, monkeypatch, tmp_path):
    """The cache folder, and what the server has."""
    for name in (*PROXIES, "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "toy", SimpleNamespace(weights=weights))
    for name in ("words", *ALONE):
        server.says[name] = resumable_from(CONTENT + name.encode())
    server.says["pack"] = resumable_from(zipped("one", "two", "three"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my recipe.toml").write_text(RECIPE)
    return tmp_path / "cache"


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


ALL = ["near.bin", "net.bin", "one.bin", "pins.json", "three.bin", "tokens.bin", "two.bin", "words.bin"]


# -- the models of a recipe


def test_everything_that_a_recipe_names_is_fetched_once_and_told_before(pull, server, folder, capsys):
    assert pull("--recipe", "my recipe.toml", "--yes") == 0
    printed = capsys.readouterr()
    assert sorted(path for path, _ in server.asked) == ["/near", "/net", "/pack", "/tokens", "/words"]
    assert files(folder) == ALL
    first, *lines = printed.err.splitlines()
    assert first == "--recipe my recipe.toml: not here yet, 7 files: 0.0 MB and 3 whose size is not published"
    told = [line for line in lines[:21] if line.startswith("  licence of")]
    assert told == [
        f"  licence of {name}, no commercial use" for name in ("net", "near", "words", "tokens", "one", "two", "three")
    ]
    assert all("now in" in line or "is pinned in" in line for line in lines[21:])
    assert printed.out.count(", present\n") == 7
    assert "shipped" not in printed.out


def test_what_is_missing_is_told_before_anybody_is_asked(pull, capsys):
    assert pull("--recipe", "my recipe.toml") == 2
    *told, last = capsys.readouterr().err.splitlines()
    assert len(told) == 22
    assert last == "kohl: nobody is there to accept the licences; pass --yes to accept them"


def test_a_recipe_of_which_everything_is_here(pull, server, capsys):
    assert pull("--recipe", "my recipe.toml", "--yes") == 0
    asked = len(server.asked)
    capsys.readouterr()
    assert pull("--recipe", "my recipe.toml", "--json") == 0
    printed = capsys.readouterr()
    assert printed.err == "--recipe my recipe.toml: every model that it names is here\n"
    listed = [json.loads(line) for line in printed.out.splitlines()]
    assert {model["name"] for model in listed} == {"net", "near", "words", "tokens", "one", "two"}
    assert all(model["present"] for model in listed)
    assert len(server.asked) == asked


def test_nobody_to_ask_and_nothing_fetched(pull, server, folder, capsys):
    assert pull("--recipe", "my recipe.toml") == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "kohl: nobody is there to accept the licences; pass --yes to accept them"
    assert len(said) == 23
    assert (server.asked, files(folder)) == ([], [])


def test_a_failure_leaves_out_its_own_models_only(pull, server, folder, capsys):
    server.says["net"] = lambda handler: handler.send_error(404)
    server.says["words"] = lambda handler: send(handler, 200, b"<html>no</html>", Content_Type="text/html")
    assert pull("--recipe", "my recipe.toml", "--yes") == 1
    assert files(folder) == [name for name in ALL if name not in ("net.bin", "words.bin")]
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("kohl: ")]
    assert said == [
        "kohl: net: not downloaded (127.0.0.1: answers 404 Not Found); run the same command again, or fetch it by "
        f"hand from {server.url('net')} and run `kohl models pull net --from FILE`.",
        f"kohl: words: not downloaded (127.0.0.1: sends a web page instead of the file); fetch it by hand from "
        f"{server.url('words')} and run `kohl models pull words --from FILE`.",
    ]


def test_a_recipe_that_does_not_exist(pull, capsys):
    assert pull("--recipe", "papre") == 2
    assert capsys.readouterr().err.startswith("kohl: papre: no such recipe; name one of default,")


def test_a_recipe_that_names_no_model(pull, capsys, tmp_path):
    (tmp_path / "r.toml").write_text(RECIPE.replace('"two"', '"tow"'))
    assert pull("--recipe", "r.toml") == 2
    assert capsys.readouterr().err == "kohl: tow: no such model; did you mean two?\n"


@pytest.mark.parametrize("name", ["default", "subtle", "strong", "mini"])
def test_what_comes_along_needs_nothing(capsys, name):
    assert cli.main(["models", "pull", "--recipe", name]) == 0
    assert capsys.readouterr().err == f"--recipe {name}: every model that it names is here\n"


# -- a run whose models are missing

PAPER = "e4e, lpips, lpips-heads, irse50, ir152, facenet and mobile_face"
WORDS = "e4e, lpips, lpips-heads, clip-vit-b32, clip-tokens, irse50, ir152, facenet and mobile_face"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipe", "paper", "--style", "none"], f"{PAPER}: not here yet; run `kohl models pull --recipe paper`."),
        (["--recipe", "paper", "--text", "x"], f"{WORDS}: not here yet; run `kohl models pull --recipe paper`."),
        (["--set", "models.text=clip-vit-b32"], None),
        (
            ["--text", "x", "--set", "models.text=clip-vit-b32"],
            "clip-vit-b32 and clip-tokens: not here yet; run `kohl models pull clip-vit-b32 clip-tokens`.",
        ),
        (
            ["--set", "models.surrogates=['irse50']"],
            "irse50: not here yet; run `kohl models pull irse50`.",
        ),
        (
            ["--recipe", "it's mine.toml"],
            f"{PAPER}: not here yet; run `kohl models pull --recipe 'it'\"'\"'s mine.toml'`.",
        ),
    ],
)
def test_all_that_is_missing_is_named(capsys, tmp_path, arguments, said):
    surrogates = 'surrogates = ["irse50", "ir152", "facenet", "mobile_face"]'
    (tmp_path / "it's mine.toml").write_text(f'[models]\ngenerator = "e4e"\n{surrogates}\n')

    def load(recipe):
        raise BadModel("loaded")

    code = cli.main(["protect", str(SAMPLE), *arguments], parts=Parts(load=load))
    assert (code, capsys.readouterr().err) == (1, f"kohl: {said or 'loaded'}\n")


# -- archives of several models


def test_an_archive_is_fetched_once_for_all_of_its_models(pull, server, folder, capsys):
    assert pull("two", "--yes") == 0
    assert files(folder) == ["one.bin", "pins.json", "three.bin", "two.bin"]
    assert [path for path, _ in server.asked] == ["/pack"]
    assert "three  size not published, in the archive of two\n  licence of three" in capsys.readouterr().err
    assert pull("one", "three") == 0
    assert len(server.asked) == 1
    assert store.pins() == {name: sha256(CONTENT + name.encode()) for name in ("one", "two", "three")}


def test_what_is_here_of_an_archive_stays_as_it_is(pull, server, folder):
    assert pull("one", "--yes") == 0
    (folder / "two.bin").unlink()
    (folder / "one.bin").touch()
    before = (folder / "one.bin").stat().st_mtime_ns
    assert pull("two", "--yes") == 0
    assert (folder / "one.bin").stat().st_mtime_ns == before
    assert files(folder) == ["one.bin", "pins.json", "three.bin", "two.bin"]


def test_a_member_that_is_not_there_keeps_the_others_from_nothing(pull, server, folder, capsys):
    server.says["pack"] = resumable_from(zipped("one", "three"))
    assert pull("one", "two", "three", "--yes") == 1
    assert files(folder) == ["one.bin", "pins.json", "three.bin"]
    *_, said = capsys.readouterr().err.splitlines()
    assert said.startswith("kohl: two: not downloaded (127.0.0.1: holds no two.pth); run the same command again, or ")
    assert said.endswith(f"with two.pth by hand from {server.url('pack')} and run `kohl models pull two --from FILE`.")


def test_an_archive_that_is_a_page_is_refused(pull, server, folder, capsys):
    page = b"\n<!DOCTYPE html><title>Google Drive - Virus scan warning</title>"
    server.says["pack"] = lambda handler: send(handler, 200, page)
    assert pull("one", "--yes") == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "kohl: one, two, three: not downloaded (127.0.0.1: sends a web page instead of the file); fetch the archive "
        f"with one.pth and two.pth and three.pth by hand from {server.url('pack')} and run "
        "`kohl models pull one two three --from FILE`."
    )
    assert [name for name in files(folder) if name != "pack.zip.part"] == []
    server.says["pack"] = resumable_from(zipped("one", "two", "three"))
    assert pull("one", "--yes") == 0
    assert files(folder) == ["one.bin", "pins.json", "three.bin", "two.bin"]


@pytest.mark.parametrize("content", [b"weights", zipped("one", "two")[:-9]], ids=["no archive", "cut off"])
def test_what_is_no_archive_is_refused(pull, server, folder, capsys, content):
    server.says["pack"] = resumable_from(content)
    assert pull("two", "--yes") == 1
    said = "(127.0.0.1: holds no two.pth; holds no one.pth; holds no three.pth); run the same command again"
    assert f"kohl: two, one, three: not downloaded {said}" in capsys.readouterr().err
    assert files(folder) == []


def test_an_archive_that_a_full_disk_left_over_is_not_fetched_again(pull, server, folder):
    server.says["pack"] = resumable_from(zipped("one", "two", "three", content=b"weights " * 10_000))
    with full_disk(10_000):  # room for the archive alone
        assert pull("one", "--yes") == 1
    assert files(folder) == ["pack.zip"]
    assert pull("one", "--yes") == 0
    assert len(server.asked) == 1
    assert files(folder) == ["one.bin", "pins.json", "three.bin", "two.bin"]


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "assets.zip"
    path.write_bytes(zipped("one", "two"))
    return path


def test_an_archive_that_was_fetched_by_hand_serves_several(pull, server, folder, packed, capsys):
    assert pull("one", "two", "--from", packed, "--yes") == 0
    assert files(folder) == ["one.bin", "pins.json", "two.bin"]
    assert server.asked == []
    assert packed.exists()
    assert capsys.readouterr().out.count(", present\n") == 2


def test_of_a_recipe_what_an_archive_holds_is_taken(pull, server, folder, packed, capsys):
    assert pull("--recipe", "my recipe.toml", "--from", packed, "--yes") == 0
    assert files(folder) == ["one.bin", "pins.json", "two.bin"]
    assert server.asked == []
    assert capsys.readouterr().err.splitlines()[-1] == (
        "still missing: net, near, words and tokens; run `kohl models pull --recipe 'my recipe.toml'`"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one", "three"], "--from assets.zip: holds no three.pth; leave three out"),
        (["one", "net"], "--from assets.zip: is one file for 2 models; name one of them"),
        (["shipped", "one"], "shipped: comes with kohl; leave it as it is"),
    ],
)
def test_an_archive_for_other_models_is_refused(pull, folder, packed, capsys, arguments, said):
    assert pull(*arguments, "--from", packed.name, "--yes") == 2
    assert capsys.readouterr().err == f"kohl: {said}\n"
    assert files(folder) == []


@pytest.mark.parametrize("content", [b"weights", b"PK\x05\x06 no archive", zipped("four")])
def test_a_file_with_no_model_of_a_recipe_is_refused(pull, folder, packed, capsys, content):
    packed.write_bytes(content)
    assert pull("--recipe", "my recipe.toml", "--from", packed.name, "--yes") == 2
    assert capsys.readouterr().err == (
        "kohl: --from assets.zip: no archive with a model that is missing; name the model that it is\n"
    )
    assert files(folder) == []


def test_a_file_that_is_not_there_is_refused(pull, folder, capsys):
    assert pull("--recipe", "my recipe.toml", "--from", "none.zip", "--yes") == 2
    assert capsys.readouterr().err == (
        "kohl: none.zip: cannot be read (No such file or directory); name the file that you fetched.\n"
    )


# -- files that are not the published ones

NEW, KNOWN = OTHER + b"net", CONTENT + b"net"


@pytest.fixture
def replaced(server):
    """The publisher has another file by now, of another size."""
    server.says["net"] = resumable_from(NEW)


@pytest.fixture
def by_hand(tmp_path):
    path = tmp_path / "by-hand.bin"
    path.write_bytes(NEW)
    return path


def test_another_file_is_refused_with_its_hash_and_the_option(pull, folder, by_hand, capsys, server):
    assert pull("net", "--from", "by-hand.bin", "--yes") == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"kohl: by-hand.bin: is not the file of net: this file has {len(NEW)} bytes instead of {len(KNOWN)}, and its "
        f"sha256 is {sha256(NEW)}; to take in this very file knowingly, pull net with --accept-hash {sha256(NEW)}; "
        f"fetch it by hand from {server.url('net')} and run `kohl models pull net --from FILE`."
    )
    server.says["net"], found = resumable_from(KNOWN[::-1]), sha256(KNOWN[::-1])
    assert pull("net", "--yes") == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"kohl: net: not downloaded (127.0.0.1: sha256 is {found} but should be {sha256(KNOWN)}, so "
        f"nothing of it was kept; to take in this very file knowingly, pull net with --accept-hash {found}); "
        f"run the same command again, or fetch it by hand from {server.url('net')} and run "
        "`kohl models pull net --from FILE`."
    )
    assert files(folder) == []


@pytest.mark.parametrize("way", [[], ["--from", "by-hand.bin"]], ids=["download", "by hand"])
def test_another_file_is_taken_in_by_its_very_hash_and_shown_as_such(pull, way, folder, by_hand, replaced, capsys):
    assert pull("net", *way, "--accept-hash", sha256(NEW).upper(), "--yes") == 0
    assert (folder / "net.bin").read_bytes() == NEW
    assert files(folder) == ["accepted.json", "net.bin"]
    printed = capsys.readouterr()
    assert printed.err.splitlines()[-1] == (
        f"net: not the published file; {sha256(NEW)} is accepted in {folder / 'accepted.json'}"
    )
    assert f"  sha256 {sha256(NEW)}, accepted here: not the published file, which has {sha256(KNOWN)}\n" in printed.out
    assert pull.run("models", "--json") == 0
    listed = {model["name"]: model for model in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (listed["net"]["sha256"], listed["net"]["accepted"], listed["net"]["present"]) == (sha256(NEW), True, True)
    assert [name for name, model in listed.items() if model["accepted"]] == ["net"]
    assert cards.checked(cards.find("net", pull.table)) == folder / "net.bin"
    said = f"net: not the published file; one with sha256 {sha256(NEW)} was accepted"
    assert cards.notes(["net", "near"], pull.table) == [said]


def test_what_was_accepted_is_here(pull, folder, replaced, server):
    assert pull("net", "--accept-hash", sha256(NEW), "--yes") == 0
    asked = len(server.asked)
    assert pull("net") == 0
    assert pull("net", "--accept-hash", sha256(NEW)) == 0
    assert len(server.asked) == asked


def test_what_was_accepted_and_then_changed_is_refused(pull, folder, replaced, capsys):
    assert pull("net", "--accept-hash", sha256(NEW), "--yes") == 0
    (folder / "net.bin").write_bytes(NEW[::-1])
    with pytest.raises(BadModel, match=f"should be {sha256(NEW)}; run `kohl models pull net`"):
        cards.checked(cards.find("net", pull.table))


def test_the_published_file_takes_its_place_again(pull, folder, by_hand, server, capsys):
    assert pull("net", "--from", by_hand, "--accept-hash", sha256(NEW), "--yes") == 0
    (folder / "net.bin").unlink()
    assert pull("net", "--yes") == 0
    assert (folder / "net.bin").read_bytes() == KNOWN
    assert store.accepted() == {}
    assert cards.notes(["net"], pull.table) == []
    capsys.readouterr()
    assert pull("net", "--from", by_hand, "--accept-hash", sha256(NEW), "--yes") == 0
    by_hand.write_bytes(KNOWN)
    assert pull("net", "--from", by_hand, "--yes") == 0
    assert store.accepted() == {}


@pytest.mark.parametrize("offered", [NEW, KNOWN], ids=["another", "published"])
def test_only_the_very_hash_is_accepted(pull, folder, server, capsys, offered):
    server.says["net"] = resumable_from(offered)
    assert pull("net", "--accept-hash", "0" * 64, "--yes") == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"sha256 is {sha256(offered)} but should be {'0' * 64} by --accept-hash, so nothing of it was kept)" in said
    assert files(folder) == []


def test_a_hash_is_accepted_of_the_named_model_alone(pull, folder, server, capsys):
    server.says["tokens"] = resumable_from(OTHER)
    server.says["words"] = resumable_from(OTHER)
    assert pull("words", "--accept-hash", sha256(OTHER), "--yes") == 1
    assert files(folder) == ["accepted.json", "words.bin"]
    assert "kohl: tokens: not downloaded (127.0.0.1: sha256 is" in capsys.readouterr().err


def test_a_hash_stands_for_the_pinned_one_where_none_is_published(pull, folder, packed, server):
    assert pull("one", "--from", packed, "--yes") == 0
    packed.write_bytes(zipped("one", content=OTHER))
    new = sha256(OTHER + b"one")
    assert pull("one", "--from", packed, "--yes") == 1
    assert pull("one", "--from", packed, "--accept-hash", new, "--yes") == 0
    assert (store.pins()["one"], store.accepted()) == (new, {})
    assert cards.notes(["one"], pull.table) == []  # there is no published file that it could differ from


def test_what_is_accepted_must_be_the_model(pull, folder, by_hand, capsys):
    by_hand.write_bytes(b"a cat")
    assert pull("net", "--from", "by-hand.bin", "--accept-hash", sha256(b"a cat"), "--yes") == 1
    assert "by-hand.bin: is not the file of net: holds no weights; fetch it" in capsys.readouterr().err
    assert files(folder) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["net", "near"], "is the hash of one file; name the one model it is for\n"),
        (["net", "--recipe", "my recipe.toml"], "is the hash of one file; name the one model it is for\n"),
        (["shipped"], "kohl: shipped: comes with kohl; leave it as it is\n"),
    ],
)
def test_a_hash_is_of_one_model(pull, folder, capsys, arguments, said):
    assert pull(*arguments, "--accept-hash", "0" * 64, "--yes") == 2
    assert capsys.readouterr().err.endswith(said)
    assert files(folder) == []


@pytest.mark.parametrize("text", ["", "0" * 63, "0" * 65, "g" * 64, sha256(NEW)[:12]])
def test_a_hash_is_a_whole_hash(pull, capsys, text):
    with pytest.raises(SystemExit, match="2"):
        pull("net", "--accept-hash", text)
    assert "must be the 64 hexadecimal digits of a sha256" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["not json", "[]", '{"net": "0"}'])
def test_unreadable_accepted_hashes(pull, folder, capsys, content):
    folder.mkdir()
    (folder / "accepted.json").write_text(content)
    assert pull.run("models") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"kohl: {folder / 'accepted.json'}: ")
    assert said.endswith("mend or remove this file.\n")
