"""InsightFace's recognisers by card, with a toy in their place: out of the archive, fed as they want to be."""

import hashlib
import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from onnx import TensorProto, helper
from photos import portrait
from scarce import full_disk
from served import PROXIES, resumable_from, send, serving

from kohl.cli import main
from kohl.commands import Parts
from kohl.errors import BadModel, BadSetting
from kohl.zoo import cards
from kohl.zoo.card import Archive
from kohl.zoo.files import download
from kohl.zoo.judges.onnx import Settings, _faces

NAMES = ("w600k_r50", "w600k_mbf")
THRESHOLDS = '[thresholds]\n"0.01" = 0.5\n'


def mean_colour():
    """A recogniser, as bytes, whose embedding is the mean of each channel that it is fed."""
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["pooled"]), helper.make_node("Flatten", ["pooled"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 112, 112])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])]
    graph = helper.make_graph(nodes, "mean", inputs, outputs)
    said = {"ir_version": 8, "doc_string": "larger than the archive around it " * 99}
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], **said).SerializeToString()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


MODEL = mean_colour()


@pytest.fixture(params=NAMES)
def pack(request):
    """The archive of a recogniser, as bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("det_10g.onnx", b"a detector")
        made.writestr(f"pack/{request.param}.onnx", MODEL)
    return file.getvalue()


@pytest.fixture
def server():
    with serving() as server:
        yield server


@pytest.fixture
def card(request, pack, server, monkeypatch, tmp_path):
    """A recogniser's own card but for the bytes: those of the toy, in an archive of the server."""
    for name in (*PROXIES, "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path / "cache"))
    server.says["pack.zip"] = resumable_from(pack)
    known = cards.find(request.node.callspec.params["pack"])
    return replace(
        known,
        size=len(MODEL),
        sha256=sha256(MODEL),
        archive=Archive("pack.zip", server.url("pack.zip"), size=len(pack), sha256=sha256(pack)),
    )


@pytest.fixture
def parts(card):
    """A command that knows that card in the place of the published one."""
    table = tuple(card if other.name == card.name else other for other in cards.CARDS)
    return Parts(table=table, judge=lambda name: cards.load(name, "judge", table=table))


@pytest.fixture
def face(tmp_path):
    path = tmp_path / "face.png"
    portrait().save(path)
    return path


def files():
    return sorted(path.name for path in cards.store.cache().iterdir()) if cards.store.cache().exists() else []


def test_the_member_of_the_archive_becomes_the_model(card, pack):
    steps = []
    download.pull(card, watch=lambda done, total: steps.append((done, total)))
    assert cards.path(card).read_bytes() == MODEL
    assert files() == [f"{card.name}.onnx"]
    assert steps[-1] == (len(pack), len(pack))


def test_the_judge_is_fed_as_arcface_wants_it(parts, card, face):
    download.pull(card)
    judge = parts.judge(card.name)
    assert (judge.name, judge.thresholds) == (card.name, {})
    plain = _faces(cards.path(card), cards.checked(cards.find("yunet")), Settings(size=112))
    (seen,), (raw,) = judge.faces(face), plain(np.asarray(portrait()))
    np.testing.assert_allclose(seen.embedding, (raw.embedding - 127.5) / 127.5, rtol=1e-4)  # red comes first in both
    assert judge.compare(face, [face]) == [pytest.approx(1)]


def test_thresholds_are_read_from_the_card_beside_the_file(parts, card, face, capsys):
    download.pull(card)
    assert main(["compare", "--judge", card.name, str(face), str(face)], parts=parts) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"kohl: models.far: the {card.name} judge has no threshold at 0.01")
    beside = cards.path(card).with_name(f"{card.name}.onnx.toml")
    beside.write_text(THRESHOLDS)
    assert parts.judge(card.name).thresholds == {0.01: 0.5}
    assert main(["compare", "--judge", card.name, str(face), str(face)], parts=parts) == 0
    assert f"{card.name}  1.00, threshold 0.50: same person" in capsys.readouterr().out
    beside.write_text(f"size = 112\n{THRESHOLDS}")
    with pytest.raises(BadSetting, match=r"onnx\.toml: size: no such setting; there are thresholds"):
        parts.judge(card.name)


def test_what_is_cut_is_resumed(card, pack, server):
    half = len(pack) // 2
    server.says["pack.zip"] = lambda handler: send(handler, 200, pack[:half], Content_Length=len(pack))
    with pytest.raises(BadModel, match=rf"^{card.name}: not downloaded .*; run the same command again, or fetch the a"):
        download.pull(card)
    assert files() == ["pack.zip.part"]
    server.says["pack.zip"] = resumable_from(pack)
    download.pull(card)
    assert server.asked[-1] == ("/pack.zip", f"bytes={half}-")
    assert files() == [f"{card.name}.onnx"]


def test_an_archive_that_could_not_be_unpacked_is_not_fetched_again(card, pack, server):
    with full_disk(len(pack) + 9), pytest.raises(BadModel, match=r"cannot be written"):  # its member is larger
        download.pull(card)
    assert files() == ["pack.zip"]
    download.pull(card)
    assert len(server.asked) == 1
    assert files() == [f"{card.name}.onnx"]


def test_another_archive_is_refused_unopened(card, pack, server):
    server.says["pack.zip"] = resumable_from(pack[::-1])
    with pytest.raises(BadModel, match=f"sha256 is .* but should be {sha256(pack)}, so nothing of it was kept"):
        download.pull(card)
    assert files() == []


@pytest.mark.parametrize("kind", ["archive", "file"])
def test_what_was_fetched_by_hand_may_be_the_archive_or_the_file(parts, card, pack, tmp_path, kind, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    fetched = tmp_path / "fetched"
    fetched.write_bytes(pack if kind == "archive" else MODEL)
    assert main(["models", "pull", card.name, "--from", str(fetched), "--yes"], parts=parts) == 0
    assert files() == [f"{card.name}.onnx"]
    assert cards.path(card).read_bytes() == MODEL


@pytest.mark.parametrize("content", [MODEL + b"!", MODEL[::-1]], ids=["longer", "another"])
def test_another_member_is_refused(card, tmp_path, content):
    fetched = tmp_path / "fetched.zip"
    with zipfile.ZipFile(fetched, "w") as made:
        made.writestr(card.member, content)
    with pytest.raises(BadModel, match=rf"fetched\.zip: is not the file of {card.name}: ") as error:
        download.adopt(card, fetched)
    assert f"; fetch the archive with {card.member} by hand from {card.archive.url} and run" in str(error.value)
    assert files() == []


def test_what_is_cut_off_is_refused(card, pack, tmp_path):
    fetched = tmp_path / "fetched.zip"
    for length in (0, 10, len(pack) // 2, len(pack) - 1):
        fetched.write_bytes(pack[:length])
        with pytest.raises(BadModel, match=f"is not the file of {card.name}"):
            download.adopt(card, fetched)
        assert files() == []


def test_what_says_that_it_is_longer_than_its_archive_is_refused(card, tmp_path):
    fetched = tmp_path / "fetched.zip"
    with zipfile.ZipFile(fetched, "w") as made:
        made.writestr(card.member, b"weights")
    content = bytearray(fetched.read_bytes())
    sizes = content.index(b"PK\x01\x02") + 20  # of the entry, packed and unpacked
    content[sizes : sizes + 8] = (99_999).to_bytes(4, "little") * 2
    fetched.write_bytes(content)
    with pytest.raises(BadModel, match=f"is not the file of {card.name}"):
        download.adopt(card, fetched)
    assert files() == []
