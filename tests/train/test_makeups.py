"""Runs of the two baselines that learn makeup, in a second: what they write, that they go on, and their losses."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from learned import contents, names, table
from sitters import sitter, sitters
from tiny import LinearEncoder, numbers

from kohl.errors import BadSetting
from kohl.geometry import resized
from kohl.perturb.terms import Surrogate
from kohl.train import adv_makeup, amt_gan, patches, purifier, sittings
from kohl.zoo.generators import amt_gan as transfer
from kohl.zoo.generators import eye_makeup


class Small(LinearEncoder):
    """A recogniser of the middle of a face, sixteen pixels wide."""

    def to_input(self, faces):
        scale = self.size / faces.crops.shape[-1]
        return torch.tensor([[scale, 0, 0], [0, scale, 0]]).expand(len(faces.crops), -1, -1)


class Seen:
    """Features that are the colours themselves, at two sizes."""

    def features(self, images):
        return [F.normalize(F.avg_pool2d(images, size), dim=1) for size in (4, 8)]

    def to_reference(self, reference):
        return lambda images: (images - reference).square().mean((1, 2, 3))


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Three people many times over, in one look a group."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(18):
        (folder / f"{number:02}.jpg").touch()
    return sittings.sittings(
        [folder],
        64,
        tmp_path_factory.mktemp("found") / "faces.safetensors",
        looks=1,
        most=18,
        find=lambda path, side: resized(sitter(int(Path(path).stem) % 3), side),
        said=lambda line: None,
    )


SURROGATES = [Surrogate(Small(f"linear{seed}", seed=seed), 0.5) for seed in (0, 1, 2)]
TARGET = resized(sitter(1), 64)
KINDS = {
    "adv-makeup": (
        adv_makeup,
        adv_makeup.Training(size=64, steps=6, batch=2, channels=2, judged=2, rotate=2, report=2, save_s=0.0),
    ),
    "amt-gan": (
        amt_gan,
        amt_gan.Training(size=64, steps=6, first=0.5, channels=2, judged=2, purified=2, growth=2, report=2, save_s=0.0),
    ),
}


def learn(kind, faces, folder, **settings):
    module, training = KINDS[kind]
    lines = []
    asked = type(training)(**{**vars(training), **settings})
    path = module.learn(faces, TARGET, SURROGATES, Seen(), folder, asked, said=lines.append)
    return path, lines


@pytest.fixture(scope="module", params=KINDS)
def run(request, faces, tmp_path_factory):
    """One run from start to end: its kind, its folder, its weights and what was said."""
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, folder, *learn(request.param, faces, folder)


def test_it_writes_a_checkpoint_a_log_samples_and_weights_that_can_be_read(run):
    kind, folder, path, lines = run
    assert names(folder) == sorted(["checkpoint.pt", "log.csv", "samples.png", path.name])
    rows = table(folder / "log.csv")
    assert [int(row["steps"]) for row in rows] == [2, 4, 6]
    assert [*rows[0]] == ["steps", *KINDS[kind][0].COLUMNS]
    assert all(torch.tensor([float(value) for value in row.values()]).isfinite().all() for row in rows)
    loaded = (eye_makeup if kind == "adv-makeup" else transfer).load(path)
    assert sum(weight.numel() for weight in loaded.parameters()) > 100
    assert [line.split("  ")[0] for line in lines[:3]] == ["2 of 6", "4 of 6", "6 of 6"]
    assert any(line.startswith("linear0: held-out faces are ") for line in lines)


def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(run, faces, tmp_path):
    kind, folder, path, _ = run
    module = KINDS[kind][0]
    real = module.Learner.step
    try:
        module.Learner.step = lambda self, number, *rest: (
            real(self, number, *rest) if number < 4 else pytest.fail("stopped")
        )
        with pytest.raises(pytest.fail.Exception):
            learn(kind, faces, tmp_path)
    finally:
        module.Learner.step = real
    assert not (tmp_path / path.name).exists()
    again, _ = learn(kind, faces, tmp_path)
    assert contents([again, tmp_path / "log.csv"]) == contents([path, folder / "log.csv"])


def test_another_setting_is_refused_by_name(run, faces):
    kind, folder, *_ = run
    with pytest.raises(BadSetting, match=r"checkpoint\.pt: was learned with channels 2; choose another folder"):
        learn(kind, faces, folder, channels=3)


def test_somebody_else_s_files_are_never_overwritten(run, faces, tmp_path):
    kind, _, path, _ = run
    (tmp_path / path.name).write_bytes(b"theirs")
    with pytest.raises(BadSetting, match=rf"holds {path.name}, but no checkpoint to go on from"):
        learn(kind, faces, tmp_path)
    assert (tmp_path / path.name).read_bytes() == b"theirs"


def test_eye_makeup_comes_nearer_to_its_target(faces, tmp_path):
    _, lines = learn("adv-makeup", faces, tmp_path, steps=16, batch=2, rate=1e-2, style=0.0, variation=0.0, attack=20.0)
    far = [[float(word.strip(",")) for word in line.split() if word[0].isdigit()] for line in lines[-3:]]
    assert all(after < before - 0.01 for before, after in far)


def test_makeup_learns_to_be_carried_over(faces, tmp_path):
    learn("amt-gan", faces, tmp_path, steps=20, first=1.0, rate=1e-2, channels=4)
    rows = table(tmp_path / "log.csv")
    start, end = (sum(float(row["identity"]) + float(row["makeup"]) for row in part) for part in (rows[:2], rows[-2:]))
    assert end < 0.8 * start


def test_one_recogniser_alone_cannot_take_turns(faces, tmp_path):
    with pytest.raises(BadSetting, match="name at least two"):
        adv_makeup.learn(faces, TARGET, SURROGATES[:1], Seen(), tmp_path, KINDS["adv-makeup"][1], said=print)


def test_gram_matrices_are_those_worked_out_by_hand():
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, -1.0]]]])  # two channels at two places
    expected = torch.tensor([[[2.5, 0.5], [0.5, 5.0]]])
    torch.testing.assert_close(adv_makeup.gram(features), expected)
    assert float(adv_makeup.style([features], [2 * features])) == pytest.approx(float((3 * expected).square().sum()))


def test_laplacians_and_variation_are_those_worked_out_by_hand():
    ramp = torch.arange(5.0).expand(1, 1, 4, 5)
    assert adv_makeup.laplacian(ramp)[..., 1:-1].abs().max() == 0
    spot = torch.zeros(1, 1, 3, 3)
    spot[..., 1, 1] = 1
    assert adv_makeup.laplacian(spot)[0, 0].tolist() == [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
    assert float(adv_makeup.variation(ramp)) == 1.0
    assert float(adv_makeup.variation(spot)) == pytest.approx(2 / 6 + 2 / 6)


def test_rates_fall_to_a_tenth_twice():
    training = adv_makeup.Training(steps=300)
    assert [training.pace(number) for number in (0, 99, 100, 199, 200)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])
    later = amt_gan.Training(steps=100, falls=0.5)
    assert [later.pace(number) for number in (0, 50, 75, 99)] == pytest.approx([1, 1, 0.5, 0.02])


def test_every_other_recogniser_tests_in_its_turn(faces, tmp_path):
    asked = []

    class Watched(Small):
        def forward(self, inputs):
            asked.append((self.name, torch.is_grad_enabled()))
            return super().forward(inputs)

    watched = [Surrogate(Watched(str(number), seed=number), 0.5) for number in range(3)]
    learner = adv_makeup.Learner(KINDS["adv-makeup"][1])
    known = [surrogate.embed(TARGET) for surrogate in watched]
    turns = []
    for number in range(6):
        asked.clear()
        learner.step(number, *faces.drawn(2, numbers()), watched, known, Seen())
        turns.append([name for name, _ in asked])
    assert turns == [["1", "2", "0"]] * 2 + [["0", "2", "1"]] * 2 + [["0", "1", "2"]] * 2  # the last one tests


def test_a_pair_is_looked_at_from_both_sides(faces):
    pair = amt_gan.Pair.of(faces, torch.tensor([3]), torch.tensor([4]), 0)
    assert torch.equal(pair.faces.images[0], faces.bared(torch.tensor([3])).crops[0])
    assert torch.equal(pair.makeup.images[0], faces.made_up(torch.tensor([4]), 0).crops[0])
    assert torch.equal(pair.faces.images[1], pair.makeup.images[0])
    assert torch.equal(pair.wanted[0], faces.made_up(torch.tensor([3]), 0).crops[0])
    assert torch.equal(pair.wanted[1], faces.bared(torch.tensor([4])).crops[0])
    assert torch.equal(pair.makeup.regions[1], pair.faces.regions[0])


def test_patches_and_the_purifier_start_as_they_should():
    images = sitters(64).crops
    judge = patches.untrained(4, numbers())
    assert judge(images).shape == (3, 1, 14, 14)
    assert float(patches.squared(torch.zeros(2), 1.0)) == 0.25
    pure = purifier.untrained(6, 3, 1, numbers())(images)
    assert 1e-5 < (pure - images).abs().mean() < 0.02
