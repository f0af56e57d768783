"""Contracts over the table of models: what comes with kohl is there and does what it promises, the rest can be had."""

import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from kohl.errors import BadModel, BadSetting
from kohl.zoo import cards
from kohl.zoo.files import store

SHIPPED = [card for card in cards.CARDS if card.package and card.sha256]  # others' files are still to be trained
PULLED = [card for card in cards.CARDS if card.package is None]
ROLES = [(card.name, kind) for card in SHIPPED for kind in card.roles]


def named(*kinds):
    """The shipped models with one of these roles."""
    return [name for name, kind in ROLES if kind in kinds]


@pytest.mark.parametrize("card", SHIPPED, ids=lambda card: card.name)
def test_file_is_there_and_is_the_right_one(card):
    assert cards.present(card)
    assert store.checked(cards.path(card), card.sha256) == cards.path(card)


@pytest.mark.parametrize("card", cards.CARDS, ids=lambda card: card.name)
def test_card_says_what_the_model_may_be_used_for(card):
    assert card.licence
    assert card.source
    needed = [cards.find(name) for role in card.roles.values() for name in role.needs]
    assert card in PULLED or all(other in SHIPPED for other in needed)  # what is here must work without a network


def test_names_and_files_are_each_another():
    assert len({card.name for card in cards.CARDS}) == len(cards.CARDS)
    assert len({cards.path(card) for card in cards.CARDS}) == len(cards.CARDS)


@pytest.mark.parametrize("card", PULLED, ids=lambda card: card.name)
def test_pulled_file_can_be_had(card):
    addresses = [*card.urls, card.source, *([card.archive.url] if card.archive else [])]
    assert all(address.startswith("https://") for address in addresses)
    assert len({*card.urls}) == len(card.urls)
    assert not (card.urls and card.member)  # the addresses are those of the very file
    if card.archive:
        assert card.member
        assert (card.archive.size > 0) == bool(card.archive.sha256)
        assert card.archive.sha256 == "" or re.fullmatch("[0-9a-f]{64}", card.archive.sha256)
        assert Path(card.archive.file).name == card.archive.file
        assert card.archive.file not in {other.file for other in PULLED}
    assert Path(card.file).name == card.file
    assert card.sha256 == "" or re.fullmatch("[0-9a-f]{64}", card.sha256)
    assert card.size > 0 or not card.sha256


def test_addresses_in_a_repository_are_of_one_version_for_ever():
    addresses = [url for card in PULLED for url in card.urls if "huggingface" in url or "githubusercontent" in url]
    assert len(addresses) > 3
    assert all(re.search("/[0-9a-f]{40}/", url) for url in addresses)


@pytest.mark.parametrize("card", PULLED, ids=lambda card: card.name)
def test_pulled_file_that_is_not_here_is_asked_for(card, monkeypatch, tmp_path):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    assert not cards.present(card)
    with pytest.raises(BadModel, match=f"^{card.name}: not here yet; run `kohl models pull {card.name}`.$"):
        cards.load(card.name)


@pytest.mark.parametrize("card", PULLED, ids=lambda card: card.name)
def test_pulled_file_that_is_another_is_refused(card, monkeypatch, tmp_path):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    cards.path(card).write_bytes(b"something else")
    with pytest.raises(BadModel, match=f"run `kohl models pull {card.name}`"):
        cards.load(card.name)


def test_file_that_was_put_there_without_a_hash_is_not_trusted(monkeypatch, tmp_path):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    card = replace(PULLED[0], sha256="", size=0)
    cards.path(card).write_bytes(b"something")
    with pytest.raises(BadModel, match="not here yet"):
        cards.checked(card)
    store.pin(card.name, hashlib.sha256(b"something").hexdigest())
    assert cards.checked(card) == cards.path(card)


def test_what_a_model_needs_is_pulled_with_it():
    for names in (["clip-vit-b32", "sface"], ["clip-vit-b32", "clip-tokens", "clip-vit-b32"]):
        assert [card.name for card in cards.to_pull(names)] == ["clip-vit-b32", "clip-tokens", "clip-templates"]
    with pytest.raises(BadSetting, match="clip-vit-b16: no such model; did you mean clip-vit-b32"):
        cards.to_pull(["clip-vit-b16"])


