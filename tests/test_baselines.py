"""What attacks that have learned their makeup are given: bundled weights, files, and whose makeup it is."""

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from sitters import FOLDER, sitters
from tiny import numbers

from kohl import baselines, recipe
from kohl.align.detect import Detect
from kohl.errors import BadModel, BadSetting
from kohl.perturb.adv_makeup import AdvMakeup, EyeArea, Worn
from kohl.perturb.terms import Surrogate
from kohl.types import Goal
from kohl.zoo import cards
from kohl.zoo.detectors import regions
from kohl.zoo.generators.amt_gan import MakeupTransfer
from kohl.zoo.shelf import Shelf


@pytest.fixture(scope="module")
def decoys():
    return cards.load("decoys")


def chosen(*settings):
    return recipe.override(recipe.load("default"), settings)


@pytest.fixture
def weights(tmp_path):
    """A small generator of AMT-GAN with random weights."""
    made = {
        name: 0.1 * torch.randn(x.shape, generator=numbers()) for name, x in MakeupTransfer(2, 64).state_dict().items()
    }
    save_file(made | {"size": torch.tensor(64)}, tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def carried(*settings, decoys, detect=None):
    return baselines.transferred(chosen("attack=amt-gan", *settings), Shelf(), detect, decoys)


def test_without_the_attack_or_weights_nothing_is_loaded(decoys, weights):
    assert baselines.drawn_makeup(chosen(), Shelf()) is None
    assert baselines.drawn_makeup(chosen("attack=adv-makeup", "adv_makeup.weights="), Shelf()) is None
    assert carried(decoys=decoys) is None
    assert baselines.transferred(chosen(f"amt_gan.weights={weights}"), Shelf(), None, decoys) is None


def test_the_bundled_makeup_is_worn_around_the_eyes_and_is_taken_for_its_target(decoys):
    attack = AdvMakeup(baselines.drawn_makeup(chosen("attack=adv-makeup"), Shelf()), Worn(poisson=False))
    faces, target = sitters(), decoys[0]
    changed = attack(faces, Goal.dodge(faces, target), rng=numbers())
    difference = (changed - faces.crops).abs()
    reach = EyeArea.of(faces).reach(faces.crops).expand_as(difference)
    assert difference[reach == 0].max() == 0
    assert 0.02 < difference[reach > 0.5].mean() < 0.2
    teacher = Surrogate(cards.encoder("sface"), 0.3588)
    known, bare, made_up = map(teacher.embed, (target, faces, faces.with_crops(changed)))
    assert teacher.distance(made_up, known).mean() < teacher.distance(bare, known).mean() - 0.15


def test_the_reference_is_a_synthetic_person_in_makeup(decoys):
    bare, worn = decoys[baselines.WEARER], baselines.reference(decoys)
    lips, _, eyes = regions.by_landmarks(bare)[0]
    change = (worn.crops - bare.crops).abs().mean(1)[0]
    assert change[lips > 0].mean() > 0.08
    assert change[eyes > 0].mean() > 0.02
    assert torch.equal(worn.landmarks, bare.landmarks)


def test_a_photo_may_be_the_reference_if_there_is_a_face_in_it(decoys, weights, tmp_path):
    detect = Detect(cards.load("yunet"), cards.load("landmarks68"))
    photo = FOLDER / "0433.jpg"
    found = carried(f"amt_gan.weights={weights}", f"amt_gan.reference={photo}", decoys=decoys, detect=detect)
    assert found.reference.crops.shape == (1, 3, 256, 256)
    assert found.generator.size == 64
    assert found.regions is regions.by_landmarks
    Image.fromarray(np.full((200, 200, 3), 90, np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(BadSetting, match=r"amt_gan\.reference: no face was found in .*grey\.png"):
        carried(
            f"amt_gan.weights={weights}", f"amt_gan.reference={tmp_path / 'grey.png'}", decoys=decoys, detect=detect
        )


def test_what_must_be_pulled_is_asked_for(decoys, weights, monkeypatch, tmp_path):
    monkeypatch.setenv("KOHL_CACHE", str(tmp_path / "cache"))
    with pytest.raises(BadModel, match="amt-gan: not here yet; run `kohl models pull amt-gan`"):
        carried("amt_gan.weights=amt-gan", decoys=decoys)
    with pytest.raises(BadModel, match="face-parser: not here yet; run `kohl models pull face-parser`"):
        carried(f"amt_gan.weights={weights}", "amt_gan.regions=bisenet", decoys=decoys)
    asked = chosen("attack=amt-gan", "amt_gan.weights=amt-gan", "amt_gan.regions=bisenet")
    assert {"amt-gan", "face-parser"} <= set(recipe.names(asked, words=False))
    assert not {"amt-gan", "face-parser"} & set(recipe.names(chosen(), words=False))