def test_what_a_model_can_do_without_is_not_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path))
    assert [card.name for card in cards.missing(["clip-vit-b32"])] == ["clip-vit-b32", "clip-tokens"]


@pytest.mark.parametrize(("name", "kind"), ROLES)
def test_model_loads(name, kind):
    # A model is called; a judge is asked to compare, decoys are counted, and impressions tell who is of a kind.
    assert hasattr(
        cards.load(name, kind), {"judge": "compare", "decoys": "__len__", "impressions": "kin"}.get(kind, "__call__")
    )


@pytest.mark.parametrize(("name", "kind"), [role for role in ROLES if role[1] in ("encoder", "judge")])
def test_thresholds_rise_as_false_accepts_become_rarer(name, kind):
    role = cards.find(name).roles[kind]
    rates = sorted(role.thresholds)
    assert rates == [0.001, 0.01, 0.1]
    assert sorted(role.thresholds.values(), reverse=True) == [role.thresholds[rate] for rate in rates]
    assert "benchmarks/thresholds.py" in role.calibration


@pytest.mark.parametrize("name", named("judge"))
def test_judge_carries_its_card_s_name_and_thresholds(name):
    judge = cards.judge(name)
    assert judge.name == name
    assert judge.thresholds == cards.find(name).roles["judge"].thresholds


@pytest.fixture(scope="module", params=named("encoder"))
def encoder(request):
    model = cards.encoder(request.param)
    assert model.name == request.param
    return model


def inputs(encoder):
    """Two images of noise."""
    return torch.rand(2, 3, encoder.size, encoder.size, generator=torch.Generator().manual_seed(0))


def test_embeddings_have_unit_length(encoder):
    torch.testing.assert_close(encoder(inputs(encoder)).norm(dim=1), torch.ones(2))


def test_a_batch_is_its_images_one_by_one(encoder):
    images = inputs(encoder)
    torch.testing.assert_close(encoder(images), torch.cat([encoder(image[None]) for image in images]))


def test_gradients_reach_every_image_and_no_weight(encoder):
    images = inputs(encoder).requires_grad_()
    embeddings = encoder(images)
    (embeddings[0] @ embeddings[1]).backward()
    assert images.grad.isfinite().all()
    assert (images.grad.flatten(1).norm(dim=1) > 0).all()
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder.training


def test_gradient_is_the_slope(encoder):
    images = inputs(encoder)[:1].double().requires_grad_()
    model = cards.encoder(encoder.name).double()
    direction = torch.randn(model(images).shape[1], generator=torch.Generator().manual_seed(1)).double()
    step = torch.randn(images.shape, generator=torch.Generator().manual_seed(2)).double() * 1e-7
    (gradient,) = torch.autograd.grad((model(images) @ direction).sum(), images)
    rise = (model(images + step) - model(images - step)).detach() @ direction / 2
    torch.testing.assert_close((gradient * step).sum()[None], rise, rtol=1e-2, atol=0)  # rectifiers have kinks


@pytest.mark.parametrize(("name", "kind"), ROLES)
def test_a_wrong_hash_is_refused(name, kind):
    table = [replace(card, sha256="0" * 64) for card in cards.CARDS]
    with pytest.raises(BadModel, match="sha256"):
        cards.load(name, kind, table=table)


def test_a_missing_file_or_package_is_refused():
    for change in ({"file": "models/none.onnx"}, {"package": "no_such_package"}):
        card = replace(cards.find("yunet"), **change)
        with pytest.raises(BadModel, match="install"):
            cards.load("yunet", table=[card])
        assert not cards.present(card)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(BadSetting, match="sfase: no such model; did you mean sface"):
        cards.find("sfase")
    with pytest.raises(BadSetting, match="judge dlip: no such model; did you mean judge dlib"):
        cards.judge("dlip")
    with pytest.raises(BadSetting, match="judge yunet: no such model"):
        cards.load("yunet", "judge")


def test_the_table_loads_neither_torch_nor_a_model():
    code = "import sys, kohl.zoo.cards; print(*{'torch', 'numpy', 'onnx', 'dlib'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
